/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "region/similarity.h"

/* Which regions touch, from a label image: pairs of 4-neighbours. */
typedef struct
{
  SppnetBuffer pairs; /* guint32 [n_pairs][2], smaller label first, in the order of the scan, each pair once */
  SppnetBuffer slots; /* guint32 [power of two], scratch: hash table of pair numbers + 1 */
  gsize n_pairs;
} SppnetAdjacency;

gboolean sppnet_adjacency_find (SppnetAdjacency *adjacency, const guint32 *labels, gint width, gint height,
                                GError **error);
void sppnet_adjacency_clear (SppnetAdjacency *adjacency);

/* Scratch and result of one hierarchical grouping. */
typedef struct
{
  SppnetBuffer regions;    /* SppnetRegion [2 n - 1]: the n regions, then the merged ones, the whole picture last */
  SppnetBuffer histograms; /* gfloat [n][layout length]: a merged region takes the row of one of its parts */
  SppnetBuffer nodes;      /* the lists of neighbours and where they start */
  SppnetBuffer heap;       /* pairs, most similar first */
  gsize n_regions;         /* 2 n - 1 */
} SppnetHierarchy;

/**
 * sppnet_hierarchy_run:
 * @measures: SppnetSimilarity flags
 * @regions: [n]
 * @histograms: [n][layout length]
 * @pixels: of the picture
 *
 * Merges the two most similar neighbours until one region is left (Uijlings et al., algorithm 1). Of equally similar
 * pairs the one with the smallest region number goes first, then the one with the smallest other number.
 */
gboolean sppnet_hierarchy_run (SppnetHierarchy *hierarchy, guint measures, const SppnetHistogramLayout *layout,
                               const SppnetRegion *regions, const gfloat *histograms, guint n,
                               const SppnetAdjacency *adjacency, guint32 pixels, GError **error);
void sppnet_hierarchy_clear (SppnetHierarchy *hierarchy);
