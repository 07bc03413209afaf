/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/picture.h"

#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

static SppnetError
error_code (const GError *error)
{
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return SPPNET_ERROR_NOT_FOUND;
  if (error->domain == G_FILE_ERROR)
    return SPPNET_ERROR_READ;
  if (g_error_matches (error, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY))
    return SPPNET_ERROR_MEMORY;
  if (g_error_matches (error, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_UNKNOWN_TYPE))
    return SPPNET_ERROR_UNSUPPORTED;
  return SPPNET_ERROR_CORRUPT;
}

/* The header alone is read first: a small file may claim a size that would take all memory. */
static gboolean
check_header (const gchar *path, GError **error)
{
  gint width = 0, height = 0;
  GdkPixbufFormat *format = gdk_pixbuf_get_file_info (path, &width, &height);
  g_autofree gchar *name = format ? gdk_pixbuf_format_get_name (format) : NULL;

  if (!format) /* no file, or not a picture: decoding tells which */
    return TRUE;
  if (!g_str_equal (name, "jpeg") && !g_str_equal (name, "png")) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: is a %s picture, not JPEG or PNG", path, name);
    return FALSE;
  }
  if (width > SPPNET_FRAME_MAX_SIZE || height > SPPNET_FRAME_MAX_SIZE) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: %dx%d is larger than %dx%d", path, width, height,
                 SPPNET_FRAME_MAX_SIZE, SPPNET_FRAME_MAX_SIZE);
    return FALSE;
  }
  return TRUE;
}

static void
copy_row (const guint8 *in, gboolean alpha, gint width, guint8 *rgb)
{
  if (!alpha) {
    memcpy (rgb, in, 3 * (gsize) width);
    return;
  }
  for (gint x = 0; x < width; x++)
    for (gint c = 0; c < 3; c++)
      rgb[3 * x + c] = (guint8) ((in[4 * x + c] * in[4 * x + 3] + 127) / 255);
}

gboolean
sppnet_picture_load (SppnetPicture *picture, const gchar *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  const guint8 *pixels;
  gboolean alpha;
  gint stride;

  *picture = (SppnetPicture) { 0 };
  if (!check_header (path, error))
    return FALSE;
  pixbuf = gdk_pixbuf_new_from_file (path, &reason);
  if (!pixbuf) {
    g_set_error (error, SPPNET_ERROR, error_code (reason), "%s: %s", path, reason->message);
    return FALSE;
  }

  picture->width = gdk_pixbuf_get_width (pixbuf);
  picture->height = gdk_pixbuf_get_height (pixbuf);
  picture->rgb = g_try_malloc_n (picture->height, 3 * (gsize) picture->width);
  if (!picture->rgb) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for %dx%d pixels", path, picture->width,
                 picture->height);
    return FALSE;
  }
  pixels = gdk_pixbuf_read_pixels (pixbuf);
  stride = gdk_pixbuf_get_rowstride (pixbuf);
  alpha = gdk_pixbuf_get_has_alpha (pixbuf);
  for (gint y = 0; y < picture->height; y++)
    copy_row (pixels + (gsize) y * stride, alpha, picture->width, picture->rgb + 3 * (gsize) y * picture->width);
  return TRUE;
}

void
sppnet_picture_clear (SppnetPicture *picture)
{
  g_clear_pointer (&picture->rgb, g_free);
  picture->width = picture->height = 0;
}

SppnetFrame
sppnet_picture_frame (const SppnetPicture *picture)
{
  return (SppnetFrame) {
    .format = SPPNET_PIXEL_FORMAT_RGB,
    .width = picture->width,
    .height = picture->height,
    .plane = { picture->rgb },
    .stride = { 3 * picture->width },
  };
}
