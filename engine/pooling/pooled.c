/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooled.h"

#include <string.h>

#include "pooling/pooling.h"

/* The largest magnitude is taken for no less than this: the reciprocals of steps are floats. */
#define SMALLEST 1e-30f
/* Cells turned into steps at a time, so that they are still in the first cache for the next group. */
#define CELLS 32

/* largest: [channels]; step, reciprocal and multiplier: [padded] */
static void
choose (const gfloat *largest, gsize channels, gsize padded, gfloat *unit, gfloat *step, gfloat *reciprocal,
        gint16 *multiplier)
{
  gfloat of_all = SMALLEST;

  for (gsize c = 0; c < channels; c++)
    of_all = MAX (of_all, largest[c]);
  *unit = of_all / (SPPNET_STEP_LARGEST * SPPNET_STEP_UNITS);
  for (gsize c = 0; c < padded; c++) {
    gint16 units = SPPNET_STEP_UNITS;

    while (units > 1 && c < channels && largest[c] * (gfloat) (2 * SPPNET_STEP_UNITS / units) <= of_all)
      units /= 2;
    multiplier[c] = units;
    step[c] = *unit * (gfloat) units;
    reciprocal[c] = SPPNET_STEP_LARGEST / of_all * (gfloat) (SPPNET_STEP_UNITS / units);
  }
}

gboolean
sppnet_step_sizes_choose (SppnetStepSizes *sizes, const gfloat *cells, gsize n, gsize channels, guint threads,
                          GError **error)
{
  gsize padded = sppnet_step_groups (channels) * SPPNET_STEPS;
  gfloat *step = sppnet_buffer_reserve (&sizes->memory, 3 + threads, padded * sizeof *step, error);
  gfloat *reciprocal = step + padded, *largest = reciprocal + 2 * padded; /* [threads][padded] */
  gint16 *multiplier = (gint16 *) (reciprocal + padded);

  if (!step)
    return FALSE;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (guint part = 0; part < threads; part++) {
    gsize first = n * part / threads, end = n * (part + 1) / threads;

    memset (largest + part * padded, 0, padded * sizeof *largest);
    sppnet_kernels ()->largest_finite (largest + part * padded, cells + first * channels, end - first, channels);
  }
  sppnet_kernels ()->largest_finite (largest, largest + padded, threads - 1, padded);
  choose (largest, channels, padded, &sizes->unit, step, reciprocal, multiplier);
  sizes->step = step;
  sizes->reciprocal = reciprocal;
  sizes->multiplier = multiplier;
  return TRUE;
}

void
sppnet_step_sizes_clear (SppnetStepSizes *sizes)
{
  sppnet_buffer_clear (&sizes->memory);
}

void
sppnet_steps_write (const SppnetStepSizes *sizes, const gfloat *cells, gsize n, gsize channels, guint threads,
                    guint8 *steps, gsize group_bytes)
{
#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize first = 0; first < n; first += CELLS)
    for (gsize g = 0; g < sppnet_step_groups (channels); g++)
      sppnet_kernels ()->to_steps (steps + g * group_bytes + first * SPPNET_STEPS,
                                   cells + first * channels + g * SPPNET_STEPS, channels, MIN (CELLS, n - first),
                                   MIN (channels - g * SPPNET_STEPS, SPPNET_STEPS),
                                   sizes->reciprocal + g * SPPNET_STEPS);
}

gboolean
sppnet_pooled_from_floats (SppnetPooledMemory *memory, const gfloat *vectors, gsize n, gsize bins, gsize channels,
                           SppnetPooled *pooled, GError **error)
{
  gsize group_bytes = n * bins * SPPNET_STEPS;
  guint8 *steps = sppnet_buffer_reserve (&memory->steps, sppnet_step_groups (channels), MAX (group_bytes, 1), error);

  if (!steps || !sppnet_step_sizes_choose (&memory->sizes, vectors, n * bins, channels, 1, error))
    return FALSE;
  sppnet_steps_write (&memory->sizes, vectors, n * bins, channels, 1, steps, group_bytes);
  *pooled = (SppnetPooled) { steps, &memory->sizes, n, bins, channels };
  return TRUE;
}

void
sppnet_pooled_memory_clear (SppnetPooledMemory *memory)
{
  sppnet_step_sizes_clear (&memory->sizes);
  sppnet_buffer_clear (&memory->steps);
}

void
sppnet_pooled_to_floats (const SppnetPooled *pooled, gsize region, gfloat *out)
{
  gfloat values[SPPNET_STEPS];

  for (gsize g = 0; g < sppnet_step_groups (pooled->channels); g++) {
    const guint8 *steps = sppnet_pooled_group (pooled, g, region);
    gsize first = g * SPPNET_STEPS, channels = MIN (pooled->channels - first, SPPNET_STEPS);

    for (gsize bin = 0; bin < pooled->bins; bin++, steps += SPPNET_STEPS) {
      sppnet_kernels ()->from_steps (values, steps, 1, pooled->sizes->step + first);
      for (gsize c = 0; c < channels; c++)
        out[bin * pooled->channels + first + c] = values[c];
    }
  }
}

gsize
sppnet_steps_of_region (const SppnetConfig *config)
{
  return sppnet_step_groups ((gsize) sppnet_config_channels (config)) * (gsize) sppnet_config_bins (config)
         * SPPNET_STEPS;
}

void
sppnet_steps_from_file_order (const SppnetConfig *config, guint32 *order)
{
  guint32 channels = (guint32) sppnet_config_channels (config), bins = (guint32) sppnet_config_bins (config);

  sppnet_pooled_from_file_order (config, order);
  for (guint32 i = 0; i < bins * channels; i++) {
    guint32 bin = order[i] / channels, channel = order[i] % channels;

    order[i] = (channel / SPPNET_STEPS * bins + bin) * SPPNET_STEPS + channel % SPPNET_STEPS;
  }
}
