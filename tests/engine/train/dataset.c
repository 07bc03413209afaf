/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept of pictures from one run to the next: as long as the pictures are the same, whatever is said about them.
 */
#include "train/dataset.h"

#include "evaluate/voc.h"
#include "scenes.h"

#define PICTURES 20

typedef struct
{
  gchar *dir, *cache;
  guint done; /* times that progress was told of pictures */
} Fixture;

static void
setup (Fixture *fixture, gconstpointer user_data)
{
  fixture->dir = scenes_write (PICTURES, 1);
  fixture->cache = g_build_filename (fixture->dir, "proposals", NULL);
}

static void
teardown (Fixture *fixture, gconstpointer user_data)
{
  remove_tree (fixture->dir);
  g_free (fixture->dir);
  g_free (fixture->cache);
}

static gboolean
count (gpointer fixture, const gchar *stage, gdouble fraction, const gchar *text)
{
  ((Fixture *) fixture)->done++;
  return TRUE;
}

/* With every picture so many times. */
static SppnetDataset *
load (const Fixture *fixture, guint times)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *annotations = sppnet_voc_load (fixture->dir, "train", &error);
  SppnetDataset *dataset;

  g_assert_no_error (error);
  while (--times > 0) {
    g_ptr_array_extend_and_steal (annotations, sppnet_voc_load (fixture->dir, "train", &error));
    g_assert_no_error (error);
  }
  dataset = sppnet_dataset_new (annotations, NULL, 0, &error);
  g_assert_no_error (error);
  return dataset;
}

/* Blocks of 16 pictures that had to be searched. */
static guint
propose (Fixture *fixture, SppnetDataset *dataset, GError **error)
{
  fixture->done = 0;
  sppnet_dataset_propose (dataset, SPPNET_PROPOSALS_SELECTIVE_SEARCH, 50, 7, 2, fixture->cache, count, fixture, error);
  return fixture->done;
}

static gchar *
file_of (const Fixture *fixture, const gchar *folder, guint number, const gchar *ending)
{
  return g_strdup_printf ("%s/%s/%03u.%s", fixture->dir, folder, number, ending);
}

static void
assert_same (const SppnetDataset *a, guint i, const SppnetDataset *b, guint k)
{
  g_assert_cmpmem (a->proposals[i]->data, a->proposals[i]->len * sizeof (SppnetBox), b->proposals[k]->data,
                   b->proposals[k]->len * sizeof (SppnetBox));
}

static void
test_kept (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetDataset) first = load (fixture, 1), corrected = NULL, replaced = NULL, shuffled = NULL;
  g_autoptr (SppnetDataset) fresh = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL, mirrored = NULL;
  g_autofree gchar *annotation = file_of (fixture, "Annotations", 3, "xml");
  g_autofree gchar *picture = file_of (fixture, "JPEGImages", 3, "png");
  g_autofree gchar *other = file_of (fixture, "JPEGImages", 4, "png");
  g_autofree gchar *list = g_build_filename (fixture->dir, "ImageSets/Main/train.txt", NULL);
  g_autofree gchar *all = sppnet_dataset_key (first), *files = sppnet_dataset_pictures_key (first);
  g_autofree gchar *all_after = NULL, *files_after = NULL, *xml = NULL, *png = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_cmpuint (propose (fixture, first, &error), ==, 2);
  g_assert_no_error (error);

  /* Another object. */
  g_assert_true (g_file_get_contents (annotation, &xml, NULL, NULL));
  memcpy (strstr (xml, "disk"), "disc", 4);
  g_assert_true (g_file_set_contents (annotation, xml, -1, NULL));
  corrected = load (fixture, 1);
  all_after = sppnet_dataset_key (corrected);
  files_after = sppnet_dataset_pictures_key (corrected);
  g_assert_cmpstr (all, !=, all_after);
  g_assert_cmpstr (files, ==, files_after);
  g_assert_cmpuint (propose (fixture, corrected, &error), ==, 0);
  for (guint i = 0; i < PICTURES; i++)
    assert_same (first, i, corrected, i);

  /* Another picture by the same name, which was searched by another one. */
  g_assert_true (g_file_get_contents (other, &png, &length, NULL));
  g_assert_true (g_file_set_contents (picture, png, (gssize) length, NULL));
  replaced = load (fixture, 1);
  g_free (files_after);
  files_after = sppnet_dataset_pictures_key (replaced);
  g_assert_cmpstr (files, !=, files_after);
  g_assert_cmpuint (propose (fixture, replaced, &error), ==, 0);
  assert_same (replaced, 3, first, 4);
  assert_same (replaced, 5, first, 5);

  /* And one that is new. */
  pixbuf = gdk_pixbuf_new_from_file (other, NULL);
  mirrored = gdk_pixbuf_flip (pixbuf, TRUE);
  g_assert_true (gdk_pixbuf_save (mirrored, picture, "png", NULL, NULL));
  fresh = load (fixture, 1);
  g_assert_cmpuint (propose (fixture, fresh, &error), ==, 1);
  assert_same (fresh, 5, first, 5);

  /* Some of them, in another order, and twice. */
  g_assert_true (g_file_set_contents (list, "007\n002\n", -1, NULL));
  shuffled = load (fixture, 2);
  g_assert_cmpuint (propose (fixture, shuffled, &error), ==, 0);
  g_assert_no_error (error);
  assert_same (shuffled, 0, first, 7);
  assert_same (shuffled, 1, first, 2);
  assert_same (shuffled, 2, first, 7);
  assert_same (shuffled, 3, first, 2);
}

/* A picture that cannot be read costs what was done before it nothing. */
static void
test_broken_picture (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetDataset) first = load (fixture, 1), second = NULL;
  g_autofree gchar *picture = file_of (fixture, "JPEGImages", 18, "png");
  g_autofree gchar *png = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (picture, &png, &length, NULL));
  g_assert_true (g_file_set_contents (picture, png, (gssize) length / 2, NULL));
  g_assert_cmpuint (propose (fixture, first, &error), ==, 1);
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, picture));
  g_clear_error (&error);

  g_assert_true (g_file_set_contents (picture, png, (gssize) length, NULL));
  second = load (fixture, 1);
  g_assert_cmpuint (propose (fixture, second, &error), ==, 1);
  g_assert_no_error (error);
  for (guint i = 0; i < PICTURES; i++)
    g_assert_nonnull (second->proposals[i]);
  assert_same (second, 0, first, 0);
}

/* What was kept and has been damaged since is not used. */
static void
test_damaged (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetDataset) first = load (fixture, 1);
  g_autofree gchar *kept = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  propose (fixture, first, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (fixture->cache, &kept, &length, NULL));
  for (guint round = 0; round < 8; round++) {
    g_autoptr (SppnetDataset) again = load (fixture, 1);
    g_autofree gchar *damaged = g_memdup2 (kept, length);
    guint32 at = (guint32) g_test_rand_int_range (0, (gint32) length);

    damaged[at] ^= 1;
    g_assert_true (g_file_set_contents (fixture->cache, damaged, (gssize) (round % 4 ? length : at), NULL));
    g_assert_cmpuint (propose (fixture, again, &error), ==, 2);
    g_assert_no_error (error);
    for (guint i = 0; i < PICTURES; i++)
      assert_same (again, i, first, i);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/train/dataset/kept", Fixture, NULL, setup, test_kept, teardown);
  g_test_add ("/train/dataset/broken-picture", Fixture, NULL, setup, test_broken_picture, teardown);
  g_test_add ("/train/dataset/damaged", Fixture, NULL, setup, test_damaged, teardown);
  return g_test_run ();
}
