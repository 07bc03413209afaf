/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"

/* The file of a feature cache: a header with the key, then one entry after the other, all aligned to 8 bytes:
 *
 *     SppnetMapFileHeader, key (padded with zeros), { SppnetMapEntry, half-precision numbers (padded with zeros) } ...
 *
 * Numbers are in this machine's byte order; a file from another one does not have the right magic. */

typedef struct
{
  gchar magic[8];     /* "sppmaps" and its end */
  guint32 byte_order; /* SPPNET_MAP_BYTE_ORDER */
  guint32 version;
  guint32 n_pictures;
  guint32 key_bytes;
  guint64 checksum; /* of the header with checksum = 0 and the key */
} SppnetMapFileHeader;

typedef struct
{
  guint32 picture;
  gint32 width, height, channels;
  gint32 stride;
  gfloat offset_x, offset_y;
  guint32 reserved; /* 0 */
  guint64 checksum; /* of the entry with checksum = 0 and the numbers */
} SppnetMapEntry;

#define SPPNET_MAP_MAGIC "sppmaps"
#define SPPNET_MAP_BYTE_ORDER 0x01020304u
#define SPPNET_MAP_VERSION 1u

static inline gsize
sppnet_map_file_padded (gsize bytes)
{
  return (bytes + 7) & ~(gsize) 7;
}

/* bytes: a multiple of 8; seed: the checksum of what comes before. Finds accidents, not forgeries. */
guint64 sppnet_map_file_checksum (gconstpointer data, gsize bytes, guint64 seed);

/* (transfer full): the header and the padded key. */
GByteArray *sppnet_map_file_header_new (const gchar *key, guint n_pictures);

/* Bytes of the numbers of an entry, padded; 0 when its sizes or its geometry are out of range. */
gsize sppnet_map_entry_bytes (const SppnetMapEntry *entry);
guint64 sppnet_map_entry_checksum (const SppnetMapEntry *entry, gconstpointer numbers);
