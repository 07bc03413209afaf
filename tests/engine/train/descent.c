/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop of steps, down a slope that is the same everywhere: what becomes of each parameter is known. */
#include <math.h>

#include "train/descent.h"

#define RATE 0.125

static SppnetNetwork *
make_network (void)
{
  static const gchar *const labels[] = { "a", NULL };
  SppnetRandom random = { 1 };
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  SppnetNetwork *network;

  sppnet_config_init (&config);
  config.labels = g_strdupv ((gchar **) labels);
  config.n_labels = 1;
  config.pooling = SPPNET_POOLING_SPP;
  config.n_levels = 1;
  config.levels[0] = 1;
  config.n_layers = 1;
  config.layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv1", .filters = 2, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  network = sppnet_network_new (&config, &random, &error);
  g_assert_no_error (error);
  return network;
}

static gboolean
slope_of_one (gpointer user_data, guint step, GError **error)
{
  SppnetDescent *descent = user_data;

  for (guint k = 0; k < descent->pictures; k++)
    for (gsize i = 0; i < descent->network->n_params; i++)
      descent->gradients[k][i] = 1.0f / (gfloat) descent->pictures;
  return TRUE;
}

static gboolean
go_on (gpointer user_data, guint done)
{
  return TRUE;
}

/* How far the parameters went, in learning rates; all the same way. */
static gdouble
way (guint n_steps, guint warm_up, gdouble average)
{
  const SppnetOptimizerSettings optimizer
      = { .kind = SPPNET_OPTIMIZER_SGD, .learning_rate = RATE, .backbone_learning_rate = RATE, .average = average };
  g_autoptr (SppnetNetwork) network = make_network ();
  g_autofree gfloat *before = g_memdup2 (network->params, sizeof (gfloat) * network->n_params);
  g_autoptr (GError) error = NULL;
  SppnetDescent descent = { .network = network,
                            .optimizer = &optimizer,
                            .pictures = 2,
                            .n_steps = n_steps,
                            .warm_up = warm_up,
                            .threads = 2,
                            .compute = slope_of_one,
                            .report = go_on,
                            .user_data = &descent };
  gdouble first;

  g_assert_true (sppnet_descent_init (&descent, &error));
  g_assert_true (sppnet_descent_run (&descent, &error));
  g_assert_no_error (error);
  first = (before[0] - network->params[0]) / RATE;
  for (gsize i = 0; i < network->n_params; i++)
    g_assert_cmpfloat_with_epsilon ((before[i] - network->params[i]) / RATE, first, 1e-3);
  sppnet_descent_clear (&descent);
  return first;
}

static void
test_settles (void)
{
  /* Half a cosine's mean is a half, and it ends at 1 %. */
  g_assert_cmpfloat_with_epsilon (way (200, 0, 0.0), 101, 1.0);
}

static void
test_average (void)
{
  /* One step at half the rate, then 100; the mean is over steps 100, 95, ..., 50, then 100, 90, ..., 0. */
  g_assert_cmpfloat_with_epsilon (way (101, 1, 0.5), 0.5 + 75, 1e-2);
  g_assert_cmpfloat_with_epsilon (way (101, 1, 1.0), (0.5 + 10 * 0.5 + 550) / 11, 1e-2);
  /* Too short a part for more than the last. */
  g_assert_cmpfloat_with_epsilon (way (101, 1, 0.05), 0.5 + 97.5, 1e-2);
  g_assert_cmpfloat_with_epsilon (way (101, 1, 1e-6), 100.5, 1e-2);
  g_assert_cmpfloat_with_epsilon (way (1, 0, 0.5), 1.0, 1e-2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/descent/settles", test_settles);
  g_test_add_func ("/train/descent/average", test_average);
  return g_test_run ();
}
