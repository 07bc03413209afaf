/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The messages that an ONNX file is made of; the numbers are those of onnx.proto3 (github.com/onnx/onnx). */

/* inputs: NULL-terminated names of values; "" for one that is left out. The node is named after its output. (transfer
 * full) */
GByteArray *sppnet_onnx_node_new (const gchar *operator, const gchar * const * inputs, const gchar *output);
void sppnet_onnx_node_add_int (GByteArray *node, const gchar *name, gint64 value);
void sppnet_onnx_node_add_ints (GByteArray *node, const gchar *name, const gint *values, guint n);
void sppnet_onnx_node_add_float (GByteArray *node, const gchar *name, gfloat value);

void sppnet_onnx_node_add_text (GByteArray *node, const gchar *name, const gchar *text);

/* node: (transfer full) */
void sppnet_onnx_add_node (GByteArray *graph, GByteArray *node);
/* A constant; shape: [n_dims], data: [product of shape]. */
void sppnet_onnx_add_floats (GByteArray *graph, const gchar *name, const gsize *shape, guint n_dims,
                             const gfloat *data);
/* values: [n] */
void sppnet_onnx_add_integers (GByteArray *graph, const gchar *name, const gint *values, guint n);
/* Input and output of the graph, [1][channels][height][width] of floats; a size of 0 is any, under the name given. */
typedef struct
{
  const gchar *name;
  gint channels, height, width;
  const gchar *height_name, *width_name;
} SppnetOnnxMap;
void sppnet_onnx_add_input (GByteArray *graph, const SppnetOnnxMap *map);
void sppnet_onnx_add_output (GByteArray *graph, const SppnetOnnxMap *map);

/* The whole file. graph: (transfer full); metadata: pairs of strings, NULL-terminated. (transfer full) */
GByteArray *sppnet_onnx_model_new (GByteArray *graph, const gchar *name, gint operator_set,
                                   const gchar *const *metadata);
