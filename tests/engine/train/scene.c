/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wherever a scene says that an object is, its colour is there: red disks and blue squares. */
#include "scenes.h"

#include "backbone/backbone.h"
#include "box/regression.h"
#include "pooling/pooling.h"
#include "train/sampler.h"

#define PICTURES 6

static const SppnetSceneVariation flipped = { .flip = TRUE, .aspect = 1.0 };

typedef struct
{
  gchar *dir;
  SppnetDataset *dataset;
  SppnetScene scene;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = scenes_write (PICTURES, 11);
  fixture->dataset = sppnet_dataset_new (sppnet_voc_load (fixture->dir, "train", &error), NULL, 0, &error);
  g_assert_no_error (error);
  sppnet_scene_init (&fixture->scene);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  sppnet_scene_clear (&fixture->scene);
  sppnet_dataset_free (fixture->dataset);
  remove_tree (fixture->dir);
  g_free (fixture->dir);
}

static const guint8 *
pixel (const SppnetScene *scene, gint x, gint y)
{
  return (const guint8 *) scene->rgb.data + ((gsize) y * (gsize) scene->width + (gsize) x) * 3;
}

static const SppnetSceneObject *
object_at (const SppnetScene *scene, guint k)
{
  return &g_array_index (scene->objects, SppnetSceneObject, k);
}

/* The middle of an object of which all is visible has the label's colour. Returns whether it lies within the scene. */
static gboolean
check_object (const SppnetScene *scene, const SppnetSceneObject *object)
{
  const SppnetBox *box = &object->box;
  const guint8 *middle = pixel (scene, (gint) (box->x + box->width / 2), (gint) (box->y + box->height / 2));

  g_assert_cmpfloat (box->x, >=, 0);
  g_assert_cmpfloat (box->y, >=, 0);
  g_assert_cmpfloat (box->x + box->width, <=, (gfloat) scene->width + 1e-3f);
  g_assert_cmpfloat (box->y + box->height, <=, (gfloat) scene->height + 1e-3f);
  if (object->label < 0)
    return FALSE;
  /* Labels in alphabetical order: disk, square. A cut disk's middle may be outside of it. */
  if (object->label == 1) {
    g_assert_cmpint (middle[2], >, 120);
    g_assert_cmpint (middle[0], <, 100);
  } else if (fabsf (box->width - box->height) < 2) {
    g_assert_cmpint (middle[0], >, 120);
    g_assert_cmpint (middle[2], <, 100);
  }
  return TRUE;
}

static guint
check_objects (const SppnetScene *scene)
{
  guint seen = 0;

  for (guint k = 0; k < scene->objects->len; k++)
    seen += check_object (scene, object_at (scene, k));
  return seen;
}

static void
test_whole (Fixture *fixture, gconstpointer user_data)
{
  static const gdouble scales[] = { 0.5, 0.77, 1.0 };
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 3 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < PICTURES; i++)
    for (guint s = 0; s < G_N_ELEMENTS (scales); s++) {
      sppnet_scene_draw (scene, fixture->dataset, i, scales[s], &flipped, &random, &error);
      g_assert_no_error (error);
      g_assert_cmpint (scene->width, ==, (gint) lround (scales[s] * SCENE_WIDTH));
      g_assert_cmpint (scene->height, ==, (gint) lround (scales[s] * SCENE_HEIGHT));
      g_assert_cmpuint (check_objects (scene), ==, 2);
    }
}

