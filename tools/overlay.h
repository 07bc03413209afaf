/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "frame/picture.h"

/* Whether pattern can name a PNG file for each of n pictures: it ends in ".png". */
gboolean sppnet_overlay_check (const gchar *pattern, GError **error);

/* The file for picture number 1..n: "%d" in pattern becomes the number; without it the first is pattern, the others get
 * "-2",
 * "-3", ... before the ending. (transfer full) */
gchar *sppnet_overlay_path (const gchar *pattern, guint number);

/* The picture with boxes and labels as a PNG file. */
gboolean sppnet_overlay_write (const gchar *path, const SppnetPicture *picture, const SppnetDetection *detections,
                               gsize n, GError **error);
