/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include "backbone/convolution.h"
#include "head/dense.h"
#include "model/model.h"
#include "pooling/pooled.h"

/* The convolutions over the bins of a region, and the part of the first fully connected layer that sees their result:
 * its columns after those of the pooled vector. */
typedef struct
{
  guint n;              /* 0: there are none */
  gint level, channels; /* bins along each axis, and what is in them */
  gsize first_bin;
  gint pitch;     /* rows from one region to the next, see region_layers.c */
  gboolean apart; /* each region is one tile of Winograd's */
  SppnetConv conv[SPPNET_MAX_REGION_LAYERS];
  SppnetPackedDense dense; /* linear, with the layer's bias */
} SppnetRegionLayers;

/* What lies between n regions that are one map: of every pitch floats, those from used on become 0. */
static inline void
sppnet_region_gaps_clear (gfloat *map, gsize n, gsize used, gsize pitch)
{
  for (gsize r = 0; r < n; r++)
    memset (map + r * pitch + used, 0, (pitch - used) * sizeof *map);
}

/* weight: [outputs][row], of the first fully connected layer, in the file's order; bias: [outputs]. layers: { 0 }, to
 * be cleared in any case. */
gboolean sppnet_region_layers_init (SppnetRegionLayers *layers, SppnetModel *model, gsize outputs, const gfloat *weight,
                                    gsize row, const gfloat *bias, SppnetPrecision precision, GError **error);
void sppnet_region_layers_clear (SppnetRegionLayers *layers);

/* Floats of scratch memory per thread. */
gsize sppnet_region_layers_scratch (const SppnetRegionLayers *layers);
/* y: [x->n][outputs]; scratch: [threads][sppnet_region_layers_scratch()]. A region's values depend neither on n nor on
 * threads. */
void sppnet_region_layers_run (const SppnetRegionLayers *layers, const SppnetPooled *x, guint threads, gfloat *scratch,
                               gfloat *y);
