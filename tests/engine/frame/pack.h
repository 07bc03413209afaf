/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include "base/random.h"
#include "frame/frame.h"

/* A random picture with a chroma sample per 2x2 pixels, and its memory in any format: planes are separate allocations
 * without a byte to spare, so that AddressSanitizer sees every access outside, and the padding is random. */
typedef struct
{
  gint width, height;
  guint8 *y;     /* [height][width] */
  guint8 *u, *v; /* [(height + 1) / 2][(width + 1) / 2] */
  guint8 *rgb;   /* [height][width][3] */
} Picture;

static inline guint8 *
random_bytes (SppnetRandom *random, gsize n)
{
  guint8 *bytes = g_malloc (n);

  for (gsize i = 0; i < n; i++)
    bytes[i] = (guint8) sppnet_random_below (random, 256);
  return bytes;
}

static inline Picture
picture_new (SppnetRandom *random, gint width, gint height)
{
  gsize chroma = (gsize) ((width + 1) / 2) * ((height + 1) / 2);
  gsize luma = (gsize) width * height;

  return (Picture) { width,
                     height,
                     random_bytes (random, luma),
                     random_bytes (random, chroma),
                     random_bytes (random, chroma),
                     random_bytes (random, 3 * luma) };
}

static inline void
picture_clear (Picture *picture)
{
  g_free (picture->y);
  g_free (picture->u);
  g_free (picture->v);
  g_free (picture->rgb);
}

static inline guint8
chroma_at (const Picture *picture, const guint8 *plane, gint x, gint y)
{
  return plane[(gsize) (y / 2) * ((picture->width + 1) / 2) + x / 2];
}

/* Byte offset of R (or Y), G (U), B (V) in a packed pixel (pair); in the order of SppnetPixelFormat, from YUY2. */
static const struct
{
  guint8 bytes, offset[3];
} packed[] = {
  { 2, { 0, 1, 3 } }, { 2, { 1, 0, 2 } }, { 3, { 0, 1, 2 } }, { 3, { 2, 1, 0 } },
  { 4, { 0, 1, 2 } }, { 4, { 2, 1, 0 } }, { 4, { 1, 2, 3 } }, { 4, { 3, 2, 1 } },
  { 4, { 0, 1, 2 } }, { 4, { 2, 1, 0 } }, { 4, { 1, 2, 3 } }, { 4, { 3, 2, 1 } },
};

/* Bytes of a row of a plane, written independently of frame.c. */
static inline gint
plane_row_bytes (SppnetPixelFormat format, gint width, guint plane)
{
  if (format == SPPNET_PIXEL_FORMAT_GRAY8)
    return plane == 0 ? width : 0;
  if (format >= SPPNET_PIXEL_FORMAT_RGB)
    return plane == 0 ? width * packed[format - SPPNET_PIXEL_FORMAT_YUY2].bytes : 0;
  if (format >= SPPNET_PIXEL_FORMAT_YUY2)
    return plane == 0 ? (width + 1) / 2 * 4 : 0;
  if (plane == 0)
    return width;
  if (format >= SPPNET_PIXEL_FORMAT_NV12)
    return plane == 1 ? (width + 1) / 2 * 2 : 0;
  return (width + 1) / 2;
}

static inline void
put_planar (const Picture *picture, SppnetPixelFormat format, guint8 *const plane[3], const gint stride[3], gint x,
            gint y)
{
  guint8 u = chroma_at (picture, picture->u, x, y), v = chroma_at (picture, picture->v, x, y);

  plane[0][y * stride[0] + x] = picture->y[y * picture->width + x];
  if (format <= SPPNET_PIXEL_FORMAT_YV12) {
    plane[1][y / 2 * stride[1] + x / 2] = u;
    plane[2][y / 2 * stride[2] + x / 2] = v;
  } else if (format <= SPPNET_PIXEL_FORMAT_NV21) {
    guint8 *pair = plane[1] + y / 2 * stride[1] + x / 2 * 2;

    pair[0] = format == SPPNET_PIXEL_FORMAT_NV12 ? u : v;
    pair[1] = format == SPPNET_PIXEL_FORMAT_NV12 ? v : u;
  }
}

static inline void
put_packed (const Picture *picture, SppnetPixelFormat format, guint8 *row, gint x, gint y)
{
  const guint8 *offset = packed[format - SPPNET_PIXEL_FORMAT_YUY2].offset;

  if (format <= SPPNET_PIXEL_FORMAT_UYVY) {
    row[2 * x + offset[0] % 2] = picture->y[y * picture->width + x];
    row[x / 2 * 4 + offset[1]] = chroma_at (picture, picture->u, x, y);
    row[x / 2 * 4 + offset[2]] = chroma_at (picture, picture->v, x, y);
    return;
  }
  for (guint c = 0; c < 3; c++)
    row[packed[format - SPPNET_PIXEL_FORMAT_YUY2].bytes * x + offset[c]]
        = picture->rgb[3 * (y * picture->width + x) + c];
}

/* padding: bytes added to the stride of every plane (more for the later ones, so that strides differ). */
static inline SppnetFrame
pack (const Picture *picture, SppnetPixelFormat format, gint padding, SppnetRandom *random)
{
  SppnetFrame frame = { .format = format, .width = picture->width, .height = picture->height };
  guint8 *plane[3] = { NULL };

  for (guint p = 0; p < 3; p++) {
    gint bytes = plane_row_bytes (format, picture->width, p);
    gint rows = p == 0 ? picture->height : (picture->height + 1) / 2;

    if (bytes == 0)
      continue;
    frame.stride[p] = bytes + (padding > 0 ? padding + (gint) p : 0);
    frame.plane[p] = plane[p] = random_bytes (random, (gsize) (rows - 1) * frame.stride[p] + bytes);
  }
  for (gint y = 0; y < picture->height; y++)
    for (gint x = 0; x < picture->width; x++)
      if (format >= SPPNET_PIXEL_FORMAT_YUY2 && format < SPPNET_PIXEL_FORMAT_GRAY8)
        put_packed (picture, format, plane[0] + (gssize) y * frame.stride[0], x, y);
      else
        put_planar (picture, format, plane, frame.stride, x, y);
  return frame;
}

static inline void
unpack_free (SppnetFrame *frame)
{
  for (guint p = 0; p < 3; p++)
    g_free ((gpointer) frame->plane[p]);
}

/* Rows y0 .. y0 + rows - 1 as RGB, with a check of the bytes around the output. */
static inline guint8 *
read_rgb (const SppnetFrame *frame, gint y0, gint rows)
{
  gsize bytes = 3 * (gsize) frame->width * rows, guard = 64;
  g_autofree guint8 *memory = g_malloc (bytes + 2 * guard);
  g_autoptr (GError) error = NULL;

  g_assert_true (sppnet_frame_check (frame, &error));
  g_assert_no_error (error);
  memset (memory, 0xa5, bytes + 2 * guard);
  sppnet_frame_read_rgb (frame, y0, rows, memory + guard);
  for (gsize i = 0; i < guard; i++)
    g_assert_true (memory[i] == 0xa5 && memory[guard + bytes + i] == 0xa5);
  return g_memdup2 (memory + guard, bytes);
}
