/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "kernel/kernel.h"

#define SPPNET_MAX_TABLES 5

/* Maxima of squares of 1, 2, 4, 8 and 16 cells: any rectangle is covered by a few of them that overlap, instead of by
 * its cells. Cell (x, y) of table k is the channel-wise maximum of the 2^k x 2^k cells of which it is the first; table
 * 0 is the map. */
typedef struct
{
  const gfloat *table[SPPNET_MAX_TABLES]; /* each [height][width][channels] */
  guint n;
  gint width, height, channels;
  const SppnetKernels *kernels;
} SppnetMaxTables;

/* The map alone; no memory. */
SppnetMaxTables sppnet_max_tables_none (const SppnetMap *map);
/* n tables, the map among them. memory: [n - 1][height][width][channels] floats, which the tables point into. */
SppnetMaxTables sppnet_max_tables_build (const SppnetMap *map, guint n, guint threads, gfloat *memory);

/* Channel-wise maximum over the cells x0 .. x1 - 1, y0 .. y1 - 1, at least one, all on the map. out: [channels] */
void sppnet_max_tables_pool (const SppnetMaxTables *tables, gint x0, gint x1, gint y0, gint y1, gfloat *out);
