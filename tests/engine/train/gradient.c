/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of whole networks against central differences. */
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/memory.h"
#include "train/pass.h"

#define WIDTH 37
#define HEIGHT 29
#define REGIONS 6

static SppnetLayer
conv (const gchar *name, gint filters, gint kernel, gint stride, gint pad, SppnetActivation activation)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV,
                        .filters = filters,
                        .kernel_width = kernel,
                        .kernel_height = kernel,
                        .stride = stride,
                        .pad_x = pad,
                        .pad_y = pad,
                        .activation = activation,
                        .slope = 0.1f };

  g_strlcpy (layer.name, name, sizeof layer.name);
  return layer;
}

static SppnetLayer
pool (SppnetLayerKind kind, gint kernel, gint stride, gint pad, gboolean ceil_mode)
{
  return (SppnetLayer) { .kind = kind,
                         .name = "pool",
                         .kernel_width = kernel,
                         .kernel_height = kernel,
                         .stride = stride,
                         .pad_x = pad,
                         .pad_y = pad,
                         .ceil_mode = ceil_mode };
}

static SppnetLayer
lrn (gboolean within, gint size)
{
  /* A strong normalisation, so that its gradient shows. */
  return (SppnetLayer) { .kind = SPPNET_LAYER_LRN,
                         .name = "norm",
                         .lrn_size = size,
                         .lrn_within_channel = within,
                         .lrn_alpha = 0.7f,
                         .lrn_beta = 0.75f,
                         .lrn_k = 1.0f };
}

static void
base_config (SppnetConfig *config)
{
  static const gchar *const labels[] = { "a", "b", "c", NULL };

  sppnet_config_init (config);
  config->labels = g_strdupv ((gchar **) labels);
  config->n_labels = 3;
  config->pooling = SPPNET_POOLING_SPP;
  config->n_levels = 2;
  config->levels[0] = 1;
  config->levels[1] = 3;
  config->n_head = 2;
  config->head[0]
      = (SppnetHeadLayer) { .name = "fc6", .outputs = 11, .activation = SPPNET_ACTIVATION_RELU, .dropout = 0.3f };
  config->head[1] = (SppnetHeadLayer) {
    .name = "fc7", .outputs = 7, .activation = SPPNET_ACTIVATION_LEAKY, .slope = 0.2f, .dropout = 0.2f
  };
  config->box_input = SPPNET_BOX_HEAD;
  for (gint i = 0; i < 4; i++)
    config->box_scale[i] = 1.0f;
}

typedef struct
{
  gfloat *input;
  SppnetSamples samples;
  SppnetBox boxes[REGIONS];
  gint target[REGIONS];
  gfloat box_target[REGIONS][4];
  gfloat weight[REGIONS];
  SppnetRpnTargets anchors;
} Example;

static void
fill_example (Example *example, const SppnetConfig *config, SppnetRandom *random)
{
  SppnetBox objects[] = { { 3, 2, 20, 14 }, { 15, 10, 12, 16 } };
  SppnetMap map = { .geometry = sppnet_config_geometry (config) };
  SppnetRpnObjects all = { 2, 0, objects };
  SppnetAnchorGrid grid;

  example->input = g_new (gfloat, WIDTH * HEIGHT * 3);
  for (gint i = 0; i < WIDTH * HEIGHT * 3; i++)
    example->input[i] = (gfloat) sppnet_random_normal (random);
  for (gint i = 0; i < REGIONS; i++) {
    example->boxes[i]
        = (SppnetBox) { sppnet_random_below (random, WIDTH / 2), sppnet_random_below (random, HEIGHT / 2),
                        1 + sppnet_random_below (random, WIDTH / 2), 1 + sppnet_random_below (random, HEIGHT / 2) };
    example->target[i] = (gint) sppnet_random_below (random, 4);
    example->weight[i] = 1.0f - 0.2f * (gfloat) (i % 5);
    for (gint c = 0; c < 4; c++)
      example->box_target[i][c] = (gfloat) (0.3 * sppnet_random_normal (random));
  }
  example->samples = (SppnetSamples) { .n = REGIONS,
                                       .boxes = example->boxes,
                                       .target = example->target,
                                       .box_target = example->box_target,
                                       .weight = example->weight };
  example->anchors = (SppnetRpnTargets) { 0 };
  if (config->rpn.n_anchors == 0)
    return;
  sppnet_config_map_size (config, WIDTH, HEIGHT, &map.width, &map.height);
  grid = sppnet_anchor_grid (config, &map);
  g_assert_true (sppnet_rpn_targets_draw (&example->anchors, &grid, &config->rpn, &all, 60, random, NULL));
  g_assert_cmpuint (example->anchors.n_positive, >, 1);
  example->samples.rpn = &example->anchors;
}

