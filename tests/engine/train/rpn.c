/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A region proposal network on drawn pictures: it learns, a stopped run goes on bit by bit, the rest of the model
 * stays. */
#include "training.h"

#include "backbone/backbone.h"
#include "evaluate/recall.h"
#include "region/rpn.h"

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  begin_training (fixture);
  fixture->options.rpn_only = TRUE;
  fixture->options.rpn.epochs = 4;
  fixture->options.rpn.warm_up = 4;
  fixture->options.rpn.n_anchors = 4;
  fixture->options.rpn.filters = 24;
  fixture->options.rpn.optimizer.learning_rate = 3e-3;
}

/* The part of the shapes of 20 new scenes that at most 10 boxes find. */
static gdouble
recall (const gchar *path)
{
  g_autoptr (SppnetModel) model = sppnet_model_load (path, NULL);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_autoptr (SppnetRpn) rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_autofree guint8 *rgb = g_malloc (SCENE_WIDTH * SCENE_HEIGHT * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, SCENE_WIDTH, SCENE_HEIGHT, { rgb }, { SCENE_WIDTH * 3 } };
  SppnetRandom random = { 4711 };
  SppnetRecall sum = { 0 };

  for (guint i = 0; i < 20; i++) {
    SppnetAnnotation annotation = { .objects = g_array_new (FALSE, TRUE, sizeof (SppnetObject)) };
    const SppnetBox *found;
    gint boxes[2][3];
    SppnetMap map;
    gsize n;

    scene_make (rgb, &random, boxes);
    g_array_set_size (annotation.objects, 2);
    for (guint k = 0; k < 2; k++)
      g_array_index (annotation.objects, SppnetObject, k).box
          = (SppnetBox) { boxes[k][0], boxes[k][1], boxes[k][2], boxes[k][2] };
    g_assert_true (sppnet_backbone_run (backbone, &frame, 1, &map, NULL, NULL));
    g_assert_true (sppnet_rpn_run (rpn, &map, SCENE_WIDTH, SCENE_HEIGHT, 10, 0.0f, 1, &found, NULL, &n, NULL));
    sppnet_recall_add (&sum, &annotation, NULL, found, n);
    g_array_unref (annotation.objects);
  }
  return (gdouble) sum.found50 / sum.objects;
}

static void
test_learns (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetModel) before = NULL, after = NULL;
  const SppnetConfig *config;
  const gfloat *a, *b;
  gdouble first;
  gsize n, m;

  fixture->options.rpn.epochs = 0;
  train (fixture, NULL, NULL);
  first = recall (fixture->output);
  remove_tree (fixture->work);
  fixture->options.rpn.epochs = 150;
  train (fixture, NULL, NULL);
  g_test_message ("recall %.3f, then %.3f", first, recall (fixture->output));
  g_assert_cmpfloat (recall (fixture->output), >, 0.9);
  g_assert_cmpfloat (first, <, 0.7);

  before = sppnet_model_load (fixture->init, NULL);
  after = sppnet_model_load (fixture->output, NULL);
  a = sppnet_model_get_tensor (before, "conv3.weight", &n);
  b = sppnet_model_get_tensor (after, "conv3.weight", &m);
  g_assert_cmpmem (a, n * sizeof *a, b, m * sizeof *b);
  config = sppnet_model_get_config (after);
  g_assert_cmpint (config->rpn.stride, ==, 2); /* the map's stride is 8 */
  g_assert_cmpuint (config->rpn.n_anchors, ==, 4);
  g_assert_cmpint (config->proposals, ==, SPPNET_PROPOSALS_RPN);
  g_assert_cmpuint (config->max_proposals, ==, config->rpn.boxes);
  g_assert_nonnull (strstr (config->provenance, "\"rpn\""));
}

static gboolean
stop_at (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !(g_str_equal (stage, "region proposal network") && fraction > *(gdouble *) user_data);
}

static gboolean
stop_maps (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !(g_str_equal (stage, "feature maps") && fraction > 0.5);
}

