/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/edge_map.h"

/* The edges of a picture beyond this many groups are left out. */
#define SPPNET_MOST_EDGE_GROUPS 65534

/* A nearly straight piece of edge. */
typedef struct
{
  gfloat orientation; /* along it, mean, radians */
  gint16 x, y;        /* centre of mass, pixels */
  guint32 first, n;   /* of its neighbours */
} SppnetEdgeGroup;

/* How likely a neighbour belongs to the same contour, 0..1. */
typedef struct
{
  gfloat affinity;
  guint16 group;
} SppnetEdgeNeighbour;

/* Groups of edge pixels and their affinities (Zitnick and Dollar, ECCV 2014, section 3.1): scratch memory and result.
 */
typedef struct
{
  SppnetBuffer labels;     /* guint16 [height][width]: the group, 0 where there is none */
  SppnetBuffer groups;     /* SppnetEdgeGroup [n_groups], the first one unused */
  SppnetBuffer neighbours; /* SppnetEdgeNeighbour, those of one group together, the largest affinity first */
  SppnetBuffer sums;       /* of each group */
  SppnetBuffer links;      /* lists of neighbours while they are found */
  guint n_groups;
} SppnetEdgeGroups;

gboolean sppnet_edge_groups_run (SppnetEdgeGroups *groups, const SppnetEdgeMap *map, GError **error);
void sppnet_edge_groups_clear (SppnetEdgeGroups *groups);

/* Of two groups: |cos (a - between) cos (b - between)|^2 with the directions of the two and from one centre to the
 * other. */
gfloat sppnet_edge_affinity (const SppnetEdgeGroup *a, const SppnetEdgeGroup *b);
