/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges, defaults and refusals of SppnetSettings. */
#define _GNU_SOURCE /* memmem */
#include "detect/settings.h"

#include <math.h>

#include "base/threads.h"
#include "kernel/conv.h"
#include "scene.h"

static void
assert_refused (const SppnetSettings *settings, const gchar *field)
{
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, settings, &error);

  g_assert_null (detector);
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, field));
}

static void
test_refused (void)
{
  const gchar *const unknown[] = { "red", "unicorn", NULL }, *const none[] = { NULL };
  const gfloat fractions[] = { -0.1f, 1.001f, NAN, INFINITY, -INFINITY };

  for (guint i = 0; i < G_N_ELEMENTS (fractions); i++) {
    assert_refused (&(SppnetSettings) { .threshold = fractions[i] }, "threshold is");
    assert_refused (&(SppnetSettings) { .nms_threshold = fractions[i] }, "nms_threshold is");
    assert_refused (&(SppnetSettings) { .agnostic_nms_threshold = fractions[i] }, "agnostic_nms_threshold is");
  }
  assert_refused (&(SppnetSettings) { .proposals = (SppnetProposals) (SPPNET_PROPOSALS_AUTO + 1) }, "proposals");
  assert_refused (&(SppnetSettings) { .proposals = (SppnetProposals) -1 }, "proposals");
  assert_refused (&(SppnetSettings) { .proposals = SPPNET_PROPOSALS_RPN }, "\"scene\" has no region proposal network");
  assert_refused (&(SppnetSettings) { .region_margin = -0.1f }, "region_margin");
  assert_refused (&(SppnetSettings) { .region_margin = 10.1f }, "region_margin");
  assert_refused (&(SppnetSettings) { .region_margin = NAN }, "region_margin");
  assert_refused (&(SppnetSettings) { .max_proposals = 100001 }, "max_proposals");
  assert_refused (&(SppnetSettings) { .reduction = 17 }, "reduction");
  assert_refused (&(SppnetSettings) { .min_objectness = 1.5f }, "min_objectness");
  assert_refused (&(SppnetSettings) { .max_proposals = G_MAXUINT }, "max_proposals");
  assert_refused (&(SppnetSettings) { .labels = unknown }, "\"unicorn\"");
  assert_refused (&(SppnetSettings) { .labels = none }, "empty");
}

static void
test_extremes_accepted (void)
{
  const SppnetSettings settings = { .threshold = 1.0f,
                                    .nms_threshold = 1.0f,
                                    .max_proposals = 100000,
                                    .max_detections = G_MAXUINT,
                                    .threads = G_MAXUINT,
                                    .seed = G_MAXUINT32 };
  const SppnetBox region = { 0, 0, 8, 8 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, &settings, &error);
  g_auto (Scene) scene;
  const SppnetDetection *found;
  SppnetFrame frame;
  gsize n;

  g_assert_no_error (error);
  scene_init (&scene, 8, 8);
  frame = scene_frame (&scene);
  g_assert_true (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, &error));
  g_assert_cmpuint (n, ==, 0);
}

static void
test_zero_is_the_models_choice (void)
{
  const gfloat own[] = { 0.25f, 0.75f };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;

  scene_config (&config);
  config.proposals = SPPNET_PROPOSALS_GRID;
  config.max_proposals = 321;
  config.nms_threshold = 0.45f;
  config.thresholds = g_memdup2 (own, sizeof own);
  model = tiny_model_new (&config, scene_fill, NULL);
  for (guint i = 0; i < 2; i++) {
    g_auto (SppnetPlan) plan = { 0 };
    const SppnetSettings zero = { 0 };

    g_assert_true (sppnet_plan_init (&plan, i ? &zero : NULL, model, NULL));
    g_assert_cmpint (plan.proposals, ==, SPPNET_PROPOSALS_GRID);
    g_assert_cmpuint (plan.max_proposals, ==, 321);
    g_assert_cmpuint (plan.max_detections, ==, 100);
    g_assert_cmpuint (plan.threads, ==, sppnet_threads_available ());
    g_assert_cmpfloat (plan.nms_threshold, ==, 0.45f);
    g_assert_cmpmem (plan.thresholds, sizeof own, own, sizeof own);
  }
}

static void
test_settings_override (void)
{
  const gchar *const green[] = { "green", NULL };
  const SppnetSettings settings = { SPPNET_PROPOSALS_SELECTIVE_SEARCH, 77, 0.125f, 0.875f, 5, 1, 9, green };
  g_autoptr (SppnetModel) model = scene_model ();
  g_auto (SppnetPlan) plan = { 0 };

  g_assert_true (sppnet_plan_init (&plan, &settings, model, NULL));
  g_assert_cmpint (plan.proposals, ==, SPPNET_PROPOSALS_SELECTIVE_SEARCH);
  g_assert_cmpuint (plan.max_proposals, ==, 77);
  g_assert_cmpuint (plan.max_detections, ==, 5);
  g_assert_cmpuint (plan.threads, ==, 1);
  g_assert_cmpuint (plan.seed, ==, 9);
  g_assert_cmpfloat (plan.nms_threshold, ==, 0.875f);
  g_assert_cmpfloat (plan.thresholds[0], >, 1.0f); /* red is not wanted */
  g_assert_cmpfloat (plan.thresholds[1], ==, 0.125f);
}

