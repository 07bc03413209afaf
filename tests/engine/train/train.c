/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training as a whole, on drawn pictures: it learns, a stopped run goes on bit by bit, bad input is refused. */
#include "../model/context.h"
#include "training.h"

#include "backbone/backbone.h"
#include "evaluate/average_precision.h"
#include "sppnet/detector.h"

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  begin_training (fixture);
  fixture->options.n_levels = 2;
  fixture->options.levels[0] = 1;
  fixture->options.levels[1] = 3;
  fixture->options.n_head = 1;
  fixture->options.head[0] = 32;
  fixture->options.dropout = 0.1;
  fixture->options.end_to_end.epochs = 2;
  fixture->options.end_to_end.warm_up = 4;
  fixture->options.end_to_end.sampler.regions = 32;
  fixture->options.end_to_end.optimizer.learning_rate = 3e-3;
  fixture->options.end_to_end.optimizer.backbone_learning_rate = 1e-3;
}

static gboolean
keep_losses (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  if (g_str_equal (stage, "end-to-end")) {
    gdouble loss = g_ascii_strtod (strstr (message, "loss ") + 5, NULL);

    g_array_append_val ((GArray *) user_data, loss);
  }
  return TRUE;
}

static void
test_loss_falls (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GArray) losses = g_array_new (FALSE, FALSE, sizeof (gdouble));

  fixture->options.end_to_end.epochs = 5;
  train (fixture, keep_losses, losses);
  g_assert_cmpuint (losses->len, ==, 60);
  /* Three classes: a guess costs log 3. */
  g_assert_cmpfloat (g_array_index (losses, gdouble, 0), >, 0.7);
  g_assert_cmpfloat (g_array_index (losses, gdouble, losses->len - 1), <, 0.6 * g_array_index (losses, gdouble, 0));
}

static gboolean
stop_at (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !(g_str_equal (stage, "end-to-end") && fraction > *(gdouble *) user_data);
}

static gboolean
stop_in_head (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !(g_str_equal (stage, "head") && fraction > *(gdouble *) user_data);
}

static void
test_resume_equals_unbroken (Fixture *fixture, gconstpointer user_data)
{
  static const gdouble stops[] = { 0.2, 0.55 };
  g_autoptr (GBytes) unbroken = NULL, resumed = NULL;

  train (fixture, NULL, NULL);
  unbroken = read_output (fixture);
  g_remove (fixture->output);
  remove_tree (fixture->work);
  for (guint i = 0; i < G_N_ELEMENTS (stops); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (sppnet_train (&fixture->options, stop_at, (gpointer) &stops[i], &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
    g_assert_false (g_file_test (fixture->output, G_FILE_TEST_EXISTS));
  }
  train (fixture, NULL, NULL);
  resumed = read_output (fixture);
  g_assert_true (g_bytes_equal (unbroken, resumed));
}

/* The mean of the weights is resumed, too. */
static void
test_average_resumed (Fixture *fixture, gconstpointer user_data)
{
  fixture->options.end_to_end.optimizer.average = 0.8;
  test_resume_equals_unbroken (fixture, user_data);
}

static void
test_threads_and_seed (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GBytes) one = NULL, two = NULL, other = NULL;

  fixture->options.end_to_end.epochs = 1;
  fixture->options.end_to_end.threads = 1;
  train (fixture, NULL, NULL);
  one = read_output (fixture);
  remove_tree (fixture->work);
  fixture->options.end_to_end.threads = 2;
  train (fixture, NULL, NULL);
  two = read_output (fixture);
  g_assert_true (g_bytes_equal (one, two));
  remove_tree (fixture->work);
  fixture->options.end_to_end.seed = 2;
  train (fixture, NULL, NULL);
  other = read_output (fixture);
  g_assert_false (g_bytes_equal (one, other));
}

/* The same with all that is off by default. */
static void
test_threads_and_variation (Fixture *fixture, gconstpointer user_data)
{
  SppnetEndToEndSettings *e = &fixture->options.end_to_end;

  e->sampler.candidates = 3 * e->sampler.regions;
  e->sampler.mosaic = 0.5;
  e->sampler.blend = 0.5;
  e->sampler.variation.aspect = 1.3;
  e->sampler.erase = 0.5;
  e->sampler.iou_aware = TRUE;
  e->optimizer.average = 0.9;
  test_threads_and_seed (fixture, user_data);
}

/* Targets of a region follow from its overlap: background below .3, its label from .7 on. */
static void
test_iou_aware (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GPtrArray) loaded = sppnet_voc_load (fixture->dir, "train", NULL);
  g_autoptr (SppnetDataset) dataset = sppnet_dataset_new (g_steal_pointer (&loaded), NULL, 0, NULL);
  g_autoptr (SppnetModel) model = sppnet_model_load (fixture->init, NULL);
  const SppnetConfig *config = sppnet_model_get_config (model);
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  SppnetSamplerSettings settings = fixture->options.end_to_end.sampler;
  const SppnetSceneDraw draw = { .scale = 1.0 };
  SppnetRandom random = { 5 };
  g_autoptr (GError) error = NULL;
  guint between = 0, below_half = 0;

  settings.iou_aware = TRUE;
  settings.jitter = 100;
  settings.regions = 400;
  for (guint i = 0; i < 8; i++) {
    const SppnetSamples *samples = &sampler->samples;

    sppnet_sampler_draw (sampler, dataset, i, &draw, config, &settings, &random, &error);
    g_assert_no_error (error);
    sppnet_sampler_draw_regions (sampler, NULL, 0, config, &settings, &random, &error);
    g_assert_no_error (error);
    for (gsize r = 0; r < samples->n; r++) {
      gfloat best = 0.0f;
      gint label = 0;

      for (guint k = 0; k < sampler->scene.objects->len; k++) {
        const SppnetSceneObject *object = &g_array_index (sampler->scene.objects, SppnetSceneObject, k);
        gfloat iou = sppnet_box_iou (&samples->boxes[r], &object->box);

        if (iou > best) {
          best = iou;
          label = 1 + object->label;
        }
      }
      g_assert_cmpint (samples->nearest[r], ==, label);
      g_assert_cmpfloat_with_epsilon (samples->certainty[r], CLAMP ((best - 0.3f) / 0.4f, 0.0f, 1.0f), 1e-5);
      g_assert_true ((samples->target[r] > 0) == (best >= 0.5f));
      between += best > 0.5f && best < 0.7f;
      below_half += best > 0.3f && best < 0.5f;
    }
  }
  g_assert_cmpuint (between, >, 20);
  g_assert_cmpuint (below_half, >, 20);
}