/* Larger than the picture: a part of it, with the picture's size. */
static void
test_cut (Fixture *fixture, gconstpointer user_data)
{
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 4 };
  g_autoptr (GError) error = NULL;
  guint seen = 0, ignored = 0, rounds = 40;

  for (guint i = 0; i < rounds; i++) {
    sppnet_scene_draw (scene, fixture->dataset, i % PICTURES, 1.9, &flipped, &random, &error);
    g_assert_no_error (error);
    g_assert_cmpint (scene->width, ==, SCENE_WIDTH);
    g_assert_cmpint (scene->height, ==, SCENE_HEIGHT);
    seen += check_objects (scene);
    ignored += scene->objects->len;
  }
  ignored -= seen;
  g_test_message ("%u objects seen, %u mostly cut off, in %u scenes", seen, ignored, rounds);
  g_assert_cmpuint (seen, >, 0);
  g_assert_cmpuint (ignored, >, 0);
  g_assert_cmpuint (seen + ignored, <, 2 * rounds);
}

static void
test_mosaic (Fixture *fixture, gconstpointer user_data)
{
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 5 };
  g_autoptr (GError) error = NULL;
  guint seen = 0;

  for (guint i = 0; i < 40; i++) {
    sppnet_scene_draw_mosaic (scene, fixture->dataset, i % PICTURES, 0.7 + 0.02 * i, &flipped, &random, &error);
    g_assert_no_error (error);
    g_assert_cmpint (scene->width, <=, SCENE_WIDTH);
    seen += check_objects (scene);
  }
  /* At least half of what four pictures have. */
  g_assert_cmpuint (seen, >, 40 * 4);
}

/* Pixels and objects have the same shares. */
static void
test_blend (Fixture *fixture, gconstpointer user_data)
{
  static const SppnetSceneVariation none = { .aspect = 1.0 };
  const gsize n = SCENE_WIDTH * SCENE_HEIGHT * 3;
  g_auto (SppnetScene) below, above;
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 10 };
  g_autoptr (GError) error = NULL;
  gdouble sum = 0.0, squares = 0.0;
  guint faint = 0, rounds = 200;

  sppnet_scene_init (&below);
  sppnet_scene_init (&above);
  g_assert_true (sppnet_scene_draw (&below, fixture->dataset, 0, 1.0, &none, &random, &error));
  g_assert_true (sppnet_scene_draw (&above, fixture->dataset, 1, 1.0, &none, &random, &error));
  for (guint i = 0; i < rounds; i++) {
    gfloat share;

    g_assert_true (sppnet_scene_draw (scene, fixture->dataset, 0, 1.0, &none, &random, &error));
    g_assert_true (sppnet_scene_blend (scene, fixture->dataset, 1, 1.0, &none, &random, &error));
    g_assert_cmpuint (scene->objects->len, ==, 4);
    share = object_at (scene, 0)->share;
    for (guint k = 0; k < 4; k++) {
      const SppnetSceneObject *object = object_at (scene, k), *alone = object_at (k < 2 ? &below : &above, k % 2);

      g_assert_cmpmem (&object->box, sizeof object->box, &alone->box, sizeof alone->box);
      g_assert_cmpfloat_with_epsilon (object->share, k < 2 ? share : 1.0f - share, 1e-5);
      g_assert_cmpint (object->label, ==, object->share < 0.15f ? -1 : alone->label);
      faint += object->label < 0;
    }
    for (gsize p = 0; p < n; p += 7) {
      gfloat expected = share * ((guint8 *) below.rgb.data)[p] + (1.0f - share) * ((guint8 *) above.rgb.data)[p];

      g_assert_cmpfloat_with_epsilon (((guint8 *) scene->rgb.data)[p], expected, 1.1);
    }
    sum += share;
    squares += share * share;
  }
  /* Mean and variance of Beta(1.5, 1.5) are 1/2 and 1/16. */
  g_assert_cmpfloat_with_epsilon (sum / rounds, 0.5, 0.06);
  g_assert_cmpfloat_with_epsilon (squares / rounds - sum / rounds * sum / rounds, 0.0625, 0.015);
  g_assert_cmpuint (faint, >, 0);
}

