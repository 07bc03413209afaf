/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/onnx-graph.h"

#include "import/protobuf.h"

#define IR_VERSION 7

/* Numbers of the fields. */
enum
{
  MODEL_IR_VERSION = 1,
  MODEL_PRODUCER = 2,
  MODEL_PRODUCER_VERSION = 3,
  MODEL_GRAPH = 7,
  MODEL_OPERATOR_SET = 8,
  MODEL_METADATA = 14,
  OPERATOR_SET_VERSION = 2,
  METADATA_KEY = 1,
  METADATA_VALUE = 2,
  GRAPH_NODE = 1,
  GRAPH_NAME = 2,
  GRAPH_INITIALIZER = 5,
  GRAPH_INPUT = 11,
  GRAPH_OUTPUT = 12,
  NODE_INPUT = 1,
  NODE_OUTPUT = 2,
  NODE_NAME = 3,
  NODE_OPERATOR = 4,
  NODE_ATTRIBUTE = 5,
  ATTRIBUTE_NAME = 1,
  ATTRIBUTE_FLOAT = 2,
  ATTRIBUTE_INT = 3,
  ATTRIBUTE_TEXT = 4,
  ATTRIBUTE_INTS = 8,
  ATTRIBUTE_TYPE = 20,
  TENSOR_DIM = 1,
  TENSOR_TYPE = 2,
  TENSOR_NAME = 8,
  TENSOR_DATA = 9,
  VALUE_NAME = 1,
  VALUE_TYPE = 2,
  TYPE_TENSOR = 1,
  TENSOR_TYPE_ELEMENT = 1,
  TENSOR_TYPE_SHAPE = 2,
  SHAPE_DIM = 1,
  DIM_VALUE = 1,
  DIM_NAME = 2,
};

/* Types of attributes, and of a tensor's elements. */
enum
{
  ELEMENT_IS_FLOAT = 1,
  ELEMENT_IS_INT64 = 7,
  ATTRIBUTE_IS_FLOAT = 1,
  ATTRIBUTE_IS_INT = 2,
  ATTRIBUTE_IS_TEXT = 3,
  ATTRIBUTE_IS_INTS = 7,
};

GByteArray *
sppnet_onnx_node_new (const gchar *operator, const gchar * const * inputs, const gchar *output)
{
  GByteArray *node = g_byte_array_new ();

  for (; *inputs; inputs++)
    sppnet_protobuf_add_string (node, NODE_INPUT, *inputs);
  sppnet_protobuf_add_string (node, NODE_OUTPUT, output);
  sppnet_protobuf_add_string (node, NODE_NAME, output);
  sppnet_protobuf_add_string (node, NODE_OPERATOR, operator);
  return node;
}

static GByteArray *
attribute_new (const gchar *name, gint type)
{
  GByteArray *attribute = g_byte_array_new ();

  sppnet_protobuf_add_string (attribute, ATTRIBUTE_NAME, name);
  sppnet_protobuf_add_int (attribute, ATTRIBUTE_TYPE, type);
  return attribute;
}

void
sppnet_onnx_node_add_int (GByteArray *node, const gchar *name, gint64 value)
{
  GByteArray *attribute = attribute_new (name, ATTRIBUTE_IS_INT);

  sppnet_protobuf_add_int (attribute, ATTRIBUTE_INT, value);
  sppnet_protobuf_add_message (node, NODE_ATTRIBUTE, attribute);
}

void
sppnet_onnx_node_add_ints (GByteArray *node, const gchar *name, const gint *values, guint n)
{
  GByteArray *attribute = attribute_new (name, ATTRIBUTE_IS_INTS);

  for (guint i = 0; i < n; i++)
    sppnet_protobuf_add_int (attribute, ATTRIBUTE_INTS, values[i]);
  sppnet_protobuf_add_message (node, NODE_ATTRIBUTE, attribute);
}

void
sppnet_onnx_node_add_float (GByteArray *node, const gchar *name, gfloat value)
{
  GByteArray *attribute = attribute_new (name, ATTRIBUTE_IS_FLOAT);

  sppnet_protobuf_add_float (attribute, ATTRIBUTE_FLOAT, value);
  sppnet_protobuf_add_message (node, NODE_ATTRIBUTE, attribute);
}

void
sppnet_onnx_node_add_text (GByteArray *node, const gchar *name, const gchar *text)
{
  GByteArray *attribute = attribute_new (name, ATTRIBUTE_IS_TEXT);

  sppnet_protobuf_add_string (attribute, ATTRIBUTE_TEXT, text);
  sppnet_protobuf_add_message (node, NODE_ATTRIBUTE, attribute);
}

