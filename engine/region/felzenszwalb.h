/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/half.h"
#include "base/memory.h"

/* Efficient graph-based segmentation (Felzenszwalb and Huttenlocher, IJCV 2004) on the 8-neighbour grid. The sorted
 * edges of one smoothed picture serve any number of scales k. */

/* Bins of edge weights: 128 per octave of the squared distance, so a weight is within 0.4 % of the exact one. */
#define SPPNET_EDGE_BINS 3328

/* An edge is 4 * pixel + direction, its other end pixel + (1, width, width + 1, width - 1)[direction]. */
typedef struct
{
  gint width, height;
  guint32
      start[SPPNET_EDGE_BINS + 1]; /* the edges of bin i: sorted[start[i]] up to, not including, sorted[start[i + 1]] */
  SppnetBuffer bins;               /* guint16 [pixels][4]; scratch of the sort */
  SppnetBuffer sorted;             /* guint32 [edges]; by weight, equal ones in the order of the grid */
} SppnetEdges;

/* Scratch and result of one segmentation. */
typedef struct
{
  SppnetBuffer parent;    /* guint32 [pixels] */
  SppnetBuffer size;      /* guint32 [pixels] */
  SppnetBuffer threshold; /* gfloat [pixels] */
  SppnetBuffer left;      /* guint32 [edges] */
  SppnetBuffer labels;    /* guint32 [height][width], 0 .. n_regions - 1 in the order of their first pixels */
  guint n_regions;
} SppnetSegmentation;

/* Squared distances below this are no difference; it anchors the bins' logarithmic scale. */
#define SPPNET_EDGE_SMALLEST 0x1.0p-8f
#define SPPNET_EDGE_SMALLEST_BITS 0x3b800000
#define SPPNET_EDGE_BIN_SHIFT 16 /* leaves 7 of the 23 bits of the mantissa */

/* The distance that all edges of a bin are taken to have, in grey levels. */
gfloat sppnet_edge_weight (guint bin);
/* The bin of a squared distance of at most 3 * 255^2. */
static inline guint
sppnet_edge_bin (gfloat squared)
{
  return (sppnet_float_bits (squared + SPPNET_EDGE_SMALLEST) - SPPNET_EDGE_SMALLEST_BITS) >> SPPNET_EDGE_BIN_SHIFT;
}

/* planes: [channels][height][width], 0..255; scale multiplies squared distances. Euclidean distance over the channels.
 */
gboolean sppnet_edges_build (SppnetEdges *edges, const gfloat *planes, guint channels, gfloat scale, gint width,
                             gint height, GError **error);
void sppnet_edges_clear (SppnetEdges *edges);

/* k: preference for larger segments, in grey levels times pixels; smaller segments than min_size join a neighbour. */
gboolean sppnet_segmentation_run (SppnetSegmentation *segmentation, const SppnetEdges *edges, gfloat k, guint min_size,
                                  GError **error);
void sppnet_segmentation_clear (SppnetSegmentation *segmentation);
