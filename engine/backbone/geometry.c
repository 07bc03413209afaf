/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/backbone.h"
#include "backbone/layers.h"

static gint
output_length (gint length, gint kernel, gint stride, gint pad, gboolean ceil_mode)
{
  gint span = length + 2 * pad - kernel;
  gint n;

  if (span < 0)
    /* Rounded up, one window still starts inside the map. */
    return ceil_mode && length > 0 ? 1 : 0;
  n = (ceil_mode ? (span + stride - 1) / stride : span / stride) + 1;
  /* Rounding up must not add a window that starts in the padding. */
  if (ceil_mode && (n - 1) * stride >= length + pad)
    n--;
  return n;
}

gint
sppnet_layer_output_width (const SppnetLayer *layer, gint width)
{
  if (layer->kind == SPPNET_LAYER_LRN || width <= 0)
    return MAX (width, 0);
  return output_length (width, layer->kernel_width, layer->stride, layer->pad_x,
                        layer->ceil_mode && layer->kind != SPPNET_LAYER_CONV);
}

gint
sppnet_layer_output_height (const SppnetLayer *layer, gint height)
{
  if (layer->kind == SPPNET_LAYER_LRN || height <= 0)
    return MAX (height, 0);
  return output_length (height, layer->kernel_height, layer->stride, layer->pad_y,
                        layer->ceil_mode && layer->kind != SPPNET_LAYER_CONV);
}

guint
sppnet_config_shapes (const SppnetConfig *config, gint width, gint height, SppnetShape *shapes)
{
  shapes[0] = (SppnetShape) { width, height, 3 };
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    const SppnetShape *in = &shapes[layer->kind == SPPNET_LAYER_MERGE ? layer->from + 1 : i];

    shapes[i + 1]
        = (SppnetShape) { sppnet_layer_output_width (layer, in->width), sppnet_layer_output_height (layer, in->height),
                          sppnet_layer_has_weights (layer) ? layer->filters : in->channels };
    if (shapes[i + 1].width <= 0 || shapes[i + 1].height <= 0)
      return i;
  }
  return config->n_layers;
}

void
sppnet_layer_input_rows (const SppnetLayer *layer, gint y, gint *first, gint *end)
{
  if (layer->kind == SPPNET_LAYER_LRN) {
    gint reach = layer->lrn_within_channel ? layer->lrn_size / 2 : 0;

    *first = y - reach;
    *end = y + reach + 1;
  } else if (layer->kind == SPPNET_LAYER_MERGE) {
    *first = y / layer->factor;
    *end = *first + 1;
  } else {
    *first = y * layer->stride - layer->pad_y;
    *end = *first + layer->kernel_height;
  }
}

/* Cell i of a layer has its centre at cell stride * i + (kernel - 1) / 2 - pad of the layer below. From the last layer
 * down; what a merge adds its other input to has the place of that input. */
static SppnetGeometry
stage_geometry (const SppnetConfig *config, guint stage)
{
  SppnetGeometry geometry = { 1, 0.0f, 0.0f };

  while (stage > 0) {
    const SppnetLayer *layer = &config->layers[stage - 1];

    if (layer->kind == SPPNET_LAYER_MERGE) {
      stage = layer->from + 1;
      continue;
    }
    if (layer->kind != SPPNET_LAYER_LRN) {
      geometry.offset_x = geometry.offset_x * (gfloat) layer->stride + (layer->kernel_width - 1) * 0.5f - layer->pad_x;
      geometry.offset_y = geometry.offset_y * (gfloat) layer->stride + (layer->kernel_height - 1) * 0.5f - layer->pad_y;
      geometry.stride *= layer->stride;
    }
    stage--;
  }
  return geometry;
}

SppnetGeometry
sppnet_config_geometry (const SppnetConfig *config)
{
  return stage_geometry (config, config->n_layers);
}

void
sppnet_config_map_size (const SppnetConfig *config, gint width, gint height, gint *map_width, gint *map_height)
{
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  gboolean complete = sppnet_config_shapes (config, width, height, shapes) == config->n_layers;

  *map_width = complete ? shapes[config->n_layers].width : 0;
  *map_height = complete ? shapes[config->n_layers].height : 0;
}
