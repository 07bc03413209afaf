/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/edge_group.h"
#include "region/similarity.h"

/* What the score of a window is looked up in (Zitnick and Dollar, ECCV 2014, sections 3.2 and 3.3): the magnitude of
 * the groups within it that no contour connects to its border, less that of the pixels in its middle, over a power of
 * its perimeter. Magnitudes are whole numbers, 255 to 1, so that their sums are exact. */
typedef struct
{
  gint width, height;
  guint n_groups;
  const SppnetEdgeGroup *groups;
  const SppnetEdgeNeighbour *neighbours;
  SppnetBuffer magnitudes;   /* guint32 [n_groups] */
  SppnetBuffer group_sums;   /* guint32 [height + 1][width + 1]: integral image of the groups, at their centres */
  SppnetBuffer pixel_sums;   /* guint32 [height + 1][width + 1]: integral image of the pixels */
  SppnetBuffer row_lists;    /* guint16 [height][width]: the labels of a row, each run once */
  SppnetBuffer row_index;    /* guint16 [height][width]: a pixel's place in that list */
  SppnetBuffer columns;      /* guint16 [width][height]: labels */
  SppnetBuffer column_lists; /* guint16 [width][height] */
  SppnetBuffer column_index; /* guint16 [width][height] */
  SppnetBuffer scales;       /* gfloat [width + height + 1]: by half the perimeter */
  SppnetBuffer walks;        /* scratch of each thread */
  gsize walk_bytes;
} SppnetEdgeScore;

/* Refers to groups until the next call; threads: that will score at the same time. */
gboolean sppnet_edge_score_prepare (SppnetEdgeScore *score, const SppnetEdgeMap *map, const SppnetEdgeGroups *groups,
                                    guint threads, GError **error);
void sppnet_edge_score_clear (SppnetEdgeScore *score);

/* What the score would be if no contour crossed the border; never below it nor below 0. */
gfloat sppnet_edge_score_bound (const SppnetEdgeScore *score, SppnetExtent box);
/* The score, or 0 where it is not above the floor. thread: of the caller, 0 .. threads - 1 */
gfloat sppnet_edge_score_box (const SppnetEdgeScore *score, guint thread, SppnetExtent box, gfloat floor);
