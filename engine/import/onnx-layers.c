/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/onnx-layers.h"

#include "import/onnx-graph.h"

/* "NAME/PART" */
static gchar *
part_of (const SppnetLayer *layer, const gchar *part)
{
  return g_strconcat (layer->name, "/", part, NULL);
}

static void
add_kernel (GByteArray *node, const SppnetLayer *layer)
{
  gint kernel[] = { layer->kernel_height, layer->kernel_width };
  gint strides[] = { layer->stride, layer->stride };
  gint pads[] = { layer->pad_y, layer->pad_x, layer->pad_y, layer->pad_x };

  sppnet_onnx_node_add_ints (node, "kernel_shape", kernel, G_N_ELEMENTS (kernel));
  sppnet_onnx_node_add_ints (node, "strides", strides, G_N_ELEMENTS (strides));
  sppnet_onnx_node_add_ints (node, "pads", pads, G_N_ELEMENTS (pads));
}

static void
add_activation (GByteArray *graph, const SppnetLayer *layer, const gchar *from, const gchar *to)
{
  const gchar *inputs[] = { from, NULL };
  gboolean relu = layer->activation == SPPNET_ACTIVATION_RELU;
  GByteArray *node = sppnet_onnx_node_new (relu ? "Relu" : "LeakyRelu", inputs, to);

  if (!relu)
    sppnet_onnx_node_add_float (node, "alpha", layer->slope);
  sppnet_onnx_add_node (graph, node);
}

static void
add_conv (GByteArray *graph, const SppnetLayer *layer, const gchar *from, const gchar *to)
{
  g_autofree gchar *weight = g_strconcat (layer->name, ".weight", NULL);
  g_autofree gchar *bias = g_strconcat (layer->name, ".bias", NULL);
  g_autofree gchar *sum = part_of (layer, "conv");
  gboolean linear = layer->activation == SPPNET_ACTIVATION_LINEAR;
  const gchar *inputs[] = { from, weight, bias, NULL };
  GByteArray *node = sppnet_onnx_node_new ("Conv", inputs, linear ? to : sum);

  add_kernel (node, layer);
  sppnet_onnx_add_node (graph, node);
  if (!linear)
    add_activation (graph, layer, sum, to);
}

static void
add_pool (GByteArray *graph, const SppnetLayer *layer, const gchar *from, const gchar *to)
{
  gboolean is_max = layer->kind == SPPNET_LAYER_MAX_POOL;
  const gchar *inputs[] = { from, NULL };
  GByteArray *node = sppnet_onnx_node_new (is_max ? "MaxPool" : "AveragePool", inputs, to);

  add_kernel (node, layer);
  sppnet_onnx_node_add_int (node, "ceil_mode", layer->ceil_mode);
  if (!is_max)
    sppnet_onnx_node_add_int (node, "count_include_pad", 0);
  sppnet_onnx_add_node (graph, node);
}

static void
add_lrn (GByteArray *graph, const SppnetLayer *layer, const gchar *from, const gchar *to)
{
  const gchar *inputs[] = { from, NULL };
  GByteArray *node = sppnet_onnx_node_new ("LRN", inputs, to);

  sppnet_onnx_node_add_int (node, "size", layer->lrn_size);
  sppnet_onnx_node_add_float (node, "alpha", layer->lrn_alpha);
  sppnet_onnx_node_add_float (node, "beta", layer->lrn_beta);
  sppnet_onnx_node_add_float (node, "bias", layer->lrn_k);
  sppnet_onnx_add_node (graph, node);
}

/* The first two sizes of "NAME/repeated" that are cut off: from the size of the map that it is added to, which is known
 * for a frame of one size only. fine: (nullable) */
static void
add_crop_ends (GByteArray *graph, const SppnetLayer *layer, const SppnetShape *fine)
{
  g_autofree gchar *ends = part_of (layer, "ends"), *shape = part_of (layer, "shape");
  g_autofree gchar *first = part_of (layer, "two"), *last = part_of (layer, "four");
  g_autofree gchar *conv = part_of (layer, "conv");
  const gchar *conv_inputs[] = { conv, NULL }, *slice_inputs[] = { shape, first, last, NULL };

  if (fine) {
    sppnet_onnx_add_integers (graph, ends, (gint[]) { fine->height, fine->width }, 2);
    return;
  }
  sppnet_onnx_add_node (graph, sppnet_onnx_node_new ("Shape", conv_inputs, shape));
  sppnet_onnx_add_integers (graph, first, (gint[]) { 2 }, 1);
  sppnet_onnx_add_integers (graph, last, (gint[]) { 4 }, 1);
  sppnet_onnx_add_node (graph, sppnet_onnx_node_new ("Slice", slice_inputs, ends));
}

