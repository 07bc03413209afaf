/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the detector reports, on scenes where that is known. */
#include <math.h>

#include "region/window.h"
#include "scene.h"

static SppnetDetector *
new_detector (SppnetModel *model, const SppnetSettings *settings)
{
  g_autoptr (GError) error = NULL;
  SppnetDetector *detector = sppnet_detector_new (model, settings, &error);

  g_assert_no_error (error);
  return detector;
}

static gsize
run (SppnetDetector *detector, const Scene *scene, const SppnetBox *regions, gsize n_regions,
     const SppnetDetection **found)
{
  g_autoptr (GError) error = NULL;
  SppnetFrame frame = scene_frame (scene);
  gsize n = 12345;

  g_assert_true (sppnet_detector_run (detector, &frame, regions, n_regions, found, &n, &error));
  g_assert_no_error (error);
  return n;
}

static void
assert_box (const SppnetBox *box, gfloat x, gfloat y, gfloat width, gfloat height)
{
  g_assert_cmpfloat_with_epsilon (box->x, x, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box->y, y, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box->width, width, 1e-3f);
  g_assert_cmpfloat_with_epsilon (box->height, height, 1e-3f);
}

/* A red square at 16,16 and a green one at 64,32, both 24x24. */
static void
two_squares (Scene *scene)
{
  scene_init (scene, 120, 80);
  scene_draw (scene, 16, 16, 24, 24, 255, 0);
  scene_draw (scene, 64, 32, 24, 24, 0, 220);
}

/* A fully connected layer that passes its inputs on, in front of the scene's classifier. */
static void
fill_through (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  if (g_str_equal (name, "fc6.weight"))
    for (gsize i = 0; i < 5 * SCENE_CHANNELS; i++)
      data[i * 5 * SCENE_CHANNELS + i] = 1.0f;
  else
    scene_fill (name, data, n, user_data);
}

static const SppnetBox red_square = { 16, 16, 24, 24 }, green_square = { 64, 32, 24, 24 };

/* Box regression that changes nothing leaves the cells that were pooled, or the region. */
static void
test_box_from (void)
{
  const SppnetBox region = { 15, 17, 25, 22 };
  const SppnetGeometry geometry = { SCENE_CELL, 0.5f * (SCENE_CELL - 1), 0.5f * (SCENE_CELL - 1) };

  for (guint from = SPPNET_BOX_FROM_REGION; from <= SPPNET_BOX_FROM_WINDOW; from++) {
    SppnetWindow window = sppnet_window_from_box (&region, &geometry, 120 / SCENE_CELL, 80 / SCENE_CELL);
    SppnetBox expected = from == SPPNET_BOX_FROM_WINDOW ? sppnet_window_area (&window, &geometry) : region;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetDetector) detector = NULL;
    g_auto (SppnetConfig) config;
    const SppnetDetection *found;
    g_auto (Scene) scene;

    scene_config (&config);
    config.n_head = 1;
    config.head[0] = (SppnetHeadLayer) { .name = "fc6", .outputs = 5 * SCENE_CHANNELS };
    config.box_input = SPPNET_BOX_HEAD;
    config.box_from = (SppnetBoxFrom) from;
    model = tiny_model_new (&config, fill_through, NULL);
    detector = new_detector (model, NULL);
    two_squares (&scene);
    g_assert_cmpuint (run (detector, &scene, &region, 1, &found), ==, 1);
    assert_box (&found[0].box, expected.x, expected.y, expected.width, expected.height);
  }
}