static void
test_resume_equals_unbroken (Fixture *fixture, gconstpointer user_data)
{
  static const gdouble stops[] = { 0.2, 0.55 };
  g_autoptr (GBytes) unbroken = NULL, resumed = NULL;

  fixture->options.end_to_end.threads = 1;
  train (fixture, NULL, NULL);
  unbroken = read_output (fixture);
  g_remove (fixture->output);
  remove_tree (fixture->work);
  fixture->options.end_to_end.threads = 2;
  g_assert_false (sppnet_train (&fixture->options, stop_maps, NULL, NULL));
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

/* Another seed gives another network; a second one takes the place of the first. */
static void
test_again (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) before = NULL, after = NULL;
  const gfloat *a, *b;
  gsize n, m;

  fixture->options.output = first;
  train (fixture, NULL, NULL);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.end_to_end.seed = 2;
  remove_tree (fixture->work);
  train (fixture, NULL, NULL);
  before = sppnet_model_load (first, NULL);
  after = sppnet_model_load (fixture->output, NULL);
  a = sppnet_model_get_tensor (before, "rpn.weight", &n);
  b = sppnet_model_get_tensor (after, "rpn.weight", &m);
  g_assert_cmpuint (n, ==, m);
  g_assert_cmpint (memcmp (a, b, n * sizeof *a), !=, 0);
}

/* Training the backbone leaves a network behind that knows another map. */
static void
test_end_to_end_drops_it (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autoptr (SppnetModel) model = NULL;

  fixture->options.output = first;
  train (fixture, NULL, NULL);
  fixture->options.init = first;
  fixture->options.output = fixture->output;
  fixture->options.rpn_only = FALSE;
  fixture->options.end_to_end.epochs = 0;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpuint (sppnet_model_get_config (model)->rpn.n_anchors, ==, 0);
  g_assert_null (sppnet_model_get_tensor (model, "rpn.weight", NULL));
}

/* Together with the rest: both learn, and the model recommends the network's proposals. */
static void
test_joint (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetModel) model = NULL;
  const SppnetConfig *config;

  fixture->options.rpn_only = FALSE;
  fixture->options.rpn_joint = TRUE;
  fixture->options.n_head = 1;
  fixture->options.head[0] = 32;
  fixture->options.end_to_end.epochs = 15;
  fixture->options.end_to_end.warm_up = 4;
  fixture->options.end_to_end.sampler.regions = 32;
  fixture->options.end_to_end.optimizer.learning_rate = 3e-3;
  fixture->options.end_to_end.optimizer.backbone_learning_rate = 1e-3;
  train (fixture, NULL, NULL);
  g_test_message ("recall %.3f", recall (fixture->output));
  g_assert_cmpfloat (recall (fixture->output), >, 0.9);
  model = sppnet_model_load (fixture->output, NULL);
  config = sppnet_model_get_config (model);
  g_assert_cmpint (config->proposals, ==, SPPNET_PROPOSALS_RPN);
  g_assert_cmpuint (config->max_proposals, ==, config->rpn.boxes);
}

static void
joint_options (Fixture *fixture)
{
  SppnetTrainOptions *options = &fixture->options;

  options->rpn_only = FALSE;
  options->rpn_joint = TRUE;
  options->n_head = 1;
  options->head[0] = 32;
  options->end_to_end.epochs = 2;
  options->end_to_end.warm_up = 4;
  options->end_to_end.sampler.regions = 32;
  options->end_to_end.sampler.mosaic = 0.5;
  options->end_to_end.sampler.blend = 0.5;
}

static gboolean
stop_joint (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !(g_str_equal (stage, "end-to-end") && fraction > *(gdouble *) user_data);
}

