/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"

/* Thin edges of a colour picture: the pixels at which its gradient is the largest across the gradient's own direction.
 * The scratch memory and the result. */
typedef struct
{
  gint width, height;
  SppnetBuffer colours;     /* gint16 [3][height][width] */
  SppnetBuffer tensor;      /* gfloat [3][height][width]: sums over the colours of the gradient's xx, yy, xy */
  SppnetBuffer strength;    /* gfloat [2][height][width]: before thinning, and the gradient's direction */
  SppnetBuffer scratch;     /* rows of each thread */
  SppnetBuffer cells;       /* gfloat [2][cells]: mean strength of small squares, and of their surroundings */
  SppnetBuffer magnitude;   /* guint8 [height][width]: 1 .. 255 on an edge, relative to the surroundings; 0 elsewhere */
  SppnetBuffer orientation; /* guint8 [height][width]: along the edge, half a turn is 256; only where there is one */
} SppnetEdgeMap;

/* rgb: [height][width][3] */
gboolean sppnet_edge_map_run (SppnetEdgeMap *map, const guint8 *rgb, gint width, gint height, guint threads,
                              GError **error);
void sppnet_edge_map_clear (SppnetEdgeMap *map);
