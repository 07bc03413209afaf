/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head against its definition in double precision, on weights in the order of the file. */
#include "head/head.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "head/weights.h"
#include "tiny-model.h"

#define CHANNELS 5
#define BINS (1 + 4 + 9 + 36)
#define POOLED (BINS * CHANNELS)
#define MOST_FILTERS 32
#define FINEST 6

static const gchar *const labels[] = { "ant", "bee", "cat", NULL };

static void
fill_random (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  SppnetRandom *random = user_data;

  for (gsize i = 0; i < n; i++)
    data[i] = (gfloat) sppnet_random_normal (random) * 0.2f;
}

static void
init_config (SppnetConfig *config, guint n_head, SppnetClassifier classifier, SppnetBoxInput box)
{
  const SppnetHeadLayer layers[2] = {
    { .name = "fc6", .outputs = 150, .activation = SPPNET_ACTIVATION_RELU },
    { .name = "fc7", .outputs = 33, .activation = SPPNET_ACTIVATION_LEAKY, .slope = 0.1f },
  };

  sppnet_config_init (config);
  config->name = g_strdup ("tiny");
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv1", .filters = CHANNELS, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  config->n_levels = 4;
  config->levels[0] = 1;
  config->levels[1] = 2;
  config->levels[2] = 3;
  config->levels[3] = FINEST;
  config->n_head = n_head;
  memcpy (config->head, layers, n_head * sizeof *layers);
  config->classifier = classifier;
  config->box_input = box;
  for (guint i = 0; i < 4; i++) {
    config->box_mean[i] = 0.1f * i;
    config->box_scale[i] = 0.5f + 0.25f * i;
  }
  tiny_labels (config, labels);
}

static SppnetModel *
new_model (const SppnetConfig *config, guint64 seed)
{
  SppnetRandom random = { seed };

  return tiny_model_new (config, fill_random, &random);
}

/* [n][POOLED] in the engine's order: whole steps, when the largest of each channel is 1, as it is in the first bin. */
static gfloat *
new_pooled (gsize n, guint64 seed)
{
  SppnetRandom random = { seed };
  gfloat *pooled = g_new (gfloat, (n + 1) * POOLED);

  for (gsize i = 0; i < n * POOLED; i++)
    pooled[i]
        = i < CHANNELS ? 1.0f : (gfloat) sppnet_random_below (&random, SPPNET_STEP_LARGEST + 1) / SPPNET_STEP_LARGEST;
  return pooled;
}

static gboolean
run_head (SppnetHead *head, const gfloat *vectors, gsize n, guint threads, SppnetPooledMemory *memory,
          SppnetPooled *pooled, const gfloat **confidence)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = sppnet_pooled_from_floats (memory, vectors, n, BINS, CHANNELS, pooled, &error)
                && sppnet_head_run (head, pooled, threads, confidence, &error);

  g_assert_no_error (error);
  return ok;
}

/* Level by level: from [bins][channels] to [channels][bins]. */
static void
to_file_order (const SppnetConfig *config, const gfloat *pooled, gdouble *out)
{
  for (guint l = 0; l < config->n_levels; l++) {
    gint bins = config->levels[l] * config->levels[l];

    for (gint c = 0; c < CHANNELS; c++)
      for (gint b = 0; b < bins; b++)
        *out++ = pooled[b * CHANNELS + c];
    pooled += bins * CHANNELS;
  }
}

static void
naive_dense (SppnetModel *model, const gchar *name, const gdouble *x, gsize inputs, gsize outputs, gdouble slope,
             gdouble *y)
{
  g_autofree gchar *weight_name = g_strconcat (name, ".weight", NULL);
  g_autofree gchar *bias_name = g_strconcat (name, ".bias", NULL);
  gsize n;
  const gfloat *weight = sppnet_model_get_tensor (model, weight_name, &n);
  const gfloat *bias = sppnet_model_get_tensor (model, bias_name, NULL);

  g_assert_cmpuint (n, ==, inputs * outputs);
  for (gsize o = 0; o < outputs; o++) {
    gdouble sum = bias[o];

    for (gsize i = 0; i < inputs; i++)
      sum += weight[o * inputs + i] * x[i];
    y[o] = sum < 0.0 ? sum * slope : sum;
  }
}

