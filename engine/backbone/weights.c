/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/weights.h"

#include "base/memory.h"

static void
weights_free (gpointer data)
{
  SppnetWeights *weights = data;

  for (guint i = 0; i < SPPNET_MAX_LAYERS; i++)
    sppnet_conv_clear (&weights->conv[i]);
  sppnet_pixels_clear (&weights->pixels);
  g_free (weights);
}

static gboolean
no_memory (SppnetModel *model, const SppnetLayer *layer, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the weights of layer %s",
               sppnet_model_get_path (model), layer->name);
  return FALSE;
}

/* [ky][kx][in][out]; NULL: no memory. (transfer full) */
static SppnetFloats *
read_weight (SppnetModel *model, const SppnetLayer *layer, gint channels, const gfloat **bias)
{
  g_autofree gchar *weight_name = g_strconcat (layer->name, ".weight", NULL);
  g_autofree gchar *bias_name = g_strconcat (layer->name, ".bias", NULL);
  gsize count, bias_count;
  const gfloat *file = sppnet_model_get_tensor (model, weight_name, &count);
  SppnetFloats *weight = sppnet_aligned_alloc (count * sizeof (gfloat));

  *bias = sppnet_model_get_tensor (model, bias_name, &bias_count);
  if (weight)
    sppnet_conv_pack (layer, channels, file, weight);
  return weight;
}

gboolean
sppnet_weights_load (SppnetConv *conv, SppnetModel *model, GError **error)
{
  const gfloat *bias;
  g_autoptr (SppnetFloats) weight = read_weight (model, conv->layer, conv->channels, &bias);

  if (!weight)
    return no_memory (model, conv->layer, error);
  sppnet_conv_update (conv, weight, bias);
  return TRUE;
}

static gint
channels_of (const SppnetConfig *config, guint index)
{
  return sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, index));
}

static gboolean
pack_layer (SppnetConv *conv, SppnetModel *model, guint index, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetLayer *layer = &config->layers[index];

  if (!sppnet_layer_has_weights (layer))
    return TRUE;
  if (!sppnet_conv_init (conv, layer, channels_of (config, index), precision))
    return no_memory (model, layer, error);
  return sppnet_weights_load (conv, model, error);
}

static gboolean
pack_pixels (SppnetPixels *pixels, SppnetModel *model, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetLayer *layer = &config->layers[0];
  g_autoptr (SppnetFloats) weight = NULL;
  const gfloat *bias;

  /* The plain level is the reference. */
  if (config->n_layers == 0 || layer->kind != SPPNET_LAYER_CONV || sppnet_cpu_isa () == SPPNET_ISA_PLAIN)
    return TRUE;
  weight = read_weight (model, layer, channels_of (config, 0), &bias);
  return (weight && sppnet_pixels_init (pixels, sppnet_conv_kernels (), config, weight, bias))
         || no_memory (model, layer, error);
}

static gpointer
weights_pack (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  SppnetWeights *weights = g_new0 (SppnetWeights, 1);

  for (guint i = 0; i < sppnet_model_get_config (model)->n_layers; i++)
    if (!pack_layer (&weights->conv[i], model, i, precision, error)) {
      weights_free (weights);
      return NULL;
    }
  if (!pack_pixels (&weights->pixels, model, error)) {
    weights_free (weights);
    return NULL;
  }
  return weights;
}

const SppnetWeights *
sppnet_weights_get (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  return sppnet_model_share (model, "backbone", 0, precision, weights_pack, weights_free, error);
}

static void
small_free (gpointer data)
{
  sppnet_conv_clear (data);
  g_free (data);
}

/* part: the layer */
static gpointer
small_pack (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetLayer *layer = &config->layers[part];
  SppnetConv *conv = g_new0 (SppnetConv, 1);

  if (sppnet_conv_init_small (conv, layer, channels_of (config, part)) ? sppnet_weights_load (conv, model, error)
                                                                       : no_memory (model, layer, error))
    return conv;
  small_free (conv);
  return NULL;
}

const SppnetConv *
sppnet_weights_get_small (SppnetModel *model, guint layer, GError **error)
{
  return sppnet_model_share (model, "backbone-small", layer, SPPNET_PRECISION_FLOAT32, small_pack, small_free, error);
}
