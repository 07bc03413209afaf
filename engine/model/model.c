/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

/* What a stage derived from the weights. */
typedef struct
{
  const gchar *key;
  guint part;
  SppnetPrecision precision;
  gpointer data;
  GDestroyNotify destroy;
} Share;

G_DEFINE_BOXED_TYPE (SppnetModel, sppnet_model, sppnet_model_ref, sppnet_model_unref)

/* The one type of all tensors; F32, which holds the others, where there are several. */
static SppnetDtype
common_dtype (const GArray *tensors)
{
  SppnetDtype dtype = tensors->len > 0 ? g_array_index (tensors, SppnetStoredTensor, 0).dtype : SPPNET_DTYPE_F32;

  for (guint i = 1; i < tensors->len; i++)
    if (g_array_index (tensors, SppnetStoredTensor, i).dtype != dtype)
      return SPPNET_DTYPE_F32;
  return dtype;
}

SppnetModel *
sppnet_model_new_from_bytes (GBytes *bytes, const gchar *file, GError **error)
{
  g_auto (SppnetSafetensors) safetensors = { NULL };
  g_auto (SppnetConfig) config = { NULL };
  g_autoptr (GHashTable) weights = NULL;
  SppnetModel *model;
  gboolean in_place;
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  if (!sppnet_safetensors_parse (&safetensors, data, length, file, error))
    return NULL;
  if (!safetensors.config) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "%s: no 'sppnet' in its __metadata__: not a model of this library", file);
    return NULL;
  }
  if (!sppnet_config_parse (&config, safetensors.config, -1, file, error))
    return NULL;
  weights = sppnet_tensors_read (&safetensors, &config, file, &in_place, error);
  if (!weights)
    return NULL;

  model = g_new0 (SppnetModel, 1);
  model->references = 1;
  model->path = g_strdup (file);
  model->config = config;
  sppnet_config_init (&config);
  model->weights = g_steal_pointer (&weights);
  model->dtype = common_dtype (safetensors.tensors);
  model->bytes = in_place ? g_bytes_ref (bytes) : NULL;
  g_rec_mutex_init (&model->share_lock);
  return model;
}

void
sppnet_model_free (SppnetModel *model)
{
  /* Latest first: what was made later may use what was made before. */
  while (model->shares) {
    Share *share = model->shares->data;

    model->shares = g_slist_delete_link (model->shares, model->shares);
    if (share->destroy)
      share->destroy (share->data);
    g_free (share);
  }
  g_rec_mutex_clear (&model->share_lock);
  g_hash_table_unref (model->weights);
  g_clear_pointer (&model->bytes, g_bytes_unref);
  sppnet_config_clear (&model->config);
  g_free (model->path);
  g_free (model);
}

const SppnetConfig *
sppnet_model_get_config (const SppnetModel *model)
{
  g_return_val_if_fail (model != NULL, NULL);
  return &model->config;
}

const gfloat *
sppnet_model_get_tensor (const SppnetModel *model, const gchar *name, gsize *count)
{
  SppnetTensorData *weights;

  g_return_val_if_fail (model != NULL && name != NULL, NULL);
  weights = g_hash_table_lookup (model->weights, name);
  if (count)
    *count = weights ? weights->count : 0;
  return weights ? weights->data : NULL;
}

gpointer
sppnet_model_share (SppnetModel *model, const gchar *key, guint part, SppnetPrecision precision, SppnetShareFunc create,
                    GDestroyNotify destroy, GError **error)
{
  gpointer data = NULL;

  g_return_val_if_fail (model != NULL && key != NULL && create != NULL, NULL);
  g_rec_mutex_lock (&model->share_lock);
  for (GSList *at = model->shares; at && !data; at = at->next) {
    const Share *share = at->data;

    if (g_str_equal (share->key, key) && share->part == part && share->precision == precision)
      data = share->data;
  }
  if (!data && (data = create (model, part, precision, error))) {
    Share *share = g_new0 (Share, 1);

    *share = (Share) { key, part, precision, data, destroy };
    model->shares = g_slist_prepend (model->shares, share);
  }
  g_rec_mutex_unlock (&model->share_lock);
  return data;
}

const gchar *
sppnet_model_get_name (const SppnetModel *model)
{
  g_return_val_if_fail (model != NULL, NULL);
  return model->config.name ? model->config.name : "";
}

const gchar *
sppnet_model_get_path (const SppnetModel *model)
{
  g_return_val_if_fail (model != NULL, NULL);
  return model->path;
}

guint
sppnet_model_get_n_labels (const SppnetModel *model)
{
  g_return_val_if_fail (model != NULL, 0);
  return model->config.n_labels;
}

const gchar *
sppnet_model_get_label (const SppnetModel *model, guint label_id)
{
  g_return_val_if_fail (model != NULL, NULL);
  return label_id < model->config.n_labels ? model->config.labels[label_id] : NULL;
}

gchar *
sppnet_model_fingerprint (const SppnetModel *model)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GArray) tensors = sppnet_config_tensors (&model->config);
  g_autofree gchar *json = sppnet_config_to_json (&model->config);

  g_checksum_update (checksum, (const guchar *) json, -1);
  for (guint i = 0; i < tensors->len; i++) {
    gsize count;
    const gfloat *data = sppnet_model_get_tensor (model, g_array_index (tensors, SppnetTensorSource, i).name, &count);

    g_checksum_update (checksum, (const guchar *) data, (gssize) (count * sizeof (gfloat)));
  }
  return g_strdup (g_checksum_get_string (checksum));
}