static void
test_finds (void)
{
  const SppnetBox regions[] = { { 0, 0, 120, 80 }, { 64, 32, 24, 24 }, { 96, 0, 20, 20 }, { 16, 16, 24, 24 } };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  g_auto (Scene) scene;
  const SppnetDetection *found;
  const SppnetTimings *timings = sppnet_detector_get_timings (detector);

  two_squares (&scene);
  g_assert_true (sppnet_detector_get_model (detector) == model);
  g_assert_cmpuint (run (detector, &scene, regions, G_N_ELEMENTS (regions), &found), ==, 2);
  g_assert_cmpstr (found[0].label, ==, "red"); /* brighter, so surer */
  g_assert_cmpuint (found[0].label_id, ==, 0);
  g_assert_cmpint (found[0].region, ==, 3);
  assert_box (&found[0].box, 16, 16, 24, 24);
  g_assert_cmpstr (found[1].label, ==, "green");
  g_assert_cmpuint (found[1].label_id, ==, 1);
  g_assert_cmpint (found[1].region, ==, 1);
  assert_box (&found[1].box, 64, 32, 24, 24);
  g_assert_cmpfloat (found[0].confidence, >, found[1].confidence);
  g_assert_cmpfloat (found[1].confidence, >, 0.9f);
  g_assert_cmpfloat (found[0].confidence, <=, 1.0f);
  g_assert_cmpuint (timings->regions, ==, 4);
  g_assert_cmpfloat (timings->total_ms + 1e-6, >=,
                     timings->frame_ms + timings->backbone_ms + timings->proposals_ms + timings->pooling_ms
                         + timings->head_ms + timings->box_ms);
}

static void
test_no_regions (void)
{
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  const SppnetBox outside[] = { { -50, -50, 20, 20 }, { NAN, 0, 1, 1 } };
  g_auto (Scene) scene;
  const SppnetDetection *found;

  two_squares (&scene);
  g_assert_cmpuint (run (detector, &scene, NULL, 0, &found), ==, 0);
  g_assert_cmpuint (run (detector, &scene, outside, 2, &found), ==, 0);
  g_assert_cmpuint (sppnet_detector_get_timings (detector)->regions, ==, 0);
}

static void
test_unusable_regions_keep_the_numbers (void)
{
  const SppnetBox regions[] = {
    { NAN, 16, 24, 24 }, { 16, 16, INFINITY, 24 }, { 16, 16, 0, 24 },   { 16, 16, 24, -3 }, { 500, 16, 24, 24 },
    red_square,          { -90, 16, 24, 24 },      { 0, -3e38f, 9, 1 }, green_square,       { 3e38f, 0, 3e38f, 1 },
  };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  g_auto (Scene) scene;
  const SppnetDetection *found;

  two_squares (&scene);
  g_assert_cmpuint (run (detector, &scene, regions, G_N_ELEMENTS (regions), &found), ==, 2);
  g_assert_cmpuint (sppnet_detector_get_timings (detector)->regions, ==, 2);
  g_assert_cmpint (found[0].region, ==, 5);
  g_assert_cmpint (found[1].region, ==, 8);
}

/* Regions that reach out of the frame are scored on what lies inside. */
static void
test_clipped_region (void)
{
  const SppnetBox region = { -20, -10, 44, 34 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  g_auto (Scene) scene;
  const SppnetDetection *found;

  scene_init (&scene, 64, 64);
  scene_draw (&scene, 0, 0, 24, 24, 255, 0);
  g_assert_cmpuint (run (detector, &scene, &region, 1, &found), ==, 1);
  assert_box (&found[0].box, 0, 0, 24, 24);
}

/* Two boxes that overlap: one of each class survives; boxes of two classes do not suppress one another. */
static void
test_nms_is_per_class (void)
{
  const SppnetBox regions[] = { { 16, 16, 24, 24 }, { 17, 17, 23, 23 }, { 16, 17, 24, 22 } };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  SppnetSettings settings = { .nms_threshold = 1.0f, .threshold = 0.3f };
  g_auto (Scene) scene;
  const SppnetDetection *found;

  scene_init (&scene, 64, 64);
  scene_draw (&scene, 16, 16, 24, 24, 255, 255);
  settings.threshold = 0.3f; /* a softmax shares its 1 between the two labels */
  settings.nms_threshold = 0.0f;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 3, &found), ==, 2);
  g_assert_cmpstr (found[0].label, ==, "red");
  g_assert_cmpint (found[0].region, ==, 0);
  g_assert_cmpstr (found[1].label, ==, "green");
  g_assert_cmpint (found[1].region, ==, 0);

  settings.nms_threshold = 1.0f;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 3, &found), ==, 6);
  settings.max_detections = 4;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 3, &found), ==, 4);
}

