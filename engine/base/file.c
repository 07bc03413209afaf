/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_FOLDER "there is no such folder"

gboolean
sppnet_file_read (const gchar *path, gchar **content, gsize *length, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean absent;
  GStatBuf status;

  if (g_stat (path, &status) == 0 && !S_ISREG (status.st_mode) && !S_ISFIFO (status.st_mode)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "%s: is not a regular file", path);
    return FALSE;
  }
  if (g_file_get_contents (path, content, length, &reason))
    return TRUE;
  absent = g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_set_error (error, SPPNET_ERROR, absent ? SPPNET_ERROR_NOT_FOUND : SPPNET_ERROR_READ, "%s: %s", path,
               absent                                                       ? "there is no such file"
               : g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_ACCES) ? "may not be read"
                                                                            : reason->message);
  return FALSE;
}

gchar **
sppnet_file_read_lines (const gchar *path, GError **error)
{
  g_autofree gchar *text = NULL;
  gchar **lines;
  gsize length;

  if (!sppnet_file_read (path, &text, &length, error))
    return NULL;
  if (strlen (text) != length) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not a text", path);
    return NULL;
  }
  lines = g_strsplit (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    g_strstrip (lines[i]);
  return lines;
}

/* Renaming over a device or a pipe would remove it. */
static gboolean
check_replaceable (const gchar *path, GError **error)
{
  if (!*path) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "the name of a file to write is empty");
    return FALSE;
  }
  if (!g_file_test (path, G_FILE_TEST_EXISTS) || g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: exists and is not a regular file", path);
  return FALSE;
}

static gboolean
fail_to_write (const gchar *path, const gchar *reason, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: cannot be written: %s", path, reason);
  return FALSE;
}

gboolean
sppnet_file_check_writable (const gchar *path, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);

  if (!check_replaceable (path, error))
    return FALSE;
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    return fail_to_write (path, NO_FOLDER, error);
  return g_access (folder, W_OK) == 0 || fail_to_write (path, g_strerror (errno), error);
}

static gboolean
write_file (const gchar *path, gconstpointer bytes, gsize length, GFileSetContentsFlags flags, GError **error)
{
  g_autoptr (GError) reason = NULL;

  return check_replaceable (path, error)
         && (g_file_set_contents_full (path, bytes, (gssize) length, flags, 0666, &reason)
             || fail_to_write (path,
                               g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? NO_FOLDER : reason->message,
                               error));
}

gboolean
sppnet_file_write (const gchar *path, gconstpointer bytes, gsize length, GError **error)
{
  return write_file (path, bytes, length, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, error);
}

gboolean
sppnet_file_write_quickly (const gchar *path, gconstpointer bytes, gsize length, GError **error)
{
  return write_file (path, bytes, length, G_FILE_SET_CONTENTS_CONSISTENT, error);
}
