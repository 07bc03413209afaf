/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/reduce.h"

#include <string.h>

#include "base/threads.h"
#include "frame/frame.h"

/* sums[i] += row[i] */
static void
add_row (guint16 *restrict sums, const guint8 *restrict row, gint n)
{
  for (gint i = 0; i < n; i++)
    sums[i] = (guint16) (sums[i] + row[i]);
}

/* The means of factor columns each of the sums of so many rows. */
static void
write_means (const guint16 *sums, gint width, gint rows, gint factor, guint8 *out)
{
  for (gint x = 0; x < width; x += factor, sums += 3 * factor, out += 3) {
    gint columns = MIN (factor, width - x);
    guint32 sum[3] = { 0 }, n = (guint32) (columns * rows);

    for (gint i = 0; i < 3 * columns; i += 3)
      for (gint c = 0; c < 3; c++)
        sum[c] += sums[i + c];
    for (gint c = 0; c < 3; c++)
      out[c] = (guint8) ((sum[c] + n / 2) / n);
  }
}

gboolean
sppnet_frame_reduce (const SppnetFrame *frame, gint factor, guint threads, SppnetReducedMemory *memory,
                     SppnetFrame *reduced, GError **error)
{
  gboolean is_rgb = frame->format == SPPNET_PIXEL_FORMAT_RGB;
  gint width = (frame->width + factor - 1) / factor, height = (frame->height + factor - 1) / factor;
  gint row = 3 * frame->width;
  gsize scratch = (gsize) row * (sizeof (guint16) + (is_rgb ? 0 : (gsize) factor)) + SPPNET_ALIGNMENT;
  guint8 *out = sppnet_buffer_reserve (&memory->pixels, (gsize) height, 3 * (gsize) width, error);
  guint8 *scratches = out ? sppnet_buffer_reserve (&memory->rows, threads, scratch, error) : NULL;

  if (!scratches)
    return FALSE;
  scratch -= scratch % SPPNET_ALIGNMENT;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (gint y = 0; y < height; y++) {
    gint n = MIN (factor, frame->height - y * factor);
    guint16 *sums = (guint16 *) (gpointer) (scratches + sppnet_thread_index () * scratch);
    guint8 *rgb = (guint8 *) (sums + row);
    const guint8 *rows = is_rgb ? frame->plane[0] + (gssize) y * factor * frame->stride[0] : rgb;

    if (!is_rgb)
      sppnet_frame_read_rgb (frame, y * factor, n, rgb);
    memset (sums, 0, sizeof *sums * (gsize) row);
    for (gint i = 0; i < n; i++)
      add_row (sums, rows + (gssize) i * (is_rgb ? frame->stride[0] : row), row);
    write_means (sums, frame->width, n, factor, out + 3 * (gsize) y * (gsize) width);
  }
  *reduced = sppnet_frame_of_rgb (out, width, height);
  return TRUE;
}

void
sppnet_reduced_memory_clear (SppnetReducedMemory *memory)
{
  sppnet_buffer_clear (&memory->pixels);
  sppnet_buffer_clear (&memory->rows);
}
