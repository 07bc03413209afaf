/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/frame.h"

#include "frame/convert.h"

#include <string.h>

/* Pixels converted at a time: the intermediate rows stay in the first-level cache. Even, so that a pair of pixels that
 * share chroma is never cut. */
#define CHUNK 512

typedef enum
{
  LAYOUT_PLANAR,      /* Y, U, V planes, chroma halved both ways */
  LAYOUT_SEMI_PLANAR, /* Y plane, plane of chroma pairs, halved both ways */
  LAYOUT_PAIRS,       /* two pixels in four bytes, chroma halved horizontally */
  LAYOUT_RGB,
  LAYOUT_GRAY,
} Layout;

/* Byte offsets of R, G, B within a pixel; of Y, U, V within a pair of pixels; of U, V within a chroma pair. */
typedef struct
{
  const gchar *name;
  Layout layout;
  guint8 bytes; /* per pixel of plane 0 */
  guint8 first, second, third;
} Format;

static const Format formats[] = {
  [SPPNET_PIXEL_FORMAT_I420] = { "I420", LAYOUT_PLANAR, 1, 0, 0, 0 },
  [SPPNET_PIXEL_FORMAT_YV12] = { "YV12", LAYOUT_PLANAR, 1, 0, 0, 0 },
  [SPPNET_PIXEL_FORMAT_NV12] = { "NV12", LAYOUT_SEMI_PLANAR, 1, 0, 0, 1 },
  [SPPNET_PIXEL_FORMAT_NV21] = { "NV21", LAYOUT_SEMI_PLANAR, 1, 0, 1, 0 },
  [SPPNET_PIXEL_FORMAT_YUY2] = { "YUY2", LAYOUT_PAIRS, 2, 0, 1, 3 },
  [SPPNET_PIXEL_FORMAT_UYVY] = { "UYVY", LAYOUT_PAIRS, 2, 1, 0, 2 },
  [SPPNET_PIXEL_FORMAT_RGB] = { "RGB", LAYOUT_RGB, 3, 0, 1, 2 },
  [SPPNET_PIXEL_FORMAT_BGR] = { "BGR", LAYOUT_RGB, 3, 2, 1, 0 },
  [SPPNET_PIXEL_FORMAT_RGBX] = { "RGBx", LAYOUT_RGB, 4, 0, 1, 2 },
  [SPPNET_PIXEL_FORMAT_BGRX] = { "BGRx", LAYOUT_RGB, 4, 2, 1, 0 },
  [SPPNET_PIXEL_FORMAT_XRGB] = { "xRGB", LAYOUT_RGB, 4, 1, 2, 3 },
  [SPPNET_PIXEL_FORMAT_XBGR] = { "xBGR", LAYOUT_RGB, 4, 3, 2, 1 },
  [SPPNET_PIXEL_FORMAT_RGBA] = { "RGBA", LAYOUT_RGB, 4, 0, 1, 2 },
  [SPPNET_PIXEL_FORMAT_BGRA] = { "BGRA", LAYOUT_RGB, 4, 2, 1, 0 },
  [SPPNET_PIXEL_FORMAT_ARGB] = { "ARGB", LAYOUT_RGB, 4, 1, 2, 3 },
  [SPPNET_PIXEL_FORMAT_ABGR] = { "ABGR", LAYOUT_RGB, 4, 3, 2, 1 },
  [SPPNET_PIXEL_FORMAT_GRAY8] = { "GRAY8", LAYOUT_GRAY, 1, 0, 0, 0 },
};

/* Bytes of a row of one plane, 0 for a plane that the format does not have. */
static gint
row_bytes (const Format *format, gint width, guint plane)
{
  gint pairs = (width + 1) / 2;

  if (plane == 0)
    return format->layout == LAYOUT_PAIRS ? pairs * 4 : width * format->bytes;
  if (format->layout == LAYOUT_PLANAR)
    return pairs;
  return format->layout == LAYOUT_SEMI_PLANAR && plane == 1 ? pairs * 2 : 0;
}

static gboolean
check_planes (const SppnetFrame *frame, GError **error)
{
  const Format *format = &formats[frame->format];

  for (guint p = 0; p < SPPNET_FRAME_MAX_PLANES; p++) {
    gint bytes = row_bytes (format, frame->width, p);

    if (bytes > 0 && !frame->plane[p]) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "frame: plane %u of %s is missing", p, format->name);
      return FALSE;
    }
    if (bytes > 0 && frame->stride[p] < bytes) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                   "frame: stride %d of plane %u is shorter than the %d bytes of a row of %d %s pixels",
                   frame->stride[p], p, bytes, frame->width, format->name);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