/* One of each pair of labels is left, as many as are wanted; a label that is not wanted suppresses nothing. */
static void
test_agnostic_nms (void)
{
  const gchar *const green[] = { "green", NULL };
  const SppnetBox regions[] = { { 4, 4, 24, 24 }, { 36, 36, 24, 24 } };
  SppnetSettings settings = { .threshold = 0.3f, .agnostic_nms_threshold = 0.7f };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, &settings);
  g_auto (Scene) scene;
  const SppnetDetection *found;

  scene_init (&scene, 64, 64);
  scene_draw (&scene, 4, 4, 24, 24, 255, 255); /* a softmax shares its 1 between the two labels */
  scene_draw (&scene, 36, 36, 24, 24, 210, 210);
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
  for (gint i = 0; i < 2; i++) {
    g_assert_cmpstr (found[i].label, ==, "red");
    g_assert_cmpint (found[i].region, ==, i);
  }
  settings.max_detections = 2; /* of four, the first two of which are one object's */
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
  g_assert_cmpint (found[0].region, ==, 0);
  g_assert_cmpint (found[1].region, ==, 1);
  settings.max_detections = 1;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 1);
  settings.max_detections = 0;
  settings.labels = green;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
  g_assert_cmpstr (found[0].label, ==, "green");
  settings.labels = NULL;
  settings.agnostic_nms_threshold = 1.0f;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 4);
}

static void
test_labels_filter (void)
{
  const gchar *const green[] = { "green", NULL }, *const both[] = { "green", "red", "green", NULL };
  const SppnetBox regions[] = { red_square, green_square };
  const SppnetSettings settings = { .labels = green }, all = { .labels = both };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, &settings);
  g_auto (Scene) scene;
  const SppnetDetection *found;

  two_squares (&scene);
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 1);
  g_assert_cmpstr (found[0].label, ==, "green");
  g_assert_cmpuint (found[0].label_id, ==, 1);
  g_assert_cmpint (found[0].region, ==, 1);
  g_assert_true (sppnet_detector_set_settings (detector, &all, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
}

static void
test_thresholds (void)
{
  const SppnetBox regions[] = { red_square, green_square };
  SppnetSettings settings = { .threshold = 0.9999f };
  gfloat own[] = { 0.5f, 0.9999f };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetDetector) detector = NULL;
  g_auto (Scene) scene;
  const SppnetDetection *found;

  two_squares (&scene);
  scene_draw (&scene, 16, 16, 24, 24, 200, 0);
  scene_draw (&scene, 64, 32, 24, 24, 0, 200);
  scene_config (&config);
  config.thresholds = g_memdup2 (own, sizeof own);
  model = tiny_model_new (&config, scene_fill, NULL);
  detector = new_detector (model, NULL);
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 1); /* the model's own, per class */
  g_assert_cmpstr (found[0].label, ==, "red");
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 0);
  settings.threshold = 1e-6f;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  g_assert_cmpuint (run (detector, &scene, regions, 2, &found), >=, 2);
}

/* The same shift for every region of a class; the vector that the regression sees does not matter here. */
static void
test_box_regression (void)
{
  gfloat t[2][4] = { { 0.25f, -0.125f, 0.0f, 0.0f }, { 0.0f, 0.0f, 0.5f, 0.5f } };
  const SppnetBox regions[] = { red_square, green_square };

  for (gint input = SPPNET_BOX_POOLED; input <= SPPNET_BOX_HEAD; input++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetDetector) detector = NULL;
    g_auto (Scene) scene;
    const SppnetDetection *found;

    two_squares (&scene);
    scene_config (&config);
    config.box_input = input;
    config.box_scale[2] = config.box_scale[3] = 2.0f;
    config.box_mean[3] = -1.0f;
    model = tiny_model_new (&config, scene_fill, t);
    detector = new_detector (model, NULL);
    g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
    assert_box (&found[0].box, 16 + 6, 16 - 3 + 12 * (1 - expf (-1)), 24, 24 * expf (-1));
    assert_box (&found[1].box, 76 - 12 * expf (1), 32, 24 * expf (1), 24);
  }
}

