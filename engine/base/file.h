/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

/* The whole of a regular file, or what comes out of a pipe. NOT_FOUND or READ, with the reason in plain words. */
gboolean sppnet_file_read (const gchar *path, gchar **content, gsize *length, GError **error);

/* The lines of a text, without a byte order mark, and without the white space around each. (transfer full):
 * NULL-terminated */
gchar **sppnet_file_read_lines (const gchar *path, GError **error);

/* Whether a file could be written there, as far as can be told beforehand: what takes long to make is not made in vain.
 */
gboolean sppnet_file_check_writable (const gchar *path, GError **error);

/* Writes a file atomically: a temporary file in the same folder, brought to the disk, then renamed. Refuses to replace
 * what is not a regular file. */
gboolean sppnet_file_write (const gchar *path, gconstpointer bytes, gsize length, GError **error);
/* The same without waiting for the disk: for what can be made again. */
gboolean sppnet_file_write_quickly (const gchar *path, gconstpointer bytes, gsize length, GError **error);
