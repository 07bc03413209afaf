/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/average.h"

#include "../head/tiny-model.h"

#define FINEST 0.0625f

static const gchar *const labels[] = { "one", "two", NULL };
static const gchar *const other_labels[] = { "one", "three", NULL };

/* user_data: what is added to the place in the tensor, both in steps that floats hold exactly */
static void
fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  for (gsize i = 0; i < n; i++)
    data[i] = FINEST * (gfloat) ((gint) (i + g_str_hash (name) % 7) + GPOINTER_TO_INT (user_data));
}

static void
configure (SppnetConfig *config, const gchar *const *with_labels)
{
  sppnet_config_init (config);
  config->name = g_strdup ("first");
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv", .filters = 8, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  config->n_levels = 1;
  config->levels[0] = 2;
  config->n_head = 1;
  config->head[0] = (SppnetHeadLayer) { .name = "fc6", .outputs = 3, .activation = SPPNET_ACTIVATION_RELU };
  tiny_labels (config, with_labels);
}

/* (transfer full): the mean, loaded, or NULL */
static SppnetModel *
average (SppnetModel *const *models, guint n, GError **error)
{
  g_autofree gchar *folder = g_dir_make_tmp ("sppnet-average-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "mean.safetensors", NULL);
  SppnetModel *mean = NULL;

  if (sppnet_average (models, n, path, error)) {
    mean = sppnet_model_load (path, error);
    g_assert_nonnull (mean);
  }
  g_assert_cmpint (g_unlink (path), ==, mean ? 0 : -1);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return mean;
}

/* Every weight, one model counting twice; nothing that was fitted to the first one's confidences is left. */
static void
test_mean (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) first = NULL, second = NULL, mean = NULL;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GError) error = NULL;
  SppnetModel *models[4];

  configure (&config, labels);
  second = tiny_model_new (&config, fill, GINT_TO_POINTER (40));
  config.provenance = g_strdup ("{\"epochs\":3}");
  config.thresholds = g_new0 (gfloat, 2);
  config.calibration = g_new0 (gfloat, 4);
  config.context = g_new0 (gfloat, 2 * SPPNET_CONTEXT_COLUMNS (2));
  config.nms_threshold = 0.25f;
  config.max_proposals = 77;
  first = tiny_model_new (&config, fill, GINT_TO_POINTER (0));
  models[0] = models[2] = models[3] = first;
  models[1] = second;

  mean = average (models, 4, &error);
  g_assert_no_error (error);
  tensors = sppnet_config_tensors (sppnet_model_get_config (mean));
  g_assert_cmpuint (tensors->len, ==, 6);
  for (guint t = 0; t < tensors->len; t++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, t);
    const gfloat *from = sppnet_model_get_tensor (first, tensor->name, NULL);
    const gfloat *got = sppnet_model_get_tensor (mean, tensor->name, NULL);

    for (gsize i = 0; i < tiny_count (tensor); i++)
      g_assert_cmpfloat (got[i], ==, from[i] + FINEST * 40 / 4);
  }
  g_assert_cmpstr (sppnet_model_get_config (mean)->name, ==, "first");
  g_assert_cmpuint (sppnet_model_get_config (mean)->max_proposals, ==, 77);
  g_assert_cmpfloat (sppnet_model_get_config (mean)->nms_threshold, ==, 0.25f);
  g_assert_null (sppnet_model_get_config (mean)->thresholds);
  g_assert_null (sppnet_model_get_config (mean)->calibration);
  g_assert_null (sppnet_model_get_config (mean)->context);
  g_assert_cmpstr (sppnet_model_get_config (mean)->provenance, ==,
                   "{\"mean_of\":[{\"epochs\":3},null,{\"epochs\":3},{\"epochs\":3}]}");
}

/* A network of the same shapes that means something else by its numbers. */
static void
test_refused (void)
{
  g_auto (SppnetConfig) config;
  g_auto (SppnetConfig) linear;
  g_auto (SppnetConfig) relabelled;
  g_autoptr (SppnetModel) model = NULL, activated = NULL, named = NULL;
  g_autoptr (GError) layer = NULL, label = NULL;

  configure (&config, labels);
  configure (&linear, labels);
  configure (&relabelled, other_labels);
  linear.head[0].activation = SPPNET_ACTIVATION_LINEAR;
  model = tiny_model_new (&config, fill, NULL);
  activated = tiny_model_new (&linear, fill, NULL);
  named = tiny_model_new (&relabelled, fill, NULL);

  g_assert_null (average ((SppnetModel *[]) { model, activated }, 2, &layer));
  g_assert_error (layer, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (layer->message, sppnet_model_get_path (activated)));
  g_assert_null (average ((SppnetModel *[]) { model, model, named }, 3, &label));
  g_assert_error (label, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/average/mean", test_mean);
  g_test_add_func ("/train/average/refused", test_refused);
  return g_test_run ();
}