static void
naive_confidence (const SppnetConfig *config, const gdouble *scores, gdouble *confidence)
{
  gboolean is_softmax = config->classifier == SPPNET_CLASSIFIER_SOFTMAX;
  gdouble sum = 0.0;

  for (guint i = 0; i <= config->n_labels && is_softmax; i++)
    sum += exp (scores[i]);
  for (guint i = 0; i < config->n_labels; i++) {
    gdouble p = is_softmax ? exp (scores[i + 1]) / sum : 0.0;
    gdouble score = is_softmax ? log (p / (1.0 - p)) : scores[i];
    gdouble a = config->calibration ? config->calibration[2 * i] : -1.0;
    gdouble b = config->calibration ? config->calibration[2 * i + 1] : 0.0;

    confidence[i] = 1.0 / (1.0 + exp (a * score + b));
  }
}

/* The region layers over the bins of level 6, or 3 where that pools a larger window, and their result in the file's
 * order after the pooled vector. */
static void
naive_region_layers (SppnetModel *model, const gfloat *pooled, gdouble *features)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  gdouble in[FINEST][FINEST][MOST_FILTERS] = { 0 }, out[FINEST][FINEST][MOST_FILTERS];
  gint level = config->scales[3] == 1.0f ? FINEST : 3, first = level == 3 ? 1 + 4 : 1 + 4 + 9, bins = level * level;

  for (gint b = 0; b < bins; b++)
    for (gint c = 0; c < CHANNELS; c++)
      in[b / level][b % level][c] = pooled[(first + b) * CHANNELS + c];
  for (guint i = 0; i < config->n_region_layers; i++) {
    const SppnetLayer *layer = &config->region_layers[i];
    g_autofree gchar *weight_name = g_strconcat (layer->name, ".weight", NULL);
    g_autofree gchar *bias_name = g_strconcat (layer->name, ".bias", NULL);
    const gfloat *weight = sppnet_model_get_tensor (model, weight_name, NULL);
    const gfloat *bias = sppnet_model_get_tensor (model, bias_name, NULL);
    gint channels = sppnet_config_region_channels (config, i);

    for (gint f = 0; f < layer->filters; f++)
      for (gint b = 0; b < bins; b++) {
        gdouble sum = bias[f];

        for (gint c = 0; c < channels; c++)
          for (gint k = 0; k < 9; k++) {
            gint y = b / level + k / 3 - 1, x = b % level + k % 3 - 1;

            if (x >= 0 && x < level && y >= 0 && y < level)
              sum += weight[(f * channels + c) * 9 + k] * in[y][x][c];
          }
        out[b / level][b % level][f]
            = sum < 0.0 ? sum * sppnet_activation_slope (layer->activation, layer->slope) : sum;
      }
    memcpy (in, out, sizeof in);
  }
  for (gint i = 0; i < sppnet_config_region_features (config); i++)
    features[i] = in[i % bins / level][i % level][i / bins];
}