/* A region a quarter too far to the left, on ground that is not quite black, scores low; where regression moves it, it
 * scores high: the second score is the one that counts, for the caller's region all the same. The first one still votes
 * on the place. */
static void
test_refined_box (void)
{
  gfloat t[2][4] = { { 0.25f, 0.0f, 0.0f, 0.0f }, { 0.25f, 0.0f, 0.0f, 0.0f } };
  const SppnetBox square = { 16, 16, 32, 32 };
  const SppnetBox region = { square.x - 8, square.y, square.width, square.height };
  const SppnetSettings low = { .threshold = 0.06f };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) plain = scene_model (), model = NULL;
  g_autoptr (SppnetDetector) once = new_detector (plain, &low), detector = NULL;
  g_auto (Scene) scene;
  const SppnetDetection *found;
  gfloat first, second;

  scene_init (&scene, 96, 64);
  scene_draw (&scene, 0, 0, 96, 64, 130, 0); /* darkness .49 */
  scene_draw (&scene, 16, 16, 40, 32, 255, 0);
  g_assert_cmpuint (run (once, &scene, &region, 1, &found), ==, 1);
  first = found[0].confidence;
  g_assert_cmpfloat (first, <, 0.9);
  g_assert_cmpuint (sppnet_detector_get_timings (once)->regions, ==, 1);

  scene_config (&config);
  config.box_input = SPPNET_BOX_POOLED;
  model = tiny_model_new (&config, scene_fill, t);
  detector = new_detector (model, NULL);
  g_assert_cmpuint (run (detector, &scene, &region, 1, &found), ==, 1);
  g_assert_cmpfloat (found[0].confidence, >, 0.99);
  g_assert_cmpint (found[0].region, ==, 0);
  second = found[0].confidence;
  assert_box (&found[0].box, square.x + 8 * second * second / (first * first + second * second), square.y, square.width,
              square.height);
  g_assert_cmpuint (sppnet_detector_get_timings (detector)->regions, ==, 2);
}

/* What scores too low is not scored twice, whatever the threshold: a threshold only hides detections. */
static void
test_not_refined (void)
{
  gfloat t[2][4] = { { 0.25f, 0.0f, 0.0f, 0.0f }, { 0.25f, 0.0f, 0.0f, 0.0f } };
  const SppnetBox region = { 8, 16, 32, 32 };
  const SppnetSettings low = { .threshold = 1e-4f }, high = { .threshold = 0.05f };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) plain = scene_model (), model = NULL;
  g_autoptr (SppnetDetector) once = new_detector (plain, &low), detector = NULL;
  guint n_once = 0, n_twice = 0;

  scene_config (&config);
  config.box_input = SPPNET_BOX_POOLED;
  model = tiny_model_new (&config, scene_fill, t);
  detector = new_detector (model, &low);
  for (gint ground = 60; ground < 160; ground += 5) {
    g_auto (Scene) scene;
    const SppnetDetection *found;
    gfloat first, all;
    gboolean twice;

    scene_init (&scene, 96, 64);
    scene_draw (&scene, 0, 0, 96, 64, ground, 0);
    scene_draw (&scene, 16, 16, 40, 32, 255, 0);
    g_assert_cmpuint (run (once, &scene, &region, 1, &found), ==, 1);
    first = found[0].confidence;
    twice = first >= 0.05f;
    g_assert_true (sppnet_detector_set_settings (detector, &low, NULL));
    g_assert_cmpuint (run (detector, &scene, &region, 1, &found), >=, 1);
    all = found[0].confidence;
    g_assert_cmpuint (sppnet_detector_get_timings (detector)->regions, ==, twice ? 2 : 1);
    if (!twice)
      g_assert_cmpfloat (all, ==, first);
    g_assert_true (sppnet_detector_set_settings (detector, &high, NULL));
    g_assert_cmpuint (run (detector, &scene, &region, 1, &found), ==, twice);
    if (twice)
      g_assert_cmpfloat (all, ==, found[0].confidence);
    n_once += !twice;
    n_twice += twice;
  }
  g_assert_cmpuint (n_once, >, 0);
  g_assert_cmpuint (n_twice, >, 0);
}

