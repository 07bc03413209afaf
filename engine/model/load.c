/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "model/model-private.h"

/* One load at a time, so that two threads that ask for one file get one object. Taken before cache_lock. */
static GMutex load_lock;
static GMutex cache_lock;
static GSList *cache; /* of models, not counted as references (guarded by cache_lock) */

static SppnetModel *
find_cached (const SppnetFileIdentity *identity)
{
  SppnetModel *found = NULL;

  g_mutex_lock (&cache_lock);
  for (GSList *at = cache; at && !found; at = at->next)
    if (memcmp (&((SppnetModel *) at->data)->identity, identity, sizeof *identity) == 0)
      found = sppnet_model_ref (at->data);
  g_mutex_unlock (&cache_lock);
  return found;
}

static void
add_to_cache (SppnetModel *model, const SppnetFileIdentity *identity)
{
  g_mutex_lock (&cache_lock);
  model->identity = *identity;
  model->cached = TRUE;
  cache = g_slist_prepend (cache, model);
  g_mutex_unlock (&cache_lock);
}

/* Opens without waiting for the other end of a pipe; regular files only. */
static gint
open_file (const gchar *path, SppnetFileIdentity *identity, GError **error)
{
  gint fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  gint saved = errno;
  struct stat info;

  if (fd < 0) {
    g_set_error (error, SPPNET_ERROR, saved == ENOENT || saved == ENOTDIR ? SPPNET_ERROR_NOT_FOUND : SPPNET_ERROR_READ,
                 "%s: cannot be opened: %s", path, g_strerror (saved));
    return -1;
  }
  if (fstat (fd, &info) == 0 && S_ISREG (info.st_mode)) {
    *identity = (SppnetFileIdentity) { (guint64) info.st_dev, (guint64) info.st_ino, (guint64) info.st_size,
                                       info.st_mtim.tv_sec,   info.st_mtim.tv_nsec,  info.st_ctim.tv_sec,
                                       info.st_ctim.tv_nsec };
    return fd;
  }
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "%s: is not a regular file", path);
  g_close (fd, NULL);
  return -1;
}

static SppnetModel *
map_and_read (gint fd, const gchar *path, GError **error)
{
  g_autoptr (GError) map_error = NULL;
  g_autoptr (GMappedFile) mapped = g_mapped_file_new_from_fd (fd, FALSE, &map_error);
  g_autoptr (GBytes) bytes = NULL;

  if (!mapped) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "%s: cannot be mapped: %s", path, map_error->message);
    return NULL;
  }
  bytes = g_mapped_file_get_bytes (mapped);
  return sppnet_model_new_from_bytes (bytes, path, error);
}

SppnetModel *
sppnet_model_load (const gchar *path, GError **error)
{
  SppnetFileIdentity identity;
  SppnetModel *model;
  gint fd;

  g_return_val_if_fail (path != NULL, NULL);
  fd = open_file (path, &identity, error);
  if (fd < 0)
    return NULL;
  g_mutex_lock (&load_lock);
  model = find_cached (&identity);
  if (!model) {
    model = map_and_read (fd, path, error);
    if (model)
      add_to_cache (model, &identity);
  }
  g_mutex_unlock (&load_lock);
  g_close (fd, NULL);
  return model;
}

SppnetModel *
sppnet_model_ref (SppnetModel *model)
{
  g_return_val_if_fail (model != NULL, NULL);
  g_atomic_int_inc (&model->references);
  return model;
}

void
sppnet_model_unref (SppnetModel *model)
{
  gint references;
  gboolean last;

  g_return_if_fail (model != NULL);
  /* The last reference goes under the cache's lock: no load can find a model that is about to end. */
  while ((references = g_atomic_int_get (&model->references)) > 1)
    if (g_atomic_int_compare_and_exchange (&model->references, references, references - 1))
      return;
  g_mutex_lock (&cache_lock);
  last = g_atomic_int_dec_and_test (&model->references);
  if (last && model->cached)
    cache = g_slist_remove (cache, model);
  g_mutex_unlock (&cache_lock);
  if (last)
    sppnet_model_free (model);
}
