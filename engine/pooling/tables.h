/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "base/memory.h"
#include "pooling/pooled.h"

/* Squares with sides of 1, 2, 4, 8 and 16 cells, and rectangles of 2x1 either way. */
#define SPPNET_MAX_TABLES 7
#define SPPNET_TABLE_SIDES 5

/* One table's number, and the sides of its rectangles, 2^across x 2^down. */
typedef struct
{
  guint8 number, across, down;
} SppnetMaxTable;

/* Maxima of rectangles of cells, in the map's steps (pooling/pooled.h): any rectangle is covered by a few of them that
 * overlap, instead of by its cells. Cell (x, y) of a table is the maximum of the rectangle of which it is the first;
 * table 0 is the map. */
typedef struct
{
  const guint8 *steps; /* [groups][most][height][width][SPPNET_STEPS], of which n tables are made */
  guint n, most;
  gint width, height;
  gsize groups;
  SppnetMaxTable best[SPPNET_TABLE_SIDES][SPPNET_TABLE_SIDES]; /* for bins of at least 2^k x 2^l cells */
} SppnetMaxTables;

/* Steps of one table of one group. */
static inline gsize
sppnet_max_tables_size (const SppnetMaxTables *tables)
{
  return (gsize) tables->width * (gsize) tables->height * SPPNET_STEPS;
}

/* Where the tables of a group begin in tables->steps. */
static inline gsize
sppnet_max_tables_group (const SppnetMaxTables *tables, gsize group)
{
  return group * tables->most * sppnet_max_tables_size (tables);
}

/* How many tables bins of a map can use that are no larger than so many cells. */
guint sppnet_max_tables_useful (gint bin_width, gint bin_height);

/* Table 0: the map in steps. steps: [groups][most][height][width][SPPNET_STEPS] */
SppnetMaxTables sppnet_max_tables_init (const SppnetMap *map, const SppnetStepSizes *sizes, guint most, guint threads,
                                        guint8 *steps);
/* The others. */
void sppnet_max_tables_build (SppnetMaxTables *tables, guint threads);
