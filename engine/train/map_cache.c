/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/map_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sppnet/error.h>

#include "base/memory.h"
#include "kernel/kernel.h"
#include "train/map_file.h"

/* Entries are complete or absent to a later run, also after a power failure: what counts at opening is the checksum,
 * not the order in which the system wrote. So nothing waits for the disk. */
struct _SppnetMapCache
{
  gchar *file;
  int fd;
  guint n_pictures;
  guint64 *entry;       /* [n_pictures]: place of the picture's entry in the file; 0: none */
  guint64 end;          /* bytes of the file up to the last entry's end */
  const guint8 *mapped; /* the file, read only */
  gsize mapped_bytes;
  SppnetBuffer scratch; /* an entry on its way to the file */
};

static gboolean
fail (const SppnetMapCache *cache, GError **error, SppnetError code, const gchar *what)
{
  g_set_error (error, SPPNET_ERROR, code, "%s: %s", cache->file, what);
  return FALSE;
}

static gboolean
fail_errno (const SppnetMapCache *cache, GError **error, SppnetError code, const gchar *what)
{
  int saved = errno;

  g_set_error (error, SPPNET_ERROR, code, "%s: %s: %s", cache->file, what, g_strerror (saved));
  return FALSE;
}

void
sppnet_map_cache_free (SppnetMapCache *cache)
{
  if (!cache)
    return;
  if (cache->mapped)
    munmap ((gpointer) cache->mapped, cache->mapped_bytes);
  if (cache->fd >= 0)
    close (cache->fd);
  sppnet_buffer_clear (&cache->scratch);
  g_free (cache->entry);
  g_free (cache->file);
  g_free (cache);
}

/* Maps the first bytes of the file; they exist. */
static gboolean
map_file (SppnetMapCache *cache, guint64 bytes, GError **error)
{
  gpointer mapped;

  if (cache->mapped)
    munmap ((gpointer) cache->mapped, cache->mapped_bytes);
  cache->mapped = NULL;
  cache->mapped_bytes = 0;
  if (bytes == 0)
    return TRUE;
  mapped = bytes <= G_MAXSSIZE ? mmap (NULL, (gsize) bytes, PROT_READ, MAP_SHARED, cache->fd, 0) : MAP_FAILED;
  if (mapped == MAP_FAILED)
    return fail_errno (cache, error, SPPNET_ERROR_READ, "cannot be mapped");
  cache->mapped = mapped;
  cache->mapped_bytes = (gsize) bytes;
  return TRUE;
}

