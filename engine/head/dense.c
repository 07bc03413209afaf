/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/dense.h"

#include <math.h>
#include <string.h>

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

/* Regions at a time: they and their outputs stay in the second-level cache while the weights go by. */
#define REGIONS 144

/* All outputs of some regions, a slice of the inputs after the other. */
static void
run_regions (const SppnetPackedDense *dense, const gfloat *x, gsize spacing, gsize n, gfloat *y)
{
  for (gint first = 0; first < dense->inputs; first += SLICE) {
    gint run = MIN (SLICE, dense->inputs - first);
    SppnetConvRow row = {
      .in = x + first,
      .in_pixel = spacing,
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

/* How many regions a thread takes at a time: the same number of times for each thread. */
static gsize
share_of (gsize n, gsize tile, guint threads)
{
  gsize tiles = (n + tile - 1) / tile;
  gsize most = MAX (REGIONS / tile, 1) * threads, turns = MAX ((tiles + most - 1) / most, 1);

  return MAX ((tiles + turns * threads - 1) / (turns * threads), 1) * tile;
}

void
sppnet_packed_dense_run (const SppnetPackedDense *dense, const gfloat *x, gsize spacing, gsize n, guint threads,
                         gfloat *y)
{
  gsize share = share_of (n, (gsize) dense->kernels->pixels, threads);

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gsize first = 0; first < n; first += share)
    run_regions (dense, x + first * spacing, spacing, MIN (share, n - first), y + first * (gsize) dense->outputs);
}

/* Steps of a region at a time: sums of so many products of 16-bit numbers fit into 32 bits. */
#define BINS 7
#define LARGEST_WEIGHT 2047
G_STATIC_ASSERT (REGIONS *BINS *SPPNET_STEPS == SPPNET_STEPS_SCRATCH);
G_STATIC_ASSERT ((gint64) BINS *SPPNET_STEPS *LARGEST_WEIGHT *(SPPNET_STEP_LARGEST + 1) * SPPNET_STEP_UNITS
                 <= G_MAXINT32);

/* The weights of one block of outputs. A column's are at its place in the slice of its input. */
static void
pack_block (const SppnetStepsDense *dense, gsize bins, const gfloat *weight, gsize row, const guint32 *order,
            gsize columns, gsize output)
{
  gsize block = sppnet_kernels ()->dense_block, n = MIN (block, dense->outputs - output);

  for (gsize i = 0; i < columns; i++) {
    gsize bin = order[i] / SPPNET_STEPS % bins, slice = bin / BINS * BINS;
    gsize k = (bin - slice) * SPPNET_STEPS + order[i] % SPPNET_STEPS, run = MIN (BINS, bins - slice) * SPPNET_STEPS;
    gint16 *out = dense->weight + (order[i] - k) * dense->padded + output * run + k / 2 * block * 2 + k % 2;

    for (gsize o = 0; o < n; o++) {
      gfloat scale = dense->scale[output + o];

      if (scale > 0.0f)
        out[2 * o] = (gint16) lrintf (CLAMP (weight[(output + o) * row + i] / scale, -LARGEST_WEIGHT, LARGEST_WEIGHT));
    }
  }
}

gboolean
sppnet_steps_dense_init (SppnetStepsDense *dense, gsize groups, gsize bins, gsize outputs, gfloat slope,
                         const gfloat *weight, gsize row, const guint32 *order, gsize columns, const gfloat *bias)
{
  gsize block = sppnet_kernels ()->dense_block, padded = (outputs + block - 1) / block * block;
  gsize inputs = groups * bins * SPPNET_STEPS;

  *dense = (SppnetStepsDense) { inputs, outputs, padded, slope, NULL, NULL, NULL };
  dense->weight = sppnet_aligned_alloc_huge (inputs * padded * sizeof *dense->weight);
  dense->scale = sppnet_aligned_alloc (padded * sizeof *dense->scale);
  dense->bias = sppnet_aligned_alloc (padded * sizeof *dense->bias);
  if (!dense->weight || !dense->scale || !dense->bias)
    return FALSE;
  for (gsize o = 0; o < padded; o++) {
    gfloat largest = 0.0f;

    for (gsize i = 0; i < columns && o < outputs; i++)
      largest = MAX (largest, fabsf (weight[o * row + i]));
    dense->scale[o] = largest / LARGEST_WEIGHT;
    dense->bias[o] = o < outputs ? bias[o] : 0.0f;
  }
  memset (dense->weight, 0, inputs * padded * sizeof *dense->weight);
  for (gsize o = 0; o < outputs; o += block)
    pack_block (dense, bins, weight, row, order, columns, o);
  return TRUE;
}

void
sppnet_steps_dense_clear (SppnetStepsDense *dense)
{
  g_clear_pointer (&dense->weight, sppnet_aligned_free);
  g_clear_pointer (&dense->scale, sppnet_aligned_free);
  g_clear_pointer (&dense->bias, sppnet_aligned_free);
}

/* Regions whose steps are fetched ahead: those of a slice lie too far apart for the processor to guess the next. */
#define AHEAD 4

/* The slice from bin on of n regions from one on, as numbers of 16 bits. */
static void
read_slice (const SppnetPooled *x, gsize from, gsize n, gsize group, gsize bin, gsize bins, gint16 *shorts,
            gboolean *finite)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gsize bytes = bins * SPPNET_STEPS;

  for (gsize i = 0; i < n; i++) {
    const guint8 *steps = sppnet_pooled_group (x, group, from + i) + bin * SPPNET_STEPS;

    for (gsize k = 0; k < bytes && i + AHEAD < n; k += SPPNET_ALIGNMENT)
      __builtin_prefetch (steps + AHEAD * x->bins * SPPNET_STEPS + k);
    if (!kernels->steps_to_shorts (shorts + i * bytes, steps, bins, x->sizes->multiplier + group * SPPNET_STEPS))
      finite[i] = FALSE;
  }
}

/* At most REGIONS from one on. shorts: [SPPNET_STEPS_SCRATCH] */
static void
run_steps (const SppnetStepsDense *dense, const SppnetPooled *x, gsize from, gsize n, gboolean onto, gint16 *shorts,
           gfloat *y)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gsize groups = sppnet_step_groups (x->channels);
  gboolean finite[REGIONS];

  for (gsize i = 0; i < n; i++)
    finite[i] = TRUE;
  for (gsize g = 0; g < groups; g++)
    for (gsize bin = 0; bin < x->bins; bin += BINS) {
      gsize bins = MIN (BINS, x->bins - bin), first = (g * x->bins + bin) * SPPNET_STEPS;
      SppnetShortsRow row = {
        .in = shorts,
        .run = bins * SPPNET_STEPS,
        .weight = dense->weight + first * dense->padded,
        .weight_block = bins * SPPNET_STEPS * kernels->dense_block,
        .scale = dense->scale,
        .unit = x->sizes->unit,
        .bias = first == 0 && !onto ? dense->bias : NULL,
        .slope = first + bins * SPPNET_STEPS == dense->inputs ? dense->slope : 1.0f,
        .outputs = dense->outputs,
        .out = y,
      };

      read_slice (x, from, n, g, bin, bins, shorts, finite);
      kernels->dense_shorts (&row, n);
    }
  for (gsize i = 0; i < n; i++)
    for (gsize o = 0; o < dense->outputs && !finite[i]; o++)
      y[i * dense->outputs + o] = NAN;
}

void
sppnet_steps_dense_run (const SppnetStepsDense *dense, const SppnetPooled *x, gboolean onto, guint threads,
                        gint16 *scratch, gfloat *y)
{
  gsize share = share_of (x->n, sppnet_kernels ()->dense_rows, threads);

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gsize first = 0; first < x->n; first += share)
    run_steps (dense, x, first, MIN (share, x->n - first), onto,
               scratch + (gsize) sppnet_thread_index () * SPPNET_STEPS_SCRATCH, y + first * dense->outputs);
}
