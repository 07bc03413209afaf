/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* Text "sppnet checkpoint 3 KEY STEP COUNT ARRAYS SHA256\n", then the arrays in native byte order. The checksum
 * is of the first line up to the blank before it and of the arrays. */

#define VERSION "sppnet checkpoint 3 "
#define LONGEST_LINE 1024

/* File beside the checkpoints: the keys of those that a complete run has left, one a line. */
#define COMPLETE "complete"

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
sppnet_checkpoint_save (const gchar *file, const gchar *key, guint step, const SppnetNetwork *network,
                        const SppnetMoments *moments, GError **error)
{
  gfloat *arrays[MOST_ARRAYS];
  guint n_arrays = list_arrays (network, moments, arrays);
  gsize bytes = network->n_params * sizeof (gfloat);
  g_autofree gchar *line
      = g_strdup_printf (VERSION "%s %u %" G_GSIZE_FORMAT " %u", key, step, network->n_params, n_arrays);
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
  gchar *end = memchr (content, '\n', MIN (length, LONGEST_LINE));
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
  if (g_strv_length (words) != 8) {
    corrupt (file, "its first line is damaged", error);
    return NULL;
  }
  checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, (const guchar *) content, (gssize) (strlen (content) - strlen (words[7]) - 1));
  g_checksum_update (checksum, (const guchar *) *body, (gssize) (length - (gsize) (*body - content)));
  if (!g_str_equal (g_checksum_get_string (checksum), words[7])) {
    corrupt (file, "its checksum is wrong", error);
    return NULL;
  }
  return g_steal_pointer (&words);
}

/* Whether nothing is lost with it. */
static gboolean
is_of_complete_run (const gchar *file, const gchar *key)
{
  g_autofree gchar *folder = g_path_get_dirname (file), *content = NULL;
  g_autofree gchar *list = g_build_filename (folder, COMPLETE, NULL);
  g_auto (GStrv) keys = NULL;

  if (!g_file_get_contents (list, &content, NULL, NULL))
    return FALSE;
  keys = g_strsplit (content, "\n", -1);
  return g_strv_contains ((const gchar *const *) keys, key);
}

/* Where there is one to go on from: *content, which *body points into, and *words, else NULL. */
static gboolean
read_file (const gchar *file, const gchar *key, gchar **content, gsize *length, gchar ***words, const gchar **body,
           GError **error)
{
  *words = NULL;
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!sppnet_file_read (file, content, length, error))
    return FALSE;
  *words = split (file, *content, *length, body, error);
  if (!*words)
    return FALSE;
  if (g_str_equal ((*words)[3], key))
    return TRUE;
  if (is_of_complete_run (file, (*words)[3])) {
    g_clear_pointer (words, g_strfreev);
    return TRUE;
  }
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
               "%s: of a run that is not complete, with other data or settings; give the same ones to go on, or remove "
               "it to start anew",
               file);
  return FALSE;
}

gboolean
sppnet_checkpoint_check (const gchar *file, const gchar *key, GError **error)
{
  g_autofree gchar *content = NULL;
  g_auto (GStrv) words = NULL;
  const gchar *body;
  gsize length;

  return read_file (file, key, &content, &length, &words, &body, error);
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
  if (!read_file (file, key, &content, &length, &words, &body, error))
    return FALSE;
  if (!words)
    return TRUE;
  if (length - (gsize) (body - content) != bytes * n_arrays)
    return corrupt (file, "its size does not fit the network", error);
  for (guint i = 0; i < n_arrays; i++)
    memcpy (arrays[i], body + i * bytes, bytes);
  *step = (guint) g_ascii_strtoull (words[4], NULL, 10);
  return TRUE;
}

/* (nullable) */
static gchar *
read_key (const gchar *file)
{
  gchar line[LONGEST_LINE];
  g_auto (GStrv) words = NULL;
  FILE *stream = fopen (file, "rb");
  gboolean read = stream && fgets (line, sizeof line, stream) && g_str_has_prefix (line, VERSION);

  if (stream)
    fclose (stream);
  words = read ? g_strsplit (line, " ", -1) : NULL;
  return words && words[3] ? g_strdup (words[3]) : NULL;
}

gboolean
sppnet_checkpoint_complete (const gchar *folder, GError **error)
{
  g_autofree gchar *list = g_build_filename (folder, COMPLETE, NULL);
  g_autoptr (GString) keys = g_string_new (NULL);
  g_autoptr (GDir) files = g_dir_open (folder, 0, error);
  const gchar *name;

  if (!files)
    return FALSE;
  while ((name = g_dir_read_name (files))) {
    g_autofree gchar *file = g_build_filename (folder, name, NULL), *key = NULL;

    if (!g_str_has_suffix (name, ".checkpoint") || !g_file_test (file, G_FILE_TEST_IS_REGULAR))
      continue;
    key = read_key (file);
    if (key)
      g_string_append_printf (keys, "%s\n", key);
  }
  return sppnet_file_write (list, keys->str, keys->len, error);
}
