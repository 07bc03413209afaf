/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <sppnet/detector.h>

#include "frame/picture.h"

/* Whether pattern, the value of an option, can name PNG files: it ends in ".png". */
gboolean sppnet_overlay_check (const gchar *option, const gchar *pattern, GError **error);

/* The file for picture number 1..n: "%d" in pattern becomes the number; without it the first is pattern, the others get
 * "-2",
 * "-3", ... before the ending. (transfer full) */
gchar *sppnet_overlay_path (const gchar *pattern, guint number);

/* A copy in Cairo's order: one 32-bit word per pixel, red in bits 16..23. Its status may be an error. (transfer full)
 */
cairo_surface_t *sppnet_overlay_surface (const SppnetPicture *picture);

/* Replaces path by a PNG file of the surface, or leaves it as it is. */
gboolean sppnet_surface_write_png (cairo_surface_t *surface, const gchar *path, GError **error);

/* The picture with boxes and labels as a PNG file. */
gboolean sppnet_overlay_write (const gchar *path, const SppnetPicture *picture, const SppnetDetection *detections,
                               gsize n, GError **error);
