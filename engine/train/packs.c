/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/packs.h"

#include <string.h>

#include "backbone/plan.h"
#include "backbone/winograd.h"
#include "base/memory.h"

struct _SppnetPacks
{
  const SppnetNetwork *network;
  GPtrArray *memory;
  SppnetPack pack[SPPNET_MAX_LAYERS];
  gfloat *transposed[SPPNET_MAX_LAYERS]; /* [ky][kx][out][in], turned by 180 degrees: backward's reference weights */
};

static gfloat *
take (SppnetPacks *packs, gsize count)
{
  gfloat *memory = sppnet_aligned_alloc (count * sizeof (gfloat));

  if (memory) {
    memset (memory, 0, count * sizeof (gfloat));
    g_ptr_array_add (packs->memory, memory);
  }
  return memory;
}

/* Memory for one direction of a layer, whose bias stays 0 where it is not packed. */
static gboolean
conv_init (SppnetPacks *packs, SppnetConv *conv, const SppnetLayer *layer, gint channels)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels ();
  gfloat *weight = take (packs, sppnet_conv_direct_weights (kernels, layer, channels));
  gfloat *bias = take (packs, sppnet_conv_bias (kernels, layer));
  gfloat *tiles = NULL;

  if (sppnet_winograd_supports (layer, channels)) {
    tiles = take (packs, sppnet_winograd_weights (kernels, layer, channels));
    if (!tiles)
      return FALSE;
  }
  *conv = (SppnetConv) { kernels, layer, channels, weight, tiles, bias };
  return weight && bias;
}

/* The gradient of the input of a convolution with stride 1 is a convolution of the output's gradient. */
static SppnetLayer
transpose_layer (const SppnetLayer *layer, gint channels)
{
  return (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                         .filters = channels,
                         .kernel_width = layer->kernel_width,
                         .kernel_height = layer->kernel_height,
                         .stride = 1,
                         .pad_x = layer->kernel_width - 1 - layer->pad_x,
                         .pad_y = layer->kernel_height - 1 - layer->pad_y };
}

static gboolean
pack_init (SppnetPacks *packs, guint index)
{
  const SppnetConfig *config = &packs->network->config;
  const SppnetLayer *layer = &config->layers[index];
  gint channels = sppnet_config_stage_channels (config, index);
  SppnetPack *pack = &packs->pack[index];

  if (layer->kind != SPPNET_LAYER_CONV || sppnet_cpu_isa () == SPPNET_ISA_PLAIN)
    return TRUE;
  if (!conv_init (packs, &pack->forward, layer, channels))
    return FALSE;
  if (index == 0 || layer->stride != 1)
    return TRUE;
  pack->transposed = transpose_layer (layer, channels);
  packs->transposed[index]
      = take (packs, (gsize) layer->kernel_width * layer->kernel_height * channels * layer->filters);
  return packs->transposed[index] && conv_init (packs, &pack->backward, &pack->transposed, layer->filters);
}

SppnetPacks *
sppnet_packs_new (const SppnetNetwork *network, GError **error)
{
  SppnetPacks *packs = g_new0 (SppnetPacks, 1);

  packs->network = network;
  packs->memory = g_ptr_array_new_with_free_func (sppnet_aligned_free);
  for (guint i = 0; i < network->config.n_layers; i++)
    if (!pack_init (packs, i)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "no memory for the packed weights of layer %s",
                   network->config.layers[i].name);
      sppnet_packs_free (packs);
      return NULL;
    }
  sppnet_packs_update (packs, 1);
  return packs;
}

void
sppnet_packs_free (SppnetPacks *packs)
{
  if (!packs)
    return;
  g_ptr_array_unref (packs->memory);
  g_free (packs);
}

/* from: [taps][rows][columns], to: [taps][columns][rows], the taps in reverse order. Blocks, so that the cache lines
 * of both are used whole. */
static void
transpose (const gfloat *from, gint taps, gint rows, gint columns, gfloat *to)
{
  enum
  {
    BLOCK = 16
  };

  for (gint t = taps - 1; t >= 0; t--, to += (gsize) rows * columns) {
    const gfloat *tap = from + (gsize) t * rows * columns;

    for (gint r0 = 0; r0 < rows; r0 += BLOCK)
      for (gint c0 = 0; c0 < columns; c0 += BLOCK)
        for (gint r = r0; r < MIN (r0 + BLOCK, rows); r++)
          for (gint c = c0; c < MIN (c0 + BLOCK, columns); c++)
            to[(gsize) c * rows + r] = tap[(gsize) r * columns + c];
  }
}

/* The memory behind a SppnetConv is this file's own. */
static void
conv_update (const SppnetConv *conv, const gfloat *weight, const gfloat *bias)
{
  sppnet_conv_direct_pack (conv->kernels, conv->layer, conv->channels, weight, (gfloat *) conv->weight);
  if (conv->winograd)
    sppnet_winograd_pack (conv->kernels, conv->layer, conv->channels, weight, (gfloat *) conv->winograd);
  if (bias)
    sppnet_conv_pack_bias (conv->kernels, conv->layer, bias, (gfloat *) conv->bias);
}

static void
pack_update (SppnetPacks *packs, guint index)
{
  const SppnetNetwork *network = packs->network;
  const SppnetLayer *layer = &network->config.layers[index];
  const gfloat *weight = network->params + network->conv_weight[index];
  SppnetPack *pack = &packs->pack[index];

  if (pack->forward.kernels)
    conv_update (&pack->forward, weight, network->params + network->conv_bias[index]);
  if (!pack->backward.kernels)
    return;
  transpose (weight, layer->kernel_width * layer->kernel_height, pack->forward.channels, layer->filters,
             packs->transposed[index]);
  conv_update (&pack->backward, packs->transposed[index], NULL);
}

void
sppnet_packs_update (SppnetPacks *packs, guint threads)
{
  guint n = packs->network->config.n_layers;

  /* The last layers have the most weights. */
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint i = 0; i < n; i++)
    pack_update (packs, n - 1 - i);
}

const SppnetPack *
sppnet_packs_get (const SppnetPacks *packs, guint layer)
{
  return &packs->pack[layer];
}

void
sppnet_pack_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gfloat *scratch)
{
  SppnetShape shape = { out->width, out->height, out->channels };

  if (sppnet_plan_method (conv, &shape) == SPPNET_METHOD_WINOGRAD)
    sppnet_winograd_run (conv, in, out, 0, out->height, FALSE, 1, scratch);
  else
    sppnet_conv_direct_run (conv, in, out, 0, out->height, FALSE, 1, scratch);
}

static gsize
conv_scratch (const SppnetConv *conv)
{
  gsize direct, tiles;

  if (!conv->kernels)
    return 0;
  direct = sppnet_conv_direct_scratch (conv->kernels, conv->layer, conv->channels, FALSE);
  tiles = conv->winograd ? sppnet_winograd_scratch (conv->kernels, conv->channels) : 0;
  return MAX (direct, tiles);
}

gsize
sppnet_pack_scratch (const SppnetPack *pack)
{
  return MAX (conv_scratch (&pack->forward), conv_scratch (&pack->backward));
}