/* Any setting that changes a run. */
static void
test_checkpoint_of_any_other_setting (Fixture *fixture, gconstpointer user_data)
{
  SppnetEndToEndSettings *e = &fixture->options.end_to_end;
  gdouble *numbers[] = { &e->epochs,
                         &e->sampler.positive_fraction,
                         &e->sampler.easy_fraction,
                         &e->sampler.min_scale,
                         &e->sampler.max_scale,
                         &e->sampler.mosaic,
                         &e->sampler.blend,
                         &e->sampler.variation.aspect,
                         &e->sampler.erase,
                         &e->sampler.colour,
                         &e->optimizer.learning_rate,
                         &e->optimizer.backbone_learning_rate,
                         &e->optimizer.momentum,
                         &e->optimizer.second_moment,
                         &e->optimizer.weight_decay,
                         &e->optimizer.clip };
  guint *counts[]
      = { &e->seed, &e->pictures, &e->warm_up, &e->sampler.regions, &e->sampler.candidates, &e->sampler.jitter };
  gdouble stop = 0.1;

  e->epochs = 0.2;
  g_assert_false (sppnet_train (&fixture->options, stop_at, &stop, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (numbers) + G_N_ELEMENTS (counts); i++) {
    gdouble *number = i < G_N_ELEMENTS (numbers) ? numbers[i] : NULL, kept = number ? *number : 0.0;
    guint *count = number ? NULL : counts[i - G_N_ELEMENTS (numbers)];
    g_autoptr (GError) error = NULL;

    if (number)
      *number += 0.125;
    else
      (*count)++;
    g_test_message ("setting %u", i);
    g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
    if (number)
      *number = kept;
    else
      (*count)--;
  }
  e->sampler.iou_aware = TRUE;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, NULL));
  e->sampler.iou_aware = FALSE;
  train (fixture, NULL, NULL);
}

