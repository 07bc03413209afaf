/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/picture.h"

#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "base/file.h"
#include "frame/frame.h"

/* Bytes of a PNG file's signature, and of a chunk beside its data. */
#define PNG_SIGNATURE 8
#define PNG_CHUNK 12

/* Only the two formats that are wanted, whatever loaders the system has for others. */
static const gchar *
find_type (const gchar *data, gsize length)
{
  if (length >= 3 && memcmp (data, "\xff\xd8\xff", 3) == 0)
    return "jpeg";
  return length >= 4 && memcmp (data, "\x89PNG", 4) == 0 ? "png" : NULL;
}

/* Whether the segments of a JPEG file (ITU-T T.81, annex B) lead to an end-of-image marker. The decoder does not say
 * when a file ends early: it makes up the rest of the pixels. What follows the marker does not matter. */
static gboolean
jpeg_is_complete (const guint8 *data, gsize length)
{
  gsize i = 2;

  while (i + 1 < length) {
    guint8 marker = data[i + 1];

    if (data[i] != 0xff || marker == 0xff || marker <= 1 || (marker >= 0xd0 && marker <= 0xd7)) {
      i++; /* coded data, or a marker without a segment */
      continue;
    }
    if (marker == 0xd9)
      return TRUE;
    i += 2;
    if (i + 1 < length)
      i += (gsize) data[i] << 8 | data[i + 1];
  }
  return FALSE;
}

/* Whether a PNG file's chunks go on to its last one: of a file that ends before, the loader gives what there is. */
static gboolean
png_is_complete (const guint8 *data, gsize length)
{
  for (gsize i = PNG_SIGNATURE; i + PNG_CHUNK <= length;) {
    gsize n = (gsize) data[i] << 24 | (gsize) data[i + 1] << 16 | (gsize) data[i + 2] << 8 | data[i + 3];

    if (n > length - i - PNG_CHUNK)
      return FALSE;
    if (memcmp (data + i + 4, "IEND", 4) == 0)
      return TRUE;
    i += PNG_CHUNK + n;
  }
  return FALSE;
}

typedef struct
{
  gint width, height;
  gint rows; /* decoded so far; all of them, coarsely, after the first pass of a picture that is interlaced */
} Progress;

/* Called before memory for the pixels is asked for: a small file may claim any size. An empty size makes the loader
 * stop. */
static void
on_size_prepared (GdkPixbufLoader *loader, gint width, gint height, gpointer progress)
{
  *(Progress *) progress = (Progress) { width, height, 0 };
  if (width > SPPNET_FRAME_MAX_SIZE || height > SPPNET_FRAME_MAX_SIZE)
    gdk_pixbuf_loader_set_size (loader, 0, 0);
}

static void
on_area_updated (GdkPixbufLoader *loader, gint x, gint y, gint width, gint height, gpointer progress)
{
  ((Progress *) progress)->rows = MAX (((Progress *) progress)->rows, y + height);
}

static GdkPixbuf *
decode (const gchar *path, const gchar *type, const gchar *data, gsize length, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type (type, &reason);
  Progress progress = { 0 };
  gboolean cut = !(g_str_equal (type, "jpeg") ? jpeg_is_complete : png_is_complete) ((const guint8 *) data, length);
  gboolean written, complete;

  if (!loader) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: %s", path, reason->message);
    return NULL;
  }
  g_signal_connect (loader, "size-prepared", G_CALLBACK (on_size_prepared), &progress);
  g_signal_connect (loader, "area-updated", G_CALLBACK (on_area_updated), &progress);
  written = gdk_pixbuf_loader_write (loader, (const guchar *) data, length, &reason);
  complete = gdk_pixbuf_loader_close (loader, written ? &reason : NULL) && written;
  /* Of a file that is cut, the loader says at the end that it was called in a wrong state. */
  if (cut && written)
    g_clear_error (&reason);
  if (progress.width > SPPNET_FRAME_MAX_SIZE || progress.height > SPPNET_FRAME_MAX_SIZE)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: %dx%d is larger than %dx%d", path, progress.width,
                 progress.height, SPPNET_FRAME_MAX_SIZE, SPPNET_FRAME_MAX_SIZE);
  else if (!complete || progress.rows < progress.height || !gdk_pixbuf_loader_get_pixbuf (loader) || cut)
    g_set_error (error, SPPNET_ERROR,
                 g_error_matches (reason, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY)
                     ? SPPNET_ERROR_MEMORY
                     : SPPNET_ERROR_CORRUPT,
                 "%s: %s", path, reason ? reason->message : "the file is incomplete");
  else
    return g_object_ref (gdk_pixbuf_loader_get_pixbuf (loader));
  return NULL;
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

static gboolean
copy_pixels (SppnetPicture *picture, const GdkPixbuf *pixbuf)
{
  const guint8 *pixels = gdk_pixbuf_read_pixels (pixbuf);
  gsize stride = (gsize) gdk_pixbuf_get_rowstride (pixbuf);
  gboolean alpha = gdk_pixbuf_get_has_alpha (pixbuf);
  gint width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  guint8 *rgb = g_try_malloc_n ((gsize) height, 3 * (gsize) width);

  if (!rgb)
    return FALSE;
  for (gint y = 0; y < height; y++)
    copy_row (pixels + y * stride, alpha, width, rgb + 3 * (gsize) y * width);
  *picture = (SppnetPicture) { width, height, rgb };
  return TRUE;
}

