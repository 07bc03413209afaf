/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/half.h"
#include "model/json.h"
#include "model/model-private.h"

/* The data section begins at a multiple of this many bytes. */
#define DATA_ALIGNMENT 64

static const SppnetTensorSource *
find_source (const SppnetTensorSource *tensors, guint n, const gchar *name)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (tensors[i].name, name))
      return &tensors[i];
  return NULL;
}

static gsize
count_elements (const SppnetTensorSource *tensor)
{
  gsize count = 1;

  for (guint i = 0; i < tensor->n_dims; i++)
    if (!g_size_checked_mul (&count, count, tensor->dims[i]))
      return G_MAXSIZE;
  return count;
}

static gboolean
refuse (GError **error, SppnetError code, const gchar *path, const gchar *name, const gchar *reason)
{
  g_set_error (error, SPPNET_ERROR, (gint) code, "%s: tensor '%s': %s", path, name, reason);
  return FALSE;
}

/* Orders the tensors as config implies them and finds what is missing, left over or of another shape. */
static gboolean
match_tensors (GArray *expected, const SppnetTensorSource *tensors, guint n, const gchar *path, GError **error)
{
  for (guint i = 0; i < expected->len; i++) {
    SppnetTensorSource *slot = &g_array_index (expected, SppnetTensorSource, i);
    const SppnetTensorSource *source = find_source (tensors, n, slot->name);

    if (!source || !source->data)
      return refuse (error, SPPNET_ERROR_SETTINGS, path, slot->name, "the configuration needs it, but it is missing");
    if (source->n_dims != slot->n_dims || memcmp (source->dims, slot->dims, slot->n_dims * sizeof (gsize)) != 0)
      return refuse (error, SPPNET_ERROR_SETTINGS, path, slot->name, "its shape is not what the configuration needs");
    slot->data = source->data;
  }
  for (guint i = 0; i < n; i++) {
    if (!find_source ((SppnetTensorSource *) (gpointer) expected->data, expected->len, tensors[i].name))
      return refuse (error, SPPNET_ERROR_SETTINGS, path, tensors[i].name, "the configuration has no such tensor");
    if (find_source (tensors, i, tensors[i].name))
      return refuse (error, SPPNET_ERROR_SETTINGS, path, tensors[i].name, "given twice");
  }
  return TRUE;
}

/* The header with its length, padded. *bytes: of the data section. */
static GString *
make_header (GArray *tensors, const gchar *json, SppnetDtype dtype, gsize *bytes)
{
  GString *header = g_string_new ("{\"__metadata__\":{\"sppnet\":");
  guint64 length;

  *bytes = 0;
  sppnet_json_append_string (header, json);
  g_string_append_c (header, '}');
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize size = count_elements (tensor) * sppnet_dtype_size (dtype);

    g_string_append_c (header, ',');
    sppnet_json_append_string (header, tensor->name);
    g_string_append_printf (header, ":{\"dtype\":\"%s\",\"shape\":", sppnet_dtype_name (dtype));
    for (guint d = 0; d < tensor->n_dims; d++)
      g_string_append_printf (header, "%c%zu", d ? ',' : '[', tensor->dims[d]);
    g_string_append_printf (header, "],\"data_offsets\":[%zu,%zu]}", *bytes, *bytes + size);
    *bytes += size;
  }
  g_string_append_c (header, '}');
  while ((header->len + sizeof length) % DATA_ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  length = GUINT64_TO_LE ((guint64) header->len);
  g_string_prepend_len (header, (const gchar *) &length, sizeof length);
  return header;
}

/* Index of the first value that the type cannot hold; n where there is none. */
static gsize
encode (guint8 *out, const gfloat *values, gsize n, SppnetDtype dtype)
{
  for (gsize i = 0; i < n; i++) {
    guint32 bits = GUINT32_TO_LE (sppnet_float_bits (values[i]));
    guint16 half = dtype == SPPNET_DTYPE_F16 ? sppnet_float_to_half (values[i]) : sppnet_float_to_bfloat (values[i]);
    guint16 stored = GUINT16_TO_LE (half);

    if (dtype == SPPNET_DTYPE_F32)
      memcpy (out + 4 * i, &bits, 4);
    else if (!isfinite (dtype == SPPNET_DTYPE_F16 ? sppnet_half_to_float (half) : sppnet_bfloat_to_float (half)))
      return i;
    else
      memcpy (out + 2 * i, &stored, 2);
  }
  return n;
}

static gboolean
append_data (guint8 *out, GArray *tensors, SppnetDtype dtype, const gchar *path, GError **error)
{
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize n = count_elements (tensor);
    gsize bad = sppnet_first_not_finite (tensor->data, n);
    gboolean finite = bad == n;

    if (finite)
      bad = encode (out, tensor->data, n, dtype);
    if (bad < n) {
      g_autofree gchar *reason
          = g_strdup_printf ("element %zu is %s", bad, finite ? "too large for the type" : "not a finite number");

      return refuse (error, SPPNET_ERROR_WRITE, path, tensor->name, reason);
    }
    out += n * sppnet_dtype_size (dtype);
  }
  return TRUE;
}

gboolean
sppnet_config_check (const SppnetConfig *config, const gchar *file, GError **error)
{
  g_autofree gchar *json = sppnet_config_to_json (config);
  g_auto (SppnetConfig) parsed = { NULL };

  if (sppnet_config_parse (&parsed, json, -1, file, error))
    return TRUE;
  if (error && *error)
    (*error)->code = SPPNET_ERROR_SETTINGS;
  return FALSE;
}

gboolean
sppnet_model_save (const gchar *path, const SppnetConfig *config, const SppnetTensorSource *tensors, guint n_tensors,
                   SppnetDtype dtype, GError **error)
{
  g_autoptr (GArray) ordered = sppnet_config_tensors (config);
  g_autofree gchar *json = sppnet_config_to_json (config);
  g_autoptr (GString) header = NULL;
  g_autofree guint8 *bytes = NULL;
  gsize data;

  g_return_val_if_fail (path != NULL && (guint) dtype <= SPPNET_DTYPE_BF16, FALSE);
  if (!sppnet_config_check (config, path, error) || !match_tensors (ordered, tensors, n_tensors, path, error))
    return FALSE;
  header = make_header (ordered, json, dtype, &data);
  bytes = g_try_malloc (header->len + data);
  if (!bytes) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: cannot allocate %zu bytes", path, header->len + data);
    return FALSE;
  }
  memcpy (bytes, header->str, header->len);
  return append_data (bytes + header->len, ordered, dtype, path, error)
         && sppnet_file_write (path, bytes, header->len + data, error);
}

SppnetDtype
sppnet_model_get_dtype (const SppnetModel *model)
{
  return model->dtype;
}

gboolean
sppnet_model_save_with (const SppnetModel *model, const SppnetConfig *config, const SppnetTensorSource *others,
                        guint n_others, const gchar *path, GError **error)
{
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);

  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    const SppnetTensorSource *other = find_source (others, n_others, tensor->name);

    tensor->data = other ? other->data : sppnet_model_get_tensor (model, tensor->name, NULL);
  }
  return sppnet_model_save (path, config, (const SppnetTensorSource *) tensors->data, tensors->len, model->dtype,
                            error);
}

gboolean
sppnet_model_save_as (const SppnetModel *model, const SppnetConfig *config, const gchar *path, GError **error)
{
  return sppnet_model_save_with (model, config, NULL, 0, path, error);
}
