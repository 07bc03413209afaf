/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which way each layer is run. */
#include "backbone/plan.h"

#include <math.h>

#include "backbone/winograd.h"

#include <string.h>

static gfloat packed[1];
static const SppnetWinogradKernels winograd = { .side = 6 };
static const SppnetWinogradKernels small_winograd = { .side = 4 };
static const SppnetConvKernels small_kernels = { .block = 32, .pixels = 6, .winograd = &small_winograd };
static const SppnetConvKernels kernels
    = { .block = 32, .pixels = 6, .winograd = &winograd, .small_tiles = &small_kernels };
static SppnetWeights weights;

static SppnetLayer
conv_layer (gint filters, gint kernel)
{
  return (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                         .filters = filters,
                         .kernel_width = kernel,
                         .kernel_height = kernel,
                         .stride = 1,
                         .pad_x = kernel / 2,
                         .pad_y = kernel / 2 };
}

static SppnetLayer
pool_layer (gint kernel, gint pad)
{
  return (SppnetLayer) { .kind = SPPNET_LAYER_MAX_POOL,
                         .kernel_width = kernel,
                         .kernel_height = kernel,
                         .stride = 2,
                         .pad_x = pad,
                         .pad_y = pad,
                         .ceil_mode = TRUE };
}

/* 3x3 to 16, pool, 3x3 to 32, pool, 1x1 to 16, 3x3 to 128 */
static void
make_config (SppnetConfig *config)
{
  sppnet_config_init (config);
  config->n_layers = 6;
  config->layers[0] = conv_layer (16, 3);
  config->layers[1] = pool_layer (2, 0);
  config->layers[2] = conv_layer (32, 3);
  config->layers[3] = pool_layer (2, 0);
  config->layers[4] = conv_layer (16, 1);
  config->layers[5] = conv_layer (128, 3);
}

/* A seventh layer, of the same channels, that adds the map after layer from to the last one. */
static void
add_merge (SppnetConfig *config, guint from, gint factor)
{
  SppnetLayer *merge = &config->layers[6];

  config->n_layers = 7;
  *merge = conv_layer (128, 1);
  merge->kind = SPPNET_LAYER_MERGE;
  merge->from = from;
  merge->factor = factor;
}

static void
make_plan (SppnetBackbonePlan *plan, const SppnetConfig *config, gint width, gint height, SppnetShape *shapes)
{
  memset (&weights, 0, sizeof weights);
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    gint channels = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, i));

    if (sppnet_layer_has_weights (layer))
      weights.conv[i] = (SppnetConv) {
        &kernels, layer, channels, packed, channels % 16 == 0 && layer->kernel_width == 3 ? packed : NULL, packed
      };
  }
  g_assert_cmpuint (sppnet_config_shapes (config, width, height, shapes), ==, config->n_layers);
  sppnet_backbone_plan_init (plan, config, &weights, shapes);
}

static void
test_methods (void)
{
  static const SppnetStep expected[] = { { 0, TRUE, 0, 0, SPPNET_METHOD_DIRECT, 1 },
                                         { 2, TRUE, 4, 0, SPPNET_METHOD_WINOGRAD, 3 },
                                         { 5, FALSE, 0, 0, SPPNET_METHOD_WINOGRAD, 6 } };
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;

  make_config (&config);
  make_plan (&plan, &config, 640, 480, shapes);
  g_assert_cmpuint (plan.n_steps, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < plan.n_steps; i++) {
    g_assert_cmpuint (plan.steps[i].layer, ==, expected[i].layer);
    g_assert_cmpint (plan.steps[i].pooled, ==, expected[i].pooled);
    g_assert_cmpuint (plan.steps[i].then, ==, expected[i].then);
    g_assert_cmpint (plan.steps[i].method, ==, expected[i].method);
    g_assert_cmpint (plan.steps[i].rows, ==, expected[i].rows);
  }
  /* A tile of which one pixel is wanted. */
  make_plan (&plan, &config, 1, 1, shapes);
  g_assert_cmpint (plan.steps[1].method, ==, SPPNET_METHOD_DIRECT);
  g_assert_cmpstr (sppnet_method_name (plan.steps[1].method), ==, "direct");
}

