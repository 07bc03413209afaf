/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/dataset.h"

#include <string.h>

#include "frame/picture.h"

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

static gchar **
labels_that_occur (const GPtrArray *annotations)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (annotations, i);

    for (guint k = 0; k < annotation->objects->len; k++) {
      const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);

      /* Difficult objects are not trained on. */
      if (!object->difficult && g_hash_table_add (seen, object->label))
        g_ptr_array_add (names, g_strdup (object->label));
    }
  }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

static gint
label_id (gchar **labels, const gchar *label)
{
  for (gint i = 0; labels[i]; i++)
    if (g_str_equal (labels[i], label))
      return i;
  return -1;
}

static guint64
make_stamp (const SppnetAnnotation *annotation)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GMappedFile) file = g_mapped_file_new (annotation->picture, FALSE, NULL);
  g_autofree gchar *size = g_strdup_printf ("%d %d\n", annotation->width, annotation->height);
  guint64 stamp[4];
  gsize length = sizeof stamp;

  g_checksum_update (checksum, (const guchar *) size, -1);
  /* One that is not there is an error elsewhere. */
  if (file && g_mapped_file_get_length (file) > 0)
    g_checksum_update (checksum, (const guchar *) g_mapped_file_get_contents (file),
                       (gssize) g_mapped_file_get_length (file));
  else
    g_checksum_update (checksum, (const guchar *) annotation->picture, -1);
  g_checksum_get_digest (checksum, (guint8 *) stamp, &length);
  return stamp[0];
}

/* A picture that is listed more than once is read once. */
static guint64 *
make_stamps (const GPtrArray *annotations)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  guint64 *stamps = g_new (guint64, annotations->len + 1);

  for (guint i = 0; i < annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (annotations, i), *other;
    gpointer first;

    if (g_hash_table_lookup_extended (seen, annotation->picture, NULL, &first)) {
      other = g_ptr_array_index (annotations, GPOINTER_TO_UINT (first));
      if (other->width == annotation->width && other->height == annotation->height) {
        stamps[i] = stamps[GPOINTER_TO_UINT (first)];
        continue;
      }
    }
    stamps[i] = make_stamp (annotation);
    g_hash_table_insert (seen, annotation->picture, GUINT_TO_POINTER (i));
  }
  return stamps;
}

SppnetDataset *
sppnet_dataset_new (GPtrArray *annotations, gchar **labels, guint first_needed, GError **error)
{
  g_autoptr (SppnetDataset) dataset = g_new0 (SppnetDataset, 1);
  g_autofree guint *used = NULL; /* [n_labels] */
  guint n_used = 0;

  dataset->annotations = annotations;
  dataset->labels = labels ? g_strdupv (labels) : labels_that_occur (dataset->annotations);
  dataset->n_labels = g_strv_length (dataset->labels);
  used = g_new0 (guint, dataset->n_labels + 1);
  dataset->objects = g_new0 (GArray *, dataset->annotations->len + 1);
  dataset->proposals = g_new0 (GArray *, dataset->annotations->len + 1);
  for (guint i = 0; i < dataset->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);

    dataset->objects[i] = g_array_new (FALSE, FALSE, sizeof (gint));
    for (guint k = 0; k < annotation->objects->len; k++) {
      gint id = label_id (dataset->labels, g_array_index (annotation->objects, SppnetObject, k).label);

      if (id >= 0 && !g_array_index (annotation->objects, SppnetObject, k).difficult)
        n_used += used[id]++ == 0;
      g_array_append_val (dataset->objects[i], id);
    }
  }
  if (n_used == 0) {
    g_autofree gchar *names = g_strjoinv (", ", dataset->labels);

    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "the pictures to train on have no object of the labels to train%s%s", *names ? ": " : "", names);
    return NULL;
  }
  for (guint i = first_needed; i < dataset->n_labels; i++)
    if (label_id (dataset->labels, dataset->labels[i]) != (gint) i) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "label \"%s\" is given twice", dataset->labels[i]);
      return NULL;
    } else if (used[i] == 0) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                   "label \"%s\": the pictures to train on have no such object", dataset->labels[i]);
      return NULL;
    }
  /* Reads every picture: not before the rest is right. */
  dataset->stamps = make_stamps (dataset->annotations);
  return g_steal_pointer (&dataset);
}

void
sppnet_dataset_free (SppnetDataset *dataset)
{
  guint n = dataset && dataset->annotations ? dataset->annotations->len : 0;

  if (!dataset)
    return;
  for (guint i = 0; i < n; i++) {
    if (dataset->objects && dataset->objects[i])
      g_array_unref (dataset->objects[i]);
    if (dataset->proposals && dataset->proposals[i])
      g_array_unref (dataset->proposals[i]);
  }
  g_free (dataset->objects);
  g_free (dataset->proposals);
  g_free (dataset->stamps);
  g_clear_pointer (&dataset->annotations, g_ptr_array_unref);
  g_strfreev (dataset->labels);
  g_free (dataset);
}

gboolean
sppnet_dataset_check_pictures (const GPtrArray *annotations, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (annotations, i);

    /* A folder may be there twice, so that its pictures count more. */
    if (g_hash_table_add (seen, annotation->picture)
        && !sppnet_picture_check_size (annotation->picture, annotation->width, annotation->height, error))
      return FALSE;
  }
  return TRUE;
}

gchar *
sppnet_dataset_pictures_key (const SppnetDataset *dataset)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, (const guchar *) dataset->stamps,
                     (gssize) (dataset->annotations->len * sizeof *dataset->stamps));
  return g_strdup (g_checksum_get_string (checksum));
}

gchar *
sppnet_dataset_key (const SppnetDataset *dataset)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; i < dataset->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);

    g_checksum_update (checksum, (const guchar *) &dataset->stamps[i], sizeof *dataset->stamps);
    for (guint k = 0; k < annotation->objects->len; k++) {
      const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);
      g_autofree gchar *text = g_strdup_printf (
          "%s %d %g %g %g %g %g\n", object->label, object->difficult, (gdouble) object->confidence,
          (gdouble) object->box.x, (gdouble) object->box.y, (gdouble) object->box.width, (gdouble) object->box.height);

      g_checksum_update (checksum, (const guchar *) text, -1);
    }
  }
  return g_strdup (g_checksum_get_string (checksum));
}
