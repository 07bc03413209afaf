/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/sets.h"

#include <math.h>
#include <stdlib.h>
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

JsonArray *
sppnet_picture_sets_record (const SppnetPictureSets *sets)
{
  JsonArray *record = json_array_new ();

  for (guint i = 0; sets->voc && sets->voc[i]; i++) {
    g_autofree gchar *base = g_filename_display_basename (sets->voc[i]);
    g_autofree gchar *name = sets->sets ? g_strconcat (base, "/", sets->sets[i], NULL) : g_strdup (base);

    json_array_add_string_element (record, name);
  }
  for (guint i = 0; sets->coco && sets->coco[i]; i++) {
    g_autofree gchar *name = g_filename_display_basename (sets->coco[i]);

    json_array_add_string_element (record, name);
  }
  return record;
}

/* The file's own name, by whatever way it is named; as it is where there is no such file. (transfer full) */
static gchar *
identify (const GPtrArray *annotations, guint i)
{
  const gchar *picture = ((const SppnetAnnotation *) g_ptr_array_index (annotations, i))->picture;
  gchar *path = realpath (picture, NULL), *copy = g_strdup (path ? path : picture);

  free (path);
  return copy;
}

GPtrArray *
sppnet_picture_sets_split (GPtrArray *annotations, gdouble fraction, guint32 seed, gboolean validation)
{
  GPtrArray *part = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  g_autoptr (GPtrArray) pictures = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) chosen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree gboolean *again = g_new0 (gboolean, annotations->len + 1);
  SppnetRandom random = { seed };
  guint n, left;

  for (guint i = 0; i < annotations->len; i++) {
    g_ptr_array_add (pictures, identify (annotations, i));
    again[i] = !g_hash_table_add (seen, g_ptr_array_index (pictures, i));
  }
  n = g_hash_table_size (seen);
  left = (guint) CLAMP (lround (fraction * n), 1, MAX (1, (glong) n - 1));
  /* Knuth's selection sampling, in order. */
  for (guint i = 0; i < annotations->len; i++)
    if (!again[i] && sppnet_random_below (&random, n--) < left) {
      g_hash_table_add (chosen, g_ptr_array_index (pictures, i));
      left--;
    }
  for (guint i = 0; i < annotations->len; i++)
    if (g_hash_table_contains (chosen, g_ptr_array_index (pictures, i)) ? validation && !again[i] : !validation)
      g_ptr_array_add (part, g_steal_pointer (&g_ptr_array_index (annotations, i)));
  g_ptr_array_unref (annotations);
  return part;
}

gchar **
sppnet_labels_load (const gchar *file, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (GStrv) lines = sppnet_file_read_lines (file, error);

  if (!lines)
    return NULL;
  for (guint i = 0; lines[i]; i++) {
    gchar *name = lines[i];

    if (!*name)
      continue;
    if (!g_utf8_validate (name, -1, NULL)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%u: is not text in UTF-8", file, i + 1);
      return NULL;
    }
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
