/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/onnx.h"

#include "backbone/backbone.h"
#include "base/file.h"
#include "import/onnx-graph.h"
#include "import/onnx-layers.h"

#define OPERATOR_SET 13
/* What other programs read: messages of Protocol Buffers end at 2 GiB. */
#define MAX_BYTES (G_MAXINT32 - (1 << 20))

/* The backbone's tensors, which come first, as they are in the model: [out][in][y][x], the order of ONNX. */
static void
add_weights (GByteArray *graph, const SppnetModel *model, const GArray *tensors, guint n)
{
  for (guint i = 0; i < n; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    sppnet_onnx_add_floats (graph, tensor->name, tensor->dims, tensor->n_dims,
                            sppnet_model_get_tensor (model, tensor->name, NULL));
  }
}

static gchar *
three_numbers (const gfloat *values)
{
  gchar text[3][G_ASCII_DTOSTR_BUF_SIZE];

  for (guint i = 0; i < 3; i++)
    g_ascii_formatd (text[i], sizeof text[i], "%.9g", (gdouble) values[i]);
  return g_strjoin (" ", text[0], text[1], text[2], NULL);
}

static GByteArray *
describe (GByteArray *graph, const SppnetModel *model)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetGeometry geometry = sppnet_config_geometry (config);
  g_autofree gchar *mean = three_numbers (config->input_mean);
  g_autofree gchar *scale = three_numbers (config->input_scale);
  g_autofree gchar *stride = g_strdup_printf ("%d", geometry.stride);
  const gchar *metadata[] = {
    "input_order", config->input_bgr ? "BGR" : "RGB", "input_mean", mean, "input_scale", scale, "stride", stride, NULL,
  };

  return sppnet_onnx_model_new (graph, sppnet_model_get_name (model), OPERATOR_SET, metadata);
}

/* Whether the output of a layer, times its stride, is at least as long as its input, for every input. */
static gboolean
covers (const SppnetLayer *layer)
{
  gint spare = layer->ceil_mode && layer->kind != SPPNET_LAYER_CONV ? layer->stride : 1;

  return layer->kind == SPPNET_LAYER_LRN
         || (2 * layer->pad_x + spare >= layer->kernel_width && 2 * layer->pad_y + spare >= layer->kernel_height);
}

/* Where the repeated map is smaller than the one it is added to, its last cells count once more. ONNX cannot say that
 * in operators that are widely known. */
static gboolean
merge_covers (const SppnetConfig *config, guint index)
{
  guint fine = config->layers[index].from + 1, stage = index;

  while (stage > fine) {
    const SppnetLayer *layer = &config->layers[stage - 1];

    if (layer->kind != SPPNET_LAYER_MERGE && !covers (layer))
      return FALSE;
    stage = layer->kind == SPPNET_LAYER_MERGE ? layer->from + 1 : stage - 1;
  }
  return stage == fine;
}

static gboolean
refuse (const SppnetModel *model, const SppnetLayer *layer, const gchar *reason, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: layer %s cannot be exported: %s",
               sppnet_model_get_path (model), layer->name, reason);
  return FALSE;
}

static gboolean
check_layers (const SppnetModel *model, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);

  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];

    if (layer->kind == SPPNET_LAYER_LRN && layer->lrn_within_channel)
      return refuse (model, layer, "ONNX has no normalisation within a channel", error);
    if (layer->kind == SPPNET_LAYER_MERGE && !merge_covers (config, i))
      return refuse (model, layer, "the map that it repeats may be too small, because a layer before it rounds down",
                     error);
  }
  return TRUE;
}

/* tensors: n_backbone of them are the backbone's */
static gboolean
check_bytes (const SppnetModel *model, const GArray *tensors, guint n_backbone, GError **error)
{
  guint64 bytes = 0;

  for (guint i = 0; i < n_backbone; i++) {
    gsize count;

    sppnet_model_get_tensor (model, g_array_index (tensors, SppnetTensorSource, i).name, &count);
    bytes += count * sizeof (gfloat);
  }
  if (bytes <= MAX_BYTES)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
               "%s: %" G_GUINT64_FORMAT " bytes of weights do not fit an ONNX file, which ends at 2 GiB",
               sppnet_model_get_path (model), bytes);
  return FALSE;
}

/* FALSE for a frame that is too small. shapes: [n_layers + 1] */
static gboolean
fix_size (const SppnetModel *model, gint width, gint height, SppnetShape *shapes, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  guint n = sppnet_config_shapes (config, width, height, shapes);

  if (n == config->n_layers)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: a frame of %dx%d is too small for layer %s",
               sppnet_model_get_path (model), width, height, config->layers[n].name);
  return FALSE;
}

gboolean
sppnet_export_onnx (SppnetModel *model, gint width, gint height, const gchar *path, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetOnnxMap input = { SPPNET_ONNX_INPUT, 3, height, width, "height", "width" };
  SppnetOnnxMap output = { SPPNET_ONNX_OUTPUT, sppnet_config_channels (config), 0, 0, "map_height", "map_width" };
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);
  g_autoptr (GByteArray) bytes = NULL;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  GByteArray *graph;
  guint n_backbone = 0;

  for (guint i = 0; i < config->n_layers; i++)
    n_backbone += sppnet_layer_has_weights (&config->layers[i]) ? 2 : 0;
  if (!check_layers (model, error) || !check_bytes (model, tensors, n_backbone, error)
      || (width > 0 && !fix_size (model, width, height, shapes, error)))
    return FALSE;
  if (width > 0) {
    output.height = shapes[config->n_layers].height;
    output.width = shapes[config->n_layers].width;
  }
  graph = g_byte_array_new ();
  sppnet_onnx_add_input (graph, &input);
  sppnet_onnx_add_output (graph, &output);
  sppnet_onnx_add_layers (graph, config, width > 0 ? shapes : NULL);
  add_weights (graph, model, tensors, n_backbone);
  bytes = describe (graph, model);
  return sppnet_file_write (path, bytes->data, bytes->len, error);
}