/* Small tiles where large ones would mostly lie beside the map, or have more weights to read than there is to do. */
static void
test_small_tiles (void)
{
  static const struct
  {
    gint width, height;
    SppnetMethod method;
    gint rows;
  } cases[] = { { 20, 15, SPPNET_METHOD_WINOGRAD_SMALL, 32 },
                { 8, 8, SPPNET_METHOD_WINOGRAD_SMALL, 80 },
                { 8, 2, SPPNET_METHOD_WINOGRAD_SMALL, 80 }, /* large tiles would be more work than none */
                { 2, 2, SPPNET_METHOD_DIRECT, 1 },
                { 40, 30, SPPNET_METHOD_WINOGRAD, 36 },
                { 60, 60, SPPNET_METHOD_WINOGRAD, 24 },
                { 480, 270, SPPNET_METHOD_WINOGRAD, 6 } };
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;
  SppnetStepCost cost;

  sppnet_config_init (&config);
  config.n_layers = 2;
  config.layers[0] = conv_layer (64, 1);
  config.layers[1] = conv_layer (512, 3);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    make_plan (&plan, &config, cases[i].width, cases[i].height, shapes);
    g_test_message ("%dx%d: %s", cases[i].width, cases[i].height, sppnet_method_name (plan.steps[1].method));
    g_assert_cmpint (plan.steps[1].method, ==, cases[i].method);
    g_assert_cmpint (plan.steps[1].rows, ==, cases[i].rows);
  }
  make_plan (&plan, &config, 20, 15, shapes);
  sppnet_step_cost (&plan.steps[1], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.products, ==, 20.0 * 36 * (64 * 512 + 9 * 64 + 10 * 512) + 12.0 * 36 * 64 * 512);
  /* Only the layer's own weights. */
  g_assert_cmpint (sppnet_plan_method (&weights.conv[1], &shapes[2]), ==, SPPNET_METHOD_WINOGRAD);
}

/* Pooling of another kind, or of a map that a merge needs, stays a step of its own. */
static void
test_not_pooled (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;

  make_config (&config);
  config.layers[1] = pool_layer (3, 1);
  add_merge (&config, 2, 2);
  config.layers[6].activation = SPPNET_ACTIVATION_RELU;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.n_steps, ==, 7);
  for (guint i = 0; i < plan.n_steps; i++) {
    g_assert_false (plan.steps[i].pooled);
    g_assert_cmpuint (plan.steps[i].layer, ==, i);
    g_assert_cmpuint (sppnet_step_output (&plan.steps[i]), ==, i + 1);
  }
  g_assert_cmpint (plan.steps[1].method, ==, SPPNET_METHOD_LAYER);
}

/* A map that a merge needs is stored, and what follows it a step of its own. */
static void
test_not_followed (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;

  make_config (&config);
  add_merge (&config, 3, 1);
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.n_steps, ==, 5);
  g_assert_cmpuint (plan.steps[1].then, ==, 0);
  g_assert_cmpuint (sppnet_step_output (&plan.steps[1]), ==, 4);
  config.layers[6].from = 4;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.n_steps, ==, 4);
  g_assert_cmpuint (plan.steps[1].then, ==, 4);
  /* Not of a 1x1 convolution with a stride, nor of one that no kernels run. */
  config.layers[4].stride = 2;
  config.layers[6].factor = 2;
  config.layers[6].from = 3;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.steps[1].then, ==, 0);
}

/* A pooled map that is otherwise only the finer one of the last layer's merge is not stored, and its part of the output
 * is computed with it. */
static void
test_joins (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;
  SppnetStepCost cost;

  make_config (&config);
  config.layers[2].filters = 128;
  add_merge (&config, 2, 2);
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.n_steps, ==, 5);
  g_assert_cmpuint (plan.steps[1].joins, ==, 6);
  g_assert_true (plan.steps[1].pooled);
  g_assert_cmpuint (plan.steps[1].then, ==, 0);
  g_assert_cmpuint (sppnet_step_output (&plan.steps[1]), ==, 4);
  g_assert_cmpint (plan.steps[4].method, ==, SPPNET_METHOD_ADD);
  sppnet_step_cost (&plan.steps[1], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.flop, ==, 2.0 * 32 * 32 * (144 * 128 + 128 * 128));
  sppnet_step_cost (&plan.steps[4], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.flop, ==, 0.0);

  /* Not for a merge of more channels than the map has, with an activation, for two, or for one that is not the last. */
  config.layers[2].filters = 127;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.steps[1].joins, ==, 0);
  config.layers[2].filters = 128;
  config.layers[6].activation = SPPNET_ACTIVATION_RELU;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.steps[1].joins, ==, 0);
  config.layers[6].activation = SPPNET_ACTIVATION_LINEAR;
  config.n_layers = 8;
  config.layers[7] = config.layers[6];
  config.layers[7].factor = 1;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.steps[1].joins, ==, 0);
  config.layers[7] = conv_layer (16, 1);
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_cmpuint (plan.steps[1].joins, ==, 0);
}