/* Hard candidates and teachers are not for a fixed backbone. */
static void
test_fixed_backbone_refusals (Fixture *fixture, gconstpointer user_data)
{
  const gchar *teachers[] = { fixture->init, NULL };
  g_autoptr (GError) error = NULL;

  fixture->options.heads_only = TRUE;
  fixture->options.teachers = teachers;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_clear_error (&error);
  fixture->options.teachers = NULL;
  fixture->options.end_to_end.sampler.candidates = 500;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

/* A complete run is no reason to refuse another one, nor does another one take what it has for its own: other settings,
 * another picture by the same name, another annotation. */
static void
test_after_a_complete_run (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *picture = g_build_filename (fixture->dir, "JPEGImages", "003.png", NULL);
  g_autofree gchar *other = g_build_filename (fixture->dir, "JPEGImages", "004.png", NULL);
  g_autofree gchar *annotation = g_build_filename (fixture->dir, "Annotations", "005.xml", NULL);
  g_autofree gchar *content = NULL, *xml = NULL;
  g_autoptr (GBytes) first = NULL, second = NULL, third = NULL, fourth = NULL, again = NULL;
  gsize length;

  fixture->options.heads_only = user_data != NULL;
  fixture->options.end_to_end.epochs = 1;
  train (fixture, NULL, NULL);
  first = read_output (fixture);
  train (fixture, NULL, NULL);
  again = read_output (fixture);
  g_assert_true (g_bytes_equal (first, again));

  fixture->options.end_to_end.seed++;
  second = train_anew (fixture);
  g_assert_false (g_bytes_equal (second, first));

  g_assert_true (g_file_get_contents (other, &content, &length, NULL));
  g_assert_true (g_file_set_contents (picture, content, (gssize) length, NULL));
  third = train_anew (fixture);
  g_assert_false (g_bytes_equal (third, second));

  g_assert_true (g_file_get_contents (annotation, &xml, NULL, NULL));
  memcpy (strstr (xml, "<difficult>0"), "<difficult>1", strlen ("<difficult>1"));
  g_assert_true (g_file_set_contents (annotation, xml, -1, NULL));
  fourth = train_anew (fixture);
  g_assert_false (g_bytes_equal (fourth, third));
}

static gboolean
stop_in_svm (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !g_str_equal (stage, "svm");
}

/* A run that was stopped in its last stage is not complete: what its first one has made is not lost. */
static void
test_stopped_in_last_stage (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *checkpoint = g_build_filename (fixture->work, "head.checkpoint", NULL);
  g_autofree gchar *maps = g_build_filename (fixture->work, "variants.cache", NULL);
  g_autofree gchar *picture = g_build_filename (fixture->dir, "JPEGImages", "003.png", NULL);
  g_autofree gchar *other = g_build_filename (fixture->dir, "JPEGImages", "004.png", NULL);
  g_autofree gchar *png = NULL, *png_of_other = NULL, *before = NULL, *after = NULL;
  g_autofree gchar *maps_before = NULL, *maps_after = NULL;
  g_autoptr (GError) error = NULL;
  gsize length, length_of_other, size, size_after;

  fixture->options.heads_only = TRUE;
  fixture->options.classifier = SPPNET_TRAIN_SVM;
  fixture->options.end_to_end.epochs = 1;
  g_assert_false (sppnet_train (&fixture->options, stop_in_svm, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (g_file_get_contents (checkpoint, &before, &size, NULL));
  g_assert_true (g_file_get_contents (maps, &maps_before, &size_after, NULL));

  g_assert_true (g_file_get_contents (picture, &png, &length, NULL));
  g_assert_true (g_file_get_contents (other, &png_of_other, &length_of_other, NULL));
  g_assert_true (g_file_set_contents (picture, png_of_other, (gssize) length_of_other, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, checkpoint));
  g_clear_error (&error);
  g_assert_true (g_file_get_contents (maps, &maps_after, &length_of_other, NULL));
  g_assert_cmpmem (maps_before, size_after, maps_after, length_of_other);

  /* The same bytes again, in a newer file: it goes on. */
  g_assert_true (g_file_set_contents (picture, png, (gssize) length, NULL));
  train (fixture, NULL, NULL);
  g_assert_true (g_file_get_contents (checkpoint, &after, &length, NULL));
  g_assert_cmpmem (before, size, after, length);
}

static void
test_checkpoint_of_other_settings (Fixture *fixture, gconstpointer user_data)
{
  gdouble stop = 0.3;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *checkpoint = g_build_filename (fixture->work, "end-to-end.checkpoint", NULL);
  g_autofree gchar *content = NULL;
  gchar *step;
  gsize length;

  g_assert_false (sppnet_train (&fixture->options, stop_at, &stop, NULL));
  fixture->options.end_to_end.optimizer.learning_rate *= 2;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, checkpoint));
  g_clear_error (&error);

  fixture->options.end_to_end.optimizer.learning_rate /= 2;
  g_assert_true (g_file_get_contents (checkpoint, &content, &length, NULL));
  /* "sppnet checkpoint 3 KEY STEP ...": another step */
  step = strchr (content + strlen ("sppnet checkpoint 3 "), ' ') + 1;
  *step = *step == '1' ? '2' : '1';
  g_assert_true (g_file_set_contents (checkpoint, content, (gssize) length, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_clear_error (&error);
  content[length - 7] ^= 1;
  g_assert_true (g_file_set_contents (checkpoint, content, (gssize) length, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (checkpoint, content, (gssize) length / 2, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (checkpoint, "rubbish", -1, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (checkpoint, "sppnet checkpoint 2 KEY 1 2 3 SHA\n", -1, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "another version"));
}

/* How many of n new scenes have both shapes found with the right label. */
static guint
count_found (const gchar *model_path, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetModel) model = sppnet_model_load (model_path, &error);
  g_autoptr (SppnetDetector) detector = NULL;
  g_autofree guint8 *rgb = g_malloc (SCENE_WIDTH * SCENE_HEIGHT * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, SCENE_WIDTH, SCENE_HEIGHT, { rgb }, { SCENE_WIDTH * 3 } };
  SppnetSettings settings = { .threshold = 0.3f };
  SppnetRandom random = { 4711 };
  guint found = 0;

  g_assert_no_error (error);
  detector = sppnet_detector_new (model, &settings, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++) {
    const SppnetDetection *detections;
    gint boxes[2][3];
    gsize n_detections;
    guint right = 0;

    scene_make (rgb, &random, boxes);
    sppnet_detector_run (detector, &frame, NULL, 0, &detections, &n_detections, &error);
    g_assert_no_error (error);
    for (gint k = 0; k < 2; k++)
      for (gsize d = 0; d < n_detections; d++) {
        SppnetBox truth = { boxes[k][0], boxes[k][1], boxes[k][2], boxes[k][2] };

        if (g_str_equal (detections[d].label, k == 0 ? "disk" : "square")
            && sppnet_box_iou (&detections[d].box, &truth) >= 0.5f) {
          right++;
          break;
        }
      }
    found += right == 2;
  }
  return found;
}

static void
test_detects (Fixture *fixture, gconstpointer user_data)
{
  fixture->options.end_to_end.epochs = 8;
  train (fixture, NULL, NULL);
  g_assert_cmpuint (count_found (fixture->output, 20), >=, 16);
}

/* The same from the hardest of many regions, on varied pictures. */
static void
test_hard_candidates (Fixture *fixture, gconstpointer user_data)
{
  SppnetSamplerSettings *sampler = &fixture->options.end_to_end.sampler;
  g_autoptr (GBytes) hardest = NULL, all = NULL, any = NULL;

  fixture->options.end_to_end.epochs = 8;
  sampler->candidates = 4 * sampler->regions;
  sampler->variation.aspect = 1.2;
  sampler->erase = 0.3;
  train (fixture, NULL, NULL);
  g_assert_cmpuint (count_found (fixture->output, 20), >=, 16);
  hardest = read_output (fixture);
  remove_tree (fixture->work);
  /* Not the same as so many at random. */
  sampler->regions = sampler->candidates;
  train (fixture, NULL, NULL);
  all = read_output (fixture);
  g_assert_false (g_bytes_equal (hardest, all));
  remove_tree (fixture->work);
  sampler->regions = sampler->candidates / 4;
  sampler->candidates = 0;
  train (fixture, NULL, NULL);
  any = read_output (fixture);
  g_assert_false (g_bytes_equal (hardest, any));
}

/* The paper's stages on top: SVMs with hard negatives and ridge regression. */
static void
test_svm_and_ridge_detect (Fixture *fixture, gconstpointer user_data)
{
  fixture->options.end_to_end.epochs = 8;
  fixture->options.classifier = SPPNET_TRAIN_SVM;
  fixture->options.box = SPPNET_TRAIN_BOX_RIDGE;
  train (fixture, NULL, NULL);
  g_assert_cmpuint (count_found (fixture->output, 20), >=, 16);
}

static void
test_sgd (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GArray) losses = g_array_new (FALSE, FALSE, sizeof (gdouble));

  fixture->options.end_to_end.epochs = 5;
  fixture->options.end_to_end.optimizer.kind = SPPNET_OPTIMIZER_SGD;
  fixture->options.end_to_end.optimizer.learning_rate = 0.02;
  fixture->options.end_to_end.optimizer.backbone_learning_rate = 0.01;
  fixture->options.end_to_end.optimizer.weight_decay = 5e-4;
  train (fixture, keep_losses, losses);
  g_assert_cmpfloat (g_array_index (losses, gdouble, losses->len - 1), <, 0.7 * g_array_index (losses, gdouble, 0));
}

/* Fine-tuning with the same labels takes everything over: nothing is learnt in no pass, and nothing lost. */
static void
test_keeps_a_trained_head (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) before = NULL, after = NULL;
  const gfloat *a, *b;
  gsize n, m;

  fixture->options.dtype = SPPNET_DTYPE_F32;
  fixture->options.output = first;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.n_levels = fixture->options.n_head = 0;
  fixture->options.end_to_end.epochs = 0;
  train (fixture, NULL, NULL);
  before = sppnet_model_load (first, NULL);
  after = sppnet_model_load (fixture->output, NULL);
  a = sppnet_model_get_tensor (before, "fc6.weight", &n);
  b = sppnet_model_get_tensor (after, "fc6.weight", &m);
  g_assert_cmpmem (a, n * sizeof *a, b, m * sizeof *b);
  a = sppnet_model_get_tensor (before, "box.weight", &n);
  b = sppnet_model_get_tensor (after, "box.weight", &m);
  g_assert_cmpmem (a, n * sizeof *a, b, m * sizeof *b);
}

/* The map gets the stride of the finer layer, and the weights that started at zero move. */
static void
test_merge (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetConfig *config;
  const gfloat *weight;
  gdouble sum = 0.0;
  gsize n;

  fixture->options.merge = "conv2";
  fixture->options.end_to_end.epochs = 8;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, &error);
  g_assert_no_error (error);
  config = sppnet_model_get_config (model);
  g_assert_cmpint (config->layers[3].kind, ==, SPPNET_LAYER_MERGE);
  g_assert_cmpint (sppnet_config_geometry (config).stride, ==, 4);
  weight = sppnet_model_get_tensor (model, "merge4.weight", &n);
  g_assert_cmpuint (n, ==, 24 * 16);
  for (gsize i = 0; i < n; i++)
    sum += fabs ((gdouble) weight[i]);
  g_assert_cmpfloat (sum, >, 1e-3 * (gdouble) n);
  g_assert_cmpuint (count_found (fixture->output, 20), >=, 16);

  fixture->options.merge = "conv3";
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "conv3"));
}

