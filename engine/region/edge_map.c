/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_map.h"

#include <math.h>
#include <string.h>

#include "base/threads.h"

/* Gradients below this are no edge, grey levels per pixel. */
#define WEAKEST 3.0f
/* Of the tensor's smaller root, what is taken off the larger one. */
#define ISOTROPY 0.5f
/* An edge has full strength where it stands out from its surroundings by this, grey levels per pixel. */
#define CONTRAST 15.0f

/* Rows of scratch of each thread, which two cells more at either end make longer than the frame's. */
#define ROWS 4
#define BORDER 2
/* Side of the cells that contrast is measured on, pixels. */
#define CELL 8
/* No edges this close to the border, pixels: the gradient is not known there. */
#define MARGIN 2

typedef struct
{
  gint width, height, cells_x, cells_y;
  gint16 *colours;
  gfloat *tensor, *strength, *turn, *cells, *means;
  guint8 *magnitude, *orientation;
  gint32 *scratch; /* [threads][ROWS][width + 2 * BORDER], of any numbers of 32 bits */
} Work;

/* One of the calling thread's, from its first cell inside the frame. */
static gpointer
scratch_row (const Work *w, guint row)
{
  return w->scratch + ((gsize) sppnet_thread_index () * ROWS + row) * ((gsize) w->width + 2 * BORDER) + BORDER;
}

/* Intensity and two opponent colours of one row, smoothed along it by [1 4 6 4 1]: 8 times -255..255. */
static void
run_colours (const Work *w, const guint8 *rgb, gint y)
{
  gint16 *rows[3] = { scratch_row (w, 0), scratch_row (w, 1), scratch_row (w, 2) };

  rgb += 3 * (gsize) y * w->width;
  for (gint x = 0; x < w->width; x++) {
    gint r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];

    rows[0][x] = (gint16) (r + 2 * g + b);
    rows[1][x] = (gint16) (2 * (r - g));
    rows[2][x] = (gint16) (r + g - 2 * b);
  }
  for (gint c = 0; c < 3; c++) {
    gint16 *in = rows[c], *restrict out = w->colours + ((gsize) c * w->height + y) * w->width;

    in[-1] = in[-2] = in[0];
    in[w->width] = in[w->width + 1] = in[w->width - 1];
    for (gint x = 0; x < w->width; x++)
      out[x] = (gint16) ((in[x - 2] + in[x + 2] + 4 * (in[x - 1] + in[x + 1]) + 6 * in[x]) >> 3);
  }
}

/* Adds one channel's gradient: derivatives of the channel smoothed by [1 4 6 4 1] both ways. s: scratch */
static void
add_tensor (const gint16 *const rows[7], gint width, gint32 *s, gfloat *restrict xx, gfloat *restrict yy,
            gfloat *restrict xy)
{
  for (gint x = 0; x < width; x++)
    s[x] = rows[1][x] + rows[5][x] + 4 * (rows[2][x] + rows[4][x]) + 6 * rows[3][x];
  s[-1] = s[0];
  s[width] = s[width - 1];
  for (gint x = 0; x < width; x++) {
    gfloat gx = (gfloat) (s[x + 1] - s[x - 1]);
    gfloat gy = (gfloat) (rows[6][x] - rows[0][x] + 4 * (rows[5][x] - rows[1][x]) + 5 * (rows[4][x] - rows[2][x]));

    xx[x] += gx * gx;
    yy[x] += gy * gy;
    xy[x] += gx * gy;
  }
}

static void
run_tensor (const Work *w, gint y)
{
  gsize plane = (gsize) w->width * w->height;
  gfloat *xx = w->tensor + (gsize) y * w->width, *yy = xx + plane, *xy = yy + plane;

  memset (xx, 0, w->width * sizeof *xx);
  memset (yy, 0, w->width * sizeof *yy);
  memset (xy, 0, w->width * sizeof *xy);
  for (gint c = 0; c < 3; c++) {
    const gint16 *rows[7];

    for (gint i = 0; i < 7; i++)
      rows[i] = w->colours + c * plane + (gsize) CLAMP (y + i - 3, 0, w->height - 1) * w->width;
    add_tensor (rows, w->width, scratch_row (w, 0), xx, yy, xy);
  }
}