/* The strings belong to the caller, who may free them at once; a refused change leaves things as they were. */
static void
test_set_settings (void)
{
  gchar **labels = g_strsplit ("green", ",", -1);
  SppnetSettings settings = { .labels = (const gchar *const *) labels };
  const SppnetSettings bad = { .threshold = 2.0f };
  const SppnetBox region = { 0, 0, 24, 24 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, &settings, NULL);
  g_autoptr (GError) error = NULL;
  g_auto (Scene) scene;
  const SppnetDetection *found;
  SppnetFrame frame;
  gsize n;

  g_strfreev (labels);
  scene_init (&scene, 24, 24);
  scene_draw (&scene, 0, 0, 24, 24, 255, 0);
  frame = scene_frame (&scene);
  g_assert_false (sppnet_detector_set_settings (detector, &bad, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_true (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, NULL));
  g_assert_cmpuint (n, ==, 0); /* still green only */
  g_assert_true (sppnet_detector_set_settings (detector, NULL, NULL));
  g_assert_true (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, NULL));
  g_assert_cmpuint (n, ==, 1);
}

static void
test_model_without_labels (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;

  scene_config (&config);
  g_strfreev (config.labels);
  config.labels = NULL;
  config.n_labels = 0;
  model = tiny_model_new (&config, scene_fill, NULL);
  g_assert_null (sppnet_detector_new (model, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "no labels"));
}

static void
fill_nan (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  scene_fill (name, data, n, NULL);
  if (g_str_equal (name, "classifier.weight"))
    memcpy (data, "sppnet-not-a-num", 16); /* found again in the file, and replaced by NaN */
}

/* The writer refuses a NaN, so the file is changed behind its back: the loader must refuse it too. */
static void
test_weights_not_finite (void)
{
  const guint32 nan_bits = GUINT32_TO_LE (0x7fc00000);
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = NULL, *content = NULL;
  gchar *place;
  gsize length;

  close (g_file_open_tmp ("sppnet-nan-XXXXXX.safetensors", &path, NULL));
  scene_config (&config);
  g_assert_true (tiny_model_save (path, &config, fill_nan, NULL, &error));
  g_assert_true (g_file_get_contents (path, &content, &length, &error));
  place = memmem (content, length, "sppnet-not-a-num", 16);
  g_assert_nonnull (place);
  memcpy (place, &nan_bits, sizeof nan_bits);
  g_assert_true (g_file_set_contents (path, content, (gssize) length, &error));
  g_assert_null (sppnet_model_load (path, &error));
  g_assert_true (error != NULL && error->domain == SPPNET_ERROR);
  g_assert_nonnull (strstr (error->message, "classifier.weight"));
  g_unlink (path);
}

static void
assert_plan (SppnetModel *model, const SppnetSettings *settings, SppnetProposals proposals, guint max_proposals)
{
  g_auto (SppnetPlan) plan = { 0 };

  g_assert_true (sppnet_plan_init (&plan, settings, model, NULL));
  g_assert_cmpint (plan.proposals, ==, proposals);
  g_assert_cmpuint (plan.max_proposals, ==, max_proposals);
}

/* "auto" is what the model can do best; a region proposal network has a number of boxes for itself. */
static void
test_auto (void)
{
  for (guint own = 0; own < 2; own++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) with = NULL, without = NULL;

    scene_config (&config);
    config.proposals = own ? SPPNET_PROPOSALS_AUTO : SPPNET_PROPOSALS_GRID;
    config.max_proposals = 700;
    without = tiny_model_new (&config, scene_fill, NULL);
    scene_add_rpn (&config);
    with = tiny_model_new (&config, scene_fill, NULL);
    assert_plan (with, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_AUTO }, SPPNET_PROPOSALS_RPN,
                 own ? 700 : config.rpn.boxes);
    assert_plan (with, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_RPN, .max_proposals = 9 },
                 SPPNET_PROPOSALS_RPN, 9);
    assert_plan (without, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_AUTO }, SPPNET_PROPOSALS_EDGE_BOXES,
                 own ? 700 : 2000);
    assert_plan (with, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH },
                 SPPNET_PROPOSALS_SELECTIVE_SEARCH, 2000);
    assert_plan (with, &(SppnetSettings) { 0 }, own ? SPPNET_PROPOSALS_RPN : SPPNET_PROPOSALS_GRID, 700);
    assert_plan (without, &(SppnetSettings) { 0 }, own ? SPPNET_PROPOSALS_EDGE_BOXES : SPPNET_PROPOSALS_GRID, 700);
    config.max_proposals = 0; /* not given */
    sppnet_model_unref (with);
    with = tiny_model_new (&config, scene_fill, NULL);
    assert_plan (with, &(SppnetSettings) { 0 }, own ? SPPNET_PROPOSALS_RPN : SPPNET_PROPOSALS_GRID,
                 own ? config.rpn.boxes : 2000);
  }
}

