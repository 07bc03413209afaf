/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/reduce.h"

#include "base/threads.h"
#include "frame/frame.h"

/* rgb: rows of width pixels, stride bytes apart */
static void
reduce_row (const guint8 *rgb, gssize stride, gint width, gint rows, gint factor, gint out_width, guint8 *out)
{
  for (gint x = 0; x < out_width; x++) {
    gint columns = MIN (factor, width - x * factor);
    guint32 sum[3] = { 0 }, n = (guint32) (columns * rows);

    for (gint y = 0; y < rows; y++) {
      const guint8 *p = rgb + y * stride + 3 * (gssize) x * factor;

      for (gint i = 0; i < columns; i++, p += 3) {
        sum[0] += p[0];
        sum[1] += p[1];
        sum[2] += p[2];
      }
    }
    for (gint c = 0; c < 3; c++)
      *out++ = (guint8) ((sum[c] + n / 2) / n);
  }
}

gboolean
sppnet_frame_reduce (const SppnetFrame *frame, gint factor, guint threads, SppnetReducedMemory *memory,
                     SppnetFrame *reduced, GError **error)
{
  gboolean is_rgb = frame->format == SPPNET_PIXEL_FORMAT_RGB;
  gint width = (frame->width + factor - 1) / factor, height = (frame->height + factor - 1) / factor;
  gsize band = 3 * (gsize) frame->width * (gsize) factor;
  guint8 *out = sppnet_buffer_reserve (&memory->pixels, (gsize) height, 3 * (gsize) width, error);
  guint8 *rows = out && !is_rgb ? sppnet_buffer_reserve (&memory->rows, threads, band, error) : NULL;

  if (!out || (!rows && !is_rgb))
    return FALSE;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (gint y = 0; y < height; y++) {
    gint n = MIN (factor, frame->height - y * factor);
    guint8 *own = rows ? rows + sppnet_thread_index () * band : NULL;

    if (own)
      sppnet_frame_read_rgb (frame, y * factor, n, own);
    reduce_row (own ? own : frame->plane[0] + (gssize) y * factor * frame->stride[0],
                own ? 3 * (gssize) frame->width : frame->stride[0], frame->width, n, factor, width,
                out + 3 * (gsize) y * (gsize) width);
  }
  *reduced = (SppnetFrame) {
    .format = SPPNET_PIXEL_FORMAT_RGB, .width = width, .height = height, .plane = { out }, .stride = { 3 * width }
  };
  return TRUE;
}

void
sppnet_reduced_memory_clear (SppnetReducedMemory *memory)
{
  sppnet_buffer_clear (&memory->pixels);
  sppnet_buffer_clear (&memory->rows);
}