/* Each cell factor x factor times, cut to the size of the map that it is added to: "NAME/repeated" and "NAME/cropped".
 */
static void
add_repeated (GByteArray *graph, const SppnetLayer *layer, const gchar *coarse, const SppnetShape *fine)
{
  static const gsize four = 4;
  g_autofree gchar *repeated = part_of (layer, "repeated"), *scales = part_of (layer, "scales");
  g_autofree gchar *cropped = part_of (layer, "cropped"), *starts = part_of (layer, "starts");
  g_autofree gchar *ends = part_of (layer, "ends"), *axes = part_of (layer, "axes");
  const gchar *inputs[] = { coarse, "", scales, NULL }, *crop_inputs[] = { repeated, starts, ends, axes, NULL };
  GByteArray *node = sppnet_onnx_node_new ("Resize", inputs, repeated);

  sppnet_onnx_add_floats (graph, scales, &four, 1, (gfloat[]) { 1, 1, (gfloat) layer->factor, (gfloat) layer->factor });
  sppnet_onnx_node_add_text (node, "mode", "nearest");
  sppnet_onnx_node_add_text (node, "coordinate_transformation_mode", "asymmetric");
  sppnet_onnx_node_add_text (node, "nearest_mode", "floor");
  sppnet_onnx_add_node (graph, node);
  add_crop_ends (graph, layer, fine);
  sppnet_onnx_add_integers (graph, starts, (gint[]) { 0, 0 }, 2);
  sppnet_onnx_add_integers (graph, axes, (gint[]) { 2, 3 }, 2);
  sppnet_onnx_add_node (graph, sppnet_onnx_node_new ("Slice", crop_inputs, cropped));
}

/* values: names of the maps before each layer */
static void
add_merge (GByteArray *graph, const SppnetLayer *layer, gchar **values, const gchar *coarse, const SppnetShape *shapes,
           const gchar *to)
{
  SppnetLayer lateral = *layer;
  g_autofree gchar *conv = part_of (layer, "conv"), *cropped = part_of (layer, "cropped");
  g_autofree gchar *sum = part_of (layer, "sum");
  const gchar *inputs[] = { conv, cropped, NULL };
  gboolean linear = layer->activation == SPPNET_ACTIVATION_LINEAR;

  lateral.activation = SPPNET_ACTIVATION_LINEAR;
  add_conv (graph, &lateral, values[layer->from + 1], conv);
  add_repeated (graph, layer, coarse, shapes ? &shapes[layer->from + 1] : NULL);
  sppnet_onnx_add_node (graph, sppnet_onnx_node_new ("Add", inputs, linear ? to : sum));
  if (!linear)
    add_activation (graph, layer, sum, to);
}

void
sppnet_onnx_add_layers (GByteArray *graph, const SppnetConfig *config, const SppnetShape *shapes)
{
  g_auto (GStrv) values = g_new0 (gchar *, config->n_layers + 2);

  values[0] = g_strdup (SPPNET_ONNX_INPUT);
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];

    values[i + 1] = i + 1 == config->n_layers ? g_strdup (SPPNET_ONNX_OUTPUT) : part_of (layer, "out");
    switch (layer->kind) {
    case SPPNET_LAYER_CONV:
      add_conv (graph, layer, values[i], values[i + 1]);
      break;
    case SPPNET_LAYER_MAX_POOL:
    case SPPNET_LAYER_AVERAGE_POOL:
      add_pool (graph, layer, values[i], values[i + 1]);
      break;
    case SPPNET_LAYER_LRN:
      add_lrn (graph, layer, values[i], values[i + 1]);
      break;
    case SPPNET_LAYER_MERGE:
      add_merge (graph, layer, values, values[i], shapes, values[i + 1]);
      break;
    }
  }
}
