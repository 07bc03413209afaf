/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"

/* The feature cache: one feature map per picture, half precision, in one mapped file. A map is some 180 KiB where the
 * pooled vectors of 2,000 regions would be 25 MiB; any regions can be pooled from it later. */
typedef struct _SppnetMapCache SppnetMapCache;

/* Creates FILE (or opens it when it was made with the same key and is complete as far as it goes: a stopped run goes
 * on). key: any text that names backbone and pictures, for instance a checksum. */
SppnetMapCache *sppnet_map_cache_open (const gchar *file, const gchar *key, guint n_pictures, GError **error);
void sppnet_map_cache_free (SppnetMapCache *cache);

gboolean sppnet_map_cache_has (const SppnetMapCache *cache, guint picture);
/* Appends; survives a crash from then on (a torn last entry is dropped at the next open). */
gboolean sppnet_map_cache_put (SppnetMapCache *cache, guint picture, const SppnetMap *map, GError **error);
/* Converts into data, which is grown as needed with sppnet_aligned_alloc; map->data is *data. */
gboolean sppnet_map_cache_get (SppnetMapCache *cache, guint picture, SppnetMap *map, gfloat **data, gsize *data_floats,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetMapCache, sppnet_map_cache_free)
