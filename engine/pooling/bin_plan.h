/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pooling/pooling.h"
#include "pooling/tables.h"

/* Windows of more cells along an axis are planned each by itself. */
#define SPPNET_AXIS_LONGEST 512

/* The bins along one axis of windows of so many cells, each covered by rectangles with sides of 2^k cells. */
typedef struct
{
  guint16 side;                        /* the largest k: every bin has 2^k cells */
  guint16 n[SPPNET_TABLE_SIDES];       /* rectangles of a bin, at least 2 */
  guint32 offsets[SPPNET_TABLE_SIDES]; /* where those of all bins are, [level][n], from the window's first cell on */
} SppnetBinCover;

/* The bins of one level along one axis of a map, of windows of any length: they are the same wherever a window is. */
typedef struct
{
  gint level, cells;
  gsize unit; /* steps from one cell to the next */
  SppnetBuffer covers, offsets;
} SppnetBinAxis;

/* Keeps what it has for the same level, cells and unit. */
gboolean sppnet_bin_axis_set (SppnetBinAxis *axis, gint level, gint cells, gsize unit, GError **error);
void sppnet_bin_axis_clear (SppnetBinAxis *axis);

/* Where to look for the maxima of the bins of one level, in any group, of a window on the map with sides of at most
 * SPPNET_AXIS_LONGEST cells. The plan is valid as long as the axes are. */
SppnetBinPlan sppnet_bin_plan_window (const SppnetMaxTables *tables, const SppnetBinAxis *x, const SppnetBinAxis *y,
                                      const SppnetWindow *window);

/* The same for bins that may be cut off by the map's edges, each by itself (RoI pooling), and of any length. x, y:
 * [level]; offsets: room for sppnet_bin_plan_most(), moved past what it takes. */
SppnetBinPlan sppnet_bin_plan_ranges (const SppnetMaxTables *tables, const SppnetRange *x, const SppnetRange *y,
                                      gint level, guint32 **offsets);
gsize sppnet_bin_plan_most (gint width, gint height, gint level);
