/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/packs.h"

#include <string.h>

#include "base/memory.h"

struct _SppnetPacks
{
  const SppnetNetwork *network;
  gboolean forward_only;
  SppnetPack pack[SPPNET_MAX_LAYERS];
  SppnetRpnLayers rpn;
  gfloat *rpn_outputs;                   /* [filters][5 * anchors]: the reference weights of both outputs */
  gfloat *transposed[SPPNET_MAX_LAYERS]; /* [ky][kx][out][in], turned by 180 degrees: backward's reference weights */
};

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
  if (!sppnet_conv_init (&pack->forward, layer, channels, SPPNET_PRECISION_FLOAT32))
    return FALSE;
  if (index == 0 || layer->stride != 1 || packs->forward_only)
    return TRUE;
  pack->transposed = transpose_layer (layer, channels);
  packs->transposed[index]
      = sppnet_aligned_alloc (sizeof (gfloat) * layer->kernel_width * layer->kernel_height * channels * layer->filters);
  return sppnet_conv_init (&pack->backward, &pack->transposed, layer->filters, SPPNET_PRECISION_FLOAT32)
         && packs->transposed[index];
}

static gboolean
rpn_init (SppnetPacks *packs)
{
  const SppnetNetwork *network = packs->network;

  if (network->rpn.out == 0 || packs->forward_only)
    return TRUE;
  packs->rpn_outputs = sppnet_aligned_alloc (sizeof (gfloat) * (network->rpn.out + 1) * 5 * network->rpn_score.out);
  return sppnet_rpn_layers_init (&packs->rpn, &network->config, SPPNET_PRECISION_FLOAT32) && packs->rpn_outputs;
}

static SppnetPacks *
make_packs (const SppnetNetwork *network, gboolean forward_only, GError **error)
{
  SppnetPacks *packs = g_new0 (SppnetPacks, 1);

  packs->network = network;
  packs->forward_only = forward_only;
  if (!rpn_init (packs)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "no memory for the packed region proposal network");
    sppnet_packs_free (packs);
    return NULL;
  }
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

SppnetPacks *
sppnet_packs_new (const SppnetNetwork *network, GError **error)
{
  return make_packs (network, FALSE, error);
}

SppnetPacks *
sppnet_packs_new_forward (const SppnetNetwork *network, GError **error)
{
  return make_packs (network, TRUE, error);
}

void
sppnet_packs_free (SppnetPacks *packs)
{
  if (!packs)
    return;
  for (guint i = 0; i < SPPNET_MAX_LAYERS; i++) {
    sppnet_conv_clear (&packs->pack[i].forward);
    sppnet_conv_clear (&packs->pack[i].backward);
    sppnet_aligned_free (packs->transposed[i]);
  }
  sppnet_rpn_layers_clear (&packs->rpn);
  sppnet_aligned_free (packs->rpn_outputs);
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

static void
pack_update (SppnetPacks *packs, guint index)
{
  const SppnetNetwork *network = packs->network;
  const SppnetLayer *layer = &network->config.layers[index];
  const gfloat *weight = network->params + network->conv_weight[index];
  SppnetPack *pack = &packs->pack[index];

  if (pack->forward.kernels)
    sppnet_conv_update (&pack->forward, weight, network->params + network->conv_bias[index]);
  if (!pack->backward.kernels)
    return;
  transpose (weight, layer->kernel_width * layer->kernel_height, pack->forward.channels, layer->filters,
             packs->transposed[index]);
  sppnet_conv_update (&pack->backward, packs->transposed[index], NULL);
}

/* Scores and boxes side by side, and after the last row their biases. */
static void
rpn_update (SppnetPacks *packs)
{
  const SppnetNetwork *network = packs->network;
  const gfloat *params = network->params;
  gsize anchors = (gsize) network->rpn_score.out, filters = (gsize) network->rpn.out;
  gfloat *row = packs->rpn_outputs;

  for (gsize f = 0; f <= filters; f++, row += 5 * anchors) {
    gsize score = f < filters ? network->rpn_score.weight + f * anchors : network->rpn_score.bias;
    gsize box = f < filters ? network->rpn_box.weight + f * 4 * anchors : network->rpn_box.bias;

    memcpy (row, params + score, sizeof *row * anchors);
    memcpy (row + anchors, params + box, sizeof *row * 4 * anchors);
  }
  sppnet_conv_update (&packs->rpn.hidden, params + network->rpn.weight, params + network->rpn.bias);
  sppnet_conv_update (&packs->rpn.output, packs->rpn_outputs, packs->rpn_outputs + filters * 5 * anchors);
}

void
sppnet_packs_update (SppnetPacks *packs, guint threads)
{
  guint n = packs->network->config.n_layers;

  /* The last layers have the most weights. */
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint i = 0; i < n; i++)
    pack_update (packs, n - 1 - i);
  if (packs->rpn_outputs)
    rpn_update (packs);
}

const SppnetPack *
sppnet_packs_get (const SppnetPacks *packs, guint layer)
{
  return &packs->pack[layer];
}

const SppnetRpnLayers *
sppnet_packs_get_rpn (const SppnetPacks *packs)
{
  return packs->rpn_outputs ? &packs->rpn : NULL;
}
