/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/average.h"

#include <string.h>

#include "model/provenance.h"

/* In the provenance of a mean. */
#define MEAN_OF "mean_of"

/* All that decides what weights mean: not names, not what was fitted to confidences, not what a detector or a training
 * may set otherwise. (transfer full) */
static JsonNode *
describe_network (const SppnetConfig *config)
{
  g_auto (SppnetConfig) network;
  g_autofree gchar *json = NULL;
  SppnetConfig plain;

  sppnet_config_init (&plain);
  sppnet_config_copy (&network, config);
  sppnet_config_clear_fits (&network);
  g_clear_pointer (&network.name, g_free);
  g_clear_pointer (&network.provenance, g_free);
  network.proposals = plain.proposals;
  network.max_proposals = plain.max_proposals;
  network.nms_threshold = plain.nms_threshold;
  network.rpn.candidates = network.rpn.boxes = 0;
  network.rpn.nms_threshold = network.rpn.min_size = 0.0f;
  for (guint i = 0; i < network.n_head; i++)
    network.head[i].dropout = 0.0f;
  sppnet_config_clear (&plain);
  json = sppnet_config_to_json (&network);
  return json_from_string (json, NULL);
}

/* The first key of one that the other has not, or has with another value; NULL: none. (transfer full) */
static gchar *
find_difference (JsonObject *one, JsonObject *other)
{
  g_autoptr (GList) keys = json_object_get_members (one);

  for (GList *key = keys; key; key = key->next)
    if (!json_object_has_member (other, key->data)
        || !json_node_equal (json_object_get_member (one, key->data), json_object_get_member (other, key->data)))
      return g_strdup (key->data);
  return NULL;
}

static gboolean
check_same (SppnetModel *const *models, guint n, GError **error)
{
  g_autoptr (JsonNode) first = describe_network (sppnet_model_get_config (models[0]));

  for (guint i = 1; i < n; i++) {
    g_autoptr (JsonNode) other = describe_network (sppnet_model_get_config (models[i]));
    g_autofree gchar *key = find_difference (json_node_get_object (first), json_node_get_object (other));

    if (!key)
      key = find_difference (json_node_get_object (other), json_node_get_object (first));
    if (key) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "%s is another network than %s: \"%s\" differs",
                   sppnet_model_get_path (models[i]), sppnet_model_get_path (models[0]), key);
      return FALSE;
    }
  }
  return TRUE;
}

/* (transfer full): or NULL */
static gfloat *
mean_of (SppnetModel *const *models, guint n, const gchar *name)
{
  gsize count;
  const gfloat *first = sppnet_model_get_tensor (models[0], name, &count);
  gfloat *mean = g_try_new (gfloat, count);

  if (!mean)
    return NULL;
  memcpy (mean, first, count * sizeof *mean);
  for (guint i = 1; i < n; i++) {
    const gfloat *other = sppnet_model_get_tensor (models[i], name, NULL);

    for (gsize k = 0; k < count; k++)
      mean[k] += other[k];
  }
  for (gsize k = 0; k < count; k++)
    mean[k] /= (gfloat) n;
  return mean;
}

/* Of which files, and where these came from; of what is a mean itself, only the file. (transfer full) */
static gchar *
describe_origin (SppnetModel *const *models, guint n)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonArray *origins = json_array_new ();
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < n; i++) {
    JsonObject *origin = sppnet_provenance_read (sppnet_model_get_config (models[i])->provenance);
    g_autofree gchar *file = g_filename_display_basename (sppnet_model_get_path (models[i]));

    if (json_object_has_member (origin, MEAN_OF))
      json_object_remove_member (origin, MEAN_OF);
    json_object_set_string_member (origin, "file", file);
    json_array_add_object_element (origins, origin);
  }
  json_object_set_array_member (object, MEAN_OF, origins);
  json_node_take_object (root, object);
  return json_to_string (root, FALSE);
}

gboolean
sppnet_average (SppnetModel *const *models, guint n, const gchar *output, GError **error)
{
  g_autoptr (GArray) tensors = NULL;
  g_auto (SppnetConfig) config;
  gboolean ok = TRUE;

  sppnet_config_init (&config);
  g_return_val_if_fail (n > 0, FALSE);
  if (!check_same (models, n, error))
    return FALSE;
  sppnet_config_copy (&config, sppnet_model_get_config (models[0]));
  sppnet_config_clear_fits (&config);
  g_free (config.provenance);
  config.provenance = describe_origin (models, n);
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len && ok; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    tensor->data = mean_of (models, n, tensor->name);
    ok = tensor->data != NULL;
  }
  if (!ok)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the mean of %u models", output, n);
  else
    ok = sppnet_model_save_with (models[0], &config, (const SppnetTensorSource *) (gconstpointer) tensors->data,
                                 tensors->len, output, error);
  for (guint i = 0; i < tensors->len; i++)
    g_free ((gpointer) g_array_index (tensors, SppnetTensorSource, i).data);
  return ok;
}
