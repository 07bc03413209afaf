/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

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

static gboolean
write_file (const gchar *path, gconstpointer bytes, gsize length, GFileSetContentsFlags flags, GError **error)
{
  g_autoptr (GError) reason = NULL;

  /* Renaming over a device or a pipe would remove it. */
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: exists and is not a regular file", path);
    return FALSE;
  }
  if (g_file_set_contents_full (path, bytes, (gssize) length, flags, 0666, &reason))
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: cannot be written: %s", path,
               g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? "there is no such folder"
                                                                          : reason->message);
  return FALSE;
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