static gdouble
loss_of (SppnetPass *pass, const SppnetNetwork *network, const Example *example, gfloat *gradient)
{
  SppnetRandom dropout = { 5 }; /* the same units fall out every time */
  g_autoptr (GError) error = NULL;
  SppnetLoss loss;

  sppnet_pass_forward (pass, network, example->input, WIDTH, HEIGHT, &error);
  g_assert_no_error (error);
  sppnet_pass_learn (pass, network, &example->samples, &dropout, 1.0f, gradient, &loss, &error);
  g_assert_no_error (error);
  return loss.classification + loss.box + loss.rpn.objectness + loss.rpn.box;
}

/* Differences of float losses are noisy, and a step may cross a kink of max or ReLU: nearly all of the sampled
 * parameters of each segment must agree, and their gradient vectors must point the same way. */
static void
check_segment (SppnetPass *pass, SppnetNetwork *network, const Example *example, const gfloat *gradient,
               const SppnetSegment *segment, SppnetRandom *random)
{
  gdouble dot = 0.0, analytic = 0.0, numeric = 0.0;
  guint tries = (guint) MIN (segment->count, 24);

  for (guint k = 0; k < tries; k++) {
    gsize i = segment->offset + sppnet_random_below (random, (guint32) segment->count);
    gfloat kept = network->params[i], step = 2e-3f;
    gdouble up, down, difference;

    network->params[i] = kept + step;
    up = loss_of (pass, network, example, NULL);
    network->params[i] = kept - step;
    down = loss_of (pass, network, example, NULL);
    network->params[i] = kept;
    difference = (up - down) / (2.0 * step);
    dot += difference * gradient[i];
    analytic += (gdouble) gradient[i] * gradient[i];
    numeric += difference * difference;
  }
  if (analytic < 1e-10 && numeric < 1e-7)
    return;
  g_test_message ("segment at %" G_GSIZE_FORMAT ": cosine %.5f, lengths %.5g and %.5g", segment->offset,
                  dot / sqrt (analytic * numeric), sqrt (analytic), sqrt (numeric));
  g_assert_cmpfloat (dot / sqrt (analytic * numeric), >, 0.98);
  g_assert_cmpfloat (sqrt (analytic / numeric), >, 0.95);
  g_assert_cmpfloat (sqrt (analytic / numeric), <, 1.05);
}

/* taught: a part of what the classifier learns comes from elsewhere, and the rest is uncertain */
static void
check_gradient (const SppnetConfig *config, gboolean taught)
{
  SppnetRandom random = { 42 };
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetNetwork) network = sppnet_network_new (config, &random, &error);
  g_autoptr (SppnetPass) pass = NULL;
  g_autofree gfloat *gradient = NULL;
  gfloat probabilities[REGIONS][4], certainty[REGIONS];
  gint nearest[REGIONS];
  Example example;

  g_assert_no_error (error);
  pass = sppnet_pass_new (network, NULL);
  fill_example (&example, &network->config, &random);
  if (taught) {
    for (guint i = 0; i < REGIONS; i++) {
      gfloat sum = 0;

      for (guint c = 0; c < 4; c++)
        sum += probabilities[i][c] = (gfloat) sppnet_random_uniform (&random);
      for (guint c = 0; c < 4; c++)
        probabilities[i][c] /= sum;
    }
    example.samples.taught = &probabilities[0][0];
    example.samples.taught_part = 0.6f;
    for (guint i = 0; i < REGIONS; i++) {
      nearest[i] = (gint) sppnet_random_below (&random, 4);
      certainty[i] = (gfloat) sppnet_random_uniform (&random);
    }
    example.samples.nearest = nearest;
    example.samples.certainty = certainty;
  }
  /* Larger output weights and biases than a start has, so that every path carries gradient. */
  for (guint s = 0; s < network->n_segments; s++)
    for (gsize i = 0; i < network->segments[s].count; i++)
      network->params[network->segments[s].offset + i] += (gfloat) (0.05 * sppnet_random_normal (&random));
  gradient = g_new0 (gfloat, network->n_params);
  loss_of (pass, network, &example, gradient);
  for (guint s = 0; s < network->n_segments; s++)
    check_segment (pass, network, &example, gradient, &network->segments[s], &random);
  g_free (example.input);
  sppnet_rpn_targets_clear (&example.anchors);
}

static void
check_network (const SppnetConfig *config)
{
  check_gradient (config, FALSE);
}

