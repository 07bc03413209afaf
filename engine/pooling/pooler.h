/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pooling/bin_plan.h"
#include "pooling/pooled.h"

/* What sppnet_pool_regions() does, for one map after the other and many regions of each: in steps (pooling/pooled.h), a
 * group of channels after the other, and with tables of maxima where there are regions enough. For one stream; { 0 }
 * before the first use. */
typedef struct
{
  SppnetMap map;
  const SppnetConfig *config;
  SppnetMaxTables tables;
  SppnetPyramidStep bases[SPPNET_MAX_LEVELS]; /* the levels that are pooled from the map */
  SppnetUnionPlan unions[SPPNET_MAX_LEVELS];  /* the others */
  guint n_bases, n_unions;
  SppnetBinAxis x[SPPNET_MAX_LEVELS], y[SPPNET_MAX_LEVELS]; /* [n_bases] */
  gsize most;                                               /* regions in a run */
  gsize cells;                                              /* under the bins of this map so far */
  SppnetStepSizes sizes;
  SppnetBuffer memory;  /* of the tables */
  SppnetBuffer plans;   /* [most][n_bases] */
  SppnetBuffer offsets; /* of windows that are planned by themselves, [most][offsets_of_region] */
  gsize offsets_of_region;
  SppnetBuffer pooled;
} SppnetPooler;

/* Bytes that each region of a run takes. */
gsize sppnet_pooler_region_bytes (const SppnetMap *map, const SppnetConfig *config);
/* config: borrowed until the next call; of the map only size and geometry are needed afterwards; most: regions in one
 * run at most. All memory is allocated here. */
gboolean sppnet_pooler_set_map (SppnetPooler *pooler, const SppnetMap *map, const SppnetConfig *config, gsize most,
                                guint threads, GError **error);
/* Valid until the next run or map. Depends neither on threads nor on what else is pooled. */
SppnetPooled sppnet_pooler_run (SppnetPooler *pooler, const SppnetBox *boxes, gsize n, guint threads);
void sppnet_pooler_clear (SppnetPooler *pooler);
