/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/checkpoint.h"

#include <string.h>

#include "base/file.h"

/* Text "sppnet checkpoint 1 KEY STEP COUNT ARRAYS SHA256\n", then the arrays in native byte order. */

static gchar *
checksum_arrays (const guint8 *data, gsize bytes)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, bytes);
}

gboolean
sppnet_checkpoint_save (const gchar *file, const gchar *key, guint step, const SppnetNetwork *network,
                        const SppnetMoments *moments, GError **error)
{
  const gfloat *arrays[3] = { network->params, moments->first, moments->second };
  gsize bytes = network->n_params * sizeof (gfloat);
  guint n_arrays = moments->second ? 3 : 2;
  g_autoptr (GByteArray) body = g_byte_array_sized_new ((guint) (bytes * n_arrays));
  g_autofree gchar *checksum = NULL, *header = NULL;
  g_autoptr (GByteArray) content = NULL;

  for (guint i = 0; i < n_arrays; i++)
    g_byte_array_append (body, (const guint8 *) arrays[i], (guint) bytes);
  checksum = checksum_arrays (body->data, body->len);
  header = g_strdup_printf ("sppnet checkpoint 1 %s %u %" G_GSIZE_FORMAT " %u %s\n", key, step, network->n_params,
                            n_arrays, checksum);
  content = g_byte_array_sized_new (body->len + (guint) strlen (header));
  g_byte_array_append (content, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_append (content, body->data, body->len);
  return g_file_set_contents (file, (const gchar *) content->data, content->len, error);
}

static gboolean
corrupt (const gchar *file, const gchar *reason, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: %s; remove it to start anew", file, reason);
  return FALSE;
}

gboolean
sppnet_checkpoint_load (const gchar *file, const gchar *key, guint *step, SppnetNetwork *network,
                        SppnetMoments *moments, GError **error)
{
  gfloat *arrays[3] = { network->params, moments->first, moments->second };
  gsize bytes = network->n_params * sizeof (gfloat);
  guint n_arrays = moments->second ? 3 : 2;
  g_autofree gchar *content = NULL, *checksum = NULL, *counts = NULL;
  g_auto (GStrv) words = NULL;
  const gchar *body;
  gsize length;

  *step = 0;
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!sppnet_file_read (file, &content, &length, error))
    return FALSE;
  body = memchr (content, '\n', MIN (length, 1024));
  if (!body || !g_str_has_prefix (content, "sppnet checkpoint 1 "))
    return corrupt (file, "not a checkpoint", error);
  content[body++ - content] = '\0';
  words = g_strsplit (content, " ", -1);
  if (g_strv_length (words) != 8)
    return corrupt (file, "its first line is damaged", error);
  if (!g_str_equal (words[3], key)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: made with other data or settings; give the same ones to go on, or remove it to start anew", file);
    return FALSE;
  }
  counts = g_strdup_printf ("%" G_GSIZE_FORMAT " %u", network->n_params, n_arrays);
  if (!g_str_has_prefix (counts, words[5]) || !g_str_has_suffix (counts, words[6])
      || length - (gsize) (body - content) != bytes * n_arrays)
    return corrupt (file, "its size does not fit the network", error);
  checksum = checksum_arrays ((const guint8 *) body, bytes * n_arrays);
  if (!g_str_equal (checksum, words[7]))
    return corrupt (file, "its checksum is wrong", error);
  for (guint i = 0; i < n_arrays; i++)
    memcpy (arrays[i], body + i * bytes, bytes);
  *step = (guint) g_ascii_strtoull (words[4], NULL, 10);
  return TRUE;
}
