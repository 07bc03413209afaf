/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/context.h"

#include <math.h>

#include <sppnet/error.h>

#include "base/random.h"
#include "detect/settings.h"
#include "scene.h"

#define LABELS 3
#define MOST 40

/* Of each label: where it begins, and boxes by falling confidence, some below what counts. */
typedef struct
{
  guint32 starts[LABELS + 1];
  SppnetBox boxes[LABELS * MOST];
  gfloat confidence[LABELS * MOST];
} Picture;

static void
random_picture (Picture *picture, SppnetRandom *random)
{
  guint32 n = 0;

  for (guint label = 0; label < LABELS; label++) {
    gfloat confidence = 1.0f;

    picture->starts[label] = n;
    for (guint32 count = sppnet_random_below (random, MOST); count > 0; count--, n++) {
      confidence *= (gfloat) sppnet_random_uniform (random);
      picture->confidence[n] = confidence;
      picture->boxes[n] = (SppnetBox) { (gfloat) sppnet_random_below (random, 30),
                                        (gfloat) sppnet_random_below (random, 30), 20.0f, 30.0f };
    }
  }
  picture->starts[LABELS] = n;
}

static SppnetContextBoxes
boxes_of (const Picture *picture)
{
  return (SppnetContextBoxes) { LABELS, picture->starts, picture->boxes, picture->confidence };
}

/* By definition: the highest of all that are elsewhere and count. */
static gfloat
naive_elsewhere (const Picture *picture, guint32 i, guint label)
{
  gfloat highest = 0.0f;

  for (guint32 k = picture->starts[label]; k < picture->starts[label + 1]; k++)
    if (picture->confidence[k] >= SPPNET_REFINE_FLOOR && sppnet_box_iou (&picture->boxes[i], &picture->boxes[k]) < 0.5f)
      highest = MAX (highest, picture->confidence[k]);
  return highest;
}

static void
test_elsewhere (void)
{
  SppnetRandom random = { 1 };
  guint n_zero = 0, n_other = 0;

  for (guint round = 0; round < 200; round++) {
    Picture picture;
    SppnetContextBoxes boxes;
    gfloat elsewhere[LABELS];

    random_picture (&picture, &random);
    boxes = boxes_of (&picture);
    for (guint32 i = 0; i < picture.starts[LABELS]; i++) {
      sppnet_context_elsewhere (&boxes, i, elsewhere);
      for (guint label = 0; label < LABELS; label++) {
        g_assert_cmpfloat (elsewhere[label], ==, naive_elsewhere (&picture, i, label));
        n_zero += elsewhere[label] == 0.0f;
        n_other += elsewhere[label] > 0.0f && elsewhere[label] < picture.confidence[picture.starts[label]];
      }
    }
  }
  /* Both happened: nothing that counts, and not simply the best. */
  g_assert_cmpuint (n_zero, >, 100);
  g_assert_cmpuint (n_other, >, 100);
}

static void
test_score (void)
{
  static const gfloat context[LABELS][LABELS + 2]
      = { { 1.0f, 0.0f, 0.0f, 0.0f, 0.0f }, { 0.5f, -1.0f, 2.0f, 0.0f, -3.0f }, { 1.5f, 0.25f, 0.0f, 1.0f, 0.0f } };
  SppnetRandom random = { 2 };
  guint n_low = 0;

  for (guint round = 0; round < 100; round++) {
    Picture picture;
    SppnetContextBoxes boxes;
    gfloat out[LABELS * MOST];

    random_picture (&picture, &random);
    boxes = boxes_of (&picture);
    sppnet_context_score (&boxes, context[0], out);
    for (guint label = 0; label < LABELS; label++)
      for (guint32 i = picture.starts[label]; i < picture.starts[label + 1]; i++) {
        gdouble p = CLAMP (picture.confidence[i], 1e-7, 1 - 1e-7), sum;

        sum = context[label][0] * log (p / (1 - p)) + context[label][1];
        for (guint other = 0; other < LABELS; other++)
          sum += context[label][2 + other] * naive_elsewhere (&picture, i, other);
        /* What a threshold of .05 hides does not become what it shows. */
        if (picture.confidence[i] < 0.05f) {
          g_assert_cmpfloat_with_epsilon (out[i], MIN (1 / (1 + exp (-sum)), 0.05), 1e-5);
          g_assert_cmpfloat (out[i], <, 0.05f);
          n_low += 1 / (1 + exp (-sum)) > 0.06;
          continue;
        }
        g_assert_cmpfloat_with_epsilon (out[i], 1 / (1 + exp (-sum)), 1e-5);
        /* The first label's row changes nothing. */
        if (label == 0)
          g_assert_cmpfloat_with_epsilon (out[i], picture.confidence[i], 1e-5);
      }
  }
  g_assert_cmpuint (n_low, >, 0);
}

/* Brightness of the dimmer one below. */
#define DIM 182

/* Two dim red squares, of different brightness, and a bright green one: red believes green, green nothing. */
static const SppnetBox squares[] = { { 16, 16, 24, 24 }, { 64, 16, 24, 24 }, { 64, 64, 24, 24 } };

static SppnetDetector *
context_detector (const gfloat *context, gsize size, const SppnetSettings *settings)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;
  SppnetDetector *detector;

  scene_config (&config);
  config.context = context ? g_memdup2 (context, size) : NULL;
  model = tiny_model_new (&config, scene_fill, NULL);
  detector = sppnet_detector_new (model, settings, &error);
  g_assert_no_error (error);
  return detector;
}

