/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/weights.h"

#include "backbone/winograd.h"
#include "base/memory.h"

/* The gathered input of a kernel so large that it would not fit the caches: left to the matrix product. */
#define MOST_SCRATCH (1u << 20)

static void
weights_free (gpointer data)
{
  SppnetWeights *weights = data;

  g_ptr_array_unref (weights->memory);
  g_free (weights);
}

static void
no_memory (SppnetModel *model, gsize count, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for %" G_GSIZE_FORMAT " weights",
               sppnet_model_get_path (model), count);
}

static gfloat *
take (SppnetWeights *weights, SppnetModel *model, gsize count, GError **error)
{
  gfloat *memory = sppnet_aligned_alloc (count * sizeof (gfloat));

  if (memory)
    g_ptr_array_add (weights->memory, memory);
  else
    no_memory (model, count, error);
  return memory;
}

/* (transfer full): [ky][kx][in][out], or NULL */
static gfloat *
reorder (SppnetModel *model, const SppnetLayer *layer, gint channels, const gfloat *file, gsize count, GError **error)
{
  gfloat *weight = sppnet_aligned_alloc (count * sizeof (gfloat));

  if (weight)
    sppnet_conv_pack (layer, channels, file, weight);
  else
    no_memory (model, count, error);
  return weight;
}

static gboolean
pack_reference (SppnetWeights *weights, SppnetModel *model, guint index, gint channels, const gfloat *file, gsize count,
                GError **error)
{
  const SppnetLayer *layer = &sppnet_model_get_config (model)->layers[index];
  gfloat *weight = reorder (model, layer, channels, file, count, error);

  if (!weight)
    return FALSE;
  g_ptr_array_add (weights->memory, weight);
  weights->weight[index] = weight;
  return TRUE;
}

static gboolean
pack_conv (SppnetWeights *weights, SppnetModel *model, guint index, gint channels, const gfloat *file, gsize count,
           GError **error)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels ();
  const SppnetLayer *layer = &sppnet_model_get_config (model)->layers[index];
  g_autoptr (SppnetFloats) weight = reorder (model, layer, channels, file, count, error);
  gfloat *packed
      = weight ? take (weights, model, sppnet_conv_direct_weights (kernels, layer, channels), error) : NULL;
  gfloat *tiles = NULL;
  gfloat *bias = packed ? take (weights, model, sppnet_conv_bias (kernels, layer), error) : NULL;

  if (!bias)
    return FALSE;
  if (sppnet_winograd_supports (layer, channels)) {
    tiles = take (weights, model, sppnet_winograd_weights (kernels, layer, channels), error);
    if (!tiles)
      return FALSE;
    sppnet_winograd_pack (kernels, layer, channels, weight, tiles);
  }
  sppnet_conv_direct_pack (kernels, layer, channels, weight, packed);
  sppnet_conv_pack_bias (kernels, layer, weights->bias[index], bias);
  weights->conv[index] = (SppnetConv) { kernels, layer, channels, packed, tiles, bias };
  return TRUE;
}

/* The plain level is the reference. */
static gboolean
has_kernels (const SppnetLayer *layer, gint channels)
{
  return layer->kind == SPPNET_LAYER_CONV && sppnet_cpu_isa () > SPPNET_ISA_PLAIN
         && sppnet_conv_direct_scratch (sppnet_conv_kernels (), layer, channels, FALSE) <= MOST_SCRATCH;
}

static gboolean
pack_layer (SppnetWeights *weights, SppnetModel *model, guint index, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetLayer *layer = &config->layers[index];
  gint channels = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, index));
  g_autofree gchar *weight_name = g_strconcat (layer->name, ".weight", NULL);
  g_autofree gchar *bias_name = g_strconcat (layer->name, ".bias", NULL);
  const gfloat *file;
  gsize count, bias_count;

  if (!sppnet_layer_has_weights (layer))
    return TRUE;
  file = sppnet_model_get_tensor (model, weight_name, &count);
  weights->bias[index] = sppnet_model_get_tensor (model, bias_name, &bias_count);
  return has_kernels (layer, channels) ? pack_conv (weights, model, index, channels, file, count, error)
                                       : pack_reference (weights, model, index, channels, file, count, error);
}

static gpointer
weights_pack (SppnetModel *model, GError **error)
{
  SppnetWeights *weights = g_new0 (SppnetWeights, 1);

  weights->memory = g_ptr_array_new_with_free_func (sppnet_aligned_free);
  for (guint i = 0; i < sppnet_model_get_config (model)->n_layers; i++)
    if (!pack_layer (weights, model, i, error)) {
      weights_free (weights);
      return NULL;
    }
  return weights;
}

const SppnetWeights *
sppnet_weights_get (SppnetModel *model, GError **error)
{
  return sppnet_model_share (model, "backbone", weights_pack, weights_free, error);
}