/* Writes behind cache->end; what a failed write leaves there is cut off. */
static gboolean
append (SppnetMapCache *cache, gconstpointer data, gsize bytes, GError **error)
{
  for (gsize done = 0; done < bytes;) {
    ssize_t n = pwrite (cache->fd, (const guint8 *) data + done, bytes - done, (off_t) (cache->end + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      if (n == 0)
        errno = ENOSPC;
      fail_errno (cache, error, SPPNET_ERROR_WRITE, "cannot be written");
      if (ftruncate (cache->fd, (off_t) cache->end) < 0)
        g_debug ("%s: a torn entry stays until the next opening", cache->file);
      return FALSE;
    }
    done += (gsize) n;
  }
  cache->end += bytes;
  return TRUE;
}

/* Notes the complete entries; returns the end of the last one. An entry whose numbers are damaged is passed over, and
 * made again by the caller; after a damaged description nothing can be found, so the file ends there. */
static guint64
scan (SppnetMapCache *cache, guint64 at)
{
  SppnetMapEntry entry;

  while (cache->mapped_bytes - at >= sizeof entry) {
    gsize bytes;

    memcpy (&entry, cache->mapped + at, sizeof entry);
    bytes = sppnet_map_entry_bytes (&entry);
    if (bytes == 0 || bytes > cache->mapped_bytes - at - sizeof entry || entry.picture >= cache->n_pictures)
      break;
    if (sppnet_map_entry_checksum (&entry, cache->mapped + at + sizeof entry) == entry.checksum)
      cache->entry[entry.picture] = at;
    else
      g_message ("%s: the map of picture %u is damaged and will be made again", cache->file, entry.picture);
    at += sizeof entry + bytes;
  }
  return at;
}

/* Empties the file and writes the header. */
static gboolean
start_over (SppnetMapCache *cache, const GByteArray *header, GError **error)
{
  if (!map_file (cache, 0, error))
    return FALSE;
  cache->end = 0;
  if (ftruncate (cache->fd, 0) < 0)
    return fail_errno (cache, error, SPPNET_ERROR_WRITE, "cannot be emptied");
  return append (cache, header->data, header->len, error);
}

/* A file that is something else entirely is left alone: a mistyped name must not cost a user's file. */
static gboolean
take_over (SppnetMapCache *cache, const GByteArray *header, GError **error)
{
  gsize known = MIN (cache->mapped_bytes, sizeof SPPNET_MAP_MAGIC);

  if (known > 0 && memcmp (cache->mapped, SPPNET_MAP_MAGIC, known) != 0)
    return fail (cache, error, SPPNET_ERROR_CORRUPT, "exists and is not a feature cache; it is left as it is");
  if (known == 0)
    return start_over (cache, header, error);
  if (cache->mapped_bytes < header->len || memcmp (cache->mapped, header->data, header->len) != 0) {
    g_message ("%s: made by another version or for another backbone or other pictures; starting over", cache->file);
    return start_over (cache, header, error);
  }

  cache->end = scan (cache, header->len);
  if (cache->end == cache->mapped_bytes)
    return TRUE;
  g_message ("%s: dropping %" G_GUINT64_FORMAT " bytes after the last complete map", cache->file,
             cache->mapped_bytes - cache->end);
  if (!map_file (cache, cache->end, error))
    return FALSE;
  if (ftruncate (cache->fd, (off_t) cache->end) < 0)
    return fail_errno (cache, error, SPPNET_ERROR_WRITE, "cannot be shortened");
  return TRUE;
}

static gboolean
open_file (SppnetMapCache *cache, GError **error)
{
  struct stat status;

  /* O_NONBLOCK: a pipe by this name must not hang us */
  cache->fd = open (cache->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (cache->fd < 0)
    return fail_errno (cache, error, SPPNET_ERROR_WRITE, "cannot be opened");
  if (fstat (cache->fd, &status) < 0)
    return fail_errno (cache, error, SPPNET_ERROR_READ, "cannot be examined");
  if (!S_ISREG (status.st_mode))
    return fail (cache, error, SPPNET_ERROR_WRITE, "is not a regular file");
  if (flock (cache->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
    return fail (cache, error, SPPNET_ERROR_WRITE, "is in use by another training run");
  return map_file (cache, (guint64) status.st_size, error);
}

SppnetMapCache *
sppnet_map_cache_open (const gchar *file, const gchar *key, guint n_pictures, GError **error)
{
  g_autoptr (SppnetMapCache) cache = g_new0 (SppnetMapCache, 1);
  g_autoptr (GByteArray) header = sppnet_map_file_header_new (key, n_pictures);

  cache->file = g_strdup (file);
  cache->fd = -1;
  cache->n_pictures = n_pictures;
  cache->entry = g_new0 (guint64, n_pictures);
  if (!open_file (cache, error) || !take_over (cache, header, error))
    return NULL;
  return g_steal_pointer (&cache);
}

gboolean
sppnet_map_cache_has (const SppnetMapCache *cache, guint picture)
{
  return picture < cache->n_pictures && cache->entry[picture] != 0;
}

static gboolean
all_finite (const guint16 *half, gsize n)
{
  guint found = 0;

  for (gsize i = 0; i < n; i++)
    found |= (half[i] & 0x7c00) == 0x7c00;
  return !found;
}

gboolean
sppnet_map_cache_put (SppnetMapCache *cache, guint picture, const SppnetMap *map, GError **error)
{
  SppnetMapEntry entry = { picture,
                           map->width,
                           map->height,
                           map->channels,
                           map->geometry.stride,
                           map->geometry.offset_x,
                           map->geometry.offset_y,
                           0,
                           0 };
  gsize bytes = sppnet_map_entry_bytes (&entry), n = (gsize) map->width * map->height * map->channels;
  guint64 at = cache->end;
  guint8 *scratch;

  g_return_val_if_fail (picture < cache->n_pictures && map->data, FALSE);
  if (bytes == 0)
    return fail (cache, error, SPPNET_ERROR_UNSUPPORTED, "a map of this size or geometry cannot be kept");
  scratch = sppnet_buffer_reserve (&cache->scratch, sizeof entry + bytes, 1, error);
  if (!scratch)
    return FALSE;

  memset (scratch + sizeof entry + bytes - 8, 0, 8);
  sppnet_kernels ()->float_to_half ((guint16 *) (scratch + sizeof entry), map->data, n);
  if (!all_finite ((const guint16 *) (scratch + sizeof entry), n)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "%s: the map of picture %u has values that are not finite or "
                 "beyond the half-precision range",
                 cache->file, picture);
    return FALSE;
  }
  entry.checksum = sppnet_map_entry_checksum (&entry, scratch + sizeof entry);
  memcpy (scratch, &entry, sizeof entry);
  if (!append (cache, scratch, sizeof entry + bytes, error))
    return FALSE;
  cache->entry[picture] = at;
  return TRUE;
}

gboolean
sppnet_map_cache_get (SppnetMapCache *cache, guint picture, SppnetMap *map, gfloat **data, gsize *data_floats,
                      GError **error)
{
  SppnetMapEntry entry;
  gsize n;

  if (!sppnet_map_cache_has (cache, picture)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: has no map of picture %u", cache->file, picture);
    return FALSE;
  }
  if (cache->mapped_bytes < cache->end && !map_file (cache, cache->end, error))
    return FALSE;
  memcpy (&entry, cache->mapped + cache->entry[picture], sizeof entry);
  n = (gsize) entry.width * entry.height * entry.channels;
  if (!*data || *data_floats < n) {
    g_clear_pointer (data, sppnet_aligned_free);
    *data_floats = 0;
    *data = sppnet_aligned_alloc (n * sizeof (gfloat));
    if (!*data)
      return fail (cache, error, SPPNET_ERROR_MEMORY, "cannot allocate memory for a map");
    *data_floats = n;
  }
  sppnet_kernels ()->half_to_float (*data, (const guint16 *) (cache->mapped + cache->entry[picture] + sizeof entry), n);
  *map = (SppnetMap) {
    *data, entry.width, entry.height, entry.channels, { entry.stride, entry.offset_x, entry.offset_y }
  };
  return TRUE;
}