/* With all that is drawn from the network itself, mosaics, blends, a stage of context and levels around the regions. */
static void
test_joint_resume_equals_unbroken (Fixture *fixture, gconstpointer user_data)
{
  static const gdouble stop = 0.4;
  g_autoptr (GBytes) unbroken = NULL, resumed = NULL;
  g_autoptr (SppnetModel) model = NULL;
  const SppnetConfig *config;

  joint_options (fixture);
  fixture->options.context[0] = 8;
  fixture->options.context[1] = 16;
  fixture->options.n_around = 1;
  fixture->options.around[0] = 2;
  fixture->options.end_to_end.threads = 1;
  train (fixture, NULL, NULL);
  unbroken = read_output (fixture);
  model = sppnet_model_load (fixture->output, NULL);
  config = sppnet_model_get_config (model);
  g_assert_cmpuint (config->n_layers, ==, 3 + 5);
  g_assert_cmpint (sppnet_config_geometry (config).stride, ==, 8);
  g_assert_cmpuint (config->n_levels, ==, 5);
  g_assert_cmpfloat (config->scales[4], ==, 3);
  g_remove (fixture->output);
  remove_tree (fixture->work);
  fixture->options.end_to_end.threads = 2;
  g_assert_false (sppnet_train (&fixture->options, stop_joint, (gpointer) &stop, NULL));
  train (fixture, NULL, NULL);
  resumed = read_output (fixture);
  g_assert_true (g_bytes_equal (unbroken, resumed));
}

/* The paper's last stages learn from the network's proposals. */
static void
test_joint_svm (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetModel) model = NULL;

  joint_options (fixture);
  fixture->options.classifier = SPPNET_TRAIN_SVM;
  fixture->options.box = SPPNET_TRAIN_BOX_RIDGE;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpint (sppnet_model_get_config (model)->classifier, ==, SPPNET_CLASSIFIER_SVM);
  g_assert_cmpint (sppnet_model_get_config (model)->box_from, ==, SPPNET_BOX_FROM_REGION);
}

/* The new label's box regression learns from the regions that the result recommends, not from those of a network that
 * never saw such objects; an untrained one here, whose boxes fit nothing. */
static void
test_add_class (Fixture *fixture, gconstpointer user_data)
{
  SppnetTrainOptions *options = &fixture->options;
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autofree gchar *second = g_build_filename (fixture->dir, "second.safetensors", NULL);
  gchar *disk[] = { (gchar *) "disk", NULL };
  g_autoptr (SppnetModel) model = NULL;
  const gfloat *weight;
  gdouble sum = 0.0;
  gsize n;

  joint_options (fixture);
  options->rpn_joint = FALSE;
  options->labels = disk;
  options->classifier = SPPNET_TRAIN_SVM;
  options->box = SPPNET_TRAIN_BOX_RIDGE;
  options->output = first;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  options->rpn_only = TRUE;
  options->rpn.epochs = 0;
  options->init = first;
  options->output = second;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  options->rpn_only = FALSE;
  options->n_head = 0;
  options->labels = NULL;
  options->add_class = "square";
  options->init = second;
  options->output = fixture->output;
  train (fixture, NULL, NULL);
  model = sppnet_model_load (fixture->output, NULL);
  g_assert_cmpint (sppnet_model_get_config (model)->proposals, ==, SPPNET_PROPOSALS_SELECTIVE_SEARCH);
  weight = sppnet_model_get_tensor (model, "box.weight", &n);
  for (gsize i = n / 2; i < n; i++)
    sum += fabs ((gdouble) weight[i]);
  g_assert_cmpfloat (sum, >, 0.0);
}