/* A picture that covers a part of the scene takes nothing from what is beside it. */
static void
test_blend_in_part (Fixture *fixture, gconstpointer user_data)
{
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 11 };
  g_autoptr (GError) error = NULL;
  guint beside = 0, covered = 0, partly = 0;

  for (guint i = 0; i < 200; i++) {
    gfloat share;

    g_assert_true (sppnet_scene_draw (scene, fixture->dataset, 0, 1.0, &flipped, &random, &error));
    g_assert_true (sppnet_scene_blend (scene, fixture->dataset, 1, i % 2 ? 0.5 : 0.9, &flipped, &random, &error));
    g_assert_cmpuint (scene->objects->len, ==, 4);
    share = 1.0f - object_at (scene, 2)->share;
    for (guint k = 0; k < 2; k++) {
      gfloat left = object_at (scene, k)->share;

      g_assert_cmpfloat (left, >=, share - 1e-5f);
      g_assert_cmpfloat (left, <=, 1.0f);
      beside += left == 1.0f;
      covered += left < share + 1e-5f;
      partly += left > share + 0.2f * (1.0f - share) && left < share + 0.8f * (1.0f - share);
      if (left == 1.0f)
        g_assert_true (check_object (scene, object_at (scene, k)));
    }
  }
  g_assert_cmpuint (beside, >, 3);
  g_assert_cmpuint (covered, >, 3);
  g_assert_cmpuint (partly, >, 3);
}

