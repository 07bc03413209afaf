/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/average.h"

#include <json-glib/json-glib.h>

static void
forget_fits (SppnetConfig *config)
{
  g_clear_pointer (&config->thresholds, g_free);
  g_clear_pointer (&config->calibration, g_free);
  g_clear_pointer (&config->context, g_free);
}

/* All that decides what weights mean: not names, not what was fitted to confidences, not what a detector or a training
 * may set otherwise. (transfer full) */
static gchar *
describe_network (const SppnetConfig *config)
{
  g_auto (SppnetConfig) network;
  SppnetConfig plain;

  sppnet_config_init (&network);
  sppnet_config_init (&plain);
  sppnet_config_copy (&network, config);
  forget_fits (&network);
  g_clear_pointer (&network.name, g_free);
  g_clear_pointer (&network.provenance, g_free);
  network.proposals = plain.proposals;
  network.max_proposals = plain.max_proposals;
  network.nms_threshold = plain.nms_threshold;
  network.rpn.candidates = network.rpn.boxes = 0;
  network.rpn.nms_threshold = network.rpn.min_size = network.rpn.min_score = 0.0f;
  for (guint i = 0; i < network.n_head; i++)
    network.head[i].dropout = 0.0f;
  sppnet_config_clear (&plain);
  return sppnet_config_to_json (&network);
}

static gboolean
check_same (SppnetModel *const *models, guint n, GError **error)
{
  g_autofree gchar *first = describe_network (sppnet_model_get_config (models[0]));

  for (guint i = 1; i < n; i++) {
    g_autofree gchar *other = describe_network (sppnet_model_get_config (models[i]));

    if (!g_str_equal (first, other)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                   "%s is another network than %s: layers, pyramid, labels, input or boxes differ (see sppnet info)",
                   sppnet_model_get_path (models[i]), sppnet_model_get_path (models[0]));
      return FALSE;
    }
  }
  return TRUE;
}

static gfloat *
mean_of (SppnetModel *const *models, guint n, const gchar *name)
{
  gsize count;
  const gfloat *first = sppnet_model_get_tensor (models[0], name, &count);
  gfloat *mean = g_new (gfloat, count);

  for (gsize k = 0; k < count; k++)
    mean[k] = first[k] / (gfloat) n;
  for (guint i = 1; i < n; i++) {
    const gfloat *other = sppnet_model_get_tensor (models[i], name, NULL);

    for (gsize k = 0; k < count; k++)
      mean[k] += other[k] / (gfloat) n;
  }
  return mean;
}

/* Where each of them came from. (transfer full) */
static gchar *
describe_origin (SppnetModel *const *models, guint n)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonArray *origins = json_array_new ();
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < n; i++) {
    const gchar *provenance = sppnet_model_get_config (models[i])->provenance;
    JsonNode *origin = provenance ? json_from_string (provenance, NULL) : NULL;

    json_array_add_element (origins, origin ? origin : json_node_new (JSON_NODE_NULL));
  }
  json_object_set_array_member (object, "mean_of", origins);
  json_node_take_object (root, object);
  return json_to_string (root, FALSE);
}

gboolean
sppnet_average (SppnetModel *const *models, guint n, const gchar *output, GError **error)
{
  g_autoptr (GArray) tensors = NULL;
  g_auto (SppnetConfig) config;
  gboolean ok;

  sppnet_config_init (&config);
  if (!check_same (models, n, error))
    return FALSE;
  sppnet_config_copy (&config, sppnet_model_get_config (models[0]));
  forget_fits (&config);
  g_free (config.provenance);
  config.provenance = describe_origin (models, n);
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    tensor->data = mean_of (models, n, tensor->name);
  }
  ok = sppnet_model_save_with (models[0], &config, (const SppnetTensorSource *) (gconstpointer) tensors->data,
                               tensors->len, output, error);
  for (guint i = 0; i < tensors->len; i++)
    g_free ((gpointer) g_array_index (tensors, SppnetTensorSource, i).data);
  return ok;
}
