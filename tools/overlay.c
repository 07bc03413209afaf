/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay.h"

#include <string.h>

#include "arguments.h"
#include "base/file.h"
#include "draw.h"

gboolean
sppnet_overlay_check (const gchar *option, const gchar *pattern, GError **error)
{
  g_autofree gchar *lower = g_ascii_strdown (pattern, -1);

  return g_str_has_suffix (lower, ".png")
         || sppnet_usage_error (error, "--%s: \"%s\" does not end in .png, the one format it writes", option, pattern);
}

gchar *
sppnet_overlay_path (const gchar *pattern, guint number)
{
  const gchar *place = strstr (pattern, "%d");
  gsize stem = strlen (pattern) - strlen (".png");

  if (place)
    return g_strdup_printf ("%.*s%u%s", (gint) (place - pattern), pattern, number, place + 2);
  if (number == 1)
    return g_strdup (pattern);
  return g_strdup_printf ("%.*s-%u%s", (gint) stem, pattern, number, pattern + stem);
}

cairo_surface_t *
sppnet_overlay_surface (const SppnetPicture *picture)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, picture->width, picture->height);
  guint8 *rows = cairo_image_surface_get_data (surface);
  gint stride = cairo_image_surface_get_stride (surface);
  const guint8 *rgb = picture->rgb;

  if (!rows)
    return surface; /* its status says why */
  for (gint y = 0; y < picture->height; y++) {
    guint32 *row = (guint32 *) (gpointer) (rows + (gsize) y * (gsize) stride);

    for (gint x = 0; x < picture->width; x++, rgb += 3)
      row[x] = (guint32) rgb[0] << 16 | (guint32) rgb[1] << 8 | rgb[2];
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static void
draw (cairo_surface_t *surface, const SppnetPicture *picture, const SppnetDetection *detections, gsize n)
{
  g_autofree SppnetDrawBox *boxes = g_new (SppnetDrawBox, n + 1);
  cairo_t *cr = cairo_create (surface);

  for (gsize i = 0; i < n; i++)
    boxes[i]
        = (SppnetDrawBox) { detections[i].box, detections[i].label, detections[i].confidence, detections[i].label_id };
  sppnet_draw_detections (cr, picture->width, picture->height, boxes, n, NULL);
  cairo_destroy (cr);
}

static cairo_status_t
append_bytes (void *bytes, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (bytes, data, length);
  return CAIRO_STATUS_SUCCESS;
}

gboolean
sppnet_surface_write_png (cairo_surface_t *surface, const gchar *path, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  cairo_status_t status = cairo_surface_write_to_png_stream (surface, append_bytes, bytes);

  if (status == CAIRO_STATUS_SUCCESS)
    return sppnet_file_write_quickly (path, bytes->data, bytes->len, error);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: %s", path, cairo_status_to_string (status));
  return FALSE;
}

gboolean
sppnet_overlay_write (const gchar *path, const SppnetPicture *picture, const SppnetDetection *detections, gsize n,
                      GError **error)
{
  cairo_surface_t *surface = sppnet_overlay_surface (picture);
  gboolean ok;

  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS)
    draw (surface, picture, detections, n);
  ok = sppnet_surface_write_png (surface, path, error);
  cairo_surface_destroy (surface);
  return ok;
}
