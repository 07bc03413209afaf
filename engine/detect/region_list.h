/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "base/memory.h"
#include "model/config.h"

/* The regions of one frame that are scored: those of the caller first, then the proposals. */
typedef struct
{
  gsize n;
  gsize n_duplicates; /* proposals left out */
  SppnetBox *boxes;   /* [n] */
  gint32 *index;      /* [n]: the caller's number of the region, or -1 */

  SppnetBuffer boxes_memory, index_memory, seen_memory;
} SppnetRegionList;

/**
 * sppnet_region_list_set:
 * @given: [n_given] the caller's: grown by the margin on each side and clipped to the frame; empty ones and ones that
 * are not finite are left out
 * @margin: part of a region's width and height
 * @proposals: [n_proposals] best first; one that pools the same cells as a region before it is left out
 * @map: (nullable): the cells; without it all proposals stay
 */
gboolean sppnet_region_list_set (SppnetRegionList *list, const SppnetBox *given, gsize n_given, gfloat margin,
                                 const SppnetBox *proposals, gsize n_proposals, const SppnetMap *map, gint width,
                                 gint height, GError **error);
/* Replaces the regions by boxes that were found: all of them, each with its own number. */
gboolean sppnet_region_list_set_found (SppnetRegionList *list, const SppnetDetection *found, gsize n, GError **error);
void sppnet_region_list_clear (SppnetRegionList *list);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetRegionList, sppnet_region_list_clear)