sppnet_frame_check (const SppnetFrame *frame, GError **error)
{
  if ((guint) frame->format >= G_N_ELEMENTS (formats)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "frame: pixel format %d is unknown", frame->format);
    return FALSE;
  }
  if (frame->width < 1 || frame->height < 1 || frame->width > SPPNET_FRAME_MAX_SIZE
      || frame->height > SPPNET_FRAME_MAX_SIZE) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "frame: %dx%d is outside 1x1 to %dx%d", frame->width,
                 frame->height, SPPNET_FRAME_MAX_SIZE, SPPNET_FRAME_MAX_SIZE);
    return FALSE;
  }
  if ((guint) frame->matrix > SPPNET_COLOR_MATRIX_BT2020 || (guint) frame->range > SPPNET_COLOR_RANGE_FULL) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "frame: colour matrix %d or range %d is unknown",
                 frame->matrix, frame->range);
    return FALSE;
  }
  return check_planes (frame, error);
}

static const guint8 *
row_of (const SppnetFrame *frame, guint plane, gint row)
{
  return frame->plane[plane] + (gssize) row * frame->stride[plane];
}

/* n pixels from x (even) of a row into the three components, chroma repeated. */
static void
unpack_ycbcr (const SppnetFrame *frame, gint row, gint x, gint n, guint8 *y, guint8 *u, guint8 *v)
{
  const Format *format = &formats[frame->format];
  const guint8 *from;

  switch (format->layout) {
  case LAYOUT_PLANAR:
    memcpy (y, row_of (frame, 0, row) + x, n);
    sppnet_convert_repeat (row_of (frame, 1, row / 2) + x / 2, 1, n, u);
    sppnet_convert_repeat (row_of (frame, 2, row / 2) + x / 2, 1, n, v);
    return;
  case LAYOUT_SEMI_PLANAR:
    memcpy (y, row_of (frame, 0, row) + x, n);
    from = row_of (frame, 1, row / 2) + x;
    sppnet_convert_repeat (from + format->second, 2, n, u);
    sppnet_convert_repeat (from + format->third, 2, n, v);
    return;
  case LAYOUT_PAIRS:
    from = row_of (frame, 0, row) + 2 * x;
    sppnet_convert_every_second (from + format->first, n, y);
    sppnet_convert_repeat (from + format->second, 4, n, u);
    sppnet_convert_repeat (from + format->third, 4, n, v);
    return;
  case LAYOUT_GRAY:
    memcpy (y, row_of (frame, 0, row) + x, n);
    memset (u, 128, n);
    memset (v, 128, n);
    return;
  case LAYOUT_RGB:
    break;
  }
  g_assert_not_reached ();
}

static void
read_ycbcr_row (const SppnetFrame *frame, const SppnetConvertMatrix *matrix, gint row, guint8 *rgb)
{
  guint8 y[CHUNK], u[CHUNK], v[CHUNK];

  for (gint x = 0; x < frame->width; x += CHUNK) {
    gint n = MIN (CHUNK, frame->width - x);

    unpack_ycbcr (frame, row, x, n, y, u, v);
    sppnet_convert_ycbcr (matrix, y, u, v, n, rgb + 3 * x);
  }
}

void
sppnet_frame_read_rgb (const SppnetFrame *frame, gint y0, gint rows, guint8 *rgb)
{
  const Format *format = &formats[frame->format];
  SppnetConvertMatrix matrix = sppnet_convert_matrix (frame->matrix, frame->range);

  g_return_if_fail (y0 >= 0 && rows >= 0 && rows <= frame->height - y0);
  for (gint y = y0; y < y0 + rows; y++, rgb += 3 * (gsize) frame->width) {
    if (format->layout != LAYOUT_RGB)
      read_ycbcr_row (frame, &matrix, y, rgb);
    else if (format->bytes == 4)
      sppnet_convert_rgb4 (row_of (frame, 0, y), format->first, format->second, format->third, frame->width, rgb);
    else if (format->first == 0)
      memcpy (rgb, row_of (frame, 0, y), 3 * (gsize) frame->width);
    else
      sppnet_convert_swap (row_of (frame, 0, y), frame->width, rgb);
  }
}
