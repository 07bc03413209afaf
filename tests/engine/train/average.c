/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/average.h"

#include <json-glib/json-glib.h>

#include "../head/tiny-model.h"

#define FINEST 0.0625f

static const gchar *const labels[] = { "one", "two", NULL };

/* user_data: what is added to the place in the tensor, both in steps that floats hold exactly */
static void
fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  for (gsize i = 0; i < n; i++)
    data[i] = FINEST * (gfloat) ((gint) (i + g_str_hash (name) % 7) + GPOINTER_TO_INT (user_data));
}

static void
configure (SppnetConfig *config)
{
  sppnet_config_init (config);
  config->name = g_strdup ("any");
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .name = "conv", .filters = 8, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  config->n_levels = 1;
  config->levels[0] = 2;
  config->n_head = 1;
  config->head[0] = (SppnetHeadLayer) { .name = "fc6", .outputs = 3, .activation = SPPNET_ACTIVATION_RELU };
  tiny_labels (config, labels);
}

/* (transfer full): the mean, loaded, or NULL */
static SppnetModel *
average (SppnetModel *const *models, guint n, GError **error)
{
  g_autofree gchar *path = tiny_output ();

  return tiny_output_take (path, sppnet_average (models, n, path, error), error);
}

/* Files in their order, and what each model says of itself. */
static void
check_origins (const gchar *provenance, SppnetModel *const *models, guint n)
{
  g_autoptr (JsonNode) root = json_from_string (provenance, NULL);
  JsonArray *origins = json_object_get_array_member (json_node_get_object (root), "mean_of");

  g_assert_cmpuint (json_array_get_length (origins), ==, n);
  for (guint i = 0; i < n; i++) {
    JsonObject *origin = json_array_get_object_element (origins, i);
    g_autofree gchar *file = g_path_get_basename (sppnet_model_get_path (models[i]));

    g_assert_cmpstr (json_object_get_string_member (origin, "file"), ==, file);
    g_assert_cmpint (json_object_get_int_member_with_default (origin, "epochs", 0), ==,
                     sppnet_model_get_config (models[i])->provenance ? 3 : 0);
  }
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

  configure (&config);
  second = tiny_model_new (&config, fill, GINT_TO_POINTER (40));
  g_free (config.name);
  config.name = g_strdup ("first");
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
  check_origins (sppnet_model_get_config (mean)->provenance, models, 4);
}

/* Means of means, again and again: the record stays short. */
static void
test_again (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) mean = NULL;
  g_autoptr (GError) error = NULL;

  configure (&config);
  mean = tiny_model_new (&config, fill, NULL);
  for (guint i = 0; i < 40; i++) {
    SppnetModel *next = average ((SppnetModel *[]) { mean, mean }, 2, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (strlen (sppnet_model_get_config (next)->provenance), <, 200);
    sppnet_model_unref (mean);
    mean = next;
  }
}

static void
change_activation (SppnetConfig *config)
{
  config->head[0].activation = SPPNET_ACTIVATION_LINEAR;
}

static void
change_label (SppnetConfig *config)
{
  g_free (config->labels[1]);
  config->labels[1] = g_strdup ("three");
}

static void
change_boxes (SppnetConfig *config)
{
  config->box_scale[2] = 0.5f;
}

static void
change_classifier (SppnetConfig *config)
{
  config->classifier = SPPNET_CLASSIFIER_SVM;
}

static void
add_rpn (SppnetConfig *config)
{
  config->rpn.filters = 4;
  config->rpn.n_anchors = 1;
  config->rpn.anchors[0][0] = config->rpn.anchors[0][1] = 32;
}

static void
change_use (SppnetConfig *config)
{
  config->head[0].dropout = 0.25f;
  config->max_proposals = 50;
  config->nms_threshold = 0.5f;
}

/* Networks whose numbers mean something else, from both sides; key: what is named, NULL: they are the same. */
static const struct
{
  void (*change) (SppnetConfig *config);
  const gchar *key;
} changes[] = {
  { change_activation, "head" },       { change_label, "labels" }, { change_boxes, "box" },
  { change_classifier, "classifier" }, { add_rpn, "rpn" },         { change_use, NULL },
};

static void
test_same (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autoptr (SppnetModel) plain = NULL, changed = NULL;
    g_auto (SppnetConfig) config;
    SppnetModel *models[2];

    configure (&config);
    models[0] = plain = tiny_model_new (&config, fill, NULL);
    changes[i].change (&config);
    models[1] = changed = tiny_model_new (&config, fill, NULL);
    for (guint side = 0; side < 2; side++) {
      g_autofree gchar *quoted = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (SppnetModel) mean = average ((SppnetModel *[]) { models[side], models[1 - side] }, 2, &error);

      if (!changes[i].key) {
        g_assert_no_error (error);
        continue;
      }
      g_assert_null (mean);
      g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
      g_assert_true (g_str_has_prefix (error->message, sppnet_model_get_path (models[1 - side])));
      quoted = g_strdup_printf ("\"%s\"", changes[i].key);
      g_assert_nonnull (strstr (error->message, quoted));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/average/mean", test_mean);
  g_test_add_func ("/train/average/again", test_again);
  g_test_add_func ("/train/average/same", test_same);
  return g_test_run ();
}