/* The detections of a scene, as text. */
static gchar *
describe_scene (const gchar *path)
{
  g_autoptr (SppnetModel) model = sppnet_model_load (path, NULL);
  SppnetSettings settings = { .threshold = 0.2f };
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, &settings, NULL);
  g_autofree guint8 *rgb = g_malloc (SCENE_WIDTH * SCENE_HEIGHT * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, SCENE_WIDTH, SCENE_HEIGHT, { rgb }, { SCENE_WIDTH * 3 } };
  SppnetRandom random = { 99 };
  GString *text = g_string_new (NULL);
  const SppnetDetection *found;
  gint boxes[2][3];
  gsize n;

  scene_make (rgb, &random, boxes);
  g_assert_true (sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, NULL));
  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, "%s %.3f %.1f %.1f; ", found[i].label, (gdouble) found[i].confidence,
                            (gdouble) found[i].box.x, (gdouble) found[i].box.y);
  g_assert_cmpuint (text->len, >, 0);
  return g_string_free (text, FALSE);
}

/* New levels and a new stage start as if they were not there; what is trained keeps the base of its boxes. */
static void
test_new_parts_change_nothing (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autofree gchar *expected = NULL, *got = NULL;
  g_autoptr (SppnetModel) model = NULL;

  fixture->options.end_to_end.epochs = 8;
  fixture->options.dtype = SPPNET_DTYPE_F32;
  fixture->options.output = first;
  train (fixture, NULL, NULL);
  expected = describe_scene (first);
  remove_tree (fixture->work);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.n_levels = fixture->options.n_head = 0;
  fixture->options.end_to_end.epochs = 0;
  fixture->options.n_around = 2;
  fixture->options.around[0] = 1;
  fixture->options.around[1] = 2;
  fixture->options.around_scale = 2.5;
  fixture->options.n_region_layers = 2;
  fixture->options.region_layers[0] = 6;
  fixture->options.region_layers[1] = 5;
  fixture->options.context[0] = 8;
  fixture->options.context[1] = 16;
  train (fixture, NULL, NULL);
  got = describe_scene (fixture->output);
  g_assert_cmpstr (got, ==, expected);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpuint (sppnet_model_get_config (model)->n_levels, ==, 4);
  g_assert_cmpuint (sppnet_model_get_config (model)->n_layers, ==, 3 + 5);
  g_assert_cmpuint (sppnet_model_get_config (model)->n_region_layers, ==, 2);
}

