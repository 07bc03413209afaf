/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "kernel/kernel.h"
#include "model/config.h"

/* Pooled regions as the detector keeps them: in steps of a size that is each channel's own, 1/126 of its largest
 * magnitude on the map, a byte each, in groups of SPPNET_STEPS channels, a group of all regions after the other. That
 * is a quarter of the memory of floats, and so much less of a map at a time that it stays in the second-level cache.
 * Maxima of steps are the steps of the maxima: each value of a vector is off by half a step at most. */
typedef struct
{
  const guint8 *steps; /* [groups][n][bins][SPPNET_STEPS]; SPPNET_NOT_FINITE: no number */
  const gfloat *step;  /* [groups][SPPNET_STEPS]: size of a step */
  gsize n, bins, channels;
} SppnetPooled;

static inline gsize
sppnet_step_groups (gsize channels)
{
  return (channels + SPPNET_STEPS - 1) / SPPNET_STEPS;
}

static inline const guint8 *
sppnet_pooled_group (const SppnetPooled *pooled, gsize group, gsize region)
{
  return pooled->steps + (group * pooled->n + region) * pooled->bins * SPPNET_STEPS;
}

/* largest: [channels], of sppnet_kernels()->largest_finite(); step and its reciprocal: [groups][SPPNET_STEPS] */
void sppnet_steps_choose (const gfloat *largest, gsize channels, gfloat *step, gfloat *reciprocal);

/* Vectors of sppnet_pool_regions(), [n][bins][channels], in the given memory: what sppnet_pooler_run() gives, but with
 * steps chosen by these vectors. */
gboolean sppnet_pooled_from_floats (const gfloat *vectors, gsize n, gsize bins, gsize channels, SppnetBuffer *memory,
                                    SppnetPooled *pooled, GError **error);
/* One region as sppnet_pool_regions() gives it, to half a step. out: [bins][channels] */
void sppnet_pooled_to_floats (const SppnetPooled *pooled, gsize region, gfloat *out);

/* Steps of a region: [groups][bins][SPPNET_STEPS] */
gsize sppnet_steps_of_region (const SppnetConfig *config);
/* order[i]: place in a region's steps, [groups][bins][SPPNET_STEPS], of element i of the file's order. [bins *
 * channels] */
void sppnet_steps_from_file_order (const SppnetConfig *config, guint32 *order);