/* deltas: [n_labels][4] */
static void
naive_head (SppnetModel *model, const gfloat *pooled, gdouble *confidence, gdouble *deltas)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  gdouble vector[POOLED], x[1024], y[1024];
  gsize inputs = POOLED + (gsize) sppnet_config_region_features (config);
  gsize classes = config->n_labels + (config->classifier == SPPNET_CLASSIFIER_SOFTMAX);

  to_file_order (config, pooled, vector);
  memcpy (x, vector, sizeof vector);
  naive_region_layers (model, pooled, x + POOLED);
  for (guint i = 0; i < config->n_head; i++) {
    const SppnetHeadLayer *layer = &config->head[i];

    naive_dense (model, layer->name, x, inputs, layer->outputs, i == 0 ? 0.0 : 0.1, y);
    inputs = layer->outputs;
    memcpy (x, y, sizeof x);
  }
  naive_dense (model, "classifier", x, inputs, classes, 1.0, y);
  naive_confidence (config, y, confidence);
  if (config->box_input == SPPNET_BOX_NONE)
    return;
  if (config->box_input == SPPNET_BOX_POOLED)
    naive_dense (model, "box", vector, POOLED, config->n_labels * 4, 1.0, deltas);
  else
    naive_dense (model, "box", x, inputs, config->n_labels * 4, 1.0, deltas);
  for (guint i = 0; i < config->n_labels * 4; i++)
    deltas[i] = deltas[i] * config->box_scale[i % 4] + config->box_mean[i % 4];
}

static void
check_region (SppnetModel *model, const gfloat *pooled, const gfloat *confidence, const gfloat *deltas)
{
  gdouble expected[G_N_ELEMENTS (labels)], expected_deltas[4 * G_N_ELEMENTS (labels)];
  guint n_labels = sppnet_model_get_n_labels (model);

  naive_head (model, pooled, expected, expected_deltas);
  /* The first layer has its weights in 16 bits. */
  for (guint i = 0; i < n_labels; i++)
    g_assert_cmpfloat_with_epsilon (confidence[i], expected[i], 3e-3);
  for (guint i = 0; deltas && i < n_labels * 4; i++)
    g_assert_cmpfloat_with_epsilon (deltas[i], expected_deltas[i], 1e-2);
}

static void
check_config (const SppnetConfig *config, gsize n, guint threads)
{
  g_autoptr (SppnetModel) model = new_model (config, 7 + n);
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetHead) head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, &error);
  g_autofree gfloat *pooled = new_pooled (n, 11);
  g_autofree SppnetRegionLabel *pairs = g_new (SppnetRegionLabel, n * 3 + 1);
  const gfloat *confidence, *deltas;
  g_auto (SppnetPooledMemory) memory = { 0 };
  SppnetPooled steps;

  g_assert_no_error (error);
  for (guint32 i = 0; i < n * 3; i++)
    pairs[i] = (SppnetRegionLabel) { i / 3, i % 3 };
  g_assert_true (run_head (head, pooled, n, threads, &memory, &steps, &confidence));
  g_assert_true (sppnet_head_regress (head, &steps, pairs, n * 3, threads, &deltas, &error));
  g_assert_true ((deltas != NULL) == (config->box_input != SPPNET_BOX_NONE));
  for (gsize r = 0; r < n; r++)
    check_region (model, pooled + r * POOLED, confidence + r * 3, deltas ? deltas + r * 12 : NULL);
}

static void
test_definition (void)
{
  const gsize counts[] = { 0, 1, 2, 255, 256, 257, 300 };

  for (guint n_head = 0; n_head <= 2; n_head++)
    for (gint classifier = SPPNET_CLASSIFIER_SOFTMAX; classifier <= SPPNET_CLASSIFIER_SVM; classifier++)
      for (gint box = SPPNET_BOX_NONE; box <= SPPNET_BOX_HEAD; box++) {
        g_auto (SppnetConfig) config;

        init_config (&config, n_head, classifier, box);
        for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
          check_config (&config, counts[i], 1 + i % 3);
      }
}

static void
add_region_layers (SppnetConfig *config)
{
  config->n_region_layers = 2;
  config->region_layers[0] = sppnet_config_region_layer ("region1", MOST_FILTERS, SPPNET_ACTIVATION_RELU, 0.0f);
  config->region_layers[1] = sppnet_config_region_layer ("region2", 7, SPPNET_ACTIVATION_LEAKY, 0.1f);
}

