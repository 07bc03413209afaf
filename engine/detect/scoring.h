/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "detect/region_list.h"
#include "detect/selection.h"
#include "detect/settings.h"

/* Pooling, head and box regression over all regions of a frame, a chunk of regions at a time so that the pooled vectors
 * stay in the cache and memory does not grow with the number of regions. */
typedef struct _SppnetScoring SppnetScoring;

SppnetScoring *sppnet_scoring_new (SppnetModel *model, SppnetPrecision precision, GError **error);
void sppnet_scoring_free (SppnetScoring *scoring);

/* The map of the regions that follow; borrowed. */
gboolean sppnet_scoring_set_map (SppnetScoring *scoring, const SppnetMap *map, GError **error);
/* Adds to selection the boxes that pass their class's floor, and to the pooling, head and box times of timings. */
gboolean sppnet_scoring_run (SppnetScoring *scoring, const SppnetPlan *plan, const SppnetRegionList *regions,
                             gint width, gint height, SppnetSelection *selection, SppnetTimings *timings,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetScoring, sppnet_scoring_free)
