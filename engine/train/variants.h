/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/dataset.h"
#include "train/map_cache.h"
#include "train/rpn_targets.h"

/* The pictures of a data set in several sizes and mirrored, and the feature maps that a backbone makes of them, kept in
 * a cache file. */
typedef struct _SppnetVariants SppnetVariants;

/* How many there are of each picture. Variant 0 is the picture itself. */
#define SPPNET_VARIANTS 4
/* Factor on a picture's size. */
gdouble sppnet_variants_scale (guint variant);
gboolean sppnet_variants_mirrored (guint variant);
/* Of the picture in this variant. */
void sppnet_variants_size (const SppnetAnnotation *annotation, guint variant, gint *width, gint *height);

SppnetVariants *sppnet_variants_new (SppnetModel *model, const SppnetDataset *dataset, const gchar *cache_file,
                                     GError **error);
void sppnet_variants_free (SppnetVariants *variants);

/* Computes the maps of the first n variants that the cache lacks. */
gboolean sppnet_variants_fill (SppnetVariants *variants, guint n, guint threads, SppnetProgress progress,
                               gpointer user_data, GError **error);

/* The map, as sppnet_map_cache_get(). After one call, threads may call it at the same time. */
gboolean sppnet_variants_get (SppnetVariants *variants, guint picture, guint variant, SppnetMap *map, gfloat **data,
                              gsize *data_floats, GError **error);
/* The objects where they are in the variant; those that are difficult are the ignored ones. boxes: scratch
 * (element-type SppnetBox) */
SppnetRpnObjects sppnet_variants_objects (const SppnetVariants *variants, guint picture, guint variant, GArray *boxes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetVariants, sppnet_variants_free)
