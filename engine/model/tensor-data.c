/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/tensor-data.h"

#include <string.h>

#include "base/half.h"
#include "base/memory.h"

static void
free_weights (gpointer data)
{
  sppnet_aligned_free (((SppnetTensorData *) data)->owned);
  g_free (data);
}

gsize
sppnet_first_not_finite (const gfloat *values, gsize n)
{
  const gsize block = 4096;

  for (gsize start = 0; start < n; start += block) {
    gsize end = MIN (start + block, n);
    guint32 bad = 0; /* no early exit within a block: it vectorises */

    for (gsize i = start; i < end; i++)
      bad |= (sppnet_float_bits (values[i]) & 0x7f800000) == 0x7f800000;
    for (gsize i = start; bad && i < end; i++)
      if ((sppnet_float_bits (values[i]) & 0x7f800000) == 0x7f800000)
        return i;
  }
  return n;
}

/* data: little-endian, at any address. */
static void
convert (gfloat *out, const guint8 *data, gsize n, SppnetDtype dtype)
{
  for (gsize i = 0; i < n && dtype == SPPNET_DTYPE_F32; i++) {
    guint32 bits;

    memcpy (&bits, data + 4 * i, 4);
    out[i] = sppnet_bits_float (GUINT32_FROM_LE (bits));
  }
  for (gsize i = 0; i < n && dtype != SPPNET_DTYPE_F32; i++) {
    guint16 bits;

    memcpy (&bits, data + 2 * i, 2);
    bits = GUINT16_FROM_LE (bits);
    out[i] = dtype == SPPNET_DTYPE_F16 ? sppnet_half_to_float (bits) : sppnet_bfloat_to_float (bits);
  }
}

static SppnetTensorData *
make_floats (const SppnetStoredTensor *tensor, const gchar *file, GError **error)
{
  SppnetTensorData *weights = g_new0 (SppnetTensorData, 1);
  gsize bad;

  weights->count = tensor->count;
  if (tensor->dtype == SPPNET_DTYPE_F32 && (guintptr) tensor->data % sizeof (gfloat) == 0
      && G_BYTE_ORDER == G_LITTLE_ENDIAN)
    weights->data = (const gfloat *) (gconstpointer) tensor->data;
  else {
    weights->owned
        = tensor->count <= G_MAXSIZE / sizeof (gfloat) ? sppnet_aligned_alloc (tensor->count * sizeof (gfloat)) : NULL;
    if (!weights->owned) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: tensor '%s': cannot allocate %zu floats", file,
                   tensor->name, tensor->count);
      free_weights (weights);
      return NULL;
    }
    convert (weights->owned, tensor->data, tensor->count, tensor->dtype);
    weights->data = weights->owned;
  }
  bad = sppnet_first_not_finite (weights->data, weights->count);
  if (bad == weights->count)
    return weights;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: tensor '%s': element %zu is not a finite number", file,
               tensor->name, bad);
  free_weights (weights);
  return NULL;
}

static gboolean
check_shape (const SppnetStoredTensor *tensor, const SppnetTensorSource *expected, const gchar *file, GError **error)
{
  guint64 dims[G_N_ELEMENTS (expected->dims)];
  gboolean same = tensor->n_dims == expected->n_dims;
  g_autofree gchar *is = NULL;
  g_autofree gchar *should = NULL;

  for (guint i = 0; i < expected->n_dims; i++) {
    dims[i] = expected->dims[i];
    same = same && tensor->dims[i] == dims[i];
  }
  if (same)
    return TRUE;
  is = sppnet_shape_to_string (tensor->dims, tensor->n_dims);
  should = sppnet_shape_to_string (dims, expected->n_dims);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT,
               "%s: tensor '%s': its shape is %s, the configuration needs %s", file, tensor->name, is, should);
  return FALSE;
}

static gboolean
read_all (GHashTable *out, GHashTable *expected, const SppnetSafetensors *safetensors, const gchar *file,
          gboolean *in_place, GError **error)
{
  for (guint i = 0; i < safetensors->tensors->len; i++) {
    const SppnetStoredTensor *tensor = &g_array_index (safetensors->tensors, SppnetStoredTensor, i);
    const SppnetTensorSource *source = g_hash_table_lookup (expected, tensor->name);
    SppnetTensorData *weights;

    if (!source) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: tensor '%s': the configuration has no such tensor",
                   file, tensor->name);
      return FALSE;
    }
    if (!check_shape (tensor, source, file, error))
      return FALSE;
    weights = make_floats (tensor, file, error);
    if (!weights)
      return FALSE;
    *in_place = *in_place || !weights->owned;
    g_hash_table_insert (out, g_strdup (tensor->name), weights);
  }
  return TRUE;
}

GHashTable *
sppnet_tensors_read (const SppnetSafetensors *safetensors, const SppnetConfig *config, const gchar *file,
                     gboolean *in_place, GError **error)
{
  g_autoptr (GHashTable) out = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_weights);
  g_autoptr (GHashTable) expected = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) sources = sppnet_config_tensors (config);

  *in_place = FALSE;
  for (guint i = 0; i < sources->len; i++) {
    SppnetTensorSource *source = &g_array_index (sources, SppnetTensorSource, i);

    g_hash_table_insert (expected, (gpointer) source->name, source);
  }
  if (!read_all (out, expected, safetensors, file, in_place, error))
    return NULL;
  for (guint i = 0; i < sources->len; i++) {
    const gchar *name = g_array_index (sources, SppnetTensorSource, i).name;

    if (!g_hash_table_contains (out, name)) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: tensor '%s': missing", file, name);
      return NULL;
    }
  }
  return g_steal_pointer (&out);
}