/* A new head has no region layers but new ones, and levels around the regions do not come between them and theirs. */
static void
test_region_layers (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) before = NULL, other = NULL, without = NULL;
  SppnetTrainOptions *options = &fixture->options;
  g_autoptr (GError) error = NULL;

  options->dtype = SPPNET_DTYPE_F32;
  options->end_to_end.epochs = 0;
  options->n_region_layers = 1;
  options->region_layers[0] = 6;
  options->output = first;
  train (fixture, NULL, NULL);
  before = sppnet_model_load (first, NULL);

  options->init = first;
  options->output = fixture->output;
  options->end_to_end.seed = 2;
  remove_tree (fixture->work);
  train (fixture, NULL, NULL);
  other = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpint (memcmp (sppnet_model_get_tensor (before, "region1.weight", NULL),
                           sppnet_model_get_tensor (other, "region1.weight", NULL), 32 * sizeof (gfloat)),
                   !=, 0);

  options->n_region_layers = 0;
  remove_tree (fixture->work);
  train (fixture, NULL, NULL);
  without = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpuint (sppnet_model_get_config (without)->n_region_layers, ==, 0);

  options->n_levels = options->n_head = 0;
  options->n_around = 1;
  options->around[0] = 9;
  options->around_scale = 1.0;
  g_assert_false (sppnet_train (options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "the finer level 9"));
  g_clear_error (&error);
  options->n_around = 0;
  options->n_region_layers = 1;
  g_assert_false (sppnet_train (options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "region layers already"));
}

/* Box regression that was trained from regions is trained further from regions. */
static void
test_keeps_the_base_of_boxes (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) trained = NULL, model = NULL;
  g_autoptr (GArray) tensors = NULL;
  g_auto (SppnetConfig) config;

  fixture->options.end_to_end.epochs = 1;
  train (fixture, NULL, NULL);
  trained = sppnet_model_load (fixture->output, NULL);
  sppnet_config_copy (&config, sppnet_model_get_config (trained));
  g_assert_cmpint (config.box_from, ==, SPPNET_BOX_FROM_WINDOW);
  config.box_from = SPPNET_BOX_FROM_REGION;
  config.box_scale[0] = 0.25f;
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    tensor->data = sppnet_model_get_tensor (trained, tensor->name, NULL);
  }
  g_assert_true (sppnet_model_save (first, &config, (const SppnetTensorSource *) tensors->data, tensors->len,
                                    SPPNET_DTYPE_F32, NULL));
  g_remove (fixture->output);
  remove_tree (fixture->work);
  fixture->options.init = first;
  fixture->options.n_levels = fixture->options.n_head = 0;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpint (sppnet_model_get_config (model)->box_from, ==, SPPNET_BOX_FROM_REGION);
  g_assert_cmpfloat (sppnet_model_get_config (model)->box_scale[0], ==, 0.25f);
}