static guint
regions_scored (SppnetModel *model, gfloat min_objectness)
{
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (
      model, &(SppnetSettings) { .proposals = SPPNET_PROPOSALS_RPN, .min_objectness = min_objectness }, NULL);
  g_auto (Scene) scene = { 0 };
  const SppnetDetection *found;
  SppnetFrame frame;
  gsize n;

  scene_init (&scene, 120, 90);
  frame = scene_frame (&scene);
  g_assert_true (sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, NULL));
  return sppnet_detector_get_timings (detector)->regions + sppnet_detector_get_timings (detector)->duplicates;
}

/* On a black frame this network gives every proposal a score of -5: an objectness of .0067. */
static void
test_min_objectness (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL, strict = NULL;

  scene_config (&config);
  scene_add_rpn (&config);
  model = tiny_model_new (&config, scene_fill, NULL);
  config.rpn.min_score = 0.75f;
  strict = tiny_model_new (&config, scene_fill, NULL);
  g_assert_cmpuint (regions_scored (model, 0), >, 0);
  g_assert_cmpuint (regions_scored (model, 0.005f), ==, regions_scored (model, 0));
  g_assert_cmpuint (regions_scored (model, 0.01f), ==, 0);
  g_assert_cmpuint (regions_scored (strict, 0), ==, 0);
  g_assert_cmpuint (regions_scored (strict, 0.005f), ==, regions_scored (model, 0));
}

static void
test_precision_refused (void)
{
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (GError) error = NULL;
  SppnetSettings settings = { .precision = SPPNET_PRECISION_BFLOAT16 };

  g_assert_null (sppnet_detector_new (model, &settings, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "precision is bfloat16"));
}

static void
test_precision_lowered (void)
{
  if (g_test_subprocess ())
    test_precision_refused ();
  else
    g_test_skip ("runs as a subprocess");
}

/* Before and after a change, and where the processor cannot, or may not. */
static void
test_precision (void)
{
  static const SppnetPrecision changes[]
      = { SPPNET_PRECISION_BFLOAT16, SPPNET_PRECISION_DEFAULT, SPPNET_PRECISION_BFLOAT16 };
  g_autofree gchar *before = g_strdup (g_getenv ("SPPNET_CPU"));

  g_setenv ("SPPNET_CPU", "avx2", TRUE);
  g_test_trap_subprocess ("/settings/subprocess/precision-lowered", 0, 0);
  g_test_trap_assert_passed ();
  if (before)
    g_setenv ("SPPNET_CPU", before, TRUE);
  else
    g_unsetenv ("SPPNET_CPU");
  if (!sppnet_conv_kernels_bfloat16 ()) {
    test_precision_refused ();
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    static SppnetDetector *detector;
    g_autoptr (SppnetModel) model = scene_model ();
    g_autoptr (GError) error = NULL;
    g_auto (Scene) scene;
    const SppnetBox regions[] = { { 16, 16, 24, 24 } };
    SppnetSettings settings = { .precision = changes[i], .proposals = SPPNET_PROPOSALS_REGIONS };
    const SppnetDetection *found;
    SppnetFrame frame;
    gsize n;

    scene_init (&scene, 64, 64);
    scene_draw (&scene, 16, 16, 24, 24, 255, 0);
    frame = scene_frame (&scene);
    if (i == 0)
      detector = sppnet_detector_new (model, &settings, &error);
    else
      sppnet_detector_set_settings (detector, &settings, &error);
    g_assert_no_error (error);
    sppnet_detector_run (detector, &frame, regions, 1, &found, &n, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (n, ==, 1);
    g_assert_cmpstr (found[0].label, ==, "red");
    if (i + 1 == G_N_ELEMENTS (changes))
      sppnet_detector_unref (detector);
  }
}

static void
test_precision_nicks (void)
{
  for (SppnetPrecision i = SPPNET_PRECISION_DEFAULT; i <= SPPNET_PRECISION_BFLOAT16; i++) {
    SppnetPrecision back;

    g_assert_true (sppnet_precision_from_nick (sppnet_precision_to_nick (i), &back));
    g_assert_cmpint (back, ==, i);
  }
  g_assert_null (sppnet_precision_to_nick ((SppnetPrecision) 3));
  g_assert_false (sppnet_precision_from_nick ("float16", &(SppnetPrecision) { 0 }));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/refused", test_refused);
  g_test_add_func ("/settings/extremes", test_extremes_accepted);
  g_test_add_func ("/settings/defaults", test_zero_is_the_models_choice);
  g_test_add_func ("/settings/override", test_settings_override);
  g_test_add_func ("/settings/change", test_set_settings);
  g_test_add_func ("/settings/no-labels", test_model_without_labels);
  g_test_add_func ("/settings/weights-not-finite", test_weights_not_finite);
  g_test_add_func ("/settings/auto", test_auto);
  g_test_add_func ("/settings/min-objectness", test_min_objectness);
  g_test_add_func ("/settings/precision", test_precision);
  g_test_add_func ("/settings/precision-nicks", test_precision_nicks);
  g_test_add_func ("/settings/subprocess/precision-lowered", test_precision_lowered);
  return g_test_run ();
}