/* Regression that shrinks a box to nothing, moves it out of the frame, or is not a number. */
static void
test_boxes_dropped (void)
{
  gfloat cases[][8]
      = { { 0, 0, -4.0f, 0, 0, 0, 0, 0 }, { 50.0f, 0, 0, 0, 0, 0, 0, 0 }, { 3e38f, 0, 0, 0, 0, 0, 0, 0 } };
  const SppnetBox regions[] = { red_square, green_square };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetDetector) detector = NULL;
    g_auto (Scene) scene;
    const SppnetDetection *found;

    two_squares (&scene);
    scene_config (&config);
    config.box_input = SPPNET_BOX_POOLED;
    config.box_scale[0] = 10.0f; /* makes the last case infinite */
    model = tiny_model_new (&config, scene_fill, cases[i]);
    detector = new_detector (model, NULL);
    g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 1);
    g_assert_cmpstr (found[0].label, ==, "green");
  }
}

static void
test_svm (void)
{
  const gfloat calibration[] = { 1.0f, 0.0f, -1.0f, 0.0f }; /* the first turned round */
  const SppnetBox regions[] = { red_square, green_square };

  for (guint calibrated = 0; calibrated < 2; calibrated++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetDetector) detector = NULL;
    g_auto (Scene) scene;
    const SppnetDetection *found;

    two_squares (&scene);
    scene_config (&config);
    config.classifier = SPPNET_CLASSIFIER_SVM;
    config.calibration = calibrated ? g_memdup2 (calibration, sizeof calibration) : NULL;
    model = tiny_model_new (&config, scene_fill, NULL);
    detector = new_detector (model, NULL);
    g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 2);
    g_assert_cmpint (found[0].region, ==, calibrated ? 1 : 0);
    g_assert_cmpstr (found[0].label, ==, "red");
    g_assert_cmpfloat_with_epsilon (found[0].confidence, 1.0 / (1.0 + exp (-10.0)), 1e-4);
  }
}

/* Frame sizes come and go; a size that was seen before gives what it gave before. */
static void
test_frame_size_changes (void)
{
  const gint sizes[][2] = { { 120, 80 }, { 1, 1 }, { 333, 57 }, { 7, 211 }, { 64, 64 }, { 1, 90 }, { 90, 1 } };
  const SppnetSettings settings = { .proposals = SPPNET_PROPOSALS_GRID, .threshold = 0.1f };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, &settings);

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      g_autoptr (SppnetDetector) fresh = new_detector (model, &settings);
      g_auto (Scene) scene;
      const SppnetDetection *found, *expected;
      gsize n, n_expected;

      scene_init (&scene, sizes[i][0], sizes[i][1]);
      scene_draw (&scene, 0, 0, MIN (60, sizes[i][0]), MIN (60, sizes[i][1]), 0, 255);
      n = run (detector, &scene, NULL, 0, &found);
      n_expected = run (fresh, &scene, NULL, 0, &expected);
      g_assert_cmpuint (n, >, 0);
      scene_assert_same (found, n, expected, n_expected);
      for (gsize k = 0; k < n; k++) {
        g_assert_true (found[k].box.x >= 0 && found[k].box.x + found[k].box.width <= sizes[i][0]);
        g_assert_true (found[k].box.y >= 0 && found[k].box.y + found[k].box.height <= sizes[i][1]);
        g_assert_cmpint (found[k].region, ==, -1);
        g_assert_true (k == 0 || found[k - 1].confidence >= found[k].confidence);
      }
    }
}

