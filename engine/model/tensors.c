/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model.h"

static void
clear_source (gpointer data)
{
  g_free ((gpointer) ((SppnetTensorSource *) data)->name);
}

/* NAME.SUFFIX with shape [a][b][c][d]; a dimension of 0 ends the shape. */
static void
add (GArray *tensors, const gchar *name, const gchar *suffix, gsize a, gsize b, gsize c, gsize d)
{
  SppnetTensorSource source = { g_strconcat (name, suffix, NULL), d ? 4 : c ? 3 : b ? 2 : 1, { a, b, c, d }, NULL };

  g_array_append_val (tensors, source);
}

/* Weights of a convolution of so many channels, and its biases. */
static void
add_convolution (GArray *tensors, const SppnetLayer *layer, gint channels)
{
  add (tensors, layer->name, ".weight", (gsize) layer->filters, (gsize) channels, (gsize) layer->kernel_height,
       (gsize) layer->kernel_width);
  add (tensors, layer->name, ".bias", (gsize) layer->filters, 0, 0, 0);
}

static void
add_classifier (GArray *tensors, const SppnetConfig *config, gsize pooled)
{
  gsize labels = config->n_labels;
  gsize features = (gsize) sppnet_config_features (config);
  gsize rows = config->classifier == SPPNET_CLASSIFIER_SOFTMAX ? labels + 1 : labels;

  add (tensors, "classifier", ".weight", rows, features, 0, 0);
  add (tensors, "classifier", ".bias", rows, 0, 0, 0);
  if (config->box_input == SPPNET_BOX_NONE)
    return;
  add (tensors, "box", ".weight", labels, 4, config->box_input == SPPNET_BOX_POOLED ? pooled : features, 0);
  add (tensors, "box", ".bias", labels, 4, 0, 0);
}

static void
add_rpn (GArray *tensors, const SppnetConfig *config)
{
  const SppnetRpnConfig *rpn = &config->rpn;
  SppnetLayer layer = sppnet_config_rpn_layer (config);
  g_autofree gchar *score = g_strconcat (rpn->name, "_score", NULL), *box = g_strconcat (rpn->name, "_box", NULL);
  gsize filters = (gsize) rpn->filters, anchors = rpn->n_anchors;

  add_convolution (tensors, &layer, sppnet_config_channels (config));
  add (tensors, score, ".weight", anchors, filters, 0, 0);
  add (tensors, score, ".bias", anchors, 0, 0, 0);
  add (tensors, box, ".weight", anchors, 4, filters, 0);
  add (tensors, box, ".bias", anchors, 4, 0, 0);
}

GArray *
sppnet_config_tensors (const SppnetConfig *config)
{
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (SppnetTensorSource));
  gsize pooled = (gsize) sppnet_config_pooled (config);
  gsize inputs = pooled + (gsize) sppnet_config_region_features (config);

  g_array_set_clear_func (tensors, clear_source);
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];

    if (!sppnet_layer_has_weights (layer))
      continue;
    add_convolution (tensors, layer, sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, i)));
  }
  for (guint i = 0; i < config->n_region_layers; i++)
    add_convolution (tensors, &config->region_layers[i], sppnet_config_region_channels (config, i));
  for (guint i = 0; i < config->n_head; i++) {
    gsize outputs = (gsize) config->head[i].outputs;

    add (tensors, config->head[i].name, ".weight", outputs, inputs, 0, 0);
    add (tensors, config->head[i].name, ".bias", outputs, 0, 0, 0);
    inputs = outputs;
  }
  if (config->n_labels > 0)
    add_classifier (tensors, config, pooled);
  if (config->rpn.n_anchors > 0)
    add_rpn (tensors, config);
  return tensors;
}
