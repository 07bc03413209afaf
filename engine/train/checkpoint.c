/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/checkpoint.h"

#include <string.h>

#include "base/file.h"

/* Text "sppnet checkpoint 3 KEY STEP STEPS COUNT ARRAYS SHA256\n", then the arrays in native byte order. The checksum
 * is of the first line up to the blank before it and of the arrays. */

#define VERSION "sppnet checkpoint 3 "

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

gboolean
sppnet_checkpoint_save (const gchar *file, const gchar *key, guint step, guint n_steps, const SppnetNetwork *network,
                        const SppnetMoments *moments, GError **error)
{
  gfloat *arrays[MOST_ARRAYS];
  guint n_arrays = list_arrays (network, moments, arrays);
  gsize bytes = network->n_params * sizeof (gfloat);
  g_autofree gchar *line
      = g_strdup_printf (VERSION "%s %u %u %" G_GSIZE_FORMAT " %u", key, step, n_steps, network->n_params, n_arrays);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree gchar *header = NULL, *content = NULL;
  gsize length;

  g_checksum_update (checksum, (const guchar *) line, -1);
  for (guint i = 0; i < n_arrays; i++)
    g_checksum_update (checksum, (const guchar *) arrays[i], (gssize) bytes);
  header = g_strdup_printf ("%s %s\n", line, g_checksum_get_string (checksum));
  length = strlen (header);
  content = g_try_malloc (length + n_arrays * bytes);
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

/* The words of the first line, or NULL with an error; *body: what is behind it. */
static gchar **
split (const gchar *file, gchar *content, gsize length, const gchar **body, GError **error)
{
  gchar *end = memchr (content, '\n', MIN (length, 1024));
  g_auto (GStrv) words = NULL;
  g_autoptr (GChecksum) checksum = NULL;

  if (!end || !g_str_has_prefix (content, VERSION)) {
    corrupt (file, g_str_has_prefix (content, "sppnet checkpoint ") ? "written by another version" : "not a checkpoint",
             error);
    return NULL;
  }
  *end = '\0';
  *body = end + 1;
  words = g_strsplit (content, " ", -1);
  if (g_strv_length (words) != 9) {
    corrupt (file, "its first line is damaged", error);
    return NULL;
  }
  checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, (const guchar *) content, (gssize) (strlen (content) - strlen (words[8]) - 1));
  g_checksum_update (checksum, (const guchar *) *body, (gssize) (length - (gsize) (*body - content)));
  if (!g_str_equal (g_checksum_get_string (checksum), words[8])) {
    corrupt (file, "its checksum is wrong", error);
    return NULL;
  }
  return g_steal_pointer (&words);
}

gboolean
sppnet_checkpoint_load (const gchar *file, const gchar *key, guint *step, SppnetNetwork *network,
                        SppnetMoments *moments, GError **error)
{
  gfloat *arrays[MOST_ARRAYS];
  guint n_arrays = list_arrays (network, moments, arrays);
  gsize bytes = network->n_params * sizeof (gfloat);
  g_autofree gchar *content = NULL;
  g_auto (GStrv) words = NULL;
  const gchar *body;
  gsize length;

  *step = 0;
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!sppnet_file_read (file, &content, &length, error))
    return FALSE;
  words = split (file, content, length, &body, error);
  if (!words)
    return FALSE;
  if (!g_str_equal (words[3], key)) {
    if (g_str_equal (words[4], words[5])) /* nothing is lost with it */
      return TRUE;
    g_set_error (
        error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
        "%s: of a run that was stopped, with other data or settings; give the same ones to go on, or remove it "
        "to start anew",
        file);
    return FALSE;
  }
  if (length - (gsize) (body - content) != bytes * n_arrays)
    return corrupt (file, "its size does not fit the network", error);
  for (guint i = 0; i < n_arrays; i++)
    memcpy (arrays[i], body + i * bytes, bytes);
  *step = (guint) g_ascii_strtoull (words[4], NULL, 10);
  return TRUE;
}
