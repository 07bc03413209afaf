/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "base/memory.h"
#include "region/similarity.h"

/* A box and its place in the order: smallest rank first. */
typedef struct
{
  gfloat rank;
  SppnetExtent extent;
} SppnetRanked;

typedef struct
{
  SppnetBuffer ranked; /* SppnetRanked [n_ranked], and as much again to sort in */
  SppnetBuffer slots;  /* guint64, hash table of the extents taken, + 1 */
  SppnetBuffer boxes;  /* SppnetBox [n_boxes] */
  gsize room, n_ranked, n_boxes;
} SppnetRanking;

/* Empties the list and makes room. */
gboolean sppnet_ranking_start (SppnetRanking *ranking, gsize room, GError **error);
void sppnet_ranking_add (SppnetRanking *ranking, gfloat rank, SppnetExtent extent);
/* Smallest rank first, equal ones in the order in which they were added. */
void sppnet_ranking_sort (SppnetRanking *ranking);
/* Sorts, drops all but the first of equal boxes, keeps at most max_boxes. */
gboolean sppnet_ranking_finish (SppnetRanking *ranking, gsize max_boxes, GError **error);
void sppnet_ranking_clear (SppnetRanking *ranking);
