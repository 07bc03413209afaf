/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/voc.h"

#include <string.h>

#include "evaluate/annotation.h"

static void
clear_object (gpointer data)
{
  g_clear_pointer (&((SppnetObject *) data)->label, g_free);
}

static SppnetAnnotation *
annotation_new (const gchar *id)
{
  SppnetAnnotation *annotation = g_new0 (SppnetAnnotation, 1);

  annotation->id = g_strdup (id);
  annotation->objects = g_array_new (FALSE, TRUE, sizeof (SppnetObject));
  g_array_set_clear_func (annotation->objects, clear_object);
  return annotation;
}

void
sppnet_annotation_free (SppnetAnnotation *annotation)
{
  if (!annotation)
    return;
  g_free (annotation->id);
  g_free (annotation->picture);
  g_array_unref (annotation->objects);
  g_free (annotation);
}

static gboolean
load_file (const gchar *file, gchar **text, gsize *length, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (g_file_get_contents (file, text, length, &reason))
    return TRUE;
  g_set_error (error, SPPNET_ERROR,
               g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? SPPNET_ERROR_NOT_FOUND : SPPNET_ERROR_READ,
               "%s: %s", file, reason->message);
  return FALSE;
}

static gboolean
read_annotation (SppnetAnnotation *annotation, const gchar *file, GError **error)
{
  g_autofree gchar *xml = NULL;
  gsize length;

  return load_file (file, &xml, &length, error) && sppnet_annotation_parse (annotation, file, xml, length, error);
}

/* list, line: where the id stands */
static SppnetAnnotation *
load_one (const gchar *dir, const gchar *id, const gchar *list, guint line, GError **error)
{
  static const gchar *const endings[] = { "jpg", "jpeg", "png" };
  g_autoptr (SppnetAnnotation) annotation = annotation_new (id);
  g_autofree gchar *file = g_strdup_printf ("%s/Annotations/%s.xml", dir, id);

  if (!g_file_test (file, G_FILE_TEST_EXISTS)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s:%u: no annotation %s", list, line, file);
    return NULL;
  }
  if (!read_annotation (annotation, file, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autofree gchar *picture = g_strdup_printf ("%s/JPEGImages/%s.%s", dir, id, endings[i]);

    if (g_file_test (picture, G_FILE_TEST_IS_REGULAR)) {
      annotation->picture = g_steal_pointer (&picture);
      return g_steal_pointer (&annotation);
    }
  }
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s:%u: no picture %s/JPEGImages/%s.jpg, .jpeg or .png",
               list, line, dir, id);
  return NULL;
}

GPtrArray *
sppnet_voc_load (const gchar *dir, const gchar *set, GError **error)
{
  g_autoptr (GPtrArray) annotations = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree gchar *list = g_strdup_printf ("%s/ImageSets/Main/%s.txt", dir, set);
  g_autofree gchar *content = NULL;
  g_auto (GStrv) lines = NULL;
  gsize length;

  if (!load_file (list, &content, &length, error))
    return NULL;
  lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    gchar *id = g_strstrip (lines[i]);
    SppnetAnnotation *annotation;

    id[strcspn (id, " \t")] = '\0'; /* lists of one class have a second column, -1, 0 or 1 */
    if (!*id)
      continue;
    if (!g_hash_table_add (seen, id)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%u: %s is listed twice", list, i + 1, id);
      return NULL;
    }
    if (!(annotation = load_one (dir, id, list, i + 1, error)))
      return NULL;
    g_ptr_array_add (annotations, annotation);
  }
  if (annotations->len == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: no pictures are listed", list);
    return NULL;
  }
  return g_steal_pointer (&annotations);
}