static void
test_frame_refused (void)
{
  const SppnetBox region = { 0, 0, 4, 4 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = new_detector (model, NULL);
  guint8 pixels[48] = { 0 };
  SppnetFrame frames[] = {
    { SPPNET_PIXEL_FORMAT_RGB, 4, 4, { NULL }, { 12 } },     { SPPNET_PIXEL_FORMAT_RGB, 4, 4, { pixels }, { 11 } },
    { SPPNET_PIXEL_FORMAT_RGB, 0, 4, { pixels }, { 12 } },   { SPPNET_PIXEL_FORMAT_RGB, 4, -4, { pixels }, { 12 } },
    { SPPNET_PIXEL_FORMAT_RGB, 8193, 1, { pixels }, { 9 } }, { (SppnetPixelFormat) 999, 4, 4, { pixels }, { 12 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GError) error = NULL;
    const SppnetDetection *found = (gpointer) 1;
    gsize n = 7;

    g_assert_false (sppnet_detector_run (detector, &frames[i], &region, 1, &found, &n, &error));
    g_assert_true (error != NULL && error->domain == SPPNET_ERROR);
    g_assert_null (found);
    g_assert_cmpuint (n, ==, 0);
  }
}

/* A layer without output on a small frame: refused with a reason, and the detector goes on with the next frame. */
static void
test_frame_too_small_for_the_layers (void)
{
  const SppnetBox region = { 0, 0, 120, 80 };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetDetector) detector = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Scene) small, large;
  const SppnetDetection *found;
  SppnetFrame frame;
  gsize n;

  scene_config (&config);
  config.layers[1].ceil_mode = FALSE;
  model = tiny_model_new (&config, scene_fill, NULL);
  detector = new_detector (model, NULL);
  scene_init (&small, 1, 1);
  scene_init (&large, 120, 80);
  scene_draw (&large, 0, 0, 120, 80, 255, 0);
  frame = scene_frame (&small);
  g_assert_false (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_cmpuint (run (detector, &large, &region, 1, &found), ==, 1);
}

static void
fill_overflow (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  for (gsize i = 0; i < n; i++)
    data[i] = i % 2 ? 1e38f : 2e38f;
}

static void
test_overflow_is_no_detection (void)
{
  const SppnetBox regions[] = { red_square, green_square };
  const SppnetSettings settings = { .threshold = 1e-9f };

  for (gint classifier = SPPNET_CLASSIFIER_SOFTMAX; classifier <= SPPNET_CLASSIFIER_SVM; classifier++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetDetector) detector = NULL;
    g_auto (Scene) scene;
    const SppnetDetection *found;

    two_squares (&scene);
    scene_config (&config);
    config.classifier = classifier;
    model = tiny_model_new (&config, fill_overflow, NULL);
    detector = new_detector (model, &settings);
    g_assert_cmpuint (run (detector, &scene, regions, 2, &found), ==, 0);
  }
}

static void
test_reference_counts (void)
{
  SppnetModel *model = scene_model ();
  SppnetDetector *detector = new_detector (model, NULL), *copy;
  const SppnetBox region = red_square;
  g_auto (Scene) scene;
  const SppnetDetection *found;

  two_squares (&scene);
  sppnet_model_unref (model); /* the detector holds it */
  g_assert_true (G_TYPE_IS_BOXED (SPPNET_TYPE_DETECTOR));
  copy = g_boxed_copy (SPPNET_TYPE_DETECTOR, detector);
  g_assert_true (copy == detector);
  sppnet_detector_unref (detector);
  g_assert_cmpuint (run (copy, &scene, &region, 1, &found), ==, 1);
  g_assert_cmpstr (found[0].label, ==, "red");
  g_boxed_free (SPPNET_TYPE_DETECTOR, copy);
}

/* Each pixel twice across and down, but of the last column and row, which are cut. (transfer full) */
static void
enlarge (const Scene *scene, Scene *twice)
{
  scene_init (twice, 2 * scene->width - 1, 2 * scene->height - 1);
  for (gint y = 0; y < twice->height; y++)
    for (gint x = 0; x < twice->width; x++)
      memcpy (twice->rgb + 3 * (y * twice->width + x), scene->rgb + 3 * (y / 2 * scene->width + x / 2), 3);
}

