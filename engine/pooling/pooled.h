/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "kernel/kernel.h"
#include "model/config.h"

/* Pooled regions as the detector keeps them: in steps, a byte each, in groups of SPPNET_STEPS channels, a group of all
 * regions after the other. That is a quarter of the memory of floats, and so much less of a map at a time that it stays
 * in the second-level cache. Maxima of steps are the steps of the maxima: each value of a vector is off by half a step
 * at most. */

/* Units in the largest step. */
#define SPPNET_STEP_UNITS 16

/* How large the steps of each channel are: 1/126 of the largest magnitude on the map, or a half, a quarter, an eighth
 * or a sixteenth of that where the channel's own largest is no larger. { 0 } before the first use. */
typedef struct
{
  gfloat unit;                     /* a sixteenth of the largest step */
  const gint16 *multiplier;        /* [groups][SPPNET_STEPS]: of a step, 1, 2, 4, 8 or 16 units */
  const gfloat *step, *reciprocal; /* [groups][SPPNET_STEPS] */
  SppnetBuffer memory;
} SppnetStepSizes;

typedef struct
{
  const guint8 *steps; /* [groups][n][bins][SPPNET_STEPS]; SPPNET_STEP_NOT_FINITE: no number */
  const SppnetStepSizes *sizes;
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

/* cells: [n][channels] */
gboolean sppnet_step_sizes_choose (SppnetStepSizes *sizes, const gfloat *cells, gsize n, gsize channels, guint threads,
                                   GError **error);
void sppnet_step_sizes_clear (SppnetStepSizes *sizes);
/* The cells in steps, a group of channels after the other, so many bytes apart. */
void sppnet_steps_write (const SppnetStepSizes *sizes, const gfloat *cells, gsize n, gsize channels, guint threads,
                         guint8 *steps, gsize group_bytes);

/* What sppnet_pooled_from_floats() makes; { 0 } before the first use. */
typedef struct
{
  SppnetStepSizes sizes;
  SppnetBuffer steps;
} SppnetPooledMemory;

/* Vectors of sppnet_pool_regions(), [n][bins][channels]: what sppnet_pooler_run() gives, but with steps chosen by these
 * vectors. */
gboolean sppnet_pooled_from_floats (SppnetPooledMemory *memory, const gfloat *vectors, gsize n, gsize bins,
                                    gsize channels, SppnetPooled *pooled, GError **error);
void sppnet_pooled_memory_clear (SppnetPooledMemory *memory);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetPooledMemory, sppnet_pooled_memory_clear)
/* One region as sppnet_pool_regions() gives it, to half a step. out: [bins][channels] */
void sppnet_pooled_to_floats (const SppnetPooled *pooled, gsize region, gfloat *out);

/* Steps of a region: [groups][bins][SPPNET_STEPS] */
gsize sppnet_steps_of_region (const SppnetConfig *config);
/* order[i]: place in a region's steps, [groups][bins][SPPNET_STEPS], of element i of the file's order. [bins *
 * channels] */
void sppnet_steps_from_file_order (const SppnetConfig *config, guint32 *order);