static GdkPixbuf *
read_pixbuf (const gchar *path, GError **error)
{
  g_autofree gchar *data = NULL;
  const gchar *type;
  gsize length;

  if (!sppnet_file_read (path, &data, &length, error))
    return NULL;
  type = find_type (data, length);
  if (type)
    return decode (path, type, data, length, error);
  g_set_error (error, SPPNET_ERROR, length == 0 ? SPPNET_ERROR_CORRUPT : SPPNET_ERROR_UNSUPPORTED, "%s: %s", path,
               length == 0 ? "the file is empty" : "is neither a JPEG nor a PNG picture");
  return NULL;
}

static void
turn_upright (GdkPixbuf **pixbuf)
{
  GdkPixbuf *turned = gdk_pixbuf_apply_embedded_orientation (*pixbuf);

  g_object_unref (*pixbuf);
  *pixbuf = turned;
}

/* pixbuf: NULL where there was no memory to turn it */
static gboolean
take_pixels (SppnetPicture *picture, const gchar *path, const GdkPixbuf *pixbuf, GError **error)
{
  if (pixbuf && copy_pixels (picture, pixbuf))
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the pixels", path);
  return FALSE;
}

gboolean
sppnet_picture_load (SppnetPicture *picture, const gchar *path, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf = read_pixbuf (path, error);

  *picture = (SppnetPicture) { 0 };
  return pixbuf && take_pixels (picture, path, pixbuf, error);
}

gboolean
sppnet_picture_load_upright (SppnetPicture *picture, const gchar *path, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf = read_pixbuf (path, error);

  *picture = (SppnetPicture) { 0 };
  if (!pixbuf)
    return FALSE;
  turn_upright (&pixbuf);
  return take_pixels (picture, path, pixbuf, error);
}

static gboolean
has_size (const GdkPixbuf *pixbuf, gint width, gint height)
{
  return gdk_pixbuf_get_width (pixbuf) == width && gdk_pixbuf_get_height (pixbuf) == height;
}

gboolean
sppnet_picture_load_sized (SppnetPicture *picture, const gchar *path, gint width, gint height, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf = read_pixbuf (path, error);
  gint stored_width, stored_height;

  *picture = (SppnetPicture) { 0 };
  if (!pixbuf)
    return FALSE;
  stored_width = gdk_pixbuf_get_width (pixbuf);
  stored_height = gdk_pixbuf_get_height (pixbuf);
  if (!has_size (pixbuf, width, height) && has_size (pixbuf, height, width))
    turn_upright (&pixbuf);
  if (!pixbuf || has_size (pixbuf, width, height))
    return take_pixels (picture, path, pixbuf, error);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is %dx%d, its annotation says %dx%d", path, stored_width,
               stored_height, width, height);
  return FALSE;
}

gboolean
sppnet_picture_check_size (const gchar *path, gint width, gint height, GError **error)
{
  g_auto (SppnetPicture) picture = { 0 };
  gint stored_width, stored_height;
  GdkPixbufFormat *format = gdk_pixbuf_get_file_info (path, &stored_width, &stored_height);
  g_autofree gchar *type = format ? gdk_pixbuf_format_get_name (format) : NULL;

  if ((g_strcmp0 (type, "jpeg") == 0 || g_strcmp0 (type, "png") == 0) && stored_width == width
      && stored_height == height && MAX (width, height) <= SPPNET_FRAME_MAX_SIZE)
    return TRUE;
  /* Whatever else it is, there is an answer. */
  return sppnet_picture_load_sized (&picture, path, width, height, error);
}

gboolean
sppnet_picture_load_resized (const gchar *path, gint own_width, gint own_height, gint width, gint height,
                             gboolean mirror, guint8 *rgb, GError **error)
{
  g_auto (SppnetPicture) picture = { 0 };
  g_autoptr (GdkPixbuf) original = NULL, resized = NULL;
  const guint8 *pixels;
  gint stride;

  if (!sppnet_picture_load_sized (&picture, path, own_width, own_height, error))
    return FALSE;
  original = gdk_pixbuf_new_from_data (picture.rgb, GDK_COLORSPACE_RGB, FALSE, 8, picture.width, picture.height,
                                       picture.width * 3, NULL, NULL);
  resized = gdk_pixbuf_scale_simple (original, width, height, GDK_INTERP_BILINEAR);
  if (!resized) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory to resize it", path);
    return FALSE;
  }
  pixels = gdk_pixbuf_read_pixels (resized);
  stride = gdk_pixbuf_get_rowstride (resized);
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++, rgb += 3)
      memcpy (rgb, pixels + (gsize) y * (gsize) stride + 3 * (gsize) (mirror ? width - 1 - x : x), 3);
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
  return sppnet_frame_of_rgb (picture->rgb, picture->width, picture->height);
}
