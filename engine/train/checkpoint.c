/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/checkpoint.h"

#include <string.h>

#include "base/file.h"

/* Text "sppnet checkpoint 2 KEY STEP COUNT ARRAYS SHA256\n", then the arrays in native byte order. The checksum is of
 * the first line up to the blank before it and of the arrays. */

#define MOST_ARRAYS 4

static guint
list_arrays (const SppnetNetwork *network, const SppnetMoments *moments, gfloat *arrays[MOST_ARRAYS])
{
  gfloat *all[MOST_ARRAYS] = { network->params, moments->first, moments->second, moments->mean };
  guint n = 0;

  for (guint i = 0; i < MOST_ARRAYS; i++)
    if (all[i])
      arrays[n++] = all[i];
  return n;
}

static gchar *
checksum_of (const gchar *line, const gfloat *const *arrays, guint n_arrays, gsize bytes)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (checksum, (const guchar *) line, (gssize) strlen (line));
  for (guint i = 0; i < n_arrays; i++)
    g_checksum_update (checksum, (const guchar *) arrays[i], (gssize) bytes);
  return g_strdup (g_checksum_get_string (checksum));
}

static gchar *
first_line (const gchar *key, guint step, gsize n_params, guint n_arrays)
{
  return g_strdup_printf ("sppnet checkpoint 2 %s %u %" G_GSIZE_FORMAT " %u", key, step, n_params, n_arrays);
}

gboolean
sppnet_checkpoint_save (const gchar *file, const gchar *key, guint step, const SppnetNetwork *network,
                        const SppnetMoments *moments, GError **error)
{
  gfloat *arrays[MOST_ARRAYS];
  guint n_arrays = list_arrays (network, moments, arrays);
  gsize bytes = network->n_params * sizeof (gfloat);
  g_autofree gchar *line = first_line (key, step, network->n_params, n_arrays);
  g_autofree gchar *checksum = checksum_of (line, (const gfloat *const *) arrays, n_arrays, bytes);
  g_autofree gchar *header = g_strdup_printf ("%s %s\n", line, checksum);
  gsize length = strlen (header);
  g_autofree gchar *content = g_try_malloc (length + n_arrays * bytes);

  if (!content) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory to write a checkpoint", file);
    return FALSE;
  }
  memcpy (content, header, length);
  for (guint i = 0; i < n_arrays; i++, length += bytes)
    memcpy (content + length, arrays[i], bytes);
  return sppnet_file_write (file, content, length, error);
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
  gfloat *arrays[MOST_ARRAYS];
  guint n_arrays = list_arrays (network, moments, arrays);
  gsize bytes = network->n_params * sizeof (gfloat);
  g_autofree gchar *content = NULL, *checksum = NULL, *line = NULL;
  const gfloat *stored[MOST_ARRAYS];
  g_auto (GStrv) words = NULL;
  const gchar *body;
  gsize length;
  guint at;

  *step = 0;
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!sppnet_file_read (file, &content, &length, error))
    return FALSE;
  body = memchr (content, '\n', MIN (length, 1024));
  if (!body || !g_str_has_prefix (content, "sppnet checkpoint 2 "))
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
  at = (guint) g_ascii_strtoull (words[4], NULL, 10);
  line = first_line (key, at, network->n_params, n_arrays);
  if (length - (gsize) (body - content) != bytes * n_arrays)
    return corrupt (file, "its size does not fit the network", error);
  for (guint i = 0; i < n_arrays; i++)
    stored[i] = (const gfloat *) (gconstpointer) (body + i * bytes);
  checksum = checksum_of (line, stored, n_arrays, bytes);
  if (!g_str_equal (checksum, words[7]))
    return corrupt (file, "its checksum is wrong", error);
  for (guint i = 0; i < n_arrays; i++)
    memcpy (arrays[i], stored[i], bytes);
  *step = at;
  return TRUE;
}