/* A backbone with RoI pooling can be trained; larger windows around its regions it has none. */
static void
test_roi (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) backbone = sppnet_model_load (fixture->init, NULL), model = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GPtrArray) memory = g_ptr_array_new_with_free_func (g_free);

  sppnet_config_copy (&config, sppnet_model_get_config (backbone));
  config.pooling = SPPNET_POOLING_ROI;
  config.n_levels = 1;
  config.levels[0] = 3;
  config.n_labels = 2;
  config.labels = g_strdupv ((gchar *[]) { (gchar *) "a", (gchar *) "b", NULL });
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize count = 1;

    for (guint d = 0; d < tensor->n_dims; d++)
      count *= tensor->dims[d];
    tensor->data = sppnet_model_get_tensor (backbone, tensor->name, NULL);
    if (!tensor->data) {
      g_ptr_array_add (memory, g_new0 (gfloat, count));
      tensor->data = g_ptr_array_index (memory, memory->len - 1);
    }
  }
  g_assert_true (sppnet_model_save (first, &config, (const SppnetTensorSource *) tensors->data, tensors->len,
                                    SPPNET_DTYPE_F32, NULL));
  fixture->options.init = first;
  fixture->options.n_levels = fixture->options.n_head = 0;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpint (sppnet_model_get_config (model)->pooling, ==, SPPNET_POOLING_ROI);
  fixture->options.n_around = 1;
  fixture->options.around[0] = 1;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "RoI pooling"));
}

/* The tensors of the convolution layers, or of the rest, are the same in two files. */
static gboolean
same_tensors (const gchar *one, const gchar *other, gboolean convolution)
{
  g_autoptr (SppnetModel) a = sppnet_model_load (one, NULL), b = sppnet_model_load (other, NULL);
  g_autoptr (GArray) tensors = sppnet_config_tensors (sppnet_model_get_config (a));
  gboolean same = TRUE;

  for (guint i = 0; i < tensors->len; i++) {
    const gchar *name = g_array_index (tensors, SppnetTensorSource, i).name;
    gsize n, m;
    const gfloat *x = sppnet_model_get_tensor (a, name, &n), *y = sppnet_model_get_tensor (b, name, &m);

    if (g_str_has_prefix (name, "conv") == convolution)
      same = same && n == m && memcmp (x, y, n * sizeof *x) == 0;
  }
  return same;
}