/* What is found in a frame that is looked at reduced is what is found in the small one, in the large one's pixels. */
static void
test_reduction (void)
{
  static const SppnetProposals proposals[] = { SPPNET_PROPOSALS_REGIONS, SPPNET_PROPOSALS_GRID,
                                               SPPNET_PROPOSALS_SELECTIVE_SEARCH, SPPNET_PROPOSALS_EDGE_BOXES };
  const SppnetBox large_square = { 32, 32, 48, 48 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_auto (Scene) scene = { 0 }, twice = { 0 };

  two_squares (&scene);
  scene_draw (&scene, 100, 60, 20, 20, 200, 0); /* in the corner that is cut */
  enlarge (&scene, &twice);
  for (guint p = 0; p < G_N_ELEMENTS (proposals); p++) {
    SppnetSettings settings = { .proposals = proposals[p], .follow = TRUE };
    g_autoptr (SppnetDetector) plain = new_detector (model, &settings), reduced = NULL;
    guint frames = 2; /* the second follows the first */

    settings.reduction = 2;
    reduced = new_detector (model, &settings);
    while (frames-- > 0) {
      const SppnetDetection *small, *large;
      gsize n = run (plain, &scene, &red_square, 1, &small), m = run (reduced, &twice, &large_square, 1, &large);

      g_assert_cmpuint (n, ==, m);
      g_assert_cmpuint (n, >, 0);
      for (gsize i = 0; i < n; i++) {
        const SppnetBox *a = &small[i].box, *b = &large[i].box;

        g_assert_cmpuint (small[i].label_id, ==, large[i].label_id);
        g_assert_cmpint (small[i].region, ==, large[i].region);
        g_assert_cmpfloat (small[i].confidence, ==, large[i].confidence);
        assert_box (b, 2 * a->x, 2 * a->y, MIN (2 * (a->x + a->width), (gfloat) twice.width) - 2 * a->x,
                    MIN (2 * (a->y + a->height), (gfloat) twice.height) - 2 * a->y);
      }
    }
  }
}

/* Of a frame that is smaller than the factor, one pixel is left. */
static void
test_reduction_to_one_pixel (void)
{
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector
      = new_detector (model, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_GRID, .reduction = 16 });
  g_auto (Scene) scene = { 0 };
  const SppnetDetection *found;
  gsize n;

  scene_init (&scene, 7, 3);
  scene_draw (&scene, 0, 0, 7, 3, 255, 0);
  n = run (detector, &scene, NULL, 0, &found);
  g_assert_cmpuint (n, ==, 1);
  assert_box (&found[0].box, 0, 0, 7, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/detector/box-from", test_box_from);
  g_test_add_func ("/detector/finds", test_finds);
  g_test_add_func ("/detector/no-regions", test_no_regions);
  g_test_add_func ("/detector/unusable-regions", test_unusable_regions_keep_the_numbers);
  g_test_add_func ("/detector/clipped-region", test_clipped_region);
  g_test_add_func ("/detector/nms-per-class", test_nms_is_per_class);
  g_test_add_func ("/detector/agnostic-nms", test_agnostic_nms);
  g_test_add_func ("/detector/labels", test_labels_filter);
  g_test_add_func ("/detector/thresholds", test_thresholds);
  g_test_add_func ("/detector/box-regression", test_box_regression);
  g_test_add_func ("/detector/refined-box", test_refined_box);
  g_test_add_func ("/detector/not-refined", test_not_refined);
  g_test_add_func ("/detector/boxes-dropped", test_boxes_dropped);
  g_test_add_func ("/detector/svm", test_svm);
  g_test_add_func ("/detector/frame-sizes", test_frame_size_changes);
  g_test_add_func ("/detector/frame-refused", test_frame_refused);
  g_test_add_func ("/detector/frame-too-small", test_frame_too_small_for_the_layers);
  g_test_add_func ("/detector/overflow", test_overflow_is_no_detection);
  g_test_add_func ("/detector/references", test_reference_counts);
  g_test_add_func ("/detector/reduction", test_reduction);
  g_test_add_func ("/detector/reduction-to-one-pixel", test_reduction_to_one_pixel);
  return g_test_run ();
}
