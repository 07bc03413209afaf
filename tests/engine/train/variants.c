/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenes.h"

#include "backbone/backbone.h"
#include "train/variants.h"

#define PICTURES 3

typedef struct
{
  gchar *dir, *cache;
  SppnetModel *model;
  SppnetDataset *dataset;
  SppnetVariants *variants;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *backbone = NULL;
  g_autoptr (GError) error = NULL;

  fixture->dir = scenes_write (PICTURES, 3);
  fixture->cache = g_build_filename (fixture->dir, "variants.cache", NULL);
  backbone = g_build_filename (fixture->dir, "backbone.safetensors", NULL);
  backbone_write (backbone);
  fixture->model = sppnet_model_load (backbone, &error);
  g_assert_no_error (error);
  fixture->dataset = sppnet_dataset_new (sppnet_voc_load (fixture->dir, "train", &error), NULL, 0, &error);
  g_assert_no_error (error);
  fixture->variants = sppnet_variants_new (fixture->model, fixture->dataset, fixture->cache, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_clear_pointer (&fixture->variants, sppnet_variants_free);
  sppnet_dataset_free (fixture->dataset);
  sppnet_model_unref (fixture->model);
  remove_tree (fixture->dir);
  g_free (fixture->dir);
  g_free (fixture->cache);
}

static gboolean
count (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return ++*(guint *) user_data < 5;
}

/* Every map has the size that the backbone gives for the variant's; a stopped run goes on, a complete one does nothing.
 */
static void
test_maps (Fixture *fixture, gconstpointer user_data)
{
  const SppnetConfig *config = sppnet_model_get_config (fixture->model);
  g_autoptr (GError) error = NULL;
  gfloat *data = NULL;
  gsize floats = 0;
  guint calls = 0;

  g_assert_false (sppnet_variants_fill (fixture->variants, SPPNET_VARIANTS, 1, count, &calls, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_pointer (&fixture->variants, sppnet_variants_free);
  fixture->variants = sppnet_variants_new (fixture->model, fixture->dataset, fixture->cache, &error);
  g_assert_no_error (error);
  sppnet_variants_fill (fixture->variants, SPPNET_VARIANTS, 1, NULL, NULL, &error);
  g_assert_no_error (error);
  calls = 0;
  g_assert_true (sppnet_variants_fill (fixture->variants, SPPNET_VARIANTS, 1, count, &calls, &error));
  g_assert_cmpuint (calls, ==, 0);

  for (guint p = 0; p < PICTURES; p++)
    for (guint v = 0; v < SPPNET_VARIANTS; v++) {
      gint width, height, map_width, map_height;
      SppnetMap map;

      sppnet_variants_get (fixture->variants, p, v, &map, &data, &floats, &error);
      g_assert_no_error (error);
      sppnet_variants_size (g_ptr_array_index (fixture->dataset->annotations, p), v, &width, &height);
      g_assert_cmpint (width, ==, (gint) lround (sppnet_variants_scale (v) * SCENE_WIDTH));
      sppnet_config_map_size (config, width, height, &map_width, &map_height);
      g_assert_cmpint (map.width, ==, map_width);
      g_assert_cmpint (map.height, ==, map_height);
    }
  sppnet_aligned_free (data);
}

/* Variant 0 is the picture itself; objects are where the picture's mirroring and resizing puts them. */
static void
test_objects (Fixture *fixture, gconstpointer user_data)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (fixture->dataset->annotations, 1);
  g_autoptr (GArray) boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  gboolean mirrored = FALSE, smaller = FALSE, larger = FALSE;

  g_assert_cmpfloat (sppnet_variants_scale (0), ==, 1);
  g_assert_false (sppnet_variants_mirrored (0));
  for (guint v = 0; v < SPPNET_VARIANTS; v++) {
    gfloat scale = (gfloat) sppnet_variants_scale (v);
    SppnetRpnObjects objects = sppnet_variants_objects (fixture->variants, 1, v, boxes);

    mirrored |= sppnet_variants_mirrored (v);
    smaller |= scale < 1;
    larger |= scale > 1;
    g_assert_cmpuint (boxes->len, ==, annotation->objects->len);
    g_assert_nonnull (objects.boxes);
    for (guint i = 0; i < boxes->len; i++) {
      const SppnetBox *box = &g_array_index (annotation->objects, SppnetObject, i).box;
      const SppnetBox *there = &g_array_index (boxes, SppnetBox, i);
      gfloat x = sppnet_variants_mirrored (v) ? SCENE_WIDTH - box->x - box->width : box->x;

      g_assert_cmpfloat_with_epsilon (there->x, scale * x, .5);
      g_assert_cmpfloat_with_epsilon (there->y, scale * box->y, .5);
      g_assert_cmpfloat_with_epsilon (there->width, scale * box->width, .5);
      g_assert_cmpfloat_with_epsilon (there->height, scale * box->height, .5);
    }
  }
  g_assert_true (mirrored && smaller && larger);
}

/* Difficult objects are neither objects nor background; those of labels that are not trained are background. */
static void
test_other_objects (Fixture *fixture, gconstpointer user_data)
{
  SppnetAnnotation *annotation = g_ptr_array_index (fixture->dataset->annotations, 1);
  g_autoptr (GArray) boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  gint *labels = (gint *) fixture->dataset->objects[1]->data;
  SppnetRpnObjects objects;

  g_assert_cmpuint (annotation->objects->len, ==, 2);
  g_array_index (annotation->objects, SppnetObject, 0).difficult = TRUE;
  objects = sppnet_variants_objects (fixture->variants, 1, 0, boxes);
  g_assert_cmpuint (objects.n, ==, 1);
  g_assert_cmpuint (objects.n_ignored, ==, 1);
  labels[0] = -1;
  objects = sppnet_variants_objects (fixture->variants, 1, 0, boxes);
  g_assert_cmpuint (objects.n, ==, 1);
  g_assert_cmpuint (objects.n_ignored, ==, 0);
}

/* Only variants that are too small to learn from, or too large for a frame, keep the picture's size. */
static void
test_sizes (void)
{
  static const struct
  {
    gint width, height;
    gboolean smaller, larger;
  } cases[] = {
    { 500, 375, TRUE, TRUE }, { 6000, 4000, TRUE, FALSE }, { 4000, 8192, TRUE, FALSE }, { 40, 900, FALSE, FALSE }
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint v = 0; v < SPPNET_VARIANTS; v++) {
      SppnetAnnotation annotation = { .width = cases[i].width, .height = cases[i].height };
      gdouble scale = sppnet_variants_scale (v);
      gboolean kept = (scale < 1 && !cases[i].smaller) || (scale > 1 && !cases[i].larger);
      gint width, height;

      sppnet_variants_size (&annotation, v, &width, &height);
      g_assert_cmpint (width, ==, (gint) lround ((kept ? 1 : scale) * cases[i].width));
      g_assert_cmpint (height, ==, (gint) lround ((kept ? 1 : scale) * cases[i].height));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/variants/maps", Fixture, NULL, set_up, test_maps, tear_down);
  g_test_add ("/variants/objects", Fixture, NULL, set_up, test_objects, tear_down);
  g_test_add ("/variants/other-objects", Fixture, NULL, set_up, test_other_objects, tear_down);
  g_test_add_func ("/variants/sizes", test_sizes);
  return g_test_run ();
}
