/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/dataset.h"
#include "train/map_cache.h"
#include "train/network.h"

/* The vectors that the last stages train on: a trained network's feature maps, kept in a cache file, pooled and run
 * through its fully connected layers whenever a picture is asked for. */
typedef struct _SppnetFeatures SppnetFeatures;

typedef enum
{
  SPPNET_FEATURES_HEAD,   /* output of the last fully connected layer */
  SPPNET_FEATURES_POOLED, /* the pooled vector, in the engine's order */
} SppnetFeatureKind;

/* model: the network's own file, whose backbone computes the maps. max_regions: proposals per picture. */
SppnetFeatures *sppnet_features_new (const SppnetNetwork *network, SppnetModel *model, const SppnetDataset *dataset,
                                     guint max_regions, guint threads, const gchar *cache_file, GError **error);
void sppnet_features_free (SppnetFeatures *features);

/* Computes the maps that the cache lacks. */
gboolean sppnet_features_fill (SppnetFeatures *features, SppnetProgress progress, gpointer user_data, GError **error);

SppnetRegionSource sppnet_features_source (SppnetFeatures *features, SppnetFeatureKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetFeatures, sppnet_features_free)