/* One component of the tensor around row y, smoothed by [1 2 1] both ways. s: scratch */
static void
smooth_tensor (const gfloat *plane, gint width, gint height, gint y, gfloat *s, gfloat *restrict out)
{
  const gfloat *above = plane + (gsize) MAX (y - 1, 0) * width, *here = plane + (gsize) y * width;
  const gfloat *below = plane + (gsize) MIN (y + 1, height - 1) * width;

  for (gint x = 0; x < width; x++)
    s[x] = above[x] + 2.0f * here[x] + below[x];
  s[-1] = s[0];
  s[width] = s[width - 1];
  for (gint x = 0; x < width; x++)
    out[x] = s[x - 1] + 2.0f * s[x] + s[x + 1];
}

/* Strength: the root of the tensor's larger eigenvalue less a part of the smaller's, so that texture, which has
 * gradients of all directions, counts for less. In grey levels per pixel. */
static void
run_strength (const Work *w, gint y)
{
  const gfloat to_grey_levels = 1.0f / (8 * 16 * 2 * 4 * 2); /* smoothing, difference, tensor, intensity's weights */
  gsize plane = (gsize) w->width * w->height, at = (gsize) y * w->width;
  gfloat *s = scratch_row (w, 0), *xx = scratch_row (w, 1), *yy = scratch_row (w, 2), *xy = scratch_row (w, 3);
  gfloat *restrict strength = w->strength + at, *restrict turn = w->turn + at;

  smooth_tensor (w->tensor, w->width, w->height, y, s, xx);
  smooth_tensor (w->tensor + plane, w->width, w->height, y, s, yy);
  smooth_tensor (w->tensor + 2 * plane, w->width, w->height, y, s, xy);
  for (gint x = 0; x < w->width; x++) {
    gfloat sum = xx[x] + yy[x], difference = xx[x] - yy[x];
    gfloat root = sqrtf (difference * difference + 4.0f * xy[x] * xy[x]);
    gfloat smaller = sum - root;

    smaller = smaller > 0.0f ? smaller : 0.0f;
    strength[x] = (sqrtf (0.5f * (sum + root)) - ISOTROPY * sqrtf (0.5f * smaller)) * to_grey_levels;
    /* cosine of twice the gradient's angle; its sign is of no use to a cosine: the sign of the sine is added as 4 */
    turn[x] = difference / (root + 1e-20f) + (xy[x] < 0.0f ? -4.0f : 4.0f);
  }
}

static void
run_cells (const Work *w, gint cy)
{
  for (gint cx = 0; cx < w->cells_x; cx++) {
    gint x1 = MIN ((cx + 1) * CELL, w->width), y1 = MIN ((cy + 1) * CELL, w->height);
    gfloat sum = 0.0f;

    for (gint y = cy * CELL; y < y1; y++)
      for (gint x = cx * CELL; x < x1; x++)
        sum += w->strength[(gsize) y * w->width + x];
    w->cells[cy * w->cells_x + cx] = sum / (gfloat) ((x1 - cx * CELL) * (y1 - cy * CELL));
  }
}

/* Mean of 3x3 cells. */
static void
run_means (const Work *w, gint cy)
{
  for (gint cx = 0; cx < w->cells_x; cx++) {
    gfloat sum = 0.0f;

    for (gint y = cy - 1; y <= cy + 1; y++)
      for (gint x = cx - 1; x <= cx + 1; x++)
        sum += w->cells[CLAMP (y, 0, w->cells_y - 1) * w->cells_x + CLAMP (x, 0, w->cells_x - 1)];
    w->means[cy * w->cells_x + cx] = sum / 9.0f;
  }
}

/* x and y lie inside, at least one pixel from the last. */
static inline gfloat
between (const gfloat *in, gint width, gfloat x, gfloat y)
{
  gint x0 = (gint) x, y0 = (gint) y;
  gfloat fx = x - (gfloat) x0, fy = y - (gfloat) y0;

  in += (gsize) y0 * width + x0;
  return (1.0f - fy) * (in[0] + fx * (in[1] - in[0])) + fy * (in[width] + fx * (in[width + 1] - in[width]));
}

