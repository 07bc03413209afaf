/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of a region proposal network, with respect to its parameters and to the map, against central
 * differences. */
#include <math.h>

#include "region/anchors.h"
#include "train/rpn_pass.h"

#define CHANNELS 5
#define WIDTH 9
#define HEIGHT 7

typedef struct
{
  SppnetNetwork *network;
  SppnetRpnPass *pass;
  SppnetMap map;
  gfloat data[HEIGHT * WIDTH * CHANNELS];
  SppnetRpnTargets targets;
} Example;

static void
set_up (Example *example, gint stride)
{
  static SppnetBox boxes[] = { { 20, 10, 40, 30 }, { 60, 40, 30, 60 } };
  SppnetRpnObjects objects = { 2, 0, boxes };
  SppnetRandom random = { 8 };
  SppnetAnchorGrid grid;
  SppnetConfig config;

  sppnet_config_init (&config);
  config.n_layers = 1;
  config.layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv1", .filters = CHANNELS, .kernel_width = 1, .kernel_height = 1, .stride = 16
  };
  config.rpn.filters = 7;
  config.rpn.stride = stride;
  config.rpn.activation = SPPNET_ACTIVATION_LEAKY;
  config.rpn.slope = 0.3f;
  config.rpn.n_anchors = 2;
  config.rpn.anchors[0][0] = config.rpn.anchors[0][1] = 40;
  config.rpn.anchors[1][0] = 24;
  config.rpn.anchors[1][1] = 60;
  example->network = sppnet_network_new_rpn (&config, &random, NULL);
  example->pass = sppnet_rpn_pass_new ();
  example->map = (SppnetMap) { example->data, WIDTH, HEIGHT, CHANNELS, { 16, 0, 0 } };
  example->targets = (SppnetRpnTargets) { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (example->data); i++)
    example->data[i] = (gfloat) sppnet_random_normal (&random);
  for (gsize i = 0; i < example->network->n_params; i++)
    example->network->params[i] += (gfloat) (0.1 * sppnet_random_normal (&random));
  grid = sppnet_anchor_grid (&config, &example->map);
  g_assert_true (sppnet_rpn_targets_draw (&example->targets, &grid, &config.rpn, &objects, 40, &random, NULL));
  g_assert_cmpuint (example->targets.n_positive, >, 1);
}

static void
tear_down (Example *example)
{
  sppnet_network_free (example->network);
  sppnet_rpn_pass_free (example->pass);
  sppnet_rpn_targets_clear (&example->targets);
}

static gdouble
loss_of (Example *example, gfloat *gradient, gfloat *map_gradient)
{
  g_autoptr (GError) error = NULL;
  SppnetRpnLoss loss;

  sppnet_rpn_pass_run (example->pass, example->network, &example->map, &example->targets, 1.0f, gradient, map_gradient,
                       &loss, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (loss.correct, <=, example->targets.n);
  return loss.objectness + loss.box;
}

/* Nearly all differences agree; a step may cross the bend of an activation or of smooth L1. */
static void
check (Example *example, gfloat *values, const gfloat *gradient, gsize n)
{
  gdouble dot = 0.0, analytic = 0.0, numeric = 0.0;

  for (gsize i = 0; i < n; i++) {
    gfloat kept = values[i], step = 2e-3f;
    gdouble up, down, difference;

    values[i] = kept + step;
    up = loss_of (example, NULL, NULL);
    values[i] = kept - step;
    down = loss_of (example, NULL, NULL);
    values[i] = kept;
    difference = (up - down) / (2.0 * step);
    dot += difference * gradient[i];
    analytic += (gdouble) gradient[i] * gradient[i];
    numeric += difference * difference;
  }
  g_test_message ("cosine %.5f, lengths %.5g and %.5g", dot / sqrt (analytic * numeric), sqrt (analytic),
                  sqrt (numeric));
  g_assert_cmpfloat (analytic, >, 1e-8);
  g_assert_cmpfloat (dot / sqrt (analytic * numeric), >, 0.99);
  g_assert_cmpfloat (sqrt (analytic / numeric), >, 0.97);
  g_assert_cmpfloat (sqrt (analytic / numeric), <, 1.03);
}

static void
test_gradient (gconstpointer data)
{
  Example example;
  g_autofree gfloat *gradient = NULL, *map_gradient = g_new0 (gfloat, G_N_ELEMENTS (example.data));

  set_up (&example, GPOINTER_TO_INT (data));
  g_assert_cmpuint (example.network->n_segments, ==, 6);
  gradient = g_new0 (gfloat, example.network->n_params);
  loss_of (&example, gradient, map_gradient);
  for (guint s = 0; s < example.network->n_segments; s++) {
    const SppnetSegment *segment = &example.network->segments[s];

    check (&example, example.network->params + segment->offset, gradient + segment->offset, segment->count);
  }
  check (&example, example.data, map_gradient, G_N_ELEMENTS (example.data));
  tear_down (&example);
}

/* Both gradients are added to what is there. */
static void
test_accumulates (void)
{
  Example example;
  g_autofree gfloat *once = NULL, *twice = NULL, *map_once = g_new0 (gfloat, G_N_ELEMENTS (example.data)),
                    *map_twice = g_new0 (gfloat, G_N_ELEMENTS (example.data));

  set_up (&example, 1);
  once = g_new0 (gfloat, example.network->n_params);
  twice = g_new0 (gfloat, example.network->n_params);
  loss_of (&example, once, map_once);
  loss_of (&example, twice, map_twice);
  loss_of (&example, twice, map_twice);
  for (gsize i = 0; i < example.network->n_params; i++)
    g_assert_cmpfloat_with_epsilon (twice[i], 2.0f * once[i], 1e-5f + 1e-4f * fabsf (once[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (example.data); i++)
    g_assert_cmpfloat_with_epsilon (map_twice[i], 2.0f * map_once[i], 1e-5f + 1e-4f * fabsf (map_once[i]));
  tear_down (&example);
}

static void
test_nothing_drawn (void)
{
  Example example;

  set_up (&example, 1);
  example.targets.n = example.targets.n_positive = 0;
  g_assert_cmpfloat (loss_of (&example, NULL, NULL), ==, 0.0);
  tear_down (&example);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/train/rpn-pass/gradient", GINT_TO_POINTER (1), test_gradient);
  g_test_add_data_func ("/train/rpn-pass/gradient-stride-2", GINT_TO_POINTER (2), test_gradient);
  g_test_add_func ("/train/rpn-pass/accumulates", test_accumulates);
  g_test_add_func ("/train/rpn-pass/nothing-drawn", test_nothing_drawn);
  return g_test_run ();
}
