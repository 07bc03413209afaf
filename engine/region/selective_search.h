/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/similarity.h"

/* Selective Search (Uijlings, van de Sande, Gevers, Smeulders, IJCV 2013). Scratch memory and result. */
typedef struct _SppnetSelectiveSearch SppnetSelectiveSearch;

typedef enum
{
  SPPNET_STRATEGIES_FAST,    /* 2 colour spaces, 2 similarities, 2 scales: 8 groupings */
  SPPNET_STRATEGIES_QUALITY, /* 5 colour spaces, 4 similarities, 4 scales: 80 groupings */
  SPPNET_N_STRATEGIES,
} SppnetStrategies;

SppnetSelectiveSearch *sppnet_selective_search_new (void);
void sppnet_selective_search_free (SppnetSelectiveSearch *search);

/* rgb: [height][width][3]. The same picture gives the same groupings whatever the number of threads. */
gboolean sppnet_selective_search_run (SppnetSelectiveSearch *search, SppnetStrategies strategies, const guint8 *rgb,
                                      gint width, gint height, guint threads, GError **error);

guint sppnet_selective_search_get_n_groupings (const SppnetSelectiveSearch *search);
/* (transfer none): the regions of one grouping of the last run, from the segments to the whole picture */
const SppnetRegion *sppnet_selective_search_get_regions (const SppnetSelectiveSearch *search, guint grouping, gsize *n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetSelectiveSearch, sppnet_selective_search_free)
