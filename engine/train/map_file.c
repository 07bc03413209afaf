/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/map_file.h"

#include <math.h>
#include <string.h>

#define LANES 4

static guint64
mix (guint64 sum, guint64 word)
{
  sum = (sum ^ word) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return sum ^ (sum >> 29);
}

/* Independent lanes, as one multiplication waits for the other: memory is then the limit, so that all entries can be
 * checked when a cache is opened. */
guint64
sppnet_map_file_checksum (gconstpointer data, gsize bytes, guint64 seed)
{
  const guint8 *at = data;
  guint64 lane[LANES] = { seed, 1, 2, 3 }, word[LANES];
  gsize words = bytes / 8, i = 0;

  for (; i + LANES <= words; i += LANES) {
    memcpy (word, at + i * 8, sizeof word);
    for (gsize k = 0; k < LANES; k++)
      lane[k] = mix (lane[k], word[k]);
  }
  for (; i < words; i++) {
    memcpy (word, at + i * 8, 8);
    lane[0] = mix (lane[0], word[0]);
  }
  return mix (mix (mix (mix (lane[0], lane[1]), lane[2]), lane[3]), bytes);
}

GByteArray *
sppnet_map_file_header_new (const gchar *key, guint n_pictures)
{
  gsize key_bytes = strlen (key), bytes = sizeof (SppnetMapFileHeader) + sppnet_map_file_padded (key_bytes);
  SppnetMapFileHeader header
      = { SPPNET_MAP_MAGIC, SPPNET_MAP_BYTE_ORDER, SPPNET_MAP_VERSION, n_pictures, (guint32) key_bytes, 0 };
  GByteArray *array = g_byte_array_sized_new ((guint) bytes);

  g_byte_array_set_size (array, (guint) bytes);
  memset (array->data, 0, bytes);
  memcpy (array->data, &header, sizeof header);
  memcpy (array->data + sizeof header, key, key_bytes);
  header.checksum = sppnet_map_file_checksum (array->data, bytes, 0);
  memcpy (array->data, &header, sizeof header);
  return array;
}

gsize
sppnet_map_entry_bytes (const SppnetMapEntry *entry)
{
  if (entry->width < 1 || entry->width > 8192 || entry->height < 1 || entry->height > 8192 || entry->channels < 1
      || entry->channels > 4096 || entry->stride < 1 || entry->reserved != 0 || !isfinite (entry->offset_x)
      || !isfinite (entry->offset_y))
    return 0;
  return sppnet_map_file_padded ((gsize) entry->width * entry->height * entry->channels * sizeof (guint16));
}

guint64
sppnet_map_entry_checksum (const SppnetMapEntry *entry, gconstpointer numbers)
{
  SppnetMapEntry unsummed = *entry;

  unsummed.checksum = 0;
  return sppnet_map_file_checksum (numbers, sppnet_map_entry_bytes (entry),
                                   sppnet_map_file_checksum (&unsummed, sizeof unsummed, 0));
}
