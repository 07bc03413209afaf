/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/compress.h"

#include <math.h>

#include "../head/tiny-model.h"
#include "base/random.h"
#include "head/head.h"

#define INPUTS 40 /* 5 bins of 8 channels */
#define OUTPUTS 24

static const gchar *const labels[] = { "one", "two", NULL };

/* user_data: rank of the first layer's weights */
static void
fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  SppnetRandom random = { g_str_hash (name) };
  gint rank = GPOINTER_TO_INT (user_data);

  if (!g_str_equal (name, "fc6.weight")) {
    for (gsize i = 0; i < n; i++)
      data[i] = 0.3f * (gfloat) sppnet_random_normal (&random);
    return;
  }
  for (gint t = 0; t < rank; t++) {
    gfloat in[INPUTS], out[OUTPUTS];

    for (gint i = 0; i < INPUTS; i++)
      in[i] = (gfloat) sppnet_random_normal (&random);
    for (gint o = 0; o < OUTPUTS; o++)
      out[o] = (gfloat) sppnet_random_normal (&random) / (gfloat) (1 + t);
    for (gint o = 0; o < OUTPUTS; o++)
      for (gint i = 0; i < INPUTS; i++)
        data[o * INPUTS + i] += out[o] * in[i];
  }
}

static void
configure (SppnetConfig *config, guint n_head)
{
  sppnet_config_init (config);
  config->name = g_strdup ("full");
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv", .filters = 8, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  config->n_levels = 2;
  config->levels[0] = 2;
  config->levels[1] = 1;
  config->n_head = n_head;
  for (guint i = 0; i < n_head; i++) {
    config->head[i]
        = (SppnetHeadLayer) { .outputs = i ? 3 : OUTPUTS, .activation = SPPNET_ACTIVATION_RELU, .dropout = 0.5f };
    g_snprintf (config->head[i].name, sizeof config->head[i].name, "fc%u", 6 + i);
  }
  tiny_labels (config, labels);
}

static SppnetModel *
model_new (gint rank, guint n_head)
{
  g_auto (SppnetConfig) config;

  configure (&config, n_head);
  return tiny_model_new (&config, fill, GINT_TO_POINTER (rank));
}

/* (transfer full): compressed and loaded, or NULL */
static SppnetModel *
compress (SppnetModel *model, gint rank, gdouble energy, GArray **layers, GError **error)
{
  g_autofree gchar *path = tiny_output ();

  return tiny_output_take (path, sppnet_compress (model, rank, energy, path, layers, error), error);
}

static void
confidence_of (SppnetModel *model, gfloat out[2])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetHead) head = sppnet_head_new (model, SPPNET_PRECISION_FLOAT32, &error);
  SppnetRandom random = { 7 };
  g_auto (SppnetPooledMemory) memory = { 0 };
  const gfloat *confidence;
  gfloat vector[INPUTS];
  SppnetPooled pooled;

  g_assert_no_error (error);
  for (gint i = 0; i < INPUTS; i++)
    vector[i] = (gfloat) sppnet_random_normal (&random);
  g_assert_true (sppnet_pooled_from_floats (&memory, vector, 1, 5, 8, &pooled, &error));
  g_assert_true (sppnet_head_run (head, &pooled, 1, &confidence, &error));
  memcpy (out, confidence, 2 * sizeof *out);
}

/* A matrix of rank 3 loses nothing at rank 3; a layer that would not get smaller stays. */
static void
test_exact (void)
{
  g_autoptr (SppnetModel) model = model_new (3, 2), small = NULL;
  g_autoptr (GArray) layers = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetConfig *config;
  gfloat full[2], compressed[2];

  small = compress (model, 3, 0, &layers, &error);
  g_assert_no_error (error);
  config = sppnet_model_get_config (small);
  g_assert_cmpuint (config->n_head, ==, 3);
  g_assert_cmpstr (config->head[0].name, ==, "fc6-svd");
  g_assert_cmpint (config->head[0].outputs, ==, 3);
  g_assert_cmpint (config->head[0].activation, ==, SPPNET_ACTIVATION_LINEAR);
  g_assert_cmpstr (config->head[1].name, ==, "fc6");
  g_assert_cmpint (config->head[1].activation, ==, SPPNET_ACTIVATION_RELU);
  g_assert_cmpfloat (config->head[1].dropout, ==, 0.5f);
  g_assert_nonnull (strstr (config->provenance, "\"compressed\":{\"fc6\":3}"));
  confidence_of (model, full);
  confidence_of (small, compressed);
  /* To what weights of 16 bits make of it. */
  g_assert_cmpfloat_with_epsilon (compressed[0], full[0], 1e-3);
  g_assert_cmpfloat_with_epsilon (compressed[1], full[1], 1e-3);

  g_assert_cmpuint (layers->len, ==, 2);
  g_assert_cmpint (g_array_index (layers, SppnetCompressedLayer, 0).rank, ==, 3);
  g_assert_cmpfloat_with_epsilon (g_array_index (layers, SppnetCompressedLayer, 0).energy, 1, 1e-6);
  g_assert_cmpint (g_array_index (layers, SppnetCompressedLayer, 1).rank, ==, 0);
}