/* With a negative slope the largest sum need not give the largest value. */
static void
test_negative_slope (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;

  make_config (&config);
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_true (plan.steps[0].pooled);
  config.layers[0].activation = SPPNET_ACTIVATION_LEAKY;
  config.layers[0].slope = -0.5f;
  make_plan (&plan, &config, 64, 64, shapes);
  g_assert_false (plan.steps[0].pooled);
}

/* Large weights are read for many tiles at a time. */
static void
test_rows (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;

  sppnet_config_init (&config);
  config.n_layers = 2;
  config.layers[0] = conv_layer (64, 1);
  config.layers[1] = conv_layer (512, 3);
  make_plan (&plan, &config, 40, 60, shapes);
  g_assert_cmpint (plan.steps[1].rows, ==, 36); /* 7 tiles in a row, 40 wanted */
  make_plan (&plan, &config, 480, 60, shapes);
  g_assert_cmpint (plan.steps[1].rows, ==, 6);
}

static void
test_step (void)
{
  g_auto (SppnetConfig) config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetBackbonePlan plan;
  SppnetStepCost cost;
  gint first, end;

  make_config (&config);
  make_plan (&plan, &config, 640, 480, shapes);
  g_assert_cmpuint (sppnet_step_output (&plan.steps[0]), ==, 2);
  sppnet_step_input_rows (&plan.steps[0], &config, 5, &first, &end);
  g_assert_cmpint (first, ==, 9);
  g_assert_cmpint (end, ==, 13);
  g_assert_cmpuint (sppnet_step_output (&plan.steps[1]), ==, 5);
  sppnet_step_input_rows (&plan.steps[1], &config, 5, &first, &end);
  g_assert_cmpint (first, ==, 9);
  g_assert_cmpint (end, ==, 13);

  sppnet_step_cost (&plan.steps[0], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.products, ==, 640.0 * 480 * 27 * 16);
  g_assert_cmpfloat (cost.flop, ==, 2 * cost.products);
  g_assert_cmpfloat (cost.bytes, ==, 4.0 * (640 * 480 * 3 + 320 * 240 * 16 + 27 * 16));
  sppnet_step_cost (&plan.steps[1], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.flop, ==, 2.0 * (320 * 240 * 144 * 32 + 160 * 120 * 32 * 16));
  g_assert_cmpfloat (cost.bytes, ==, 4.0 * (320 * 240 * 16 + 160 * 120 * 16 + 64 * 16 * 32 + 32 * 16));
  sppnet_step_cost (&plan.steps[2], &config, &weights, shapes, &cost);
  g_assert_cmpfloat (cost.flop, ==, 2.0 * 160 * 120 * 144 * 128);
  /* The weights are read once for each group of tiles. */
  g_assert_cmpfloat (cost.products, ==,
                     540.0 * 64 * (16 * 128 + 9 * 16 + 10 * 128)
                         + 12.0 * ceil (540.0 / sppnet_winograd_tiles (&kernels, 16)) * 64 * 16 * 128);
}

static void
test_calibrate (void)
{
  g_assert_cmpfloat (sppnet_plan_calibrate (), >, 1e6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backbone/plan/methods", test_methods);
  g_test_add_func ("/backbone/plan/small-tiles", test_small_tiles);
  g_test_add_func ("/backbone/plan/not-pooled", test_not_pooled);
  g_test_add_func ("/backbone/plan/not-followed", test_not_followed);
  g_test_add_func ("/backbone/plan/joins", test_joins);
  g_test_add_func ("/backbone/plan/negative-slope", test_negative_slope);
  g_test_add_func ("/backbone/plan/rows", test_rows);
  g_test_add_func ("/backbone/plan/step", test_step);
  g_test_add_func ("/backbone/plan/calibrate", test_calibrate);
  return g_test_run ();
}