/* Another shape, the same area. */
static void
test_aspect (Fixture *fixture, gconstpointer user_data)
{
  static const SppnetSceneVariation stretched = { .flip = TRUE, .aspect = 2.0 };
  const gdouble shape = (gdouble) SCENE_WIDTH / SCENE_HEIGHT, area = 0.8 * 0.8 * SCENE_WIDTH * SCENE_HEIGHT;
  SppnetScene *scene = &fixture->scene;
  SppnetRandom random = { 8 };
  g_autoptr (GError) error = NULL;
  gdouble least = 1.0, most = 1.0;

  for (guint i = 0; i < 60; i++) {
    gdouble ratio;

    sppnet_scene_draw (scene, fixture->dataset, i % PICTURES, 0.8, &stretched, &random, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (check_objects (scene), ==, 2);
    g_assert_cmpfloat_with_epsilon (scene->width * scene->height, area, 0.02 * area);
    ratio = scene->width / shape / scene->height;
    least = MIN (least, ratio);
    most = MAX (most, ratio);
  }
  g_assert_cmpfloat (least, >, 0.49);
  g_assert_cmpfloat (least, <, 0.6);
  g_assert_cmpfloat (most, <, 2.04);
  g_assert_cmpfloat (most, >, 1.6);
}

static gboolean
within (const SppnetBox *box, gint x, gint y)
{
  return x + 1 > box->x && x < box->x + box->width && y + 1 > box->y && y < box->y + box->height;
}

/* Patches lie within objects, and cover no more than a quarter of each. */
static void
test_erase (Fixture *fixture, gconstpointer user_data)
{
  g_auto (SppnetScene) whole;
  SppnetScene *scene = &fixture->scene;
  g_autoptr (GError) error = NULL;

  sppnet_scene_init (&whole);
  for (guint i = 0; i < 40; i++) {
    SppnetRandom random = { 100 + i }, same = random;
    guint changed[2] = { 0 };

    sppnet_scene_draw (&whole, fixture->dataset, i % PICTURES, 1.0, &flipped, &same, &error);
    sppnet_scene_draw (scene, fixture->dataset, i % PICTURES, 1.0, &flipped, &random, &error);
    sppnet_scene_erase (scene, 1.0, &random);
    g_assert_no_error (error);
    g_assert_cmpuint (scene->objects->len, ==, 2);
    for (gint y = 0; y < scene->height; y++)
      for (gint x = 0; x < scene->width; x++) {
        gboolean hidden = FALSE;

        if (memcmp (pixel (scene, x, y), pixel (&whole, x, y), 3) == 0)
          continue;
        for (guint k = 0; k < 2; k++)
          if (within (&object_at (scene, k)->box, x, y)) {
            changed[k]++;
            hidden = TRUE;
          }
        g_assert_true (hidden);
      }
    for (guint k = 0; k < 2; k++) {
      const SppnetBox *box = &object_at (scene, k)->box;

      g_assert_cmpuint (changed[k], >, 0);
      g_assert_cmpfloat (changed[k], <=, 0.25 * box->width * box->height);
    }
  }
}

/* A small object before a large one is never hidden by the large one's patch. */
static void
test_erase_around (Fixture *fixture, gconstpointer user_data)
{
  SppnetScene *scene = &fixture->scene;
  SppnetSceneObject large = { { 0, 0, 100, 100 }, 0 }, small = { { 40, 40, 20, 20 }, 1 },
                    tiny = { { 120, 80, 6, 6 }, 0 };
  guint8 *rgb;
  guint painted = 0;

  scene->width = SCENE_WIDTH;
  scene->height = SCENE_HEIGHT;
  rgb = sppnet_buffer_reserve (&scene->rgb, SCENE_WIDTH * SCENE_HEIGHT, 3, NULL);
  g_array_append_val (scene->objects, large);
  g_array_append_val (scene->objects, small);
  g_array_append_val (scene->objects, tiny);
  for (guint i = 0; i < 200; i++) {
    SppnetRandom random = { 300 + i };
    guint hidden[3] = { 0 };

    memset (rgb, 1, SCENE_WIDTH * SCENE_HEIGHT * 3);
    sppnet_scene_erase (scene, 1.0, &random);
    for (gint p = 0; p < SCENE_WIDTH * SCENE_HEIGHT; p++)
      for (guint k = 0; k < 3 && (rgb[3 * p] != 1 || rgb[3 * p + 1] != 1 || rgb[3 * p + 2] != 1); k++)
        hidden[k] += within (&object_at (scene, k)->box, p % SCENE_WIDTH, p / SCENE_WIDTH);
    painted += hidden[0] > 0;
    g_assert_cmpuint (hidden[0], <=, 2500 + 100); /* its own and the small one's */
    g_assert_cmpuint (hidden[1], <=, 100 + 100);
    g_assert_cmpuint (hidden[2], >, 0);
    g_assert_cmpuint (hidden[2], <=, 9);
  }
  g_assert_cmpuint (painted, >, 190);
}

/* The network's input at a strength: none leaves the pixels as they are. */
static void
test_colour (Fixture *fixture, gconstpointer user_data)
{
  SppnetSamplerSettings settings = { .variation = { .aspect = 1.0 } };
  const SppnetSceneDraw plain = { .scale = 1.0 };
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  gdouble differences[3] = { 0 };

  sppnet_config_init (&config);
  config.input_bgr = TRUE;
  for (gint c = 0; c < 3; c++) {
    config.input_mean[c] = 10.0f * (gfloat) c;
    config.input_scale[c] = 0.5f;
  }
  for (guint round = 0; round < 3; round++)
    for (guint seed = 0; seed < 20; seed++) {
      SppnetRandom random = { 200 + seed };
      const guint8 *rgb;
      const gfloat *input;
      gdouble sum = 0.0;
      gsize n;

      settings.colour = 0.2 * round;
      sppnet_sampler_draw (sampler, fixture->dataset, 0, &plain, &config, &settings, &random, &error);
      g_assert_no_error (error);
      rgb = sampler->scene.rgb.data;
      input = sampler->input.data;
      n = (gsize) sampler->scene.width * (gsize) sampler->scene.height;
      for (gsize i = 0; i < n; i++)
        for (gint c = 0; c < 3; c++) {
          gfloat v = input[3 * i + c] * 2.0f + 10.0f * (gfloat) c;

          g_assert_cmpfloat (v, >=, -1e-3);
          g_assert_cmpfloat (v, <=, 255.0 + 1e-3);
          if (round == 0)
            g_assert_cmpfloat_with_epsilon (v, rgb[3 * i + 2 - c], 0.01);
          sum += fabs ((gdouble) v - rgb[3 * i + 2 - c]);
        }
      differences[round] += sum / (gdouble) (3 * n) / 20.0;
    }
  g_assert_cmpfloat (differences[1], >, 5.0);
  g_assert_cmpfloat (differences[2], >, 1.5 * differences[1]);
}

/* Objects of other labels than those that are trained are background. */
static void
test_other_labels (Fixture *fixture, gconstpointer user_data)
{
  SppnetScene *scene = &fixture->scene;
  gint *labels = (gint *) fixture->dataset->objects[0]->data;
  SppnetRandom random = { 9 };
  g_autoptr (GError) error = NULL;

  labels[0] = -1;
  g_assert_true (sppnet_scene_draw (scene, fixture->dataset, 0, 1.0, &flipped, &random, &error));
  g_assert_cmpuint (scene->objects->len, ==, 1);
  g_assert_cmpint (object_at (scene, 0)->label, ==, labels[1]);
  sppnet_scene_set (scene, fixture->dataset, 0, SCENE_WIDTH, SCENE_HEIGHT, FALSE);
  g_assert_cmpuint (scene->objects->len, ==, 1);
}

/* Difficult objects and proposals that are cut. */
static void
test_boxes (Fixture *fixture, gconstpointer user_data)
{
  SppnetAnnotation *annotation = g_ptr_array_index (fixture->dataset->annotations, 0);
  SppnetObject *first = &g_array_index (annotation->objects, SppnetObject, 0);
  SppnetScene *scene = &fixture->scene;
  SppnetBox proposal = { 10, 20, 30, 40 }, placed;

  first->difficult = TRUE;
  fixture->dataset->proposals[0] = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  g_array_append_val (fixture->dataset->proposals[0], proposal);
  sppnet_scene_set (scene, fixture->dataset, 0, 2 * SCENE_WIDTH, SCENE_HEIGHT, TRUE);
  g_assert_cmpuint (scene->objects->len, ==, 2);
  g_assert_cmpint (g_array_index (scene->objects, SppnetSceneObject, 0).label, ==, -1);
  g_assert_cmpint (g_array_index (scene->objects, SppnetSceneObject, 1).label, >=, 0);
  g_assert_cmpuint (scene->proposals->len, ==, 1);
  placed = g_array_index (scene->proposals, SppnetBox, 0);
  g_assert_cmpfloat (placed.x, ==, 2 * (SCENE_WIDTH - 40));
  g_assert_cmpfloat (placed.y, ==, 20);
  g_assert_cmpfloat (placed.width, ==, 60);
  g_assert_cmpfloat (placed.height, ==, 40);
}

static void
test_missing_picture (Fixture *fixture, gconstpointer user_data)
{
  SppnetAnnotation *annotation = g_ptr_array_index (fixture->dataset->annotations, 0);
  SppnetRandom random = { 6 };
  g_autoptr (GError) error = NULL;

  g_remove (annotation->picture);
  g_assert_false (sppnet_scene_draw (&fixture->scene, fixture->dataset, 0, 1.0, &flipped, &random, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND);
}

/* A network with a map of stride 8. */
static void
stride_8_config (SppnetConfig *config, gfloat box_mean, gfloat box_scale)
{
  sppnet_config_init (config);
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv1", .filters = 4, .kernel_width = 1, .kernel_height = 1, .stride = 8
  };
  for (gint c = 0; c < 4; c++) {
    config->box_mean[c] = box_mean;
    config->box_scale[c] = box_scale;
  }
}

/* What regions are to become leads from the cells pooled for them to the object. */
static void
test_regions (Fixture *fixture, gconstpointer user_data)
{
  static const SppnetBoxFrom from[] = { SPPNET_BOX_FROM_REGION, SPPNET_BOX_FROM_WINDOW };
  const SppnetSamplerSettings settings
      = { .regions = 60, .positive_fraction = 0.5, .easy_fraction = 0.5, .jitter = 40 };
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  SppnetRandom random = { 7 };
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  SppnetMap map = { .geometry = { 8, 0, 0 } };
  SppnetBox background = { 1, 1, 9, 9 };

  stride_8_config (&config, 0.05f, 0.2f);
  sppnet_config_map_size (&config, SCENE_WIDTH, SCENE_HEIGHT, &map.width, &map.height);
  for (guint round = 0; round < 2; round++) {
    guint positive = 0;

    config.box_from = from[round];
    sppnet_scene_set (&sampler->scene, fixture->dataset, 1, SCENE_WIDTH, SCENE_HEIGHT, FALSE);
    sppnet_sampler_draw_regions (sampler, &background, 1, &config, &settings, &random, &error);
    g_assert_no_error (error);
    for (gsize i = 0; i < sampler->samples.n; i++) {
      SppnetBox base = sppnet_region_base (&map, &config, &sampler->samples.boxes[i]), found;
      gfloat t[4], best = 0;

      if (sampler->samples.target[i] == 0)
        continue;
      positive++;
      for (gint c = 0; c < 4; c++)
        t[c] = sampler->samples.box_target[i][c] * config.box_scale[c] + config.box_mean[c];
      found = sppnet_box_decode (&base, t);
      for (guint k = 0; k < 2; k++) {
        const SppnetSceneObject *object = object_at (&sampler->scene, k);

        if (object->label == sampler->samples.target[i] - 1)
          best = MAX (best, sppnet_box_iou (&found, &object->box));
      }
      g_assert_cmpfloat (best, >, 0.999);
    }
    g_assert_cmpuint (positive, ==, 30);
    g_assert_cmpuint (sampler->samples.n, >, positive);
  }
}

/* Each region counts as much as is to be seen of its object; a picture is not laid over itself. */
static void
test_blended_regions (Fixture *fixture, gconstpointer user_data)
{
  const SppnetSamplerSettings settings
      = { .regions = 60, .positive_fraction = 0.5, .easy_fraction = 0.5, .jitter = 10, .variation = { .aspect = 1.0 } };
  const SppnetSceneDraw draws[] = { { .scale = 1.0 }, { .scale = 1.0, .blend = 1.0 } };
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  const GArray *objects = sampler->scene.objects;
  SppnetBox background = { 0, 0, 3, 3 };
  guint positive = 0, faint = 0;
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  stride_8_config (&config, 0.0f, 1.0f);
  for (guint round = 0; round < 40; round++) {
    SppnetRandom random = { 300 + round };
    guint blended = round % 2;
    const SppnetSamples *samples = &sampler->samples;

    g_assert_true (sppnet_sampler_draw (sampler, fixture->dataset, round % PICTURES, &draws[blended], &config,
                                        &settings, &random, &error));
    g_assert_cmpuint (objects->len, ==, blended ? 4 : 2);
    for (guint k = 2; k < objects->len; k++)
      g_assert_cmpfloat (
          sppnet_box_iou (&object_at (&sampler->scene, k)->box, &object_at (&sampler->scene, k - 2)->box), <, 1.0f);
    g_assert_true (sppnet_sampler_draw_regions (sampler, &background, 1, &config, &settings, &random, &error));
    for (gsize i = 0; i < samples->n; i++) {
      gboolean right = samples->target[i] == 0 && samples->weight[i] == 1.0f;

      for (guint k = 0; k < objects->len && !right; k++) {
        const SppnetSceneObject *object = object_at (&sampler->scene, k);

        right = object->label == samples->target[i] - 1 && object->share == samples->weight[i]
                && sppnet_box_iou (&object->box, &samples->boxes[i]) >= 0.5f;
      }
      g_assert_true (right);
      positive += samples->target[i] > 0;
      faint += samples->weight[i] < 1.0f;
      g_assert_true (blended || samples->weight[i] == 1.0f);
    }
  }
  g_assert_cmpuint (positive, >, 100);
  g_assert_cmpuint (faint, >, 100);
}

/* Where few regions are near objects, the others fill the sample. */
static void
test_few_hard_regions (Fixture *fixture, gconstpointer user_data)
{
  const SppnetSamplerSettings settings = { .regions = 24, .positive_fraction = 0.25, .easy_fraction = 0.25 };
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  SppnetRandom random = { 8 };
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  SppnetBox background[40];
  guint positive = 0;

  stride_8_config (&config, 0.0f, 1.0f);
  for (guint i = 0; i < G_N_ELEMENTS (background); i++)
    background[i] = (SppnetBox) { (gfloat) i, 0, 3, 3 };
  sppnet_scene_set (&sampler->scene, fixture->dataset, 1, SCENE_WIDTH, SCENE_HEIGHT, FALSE);
  sppnet_sampler_draw_regions (sampler, background, G_N_ELEMENTS (background), &config, &settings, &random, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < sampler->samples.n; i++)
    positive += sampler->samples.target[i] > 0;
  g_assert_cmpuint (positive, ==, 2);
  g_assert_cmpuint (sampler->samples.n, ==, 24);
}

/* The worst stay, with what belongs to them, but for those that lie on worse ones. */
static void
test_keep_hardest (Fixture *fixture, gconstpointer user_data)
{
  static const gfloat losses[] = { 0.3f, 0.9f, 0.8f, 0.1f, 0.5f };
  static const guint expected[] = { 0, 1, 4 };
  SppnetBox boxes[] = { { 0, 0, 10, 10 }, { 50, 50, 20, 20 }, { 51, 50, 20, 20 }, { 80, 0, 9, 9 }, { 0, 80, 9, 9 } };
  SppnetBox before[G_N_ELEMENTS (boxes)];
  gint target[] = { 0, 1, 2, 3, 4 };
  gfloat box_target[5][4], weight[] = { 0.0f, 0.1f, 0.2f, 0.3f, 0.4f };
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  g_autoptr (GError) error = NULL;

  memcpy (before, boxes, sizeof boxes);
  for (guint i = 0; i < 5; i++)
    for (guint c = 0; c < 4; c++)
      box_target[i][c] = (gfloat) (10 * i + c);
  sampler->samples
      = (SppnetSamples) { .n = 5, .boxes = boxes, .target = target, .box_target = box_target, .weight = weight };
  g_assert_true (sppnet_sampler_keep_hardest (sampler, losses, 3, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (sampler->samples.n, ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpmem (&boxes[i], sizeof *boxes, &before[expected[i]], sizeof *before);
    g_assert_cmpint (target[i], ==, (gint) expected[i]);
    g_assert_cmpfloat (weight[i], ==, 0.1f * (gfloat) expected[i]);
    g_assert_cmpfloat (box_target[i][3], ==, (gfloat) (10 * expected[i] + 3));
  }
}

#define ADD(name, function) g_test_add ("/train/scene/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("whole", test_whole);
  ADD ("cut", test_cut);
  ADD ("mosaic", test_mosaic);
  ADD ("blend", test_blend);
  ADD ("blend-in-part", test_blend_in_part);
  ADD ("aspect", test_aspect);
  ADD ("erase", test_erase);
  ADD ("erase-around", test_erase_around);
  ADD ("colour", test_colour);
  ADD ("boxes", test_boxes);
  ADD ("other-labels", test_other_labels);
  ADD ("blended-regions", test_blended_regions);
  ADD ("few-hard-regions", test_few_hard_regions);
  ADD ("keep-hardest", test_keep_hardest);
  ADD ("missing-picture", test_missing_picture);
  ADD ("regions", test_regions);
  return g_test_run ();
}
