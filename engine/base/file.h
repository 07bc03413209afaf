/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

/* Writes a file atomically: a temporary file in the same folder, brought to the disk, then renamed. Refuses to replace
 * what is not a regular file. */
gboolean sppnet_file_write (const gchar *path, gconstpointer bytes, gsize length, GError **error);