static void
one_layer_config (SppnetConfig *config)
{
  base_config (config);
  config->n_layers = 1;
  config->layers[0] = conv ("conv1", 6, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
}

static void
test_convolution_and_max_pooling (void)
{
  g_auto (SppnetConfig) config;

  base_config (&config);
  config.n_layers = 5;
  config.layers[0] = conv ("conv1", 6, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[1] = pool (SPPNET_LAYER_MAX_POOL, 2, 2, 0, TRUE);
  config.layers[2] = conv ("conv2", 5, 1, 1, 0, SPPNET_ACTIVATION_LEAKY);
  config.layers[3] = conv ("conv3", 8, 3, 2, 1, SPPNET_ACTIVATION_RELU);
  config.layers[4] = conv ("conv4", 4, 5, 1, 2, SPPNET_ACTIVATION_LINEAR);
  check_network (&config);
}

static void
test_average_pooling_and_normalisation (void)
{
  g_auto (SppnetConfig) config;

  base_config (&config);
  config.n_layers = 6;
  config.layers[0] = conv ("conv1", 6, 5, 2, 2, SPPNET_ACTIVATION_LEAKY);
  config.layers[1] = lrn (TRUE, 3);
  config.layers[2] = pool (SPPNET_LAYER_AVERAGE_POOL, 3, 2, 1, FALSE);
  config.layers[3] = conv ("conv2", 8, 3, 1, 0, SPPNET_ACTIVATION_LEAKY);
  config.layers[4] = lrn (FALSE, 5);
  config.layers[5] = pool (SPPNET_LAYER_MAX_POOL, 3, 1, 1, FALSE);
  check_network (&config);
}

static void
test_teachers (void)
{
  g_auto (SppnetConfig) config;

  one_layer_config (&config);
  check_gradient (&config, TRUE);
}

static void
test_region_layers (void)
{
  g_auto (SppnetConfig) config;

  one_layer_config (&config);
  config.n_region_layers = 2;
  config.region_layers[0] = sppnet_config_region_layer ("region1", 5, SPPNET_ACTIVATION_LEAKY, 0.4f);
  config.region_layers[1] = sppnet_config_region_layer ("region2", 7, SPPNET_ACTIVATION_LEAKY, 0.2f);
  check_network (&config);
}

static void
test_merge (void)
{
  g_auto (SppnetConfig) config;

  base_config (&config);
  config.n_layers = 6;
  config.layers[0] = conv ("conv1", 6, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[1] = conv ("conv2", 5, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[2] = pool (SPPNET_LAYER_MAX_POOL, 2, 2, 0, TRUE);
  config.layers[3] = conv ("conv3", 4, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[4] = conv ("merge1", 4, 1, 1, 0, SPPNET_ACTIVATION_LEAKY);
  config.layers[4].kind = SPPNET_LAYER_MERGE;
  config.layers[4].from = 1;
  config.layers[4].factor = 2;
  config.layers[5] = conv ("conv4", 4, 3, 1, 1, SPPNET_ACTIVATION_LINEAR);
  check_network (&config);
}

static void
test_roi_pooling (void)
{
  g_auto (SppnetConfig) config;

  base_config (&config);
  config.pooling = SPPNET_POOLING_ROI;
  config.n_levels = 1;
  config.levels[0] = 4;
  config.n_layers = 2;
  config.layers[0] = conv ("conv1", 6, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[1] = conv ("conv2", 6, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  check_network (&config);
}

/* The region proposal network's loss reaches the convolution layers, too. */
static void
test_region_proposal_network (void)
{
  g_auto (SppnetConfig) config;

  base_config (&config);
  config.n_layers = 3;
  config.layers[0] = conv ("conv1", 6, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[1] = pool (SPPNET_LAYER_MAX_POOL, 2, 2, 0, TRUE);
  config.layers[2] = conv ("conv2", 5, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  config.rpn.filters = 7;
  config.rpn.stride = 2;
  config.rpn.activation = SPPNET_ACTIVATION_LEAKY;
  config.rpn.slope = 0.3f;
  config.rpn.n_anchors = 3;
  for (guint a = 0; a < 3; a++) {
    config.rpn.anchors[a][0] = 8 + 6 * (gfloat) a;
    config.rpn.anchors[a][1] = 16 - 2 * (gfloat) a;
  }
  check_network (&config);
}

static void
test_gradient_accumulates (void)
{
  SppnetRandom random = { 7 };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetNetwork) network = NULL;
  g_autoptr (SppnetPass) pass = NULL;
  g_autofree gfloat *once = NULL, *twice = NULL;
  Example example;

  base_config (&config);
  config.n_layers = 1;
  config.layers[0] = conv ("conv1", 4, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  network = sppnet_network_new (&config, &random, NULL);
  pass = sppnet_pass_new (network, NULL);
  fill_example (&example, &network->config, &random);
  once = g_new0 (gfloat, network->n_params);
  twice = g_new0 (gfloat, network->n_params);
  loss_of (pass, network, &example, once);
  loss_of (pass, network, &example, twice);
  loss_of (pass, network, &example, twice);
  for (gsize i = 0; i < network->n_params; i++)
    g_assert_cmpfloat_with_epsilon (twice[i], 2.0f * once[i], 1e-5f + 1e-4f * fabsf (once[i]));
  g_free (example.input);
  sppnet_rpn_targets_clear (&example.anchors);
}

/* What the gradient could not be right of. */
static void
test_negative_slope (void)
{
  SppnetRandom random = { 7 };
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  base_config (&config);
  config.n_layers = 1;
  config.layers[0] = conv ("conv1", 4, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[0].slope = -0.1f;
  g_assert_null (sppnet_network_new (&config, &random, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "conv1"));
}

/* A network on the kernels of inference, as training runs it, against the same on matrix products. */
static void
test_packs (void)
{
  SppnetRandom random = { 9 };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetNetwork) network = NULL;
  g_autoptr (SppnetPacks) packs = NULL;
  g_autoptr (SppnetPass) reference = NULL, packed = NULL;
  g_autofree gfloat *expected = NULL, *got = NULL;
  Example example;

  base_config (&config);
  config.n_layers = 8;
  config.layers[0] = conv ("conv1", 16, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  /* More tiles of 4x4 than are worked on together. */
  config.layers[1] = conv ("conv2", 16, 3, 1, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[2] = pool (SPPNET_LAYER_MAX_POOL, 2, 2, 0, TRUE);
  config.layers[3] = conv ("conv3", 40, 3, 1, 1, SPPNET_ACTIVATION_RELU);
  config.layers[4] = conv ("conv4", 16, 1, 1, 0, SPPNET_ACTIVATION_LEAKY);
  config.layers[5] = conv ("conv5", 17, 3, 1, 0, SPPNET_ACTIVATION_LINEAR);
  config.layers[6] = conv ("conv6", 12, 3, 2, 1, SPPNET_ACTIVATION_LEAKY);
  config.layers[7] = conv ("conv7", 6, 5, 1, 1, SPPNET_ACTIVATION_LEAKY);
  network = sppnet_network_new (&config, &random, NULL);
  packs = sppnet_packs_new (network, NULL);
  reference = sppnet_pass_new (network, NULL);
  packed = sppnet_pass_new (network, packs);
  fill_example (&example, &network->config, &random);
  expected = g_new0 (gfloat, network->n_params);
  got = g_new0 (gfloat, network->n_params);
  /* Parameters that change are seen after an update. */
  for (gsize i = 0; i < network->n_params; i++)
    network->params[i] += (gfloat) (0.05 * sppnet_random_normal (&random));
  sppnet_packs_update (packs, 2);
  g_assert_cmpfloat_with_epsilon (loss_of (reference, network, &example, expected),
                                  loss_of (packed, network, &example, got), 1e-4);
  for (guint s = 0; s < network->n_segments; s++) {
    const SppnetSegment *segment = &network->segments[s];
    gdouble difference = 0.0, length = 0.0;

    for (gsize i = segment->offset; i < segment->offset + segment->count; i++) {
      difference += pow ((gdouble) got[i] - expected[i], 2.0);
      length += pow (expected[i], 2.0);
    }
    g_test_message ("segment at %" G_GSIZE_FORMAT ": relative difference %.2g", segment->offset,
                    sqrt (difference / length));
    g_assert_cmpfloat (sqrt (difference), <=, 1e-4 * sqrt (length));
  }
  g_free (example.input);
  sppnet_rpn_targets_clear (&example.anchors);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/gradient/region-layers", test_region_layers);
  g_test_add_func ("/train/gradient/teachers", test_teachers);
  g_test_add_func ("/train/gradient/convolution-and-max-pooling", test_convolution_and_max_pooling);
  g_test_add_func ("/train/gradient/average-pooling-and-normalisation", test_average_pooling_and_normalisation);
  g_test_add_func ("/train/gradient/merge", test_merge);
  g_test_add_func ("/train/gradient/roi-pooling", test_roi_pooling);
  g_test_add_func ("/train/gradient/region-proposal-network", test_region_proposal_network);
  g_test_add_func ("/train/gradient/packs", test_packs);
  g_test_add_func ("/train/gradient/negative-slope", test_negative_slope);
  g_test_add_func ("/train/gradient/accumulates", test_gradient_accumulates);
  return g_test_run ();
}