/* A model's network is trained further unless another is asked for. */
static void
test_joint_again (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  const gchar *output = fixture->options.output;

  joint_options (fixture);
  fixture->options.end_to_end.epochs = 0;
  fixture->options.dtype = SPPNET_DTYPE_F32;
  fixture->options.output = first;
  train (fixture, NULL, NULL);
  for (guint new = 0; new < 2; new ++) {
    g_autoptr (SppnetModel) before = NULL, after = NULL;
    const gfloat *a, *b;
    gsize n, m;

    remove_tree (fixture->work);
    fixture->options.init = first;
    fixture->options.output = output;
    fixture->options.rpn_new = new;
    fixture->options.rpn.filters = new ? 12 : 24;
    train (fixture, NULL, NULL);
    before = sppnet_model_load (first, NULL);
    after = sppnet_model_load (output, NULL);
    a = sppnet_model_get_tensor (before, "rpn.weight", &n);
    b = sppnet_model_get_tensor (after, "rpn.weight", &m);
    if (new)
      g_assert_cmpuint (m, ==, n / 2);
    else
      g_assert_cmpmem (a, n * sizeof *a, b, m * sizeof *b);
  }
}

/* An annotation that is wrong about its picture stops this training, too. */
static void
test_joint_wrong_size (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *path = g_build_filename (fixture->dir, "Annotations", "003.xml", NULL), *content = NULL;
  g_autoptr (GError) error = NULL;
  gchar *width;

  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  width = strstr (content, "<width>160");
  memcpy (width, "<width>161", 10);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  joint_options (fixture);
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "003.png"));
}

static gboolean
stop_after_head (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !g_str_equal (stage, "region proposal network");
}

/* After the head, in one go, and stopped in between, it is what it is by itself. */
static void
test_after_head (Fixture *fixture, gconstpointer user_data)
{
  SppnetTrainOptions *options = &fixture->options;
  g_autofree gchar *first = g_build_filename (fixture->dir, "first.safetensors", NULL);
  g_autofree gchar *head = g_build_filename (fixture->dir, "head.safetensors", NULL);
  g_autoptr (GBytes) by_itself = NULL, after = NULL;
  g_autoptr (GError) error = NULL;

  joint_options (fixture);
  options->rpn_joint = FALSE;
  options->dtype = SPPNET_DTYPE_F32;
  options->output = first;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  options->init = first;
  options->n_head = options->n_levels = 0;
  options->heads_only = TRUE;
  options->end_to_end.seed = 3;
  options->output = head;
  train (fixture, NULL, NULL);
  remove_tree (fixture->work);
  options->init = head;
  options->heads_only = FALSE;
  options->rpn_only = TRUE;
  options->output = fixture->output;
  train (fixture, NULL, NULL);
  by_itself = read_output (fixture);
  remove_tree (fixture->work);
  options->init = first;
  options->rpn_only = FALSE;
  options->heads_only = options->rpn_joint = TRUE;
  g_assert_false (sppnet_train (options, stop_after_head, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
  train (fixture, NULL, NULL);
  after = read_output (fixture);
  g_assert_true (g_bytes_equal (by_itself, after));
}

/* A network for the maps of one model is none for those of another, though its layers are the same. */
static void
test_other_maps (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gchar *other = g_build_filename (fixture->dir, "other.safetensors", NULL);
  SppnetTrainOptions *options = &fixture->options;
  g_autoptr (GBytes) after = NULL;

  train (fixture, NULL, NULL);
  options->rpn_only = FALSE;
  options->output = other;
  options->end_to_end.epochs = 1;
  train (fixture, NULL, NULL);
  options->rpn_only = TRUE;
  options->init = other;
  options->output = fixture->output;
  after = train_anew (fixture);
}

#define ADD(name, function) g_test_add ("/train/rpn/" name, Fixture, NULL, set_up, function, end_training)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("learns", test_learns);
  ADD ("resume-equals-unbroken", test_resume_equals_unbroken);
  ADD ("again", test_again);
  ADD ("end-to-end-drops-it", test_end_to_end_drops_it);
  ADD ("joint", test_joint);
  ADD ("joint-resume-equals-unbroken", test_joint_resume_equals_unbroken);
  ADD ("joint-svm", test_joint_svm);
  ADD ("add-class", test_add_class);
  ADD ("joint-again", test_joint_again);
  ADD ("joint-wrong-size", test_joint_wrong_size);
  ADD ("after-head", test_after_head);
  ADD ("other-maps", test_other_maps);
  return g_test_run ();
}
