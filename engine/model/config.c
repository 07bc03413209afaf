/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/config.h"

#include <string.h>

static const SppnetConfig defaults = {
  .input_scale = { 1.0f / 255, 1.0f / 255, 1.0f / 255 },
  .pooling = SPPNET_POOLING_SPP,
  .n_levels = 4,
  .levels = { 1, 2, 3, 6 }, /* 50 bins (paper) */
  .scales = { 1, 1, 1, 1, 1, 1, 1, 1 },
  .classifier = SPPNET_CLASSIFIER_SOFTMAX,
  .box_input = SPPNET_BOX_NONE,
  .box_scale = { 1, 1, 1, 1 },
  .rpn = { .name = "rpn",
           .stride = 1,
           .candidates = 6000, /* paper */
           .boxes = 300,
           .nms_threshold = 0.7f, /* paper */
           .min_size = 8 },
  .proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH,
  .nms_threshold = 0.3f,
};

void
sppnet_config_init (SppnetConfig *config)
{
  g_return_if_fail (config != NULL);
  *config = defaults;
}

void
sppnet_config_clear (SppnetConfig *config)
{
  g_return_if_fail (config != NULL);
  for (guint i = 0; config->labels && i < config->n_labels; i++)
    g_free (config->labels[i]);
  g_free (config->labels);
  g_free (config->name);
  g_free (config->thresholds);
  g_free (config->calibration);
  g_free (config->context);
  g_free (config->provenance);
  *config = defaults;
}

void
sppnet_config_clear_rpn (SppnetConfig *config)
{
  config->rpn = defaults.rpn;
}

void
sppnet_config_clear_fits (SppnetConfig *config)
{
  g_clear_pointer (&config->thresholds, g_free);
  g_clear_pointer (&config->calibration, g_free);
  g_clear_pointer (&config->context, g_free);
  config->rpn.min_score = defaults.rpn.min_score;
}

void
sppnet_config_set_labels (SppnetConfig *config, gchar *const *labels)
{
  g_strfreev (config->labels);
  config->labels = g_strdupv ((gchar **) labels);
  config->n_labels = g_strv_length (config->labels);
  sppnet_config_clear_fits (config);
}

void
sppnet_config_copy (SppnetConfig *to, const SppnetConfig *from)
{
  gsize n = from->n_labels;

  g_return_if_fail (to != from);
  *to = *from;
  to->name = g_strdup (from->name);
  to->provenance = g_strdup (from->provenance);
  to->labels = from->labels ? g_new0 (gchar *, n + 1) : NULL;
  for (gsize i = 0; from->labels && i < n; i++)
    to->labels[i] = g_strdup (from->labels[i]);
  to->thresholds = from->thresholds ? g_memdup2 (from->thresholds, n * sizeof (gfloat)) : NULL;
  to->context = from->context ? g_memdup2 (from->context, n * SPPNET_CONTEXT_COLUMNS (n) * sizeof (gfloat)) : NULL;
  to->calibration = from->calibration ? g_memdup2 (from->calibration, n * 2 * sizeof (gfloat)) : NULL;
}

gint
sppnet_config_bins (const SppnetConfig *config)
{
  gint bins = 0;

  for (guint i = 0; i < config->n_levels; i++)
    bins += config->levels[i] * config->levels[i];
  return bins;
}

gint
sppnet_config_pooled (const SppnetConfig *config)
{
  return sppnet_config_bins (config) * sppnet_config_channels (config);
}

static SppnetLayer
convolution_3x3 (const gchar *name, gint filters, gint stride, SppnetActivation activation, gfloat slope)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV,
                        .filters = filters,
                        .kernel_width = 3,
                        .kernel_height = 3,
                        .stride = stride,
                        .pad_x = 1,
                        .pad_y = 1,
                        .activation = activation,
                        .slope = slope };

  g_strlcpy (layer.name, name, sizeof layer.name);
  return layer;
}

SppnetLayer
sppnet_config_region_layer (const gchar *name, gint filters, SppnetActivation activation, gfloat slope)
{
  return convolution_3x3 (name, filters, 1, activation, slope);
}

guint
sppnet_config_region_level (const SppnetConfig *config, gint *first_bin)
{
  guint finest = config->n_levels;
  gint bin = 0;

  for (guint i = 0; i < config->n_levels; i++) {
    gint level = config->levels[i];

    if (config->scales[i] == 1.0f && (finest == config->n_levels || level > config->levels[finest])) {
      finest = i;
      if (first_bin)
        *first_bin = bin;
    }
    bin += level * level;
  }
  return finest;
}

gint
sppnet_config_region_channels (const SppnetConfig *config, guint stage)
{
  return stage == 0 ? sppnet_config_channels (config) : config->region_layers[stage - 1].filters;
}

gint
sppnet_config_region_features (const SppnetConfig *config)
{
  gint level;

  if (config->n_region_layers == 0)
    return 0;
  level = config->levels[sppnet_config_region_level (config, NULL)];
  return level * level * sppnet_config_region_channels (config, config->n_region_layers);
}

gboolean
sppnet_layer_has_weights (const SppnetLayer *layer)
{
  return layer->kind == SPPNET_LAYER_CONV || layer->kind == SPPNET_LAYER_MERGE;
}

gint
sppnet_config_stage_channels (const SppnetConfig *config, guint stage)
{
  for (guint i = stage; i > 0; i--)
    if (sppnet_layer_has_weights (&config->layers[i - 1]))
      return config->layers[i - 1].filters;
  return 3;
}

gint
sppnet_config_channels (const SppnetConfig *config)
{
  return sppnet_config_stage_channels (config, config->n_layers);
}

guint
sppnet_config_weighted_stage (const SppnetConfig *config, guint layer)
{
  return config->layers[layer].kind == SPPNET_LAYER_MERGE ? config->layers[layer].from + 1 : layer;
}

gint
sppnet_config_features (const SppnetConfig *config)
{
  if (config->n_head > 0)
    return config->head[config->n_head - 1].outputs;
  return sppnet_config_pooled (config);
}

SppnetLayer
sppnet_config_rpn_layer (const SppnetConfig *config)
{
  const SppnetRpnConfig *rpn = &config->rpn;

  return convolution_3x3 (rpn->name, rpn->filters, rpn->stride, rpn->activation, rpn->slope);
}

gfloat
sppnet_activation_slope (SppnetActivation activation, gfloat slope)
{
  switch (activation) {
  case SPPNET_ACTIVATION_RELU:
    return 0.0f;
  case SPPNET_ACTIVATION_LEAKY:
    return slope;
  case SPPNET_ACTIVATION_LINEAR:
  default:
    return 1.0f;
  }
}
