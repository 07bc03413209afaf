/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/weights.h"

#include "base/memory.h"

static void
weights_free (gpointer data)
{
  SppnetWeights *weights = data;

  for (guint i = 0; i < SPPNET_MAX_LAYERS; i++)
    sppnet_conv_clear (&weights->conv[i]);
  g_free (weights);
}

static gboolean
no_memory (SppnetModel *model, const SppnetLayer *layer, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the weights of layer %s",
               sppnet_model_get_path (model), layer->name);
  return FALSE;
}

gboolean
sppnet_weights_load (SppnetConv *conv, SppnetModel *model, GError **error)
{
  g_autofree gchar *weight_name = g_strconcat (conv->layer->name, ".weight", NULL);
  g_autofree gchar *bias_name = g_strconcat (conv->layer->name, ".bias", NULL);
  gsize count, bias_count;
  const gfloat *file = sppnet_model_get_tensor (model, weight_name, &count);
  const gfloat *bias = sppnet_model_get_tensor (model, bias_name, &bias_count);
  g_autoptr (SppnetFloats) weight = sppnet_aligned_alloc (count * sizeof (gfloat));

  if (!weight)
    return no_memory (model, conv->layer, error);
  sppnet_conv_pack (conv->layer, conv->channels, file, weight);
  sppnet_conv_update (conv, weight, bias);
  return TRUE;
}

static gboolean
pack_layer (SppnetConv *conv, SppnetModel *model, guint index, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetLayer *layer = &config->layers[index];
  gint channels = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, index));

  if (!sppnet_layer_has_weights (layer))
    return TRUE;
  if (!sppnet_conv_init (conv, layer, channels, precision))
    return no_memory (model, layer, error);
  return sppnet_weights_load (conv, model, error);
}

static gpointer
weights_pack (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  SppnetWeights *weights = g_new0 (SppnetWeights, 1);

  for (guint i = 0; i < sppnet_model_get_config (model)->n_layers; i++)
    if (!pack_layer (&weights->conv[i], model, i, precision, error)) {
      weights_free (weights);
      return NULL;
    }
  return weights;
}

const SppnetWeights *
sppnet_weights_get (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  return sppnet_model_share (model, "backbone", precision, weights_pack, weights_free, error);
}