static void
test_region_layers (void)
{
  const gsize counts[] = { 0, 1, 2, 15, 16, 17, 300 };

  for (guint n_head = 1; n_head <= 2; n_head++)
    for (gint box = SPPNET_BOX_NONE; box <= SPPNET_BOX_HEAD; box++) {
      g_auto (SppnetConfig) config;

      init_config (&config, n_head, SPPNET_CLASSIFIER_SOFTMAX, box);
      add_region_layers (&config);
      if (n_head == 2)
        config.scales[3] = 2.0f;
      for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
        check_config (&config, counts[i], 1 + i % 3);
    }
}

/* A region's confidences are the same bits wherever it is among others. */
static void
test_region_layers_alone (void)
{
  const gsize n = 40;
  g_auto (SppnetConfig) config;
  g_auto (SppnetPooledMemory) memory = { 0 };
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetHead) head = NULL;
  g_autofree gfloat *pooled = new_pooled (n, 3), *together = NULL;
  const gfloat *confidence;
  SppnetPooled steps;

  init_config (&config, 2, SPPNET_CLASSIFIER_SOFTMAX, SPPNET_BOX_NONE);
  add_region_layers (&config);
  model = new_model (&config, 5);
  head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  for (gsize i = 0; i < n; i++)
    memcpy (pooled + i * POOLED, pooled, CHANNELS * sizeof *pooled);
  g_assert_true (run_head (head, pooled, n, 2, &memory, &steps, &confidence));
  together = g_memdup2 (confidence, n * 3 * sizeof (gfloat));
  for (gsize i = 0; i < n; i++) {
    g_assert_true (run_head (head, pooled + i * POOLED, n - i, 1, &memory, &steps, &confidence));
    g_assert_cmpmem (together + i * 3, 3 * sizeof (gfloat), confidence, 3 * sizeof (gfloat));
  }
}

static void
test_calibration (void)
{
  for (gint classifier = SPPNET_CLASSIFIER_SOFTMAX; classifier <= SPPNET_CLASSIFIER_SVM; classifier++) {
    const gfloat calibration[] = { -1.0f, 0.0f, -2.5f, 0.75f, -0.3f, -1.0f };
    g_auto (SppnetConfig) config;

    init_config (&config, 1, classifier, SPPNET_BOX_NONE);
    config.calibration = g_memdup2 (calibration, sizeof calibration);
    check_config (&config, 20, 2);
  }
}

static void
test_threads_give_the_same_bits (void)
{
  const gsize n = 700;
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autofree gfloat *pooled = new_pooled (n, 3), *first = NULL;

  init_config (&config, 2, SPPNET_CLASSIFIER_SOFTMAX, SPPNET_BOX_NONE);
  add_region_layers (&config);
  model = new_model (&config, 5);
  for (guint threads = 1; threads <= 5; threads++) {
    g_autoptr (SppnetHead) head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, NULL);
    const gfloat *confidence;
    g_auto (SppnetPooledMemory) memory = { 0 };
    SppnetPooled steps;

    g_assert_true (run_head (head, pooled, n, threads, &memory, &steps, &confidence));
    if (!first)
      first = g_memdup2 (confidence, n * 3 * sizeof (gfloat));
    g_assert_cmpmem (first, n * 3 * sizeof (gfloat), confidence, n * 3 * sizeof (gfloat));
  }
}

