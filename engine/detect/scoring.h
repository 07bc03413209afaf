/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "detect/region_list.h"
#include "detect/selection.h"
#include "detect/settings.h"

/* Pooling, head and box regression over all regions of a frame, a chunk of regions at a time so that memory does not
 * grow with their number without limit. */
typedef struct _SppnetScoring SppnetScoring;

SppnetScoring *sppnet_scoring_new (SppnetModel *model, SppnetPrecision precision, GError **error);
void sppnet_scoring_free (SppnetScoring *scoring);

/* The map of the regions that follow, borrowed, and how many are to be expected in a run: memory is allocated here.
 * Adds to the pooling time of timings. */
gboolean sppnet_scoring_set_map (SppnetScoring *scoring, const SppnetPlan *plan, const SppnetMap *map, gsize n,
                                 SppnetTimings *timings, GError **error);
/* Adds to selection the boxes that pass their class's floor, and to the pooling, head and box times of timings. */
gboolean sppnet_scoring_run (SppnetScoring *scoring, const SppnetPlan *plan, const SppnetRegionList *regions,
                             gint width, gint height, SppnetSelection *selection, SppnetTimings *timings,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetScoring, sppnet_scoring_free)
