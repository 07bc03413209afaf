/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

/* The whole of a regular file, or what comes out of a pipe. NOT_FOUND or READ, with the reason in plain words. */
gboolean sppnet_file_read (const gchar *path, gchar **content, gsize *length, GError **error);

/* Writes a file atomically: a temporary file in the same folder, brought to the disk, then renamed. Refuses to replace
 * what is not a regular file. */
gboolean sppnet_file_write (const gchar *path, gconstpointer bytes, gsize length, GError **error);
/* The same without waiting for the disk: for what can be made again. */
gboolean sppnet_file_write_quickly (const gchar *path, gconstpointer bytes, gsize length, GError **error);
