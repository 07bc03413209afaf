/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooled.h"

#include <string.h>

#include "pooling/pooling.h"

/* What is smaller than this is 0: the reciprocals of steps are floats. */
#define SMALLEST 1e-30f

void
sppnet_steps_choose (const gfloat *largest, gsize channels, gfloat *step, gfloat *reciprocal)
{
  for (gsize c = 0; c < sppnet_step_groups (channels) * SPPNET_STEPS; c++) {
    gfloat magnitude = c < channels ? MAX (largest[c], SMALLEST) : 1.0f;

    step[c] = magnitude / SPPNET_LARGEST;
    reciprocal[c] = SPPNET_LARGEST / magnitude;
  }
}

gboolean
sppnet_pooled_from_floats (const gfloat *vectors, gsize n, gsize bins, gsize channels, SppnetBuffer *memory,
                           SppnetPooled *pooled, GError **error)
{
  gsize groups = sppnet_step_groups (channels), padded = groups * SPPNET_STEPS, cells = n * bins;
  gfloat *step = sppnet_buffer_reserve (memory, padded, 3 * sizeof (gfloat) + cells, error);
  gfloat *reciprocal = step + padded, *largest = reciprocal + padded;
  guint8 *steps = (guint8 *) (largest + padded);

  if (!step)
    return FALSE;
  memset (largest, 0, padded * sizeof *largest);
  sppnet_kernels ()->largest_finite (largest, vectors, cells, channels);
  sppnet_steps_choose (largest, channels, step, reciprocal);
  for (gsize g = 0; g < groups; g++) {
    gsize first = g * SPPNET_STEPS;

    sppnet_kernels ()->to_steps (steps + g * cells * SPPNET_STEPS, vectors + first, channels, cells,
                                 MIN (channels - first, SPPNET_STEPS), reciprocal + first);
  }
  *pooled = (SppnetPooled) { steps, step, n, bins, channels };
  return TRUE;
}

void
sppnet_pooled_to_floats (const SppnetPooled *pooled, gsize region, gfloat *out)
{
  gfloat values[SPPNET_STEPS];

  for (gsize g = 0; g < sppnet_step_groups (pooled->channels); g++) {
    const guint8 *steps = sppnet_pooled_group (pooled, g, region);
    gsize first = g * SPPNET_STEPS, channels = MIN (pooled->channels - first, SPPNET_STEPS);

    for (gsize bin = 0; bin < pooled->bins; bin++, steps += SPPNET_STEPS) {
      sppnet_kernels ()->from_steps (values, steps, 1, pooled->step + first);
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
