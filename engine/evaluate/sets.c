/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/sets.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "evaluate/annotation.h"
#include "evaluate/coco.h"

static GPtrArray *
load_coco (const SppnetPictureSets *sets, guint i, GError **error)
{
  g_autofree gchar *dir = sets->images ? g_strdup (sets->images[i]) : g_path_get_dirname (sets->coco[i]);

  return sppnet_coco_load (sets->coco[i], dir, error);
}

GPtrArray *
sppnet_picture_sets_load (const SppnetPictureSets *sets, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  guint n_voc = sets->voc ? g_strv_length (sets->voc) : 0, n_coco = sets->coco ? g_strv_length (sets->coco) : 0;

  for (guint i = 0; i < n_voc + n_coco; i++) {
    GPtrArray *part = i < n_voc ? sppnet_voc_load (sets->voc[i], sets->sets ? sets->sets[i] : NULL, error)
                                : load_coco (sets, i - n_voc, error);

    if (!part)
      return NULL;
    g_ptr_array_extend_and_steal (all, part);
  }
  return g_steal_pointer (&all);
}

gchar **
sppnet_picture_sets_names (const SppnetPictureSets *sets)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; sets->voc && sets->voc[i]; i++) {
    g_autofree gchar *base = g_filename_display_basename (sets->voc[i]);

    g_ptr_array_add (names, sets->sets ? g_strconcat (base, "/", sets->sets[i], NULL) : g_strdup (base));
  }
  for (guint i = 0; sets->coco && sets->coco[i]; i++)
    g_ptr_array_add (names, g_filename_display_basename (sets->coco[i]));
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

GPtrArray *
sppnet_picture_sets_split (GPtrArray *annotations, gdouble fraction, guint32 seed, gboolean validation)
{
  GPtrArray *part = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  guint n = annotations->len, wanted = (guint) CLAMP (lround (fraction * n), 1, MAX (1, (glong) n - 1));
  g_autofree gboolean *chosen = g_new0 (gboolean, n + 1);
  SppnetRandom random = { seed };

  /* Knuth's selection sampling: wanted of n, in order. */
  for (guint i = 0, left = wanted; i < n; i++)
    if (sppnet_random_below (&random, n - i) < left) {
      chosen[i] = TRUE;
      left--;
    }
  for (guint i = 0; i < n; i++)
    if (chosen[i] == validation)
      g_ptr_array_add (part, g_steal_pointer (&g_ptr_array_index (annotations, i)));
  g_ptr_array_unref (annotations);
  return part;
}

gchar **
sppnet_labels_load (const gchar *file, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize length;

  if (!sppnet_file_read (file, &text, &length, error))
    return NULL;
  if (!g_utf8_validate (text, (gssize) length, NULL)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not text in UTF-8", file);
    return NULL;
  }
  lines = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    gchar *name = g_strstrip (lines[i]);

    if (!*name)
      continue;
    if (!g_hash_table_add (seen, name)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%u: %s is listed twice", file, i + 1, name);
      return NULL;
    }
    g_ptr_array_add (names, g_strdup (name));
  }
  if (names->len == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: no labels are listed", file);
    return NULL;
  }
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