/* Marks the pixel when its strength is the largest across the edge. */
static void
thin (const Work *w, gint x, gint y)
{
  gsize at = (gsize) y * w->width + x;
  gfloat strength = w->strength[at], cosine = w->turn[at] + (w->turn[at] < 0.0f ? 4.0f : -4.0f);
  gfloat nx = sqrtf (MAX (0.5f + 0.5f * cosine, 0.0f)), ny = sqrtf (MAX (0.5f - 0.5f * cosine, 0.0f));
  gfloat most = strength * 1.01f, mean;

  if (w->turn[at] < 0.0f)
    ny = -ny;
  for (gint i = 1; i <= MARGIN; i++) {
    gfloat dx = nx * (gfloat) i, dy = ny * (gfloat) i;

    if (between (w->strength, w->width, (gfloat) x + dx, (gfloat) y + dy) > most
        || between (w->strength, w->width, (gfloat) x - dx, (gfloat) y - dy) > most)
      return;
  }
  mean = w->means[y / CELL * w->cells_x + x / CELL];
  w->magnitude[at] = (guint8) MIN (255.0f * strength / (mean + CONTRAST), 255.0f);
  /* the edge runs across the gradient */
  w->orientation[at] = (guint8) ((gint) lroundf (atan2f (ny, nx) * (gfloat) (256.0 / G_PI)) + 128);
}

static void
run_thinning (const Work *w, gint y)
{
  memset (w->magnitude + (gsize) y * w->width, 0, w->width);
  if (y < MARGIN || y >= w->height - MARGIN - 1)
    return;
  for (gint x = MARGIN; x < w->width - MARGIN - 1; x++)
    if (w->strength[(gsize) y * w->width + x] > WEAKEST)
      thin (w, x, y);
}

static void
run (const Work *w, const guint8 *rgb, guint threads)
{
#pragma omp parallel num_threads(threads)
  {
#pragma omp for
    for (gint y = 0; y < w->height; y++)
      run_colours (w, rgb, y);
#pragma omp for
    for (gint y = 0; y < w->height; y++)
      run_tensor (w, y);
#pragma omp for
    for (gint y = 0; y < w->height; y++)
      run_strength (w, y);
#pragma omp for
    for (gint y = 0; y < w->cells_y; y++)
      run_cells (w, y);
#pragma omp for
    for (gint y = 0; y < w->cells_y; y++)
      run_means (w, y);
#pragma omp for schedule(dynamic, 16)
    for (gint y = 0; y < w->height; y++)
      run_thinning (w, y);
  }
}

gboolean
sppnet_edge_map_run (SppnetEdgeMap *map, const guint8 *rgb, gint width, gint height, guint threads, GError **error)
{
  gsize pixels = (gsize) width * height, cells;
  Work w = { width, height, (width + CELL - 1) / CELL, (height + CELL - 1) / CELL };

  cells = (gsize) w.cells_x * w.cells_y;
  if (!(w.colours = sppnet_buffer_reserve (&map->colours, pixels, 3 * sizeof *w.colours, error))
      || !(w.tensor = sppnet_buffer_reserve (&map->tensor, pixels, 3 * sizeof *w.tensor, error))
      || !(w.strength = sppnet_buffer_reserve (&map->strength, pixels, 2 * sizeof *w.strength, error))
      || !(w.cells = sppnet_buffer_reserve (&map->cells, cells, 2 * sizeof *w.cells, error))
      || !(w.scratch = sppnet_buffer_reserve (&map->scratch, (gsize) threads * ROWS * ((gsize) width + 2 * BORDER),
                                              sizeof *w.scratch, error))
      || !(w.magnitude = sppnet_buffer_reserve (&map->magnitude, pixels, 1, error))
      || !(w.orientation = sppnet_buffer_reserve (&map->orientation, pixels, 1, error)))
    return FALSE;
  w.turn = w.strength + pixels;
  w.means = w.cells + cells;
  map->width = width;
  map->height = height;
  run (&w, rgb, threads);
  return TRUE;
}

void
sppnet_edge_map_clear (SppnetEdgeMap *map)
{
  sppnet_buffer_clear (&map->colours);
  sppnet_buffer_clear (&map->tensor);
  sppnet_buffer_clear (&map->strength);
  sppnet_buffer_clear (&map->cells);
  sppnet_buffer_clear (&map->scratch);
  sppnet_buffer_clear (&map->magnitude);
  sppnet_buffer_clear (&map->orientation);
}
