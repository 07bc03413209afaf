/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/dense.h"

#include "backbone/convolution.h"
#include "base/memory.h"
#include "base/threads.h"

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

/* Regions and bins of pooled regions at a time: as floats they and their outputs stay in the second-level cache while
 * the weights go by. */
#define POOLED_REGIONS 144
#define POOLED_BINS 14
G_STATIC_ASSERT (POOLED_REGIONS *POOLED_BINS *SPPNET_STEPS == SPPNET_POOLED_SCRATCH);

/* What some of the inputs, from first on, add to the outputs of n regions. in: [n][stride] */
static void
run_slice (const SppnetPackedDense *dense, const gfloat *in, gsize stride, gint first, gint run, gsize n, gfloat *y)
{
  SppnetConvRow row = {
    .in = in,
    .in_pixel = stride,
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

/* All outputs of some regions, a slice of the inputs after the other. */
static void
run_regions (const SppnetPackedDense *dense, const gfloat *x, gsize n, gfloat *y)
{
  for (gint first = 0; first < dense->inputs; first += SLICE)
    run_slice (dense, x + first, (gsize) dense->inputs, first, MIN (SLICE, dense->inputs - first), n, y);
}

/* How many regions a thread takes at a time: the same number of times for each thread. */
static gsize
share_of (const SppnetPackedDense *dense, gsize n, guint threads)
{
  gsize tile = (gsize) dense->kernels->pixels, tiles = (n + tile - 1) / tile;
  gsize most = MAX (POOLED_REGIONS / tile, 1) * threads, turns = (tiles + most - 1) / most;

  return MAX ((tiles + turns * threads - 1) / MAX (turns * threads, 1), 1) * tile;
}

void
sppnet_packed_dense_run (const SppnetPackedDense *dense, const gfloat *x, gsize n, guint threads, gfloat *y)
{
  gsize share = share_of (dense, n, threads);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize first = 0; first < n; first += share)
    run_regions (dense, x + first * (gsize) dense->inputs, MIN (share, n - first), y + first * (gsize) dense->outputs);
}

/* At most POOLED_REGIONS from one on. floats: [SPPNET_POOLED_SCRATCH] */
static void
run_pooled (const SppnetPackedDense *dense, const SppnetPooled *x, gsize from, gsize n, gfloat *floats, gfloat *y)
{
  gsize groups = sppnet_step_groups (x->channels);

  for (gsize g = 0; g < groups; g++)
    for (gsize bin = 0; bin < x->bins; bin += POOLED_BINS) {
      gsize bins = MIN (POOLED_BINS, x->bins - bin), run = bins * SPPNET_STEPS;

      for (gsize i = 0; i < n; i++)
        sppnet_kernels ()->from_steps (floats + i * run, sppnet_pooled_group (x, g, from + i) + bin * SPPNET_STEPS,
                                       bins, x->step + g * SPPNET_STEPS);
      run_slice (dense, floats, run, (gint) ((g * x->bins + bin) * SPPNET_STEPS), (gint) run, n, y);
    }
}

void
sppnet_packed_dense_run_pooled (const SppnetPackedDense *dense, const SppnetPooled *x, guint threads, gfloat *scratch,
                                gfloat *y)
{
  gsize share = share_of (dense, x->n, threads);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize first = 0; first < x->n; first += share)
    run_pooled (dense, x, first, MIN (share, x->n - first),
                scratch + (gsize) sppnet_thread_index () * SPPNET_POOLED_SCRATCH, y + first * (gsize) dense->outputs);
}