/* The confidence for each square of the label it shows; 0 where it was not found. dimmest: brightness of the first */
static void
detect_squares (gint dimmest, const gfloat *context, gsize size, const SppnetSettings *settings, gfloat confidence[3])
{
  g_autoptr (SppnetDetector) detector = context_detector (context, size, settings);
  g_autoptr (GError) error = NULL;
  g_auto (Scene) scene;
  SppnetFrame frame;
  const SppnetDetection *found;
  gsize n;

  scene_init (&scene, 120, 104);
  scene_draw (&scene, 16, 16, 24, 24, dimmest, 0);
  scene_draw (&scene, 64, 16, 24, 24, 190, 0);
  scene_draw (&scene, 64, 64, 24, 24, 0, 200);
  frame = scene_frame (&scene);
  g_assert_true (sppnet_detector_run (detector, &frame, squares, 3, &found, &n, &error));
  g_assert_no_error (error);
  memset (confidence, 0, 3 * sizeof *confidence);
  for (gsize i = 0; i < n; i++)
    if (g_str_equal (found[i].label, found[i].region == 2 ? "green" : "red"))
      confidence[found[i].region] = found[i].confidence;
}

static gdouble
log_odds (gdouble p)
{
  return log (p / (1 - p));
}

static void
test_detector (void)
{
  static const gfloat context[] = { 1.0f, 0.5f, 0.0f, 2.0f, /* red */
                                    1.0f, 0.0f, 0.0f, 0.0f };
  static const gchar *const red[] = { "red", NULL };
  SppnetSettings settings = { .threshold = 0.01f };
  gfloat alone[3], together[3], some[3];

  detect_squares (DIM, NULL, 0, &settings, alone);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat (alone[i], >, 0.06);
  g_assert_cmpfloat (alone[0], <, alone[1]);
  g_assert_cmpfloat (alone[1], <, 0.9);
  detect_squares (DIM, context, sizeof context, &settings, together);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpfloat_with_epsilon (log_odds (together[i]), log_odds (alone[i]) + 0.5 + 2.0 * alone[2], 1e-3);
  g_assert_cmpfloat_with_epsilon (together[2], alone[2], 1e-5);

  /* A threshold only hides detections, and so does a choice of labels and a number. */
  settings.threshold = (together[0] + together[1]) / 2;
  detect_squares (DIM, context, sizeof context, &settings, some);
  g_assert_cmpfloat (some[0], ==, 0.0f);
  g_assert_cmpfloat (some[1], ==, together[1]);
  settings.threshold = 0.01f;
  settings.labels = red;
  detect_squares (DIM, context, sizeof context, &settings, some);
  g_assert_cmpfloat (some[0], ==, together[0]);
  g_assert_cmpfloat (some[1], ==, together[1]);
  g_assert_cmpfloat (some[2], ==, 0.0f);
  settings.max_detections = 1;
  detect_squares (DIM, context, sizeof context, &settings, some);
  g_assert_cmpfloat (some[0], ==, 0.0f);
  g_assert_cmpfloat (some[1], ==, together[1]);
}

/* Nor does one that is below what is scored twice: what is found above that is the same. */
static void
test_low_threshold (void)
{
  static const gfloat context[] = { 1.0f, 1.0f, 0.0f, 4.0f, /* red */
                                    1.0f, 0.0f, 2.0f, 0.0f };
  SppnetSettings low = { .threshold = 0.005f }, high = { .threshold = 0.05f };
  guint n_low = 0;

  for (gint dimmest = 100; dimmest < 200; dimmest += 4) {
    gfloat alone[3], all[3], some[3];

    detect_squares (dimmest, NULL, 0, &low, alone);
    detect_squares (dimmest, context, sizeof context, &low, all);
    detect_squares (dimmest, context, sizeof context, &high, some);
    for (guint i = 0; i < 3; i++)
      g_assert_cmpfloat (some[i], ==, all[i] >= 0.05f ? all[i] : 0.0f);
    if (alone[0] > 0.0f && alone[0] < 0.05f) {
      g_assert_cmpfloat (all[0], <, 0.05f);
      g_assert_cmpfloat (all[0], >, alone[0]);
      n_low++;
    }
  }
  g_assert_cmpuint (n_low, >, 0);
}

/* Of two squares that believe each other, one is asked for: the other still counts. */
static void
test_one_wanted (void)
{
  static const gfloat context[] = { 1.0f, 0.0f, 5.0f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f };
  static const gchar *const red[] = { "red", NULL };
  SppnetSettings settings = { .threshold = 0.01f, .labels = red };
  gfloat both[3], one[3];

  detect_squares (DIM, context, sizeof context, &settings, both);
  g_assert_cmpfloat (both[0], >, 0.0f);
  settings.max_detections = 1;
  detect_squares (DIM, context, sizeof context, &settings, one);
  g_assert_cmpfloat (MAX (one[0], one[1]), ==, MAX (both[0], both[1]));
  g_assert_cmpfloat (MIN (one[0], one[1]), ==, 0.0f);
}

/* Numbers that are too large for a float's range are no reason to report what is not a number. */
static void
test_overflow (void)
{
  static const gfloat context[] = { 1e30f, 0.0f, 1e30f, -1e30f, 0.0f, 0.0f, 0.0f, 0.0f };
  const SppnetSettings settings = { .threshold = 0.01f };
  gfloat confidence[3];

  detect_squares (DIM, context, sizeof context, &settings, confidence);
  for (guint i = 0; i < 3; i++)
    g_assert_true (confidence[i] >= 0.0f && confidence[i] <= 1.0f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/detect/context/elsewhere", test_elsewhere);
  g_test_add_func ("/detect/context/score", test_score);
  g_test_add_func ("/detect/context/detector", test_detector);
  g_test_add_func ("/detect/context/low-threshold", test_low_threshold);
  g_test_add_func ("/detect/context/one-wanted", test_one_wanted);
  g_test_add_func ("/detect/context/overflow", test_overflow);
  return g_test_run ();
}