/* The energy that is reported is what the product of the two layers keeps. */
static void
test_energy (void)
{
  g_autoptr (SppnetModel) model = model_new (10, 1), small = NULL;
  g_autoptr (GArray) layers = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetCompressedLayer *layer;
  const gfloat *full = sppnet_model_get_tensor (model, "fc6.weight", NULL), *in, *out;
  gdouble lost = 0, all = 0;

  small = compress (model, 0, 0.9, &layers, &error);
  g_assert_no_error (error);
  layer = &g_array_index (layers, SppnetCompressedLayer, 0);
  g_assert_cmpfloat (layer->energy, >=, 0.9);
  g_assert_cmpint (layer->rank, >, 1);
  g_assert_cmpint (layer->rank, <, 10);
  in = sppnet_model_get_tensor (small, "fc6-svd.weight", NULL);
  out = sppnet_model_get_tensor (small, "fc6.weight", NULL);
  for (gint o = 0; o < OUTPUTS; o++)
    for (gint i = 0; i < INPUTS; i++) {
      gdouble sum = 0, w = full[o * INPUTS + i];

      for (gint t = 0; t < layer->rank; t++)
        sum += (gdouble) out[o * layer->rank + t] * (gdouble) in[t * INPUTS + i];
      lost += (w - sum) * (w - sum);
      all += w * w;
    }
  g_assert_cmpfloat_with_epsilon (1 - lost / all, layer->energy, 1e-5);
}

/* What is compressed already can be made smaller still, both halves of a layer at once. */
static void
test_twice (void)
{
  g_autoptr (SppnetModel) model = model_new (24, 1), small = NULL, smaller = NULL;
  g_autoptr (GArray) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetConfig *config;

  small = compress (model, 12, 0, &first, &error);
  g_assert_no_error (error);
  smaller = compress (small, 2, 0, &second, &error);
  g_assert_no_error (error);
  config = sppnet_model_get_config (smaller);
  g_assert_cmpuint (config->n_head, ==, 4);
  g_assert_cmpstr (config->head[0].name, ==, "fc6-svd-svd");
  g_assert_cmpstr (config->head[1].name, ==, "fc6-svd");
  g_assert_cmpstr (config->head[2].name, ==, "fc6-svd2");
  g_assert_cmpstr (config->head[3].name, ==, "fc6");
  g_assert_cmpint (config->head[0].outputs, ==, 2);
  g_assert_cmpint (config->head[2].outputs, ==, 2);
}

static void
test_refused (void)
{
  g_autoptr (SppnetModel) model = model_new (3, 1), bare = model_new (3, 0), deep = NULL;
  g_autoptr (GArray) layers = NULL;
  g_autoptr (GError) large = NULL, none = NULL, many = NULL;

  g_assert_null (compress (model, 20, 0, &layers, &large));
  g_assert_error (large, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_null (compress (bare, 1, 0, &layers, &none));
  g_assert_error (none, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  deep = model_new (3, SPPNET_MAX_HEAD_LAYERS);
  g_assert_null (compress (deep, 1, 0, &layers, &many));
  g_assert_error (many, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_null (layers);
}

/* A proposal network whose name is the beginning of a layer's, or of what a compressed layer would be called. */
static void
test_names (void)
{
  static const struct
  {
    const gchar *rpn, *name;
  } cases[] = { { "fc", "fc6-svd" }, { "fc6-svd", "fc6-svd2" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL, small = NULL;
    g_autoptr (GArray) layers = NULL;
    g_autoptr (GError) error = NULL;

    configure (&config, 1);
    g_strlcpy (config.rpn.name, cases[i].rpn, sizeof config.rpn.name);
    config.rpn.filters = 4;
    config.rpn.n_anchors = 1;
    config.rpn.anchors[0][0] = config.rpn.anchors[0][1] = 16;
    config.rpn.stride = 1;
    model = tiny_model_new (&config, fill, GINT_TO_POINTER (3));
    small = compress (model, 3, 0, &layers, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (sppnet_model_get_config (small)->head[0].name, ==, cases[i].name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compress/exact", test_exact);
  g_test_add_func ("/compress/energy", test_energy);
  g_test_add_func ("/compress/twice", test_twice);
  g_test_add_func ("/compress/names", test_names);
  g_test_add_func ("/compress/refused", test_refused);
  return g_test_run ();
}