/* What is not finite in one region must not become a detection, nor touch the regions beside it. */
static void
test_not_finite (void)
{
  const gfloat bad[] = { NAN, INFINITY, -INFINITY, 3e38f };

  for (gint classifier = SPPNET_CLASSIFIER_SOFTMAX; classifier <= SPPNET_CLASSIFIER_SVM; classifier++)
    for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
      const gfloat calibration[] = { 1.0f, -5.0f, 1.0f, -5.0f, 1.0f, -5.0f };
      g_auto (SppnetConfig) config;
      g_autoptr (SppnetModel) model = NULL;
      g_autoptr (SppnetHead) head = NULL;
      g_autofree gfloat *pooled = new_pooled (3, 9);
      g_auto (SppnetPooledMemory) memory = { 0 };
      const gfloat *confidence;
      SppnetPooled steps;

      init_config (&config, 0, classifier, SPPNET_BOX_NONE);
      config.calibration = g_memdup2 (calibration, sizeof calibration);
      model = new_model (&config, 2);
      head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, NULL);
      for (guint k = 0; k < POOLED; k++)
        pooled[POOLED + k] = bad[i];
      g_assert_true (run_head (head, pooled, 3, 1, &memory, &steps, &confidence));
      for (guint label = 0; label < 3 && bad[i] != 3e38f; label++)
        g_assert_cmpfloat (confidence[3 + label], ==, 0.0f);
      for (guint k = 0; k < 9; k++)
        g_assert_true (confidence[k] >= 0.0f && confidence[k] <= 1.0f);
      /* Beside what is so large, though finite, nothing is left of the others. */
      if (isfinite (bad[i]))
        continue;
      check_region (model, pooled, confidence, NULL);
      check_region (model, pooled + 2 * POOLED, confidence + 6, NULL);
    }
}

static void
fill_large (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  for (gsize i = 0; i < n; i++)
    data[i] = i % 2 ? 30.0f : -30.0f;
}

/* Scores in the hundreds, whose exponentials are not floats. */
static void
test_large_scores (void)
{
  for (gint classifier = SPPNET_CLASSIFIER_SOFTMAX; classifier <= SPPNET_CLASSIFIER_SVM; classifier++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetHead) head = NULL;
    g_autofree gfloat *pooled = new_pooled (2, 4);
    g_auto (SppnetPooledMemory) memory = { 0 };
    const gfloat *confidence;
    SppnetPooled steps;
    gfloat sum = 0.0f;

    init_config (&config, 0, classifier, SPPNET_BOX_NONE);
    model = tiny_model_new (&config, fill_large, NULL);
    head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, NULL);
    for (guint k = 1; k < POOLED; k += 2)
      pooled[k] = 20.0f;
    g_assert_true (run_head (head, pooled, 2, 1, &memory, &steps, &confidence));
    for (guint label = 0; label < 3; label++) {
      g_assert_true (confidence[label] >= 0.0f && confidence[label] <= 1.0f);
      sum += confidence[label];
    }
    g_assert_true (classifier == SPPNET_CLASSIFIER_SVM || sum <= 1.0f + 1e-5f);
  }
}

static void
test_weights_are_shared (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  const SppnetHeadWeights *weights;

  init_config (&config, 1, SPPNET_CLASSIFIER_SOFTMAX, SPPNET_BOX_POOLED);
  model = new_model (&config, 1);
  weights = sppnet_head_weights (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_assert_true (weights == sppnet_head_weights (model, SPPNET_PRECISION_FLOAT32, NULL));
  g_assert_nonnull (weights->first.weight);
  g_assert_nonnull (weights->others[0].weight);
  g_assert_nonnull (weights->box.reordered);
}

static void
test_model_without_labels (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;

  init_config (&config, 0, SPPNET_CLASSIFIER_SOFTMAX, SPPNET_BOX_NONE);
  g_strfreev (config.labels);
  config.labels = NULL;
  config.n_labels = 0;
  model = new_model (&config, 1);
  g_assert_null (sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "no labels"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/head/definition", test_definition);
  g_test_add_func ("/head/region-layers", test_region_layers);
  g_test_add_func ("/head/region-layers-alone", test_region_layers_alone);
  g_test_add_func ("/head/calibration", test_calibration);
  g_test_add_func ("/head/threads", test_threads_give_the_same_bits);
  g_test_add_func ("/head/not-finite", test_not_finite);
  g_test_add_func ("/head/large-scores", test_large_scores);
  g_test_add_func ("/head/shared", test_weights_are_shared);
  g_test_add_func ("/head/no-labels", test_model_without_labels);
  return g_test_run ();
}
