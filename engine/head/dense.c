/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/dense.h"

#include "backbone/convolution.h"
#include "base/memory.h"

/* Inputs at a time: so many weights of a block of outputs stay in the second-level cache while the regions go by. */
#define SLICE 1024

gboolean
sppnet_packed_dense_init (SppnetPackedDense *dense, gint inputs, gint outputs, gfloat slope, SppnetPrecision precision,
                          const gfloat *weight, const gfloat *bias)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for_precision (precision, inputs);
  SppnetLayer layer
      = { .kind = SPPNET_LAYER_CONV, .filters = outputs, .kernel_width = 1, .kernel_height = 1, .stride = 1 };
  g_autoptr (SppnetFloats) reordered = NULL;

  *dense = (SppnetPackedDense) { kernels, inputs, outputs, slope };
  reordered = sppnet_aligned_alloc ((gsize) inputs * (gsize) outputs * sizeof (gfloat));
  dense->weight = sppnet_aligned_alloc (sppnet_conv_direct_weights (kernels, &layer, inputs) * sizeof (gfloat));
  dense->bias = sppnet_aligned_alloc (sppnet_conv_bias (kernels, &layer) * sizeof (gfloat));
  if (!reordered || !dense->weight || !dense->bias)
    return FALSE;
  sppnet_conv_pack (&layer, inputs, weight, reordered);
  sppnet_conv_direct_pack (kernels, &layer, inputs, reordered, dense->weight);
  sppnet_conv_pack_bias (kernels, &layer, bias, dense->bias);
  return TRUE;
}

void
sppnet_packed_dense_clear (SppnetPackedDense *dense)
{
  g_clear_pointer (&dense->weight, sppnet_aligned_free);
  g_clear_pointer (&dense->bias, sppnet_aligned_free);
}

/* All outputs of some regions, a slice of the inputs after the other. */
static void
run_regions (const SppnetPackedDense *dense, const gfloat *x, gsize n, gfloat *y)
{
  for (gint first = 0; first < dense->inputs; first += SLICE) {
    gint run = MIN (SLICE, dense->inputs - first);
    SppnetConvRow row = {
      .in = x + first,
      .in_pixel = (gsize) dense->inputs,
      .rows = 1,
      .run = run,
      .weight = dense->weight,
      .weight_block = (gsize) dense->inputs * (gsize) dense->kernels->block,
      .weight_skip = (gsize) first,
      .bias = first == 0 ? dense->bias : NULL,
      .onto = first > 0,
      .slope = first + run == dense->inputs ? dense->slope : 1.0f,
      .filters = dense->outputs,
      .out = y,
      .out_pixel = (gsize) dense->outputs,
    };

    dense->kernels->conv_row (&row, (gint) n);
  }
}

void
sppnet_packed_dense_run (const SppnetPackedDense *dense, const gfloat *x, gsize n, guint threads, gfloat *y)
{
  gsize tile = (gsize) dense->kernels->pixels, tiles = (n + tile - 1) / tile;
  gsize share = MAX ((tiles + threads - 1) / threads, 1) * tile;

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize first = 0; first < n; first += share)
    run_regions (dense, x + first * (gsize) dense->inputs, MIN (share, n - first), y + first * (gsize) dense->outputs);
}