void
sppnet_onnx_add_node (GByteArray *graph, GByteArray *node)
{
  sppnet_protobuf_add_message (graph, GRAPH_NODE, node);
}

void
sppnet_onnx_add_floats (GByteArray *graph, const gchar *name, const gsize *shape, guint n_dims, const gfloat *data)
{
  GByteArray *tensor = g_byte_array_new ();
  gsize n = 1;

  for (guint i = 0; i < n_dims; i++) {
    sppnet_protobuf_add_int (tensor, TENSOR_DIM, (gint64) shape[i]);
    n *= shape[i];
  }
  sppnet_protobuf_add_int (tensor, TENSOR_TYPE, ELEMENT_IS_FLOAT);
  sppnet_protobuf_add_string (tensor, TENSOR_NAME, name);
  sppnet_protobuf_add_floats (tensor, TENSOR_DATA, data, n);
  sppnet_protobuf_add_message (graph, GRAPH_INITIALIZER, tensor);
}

void
sppnet_onnx_add_integers (GByteArray *graph, const gchar *name, const gint *values, guint n)
{
  GByteArray *tensor = g_byte_array_new (), *data = g_byte_array_new ();

  for (guint i = 0; i < n; i++) {
    gint64 value = GINT64_TO_LE ((gint64) values[i]);

    g_byte_array_append (data, (const guint8 *) &value, 8);
  }
  sppnet_protobuf_add_int (tensor, TENSOR_DIM, n);
  sppnet_protobuf_add_int (tensor, TENSOR_TYPE, ELEMENT_IS_INT64);
  sppnet_protobuf_add_string (tensor, TENSOR_NAME, name);
  sppnet_protobuf_add_message (tensor, TENSOR_DATA, data);
  sppnet_protobuf_add_message (graph, GRAPH_INITIALIZER, tensor);
}

static void
add_size (GByteArray *shape, gint size, const gchar *name)
{
  GByteArray *dim = g_byte_array_new ();

  if (size > 0)
    sppnet_protobuf_add_int (dim, DIM_VALUE, size);
  else
    sppnet_protobuf_add_string (dim, DIM_NAME, name);
  sppnet_protobuf_add_message (shape, SHAPE_DIM, dim);
}

static void
add_map (GByteArray *graph, guint field, const SppnetOnnxMap *map)
{
  GByteArray *value = g_byte_array_new (), *type = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new (), *shape = g_byte_array_new ();

  add_size (shape, 1, NULL);
  add_size (shape, map->channels, NULL);
  add_size (shape, map->height, map->height_name);
  add_size (shape, map->width, map->width_name);
  sppnet_protobuf_add_int (tensor, TENSOR_TYPE_ELEMENT, ELEMENT_IS_FLOAT);
  sppnet_protobuf_add_message (tensor, TENSOR_TYPE_SHAPE, shape);
  sppnet_protobuf_add_message (type, TYPE_TENSOR, tensor);
  sppnet_protobuf_add_string (value, VALUE_NAME, map->name);
  sppnet_protobuf_add_message (value, VALUE_TYPE, type);
  sppnet_protobuf_add_message (graph, field, value);
}

void
sppnet_onnx_add_input (GByteArray *graph, const SppnetOnnxMap *map)
{
  add_map (graph, GRAPH_INPUT, map);
}

void
sppnet_onnx_add_output (GByteArray *graph, const SppnetOnnxMap *map)
{
  add_map (graph, GRAPH_OUTPUT, map);
}

GByteArray *
sppnet_onnx_model_new (GByteArray *graph, const gchar *name, gint operator_set, const gchar *const *metadata)
{
  GByteArray *model = g_byte_array_new (), *set = g_byte_array_new ();

  sppnet_protobuf_add_string (graph, GRAPH_NAME, name);
  sppnet_protobuf_add_int (model, MODEL_IR_VERSION, IR_VERSION);
  sppnet_protobuf_add_string (model, MODEL_PRODUCER, "gst-sppnet");
  sppnet_protobuf_add_string (model, MODEL_PRODUCER_VERSION, SPPNET_VERSION);
  sppnet_protobuf_add_int (set, OPERATOR_SET_VERSION, operator_set);
  sppnet_protobuf_add_message (model, MODEL_OPERATOR_SET, set);
  for (; *metadata; metadata += 2) {
    GByteArray *pair = g_byte_array_new ();

    sppnet_protobuf_add_string (pair, METADATA_KEY, metadata[0]);
    sppnet_protobuf_add_string (pair, METADATA_VALUE, metadata[1]);
    sppnet_protobuf_add_message (model, MODEL_METADATA, pair);
  }
  sppnet_protobuf_add_message (model, MODEL_GRAPH, graph);
  return model;
}
