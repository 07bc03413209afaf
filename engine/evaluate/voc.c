/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/voc.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "evaluate/annotation.h"

static gboolean
read_annotation (SppnetAnnotation *annotation, const gchar *file, GError **error)
{
  g_autofree gchar *xml = NULL;
  gsize length;

  return sppnet_file_read (file, &xml, &length, error)
         && sppnet_annotation_parse (annotation, file, xml, length, error);
}

/* where: what names the id, "LIST:LINE" or the annotation itself */
static SppnetAnnotation *
load_one (const gchar *dir, const gchar *id, const gchar *where, GError **error)
{
  static const gchar *const endings[] = { "jpg", "jpeg", "png", "JPG", "JPEG", "PNG" };
  g_autoptr (SppnetAnnotation) annotation = sppnet_annotation_new (id);
  g_autofree gchar *file = g_strdup_printf ("%s/Annotations/%s.xml", dir, id);
  g_autofree gchar *pictures = NULL;

  if (g_access (file, F_OK) != 0) {
    if (errno == ENOENT)
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: no annotation %s", where, file);
    else
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: %s: %s", where, file, g_strerror (errno));
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
  pictures = g_build_filename (dir, "JPEGImages", NULL);
  if (g_access (pictures, X_OK) != 0 && errno != ENOENT) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: %s: %s", where, pictures, g_strerror (errno));
    return NULL;
  }
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: no picture %s/JPEGImages/%s.jpg, .jpeg or .png", where,
               dir, id);
  return NULL;
}

/* Lists of one class have a second column, -1, 0 or 1; but a name may end like that, too. */
static void
cut_second_column (const gchar *dir, gchar *id)
{
  g_autofree gchar *file = g_strdup_printf ("%s/Annotations/%s.xml", dir, id);
  gchar *column = strpbrk (id, " \t") ? id + strlen (id) : id;

  while (column > id && !g_ascii_isspace (column[-1]))
    column--;
  if ((g_str_equal (column, "-1") || g_str_equal (column, "0") || g_str_equal (column, "1")) && column > id
      && !g_file_test (file, G_FILE_TEST_EXISTS)) {
    *column = '\0';
    g_strchomp (id);
  }
}

static gboolean
load_list (const gchar *dir, const gchar *list, GPtrArray *annotations, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (GStrv) lines = sppnet_file_read_lines (list, error);

  if (!lines)
    return FALSE;
  for (guint i = 0; lines[i]; i++) {
    g_autofree gchar *where = g_strdup_printf ("%s:%u", list, i + 1);
    gchar *id = lines[i];
    SppnetAnnotation *annotation;

    if (!*id)
      continue;
    cut_second_column (dir, id);
    if (!g_hash_table_add (seen, id)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: %s is listed twice", where, id);
      return FALSE;
    }
    if (!(annotation = load_one (dir, id, where, error)))
      return FALSE;
    g_ptr_array_add (annotations, annotation);
  }
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

/* (element-type utf8): names of the files FOLDER/NAME.xml, in order */
static GPtrArray *
list_folder (const gchar *folder, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) reason = NULL;
  GDir *dir = g_dir_open (folder, 0, &reason);
  const gchar *name;

  if (!dir) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND, "%s: %s", folder, reason->message);
    return NULL;
  }
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".xml") && *name != '.')
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (".xml")));
  g_dir_close (dir);
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

static gboolean
load_folder (const gchar *dir, const gchar *folder, GPtrArray *annotations, GError **error)
{
  g_autoptr (GPtrArray) names = list_folder (folder, error);

  for (guint i = 0; names && i < names->len; i++) {
    const gchar *id = g_ptr_array_index (names, i);
    g_autofree gchar *file = g_strdup_printf ("%s/%s.xml", folder, id);
    SppnetAnnotation *annotation = load_one (dir, id, file, error);

    if (!annotation)
      return FALSE;
    g_ptr_array_add (annotations, annotation);
  }
  return names != NULL;
}

GPtrArray *
sppnet_voc_load (const gchar *dir, const gchar *set, GError **error)
{
  g_autoptr (GPtrArray) annotations = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  g_autofree gchar *source
      = set ? g_strdup_printf ("%s/ImageSets/Main/%s.txt", dir, set) : g_build_filename (dir, "Annotations", NULL);

  if (!(set ? load_list (dir, source, annotations, error) : load_folder (dir, source, annotations, error)))
    return NULL;
  if (annotations->len == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: no pictures are listed", source);
    return NULL;
  }
  return g_steal_pointer (&annotations);
}
