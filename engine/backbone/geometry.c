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

gint
sppnet_layer_output_channels (const SppnetLayer *layer, gint channels)
{
  return layer->kind == SPPNET_LAYER_CONV ? layer->filters : channels;
}

void
sppnet_layer_input_rows (const SppnetLayer *layer, gint y, gint *first, gint *end)
{
  if (layer->kind == SPPNET_LAYER_LRN) {
    gint reach = layer->lrn_within_channel ? layer->lrn_size / 2 : 0;

    *first = y - reach;
    *end = y + reach + 1;
  } else {
    *first = y * layer->stride - layer->pad_y;
    *end = *first + layer->kernel_height;
  }
}

/* Cell i of a layer has its centre at cell stride * i + (kernel - 1) / 2 - pad of the layer below. */
SppnetGeometry
sppnet_config_geometry (const SppnetConfig *config)
{
  SppnetGeometry geometry = { 1, 0.0f, 0.0f };

  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];

    if (layer->kind == SPPNET_LAYER_LRN)
      continue;
    geometry.offset_x += (gfloat) geometry.stride * ((layer->kernel_width - 1) * 0.5f - layer->pad_x);
    geometry.offset_y += (gfloat) geometry.stride * ((layer->kernel_height - 1) * 0.5f - layer->pad_y);
    geometry.stride *= layer->stride;
  }
  return geometry;
}

void
sppnet_config_map_size (const SppnetConfig *config, gint width, gint height, gint *map_width, gint *map_height)
{
  for (guint i = 0; i < config->n_layers; i++) {
    width = sppnet_layer_output_width (&config->layers[i], width);
    height = sppnet_layer_output_height (&config->layers[i], height);
  }
  *map_width = width;
  *map_height = height;
}