/* On the convolution layers of another run, which stay as they are, a new head learns the labels in another order. */
static void
test_heads_only (Fixture *fixture, gconstpointer user_data)
{
  gchar *labels[] = { (gchar *) "square", (gchar *) "disk", NULL };
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (GBytes) unbroken = NULL, resumed = NULL;
  g_autoptr (GError) error = NULL;
  gdouble stop = 0.4;

  fixture->options.dtype = SPPNET_DTYPE_F32;
  fixture->options.output = first;
  fixture->options.end_to_end.epochs = 6;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.labels = labels;
  fixture->options.heads_only = TRUE;
  train (fixture, NULL, NULL);
  g_assert_true (same_tensors (first, fixture->output, TRUE));
  g_assert_false (same_tensors (first, fixture->output, FALSE));
  g_assert_cmpuint (count_found (fixture->output, 20), >=, 16);

  unbroken = read_output (fixture);
  remove_tree (fixture->work);
  fixture->options.end_to_end.threads = 1;
  g_assert_false (sppnet_train (&fixture->options, stop_in_head, &stop, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
  train (fixture, NULL, NULL);
  resumed = read_output (fixture);
  g_assert_true (g_bytes_equal (unbroken, resumed));
}

/* Squares are added to a model that knows disks: it finds both, and no number that it had has changed. */
static void
add_squares (Fixture *fixture)
{
  static const gchar *const names[]
      = { "fc6.weight", "classifier.weight", "classifier.bias", "box.weight", "box.bias" };
  static const gfloat of_disks[] = { 0.75f, 0.5f, 0.25f };
  static const gfloat context[] = { 0.75f, 0.5f, 0.25f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f };
  gchar *disk[] = { (gchar *) "disk", NULL };
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) before = NULL, after = NULL;
  g_autoptr (GError) error = NULL;
  guint found;

  fixture->options.output = first;
  fixture->options.labels = disk;
  fixture->options.end_to_end.epochs = 8;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  model_add_context (first, first, of_disks, sizeof of_disks);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.labels = NULL;
  fixture->options.add_class = "square";
  /* One row, of a model to which squares were background. */
  fixture->options.end_to_end.epochs = 30;
  fixture->options.end_to_end.optimizer.learning_rate = 3e-2;
  train (fixture, NULL, NULL);

  before = sppnet_model_load (first, NULL);
  after = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpuint (sppnet_model_get_n_labels (after), ==, 2);
  g_assert_cmpstr (sppnet_model_get_label (after, 0), ==, "disk");
  g_assert_cmpstr (sppnet_model_get_label (after, 1), ==, "square");
  g_assert_true (same_tensors (first, fixture->output, TRUE));
  g_assert_nonnull (sppnet_model_get_config (after)->context);
  g_assert_cmpmem (sppnet_model_get_config (after)->context, sizeof context, context, sizeof context);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize n, m;
    const gfloat *x = sppnet_model_get_tensor (before, names[i], &n);
    const gfloat *y = sppnet_model_get_tensor (after, names[i], &m);

    g_assert_cmpuint (m, >=, n);
    g_assert_true ((m > n) == (i > 0));
    g_assert_cmpint (memcmp (x, y, n * sizeof *x), ==, 0);
  }
  found = count_found (fixture->output, 20);
  g_test_message ("found in %u of 20 scenes", found);
  g_assert_cmpuint (found, >=, 14);

  fixture->options.add_class = "disk";
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_clear_error (&error);
  fixture->options.add_class = "unicorn";
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

static void
test_add_class (Fixture *fixture, gconstpointer user_data)
{
  add_squares (fixture);
}

/* A stopped run with other regions is not taken for one with these. */
static void
test_add_class_of_other_regions (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  SppnetTrainOptions *options = &fixture->options;
  gchar *disk[] = { (gchar *) "disk", NULL };
  gdouble stop = 0.3;
  g_autoptr (GError) error = NULL;

  options->output = first;
  options->labels = disk;
  train (fixture, NULL, NULL);
  options->init = first;
  options->output = fixture->output;
  options->labels = NULL;
  options->add_class = "square";
  options->proposals = SPPNET_PROPOSALS_GRID;
  options->max_proposals = 100;
  g_assert_false (sppnet_train (options, stop_in_head, &stop, NULL));
  options->proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH;
  options->max_proposals = 50;
  g_assert_false (sppnet_train (options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "other data or settings"));
}

/* SVMs are trained on layers that know both shapes: what a single vector cannot tell, no row will. */
static void
add_squares_to_svm (Fixture *fixture)
{
  g_autofree gchar *both = g_build_filename (fixture->dir, "both.safetensors", NULL);
  SppnetTrainClassifier classifier = fixture->options.classifier;
  SppnetTrainBox box = fixture->options.box;

  fixture->options.classifier = SPPNET_TRAIN_SOFTMAX;
  fixture->options.box = SPPNET_TRAIN_BOX_JOINT;
  fixture->options.output = both;
  fixture->options.end_to_end.epochs = 8;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  fixture->options.n_levels = fixture->options.n_head = 0;
  fixture->options.init = both;
  fixture->options.heads_only = TRUE;
  fixture->options.classifier = classifier;
  fixture->options.box = box;
  add_squares (fixture);
}

static void
test_add_class_svm (Fixture *fixture, gconstpointer user_data)
{
  fixture->options.classifier = SPPNET_TRAIN_SVM;
  fixture->options.box = SPPNET_TRAIN_BOX_RIDGE;
  add_squares_to_svm (fixture);
}

static void
test_add_class_svm_joint (Fixture *fixture, gconstpointer user_data)
{
  fixture->options.classifier = SPPNET_TRAIN_SVM;
  add_squares_to_svm (fixture);
}

static gboolean
never (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  g_test_message ("%s has begun", stage);
  g_assert_not_reached ();
  return FALSE;
}

/* What could not be written at the end is refused at the beginning. */
static void
test_name (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *name = g_strnfill (300, 'n');
  g_autoptr (GError) error = NULL;

  fixture->options.name = name;
  g_assert_false (sppnet_train (&fixture->options, never, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

/* What is asked for anew is new, though names, sizes and labels agree; the pyramid that is not, stays. */
static void
test_new_head (Fixture *fixture, gconstpointer user_data)
{
  static const gchar *const names[] = { "fc6.weight", "classifier.weight", "box.weight" };
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  SppnetTrainOptions *options = &fixture->options;

  options->dtype = SPPNET_DTYPE_F32;
  options->end_to_end.epochs = 0;
  options->n_around = 1;
  options->around[0] = 2;
  options->output = first;
  train (fixture, NULL, NULL);
  options->init = first;
  options->output = fixture->output;
  options->n_around = 0;
  options->end_to_end.seed = 2;
  for (gint pyramid = 0; pyramid < 2; pyramid++) {
    g_autoptr (SppnetModel) before = NULL, after = NULL;
    const SppnetConfig *config;

    remove_tree (fixture->work);
    options->n_levels = pyramid ? 2 : 0;
    options->n_head = pyramid ? 0 : 1;
    options->dropout = pyramid ? SPPNET_TRAIN_KEEP_DROPOUT : 0.25;
    train (fixture, NULL, NULL);
    before = sppnet_model_load (first, NULL);
    after = sppnet_model_load (fixture->output, NULL);
    config = sppnet_model_get_config (after);
    g_assert_cmpuint (config->n_levels, ==, pyramid ? 2 : 3);
    g_assert_cmpfloat (config->scales[pyramid ? 1 : 2], ==, pyramid ? 1 : 3);
    g_assert_cmpuint (config->n_head, ==, 1);
    g_assert_cmpint (config->head[0].outputs, ==, 32);
    g_assert_cmpfloat (config->head[0].dropout, ==, pyramid ? 0.1f : 0.25f);
    for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
      gsize n, m;
      const gfloat *a = sppnet_model_get_tensor (before, names[i], &n);
      const gfloat *b = sppnet_model_get_tensor (after, names[i], &m);

      g_assert_true (n != m || memcmp (a, b, n * sizeof *a) != 0);
    }
  }
}

/* A layer that is not in the initial model cannot stay as it is. */
static void
test_heads_only_refusals (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->options.heads_only = TRUE;
  fixture->options.merge = "conv1";
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

static void
test_refusals (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *annotation = g_build_filename (fixture->dir, "Annotations", "003.xml", NULL);
  g_autofree gchar *picture = g_build_filename (fixture->dir, "JPEGImages", "005.png", NULL);
  gchar *labels[] = { (gchar *) "disk", (gchar *) "unicorn", NULL };
  g_autoptr (GError) error = NULL;

  fixture->options.labels = labels + 1;
  fixture->options.any_labels = TRUE;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_clear_error (&error);
  fixture->options.labels = labels;
  fixture->options.any_labels = FALSE;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "\"unicorn\""));
  g_clear_error (&error);
  fixture->options.labels = NULL;

  fixture->options.output = "/nonexistent/output.safetensors";
  g_assert_false (sppnet_train (&fixture->options, never, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE);
  g_clear_error (&error);
  fixture->options.output = fixture->output;

  g_assert_true (g_file_set_contents (picture, "not a picture", -1, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "005.png"));
  g_clear_error (&error);

  g_assert_true (g_file_set_contents (annotation, "<annotation>\n<object>\n</annotation>", -1, NULL));
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "003.xml:3"));
}

/* All regions of a picture that its only, difficult or untrained, object fills say nothing: the run goes on. */
static void
test_pictures_without_regions (Fixture *fixture, gconstpointer user_data)
{
  static const gchar whole[] = "<annotation><size><width>160</width><height>120</height><depth>3</depth></size>"
                               "<object><name>disk</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>"
                               "<xmax>160</xmax><ymax>120</ymax></bndbox></object></annotation>";
  g_autofree gchar *set = g_build_filename (fixture->dir, "ImageSets", "Main", "train.txt", NULL);
  g_autofree gchar *annotation = g_build_filename (fixture->dir, "Annotations", "000.xml", NULL);
  g_autoptr (GArray) losses = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (annotation, whole, -1, NULL));
  g_assert_true (g_file_set_contents (set, "000\n001\n", -1, NULL));
  /* The best proposal is the whole picture; with one proposal there is nothing else. */
  fixture->options.max_proposals = 1;
  fixture->options.end_to_end.pictures = 1;
  train (fixture, keep_losses, losses);
  for (guint i = 0; i < losses->len; i++)
    g_assert_true (isfinite (g_array_index (losses, gdouble, i)));

  g_assert_true (g_file_set_contents (set, "000\n", -1, NULL));
  remove_tree (fixture->work);
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

#define ADD(name, function) g_test_add ("/train/" name, Fixture, NULL, set_up, function, end_training)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("loss-falls", test_loss_falls);
  ADD ("resume-equals-unbroken", test_resume_equals_unbroken);
  ADD ("average-resumed", test_average_resumed);
  ADD ("threads-and-seed", test_threads_and_seed);
  ADD ("threads-and-variation", test_threads_and_variation);
  ADD ("checkpoint-of-any-other-setting", test_checkpoint_of_any_other_setting);
  ADD ("fixed-backbone-refusals", test_fixed_backbone_refusals);
  ADD ("checkpoint-of-other-settings", test_checkpoint_of_other_settings);
  ADD ("iou-aware", test_iou_aware);
  ADD ("after-a-complete-run", test_after_a_complete_run);
  ADD ("stopped-in-last-stage", test_stopped_in_last_stage);
  g_test_add ("/train/after-a-complete-run-of-heads", Fixture, "heads", set_up, test_after_a_complete_run,
              end_training);
  ADD ("detects", test_detects);
  ADD ("hard-candidates", test_hard_candidates);
  ADD ("region-layers", test_region_layers);
  ADD ("svm-and-ridge-detect", test_svm_and_ridge_detect);
  ADD ("sgd", test_sgd);
  ADD ("keeps-a-trained-head", test_keeps_a_trained_head);
  ADD ("merge", test_merge);
  ADD ("new-parts-change-nothing", test_new_parts_change_nothing);
  ADD ("keeps-the-base-of-boxes", test_keeps_the_base_of_boxes);
  ADD ("roi", test_roi);
  ADD ("heads-only", test_heads_only);
  ADD ("name", test_name);
  ADD ("new-head", test_new_head);
  ADD ("add-class-of-other-regions", test_add_class_of_other_regions);
  ADD ("add-class", test_add_class);
  ADD ("add-class-svm", test_add_class_svm);
  ADD ("add-class-svm-joint", test_add_class_svm_joint);
  ADD ("heads-only-refusals", test_heads_only_refusals);
  ADD ("pictures-without-regions", test_pictures_without_regions);
  ADD ("refusals", test_refusals);
  return g_test_run ();
}
