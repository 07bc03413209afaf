/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/conv.h"
#include "kernel/tile.h"

/* SppnetConvKernels.pixels_row and pixels_row_pooled. Products are of pairs of 16-bit numbers; a tile of PIXELS sums of
 * one or two vectors of filters stays in registers. */

/* sums: n of one vector of filters */
INLINE void
pixels_store (const SppnetPixelsRow *row, Mask *sums, gsize first, gint filter, const gint n, const gboolean pooled)
{
  Vector scale = load (row->scale + filter), bias = load (row->bias + filter), slope = splat (row->slope);
  gfloat *out = row->out + first * row->out_pixel + filter;
  const gint step = pooled ? 4 : 1;

  UNROLL
  for (gint i = 0; i < n; i += step, out += row->out_pixel) {
    Mask sum = sums[i];

    if (pooled)
      sum = maximum_integers (maximum_integers (sum, sums[i + 1]), maximum_integers (sums[i + 2], sums[i + 3]));
    store_some (out, activate (multiply_add (to_floats (sum), scale, bias), slope), row->filters - filter);
  }
}

/* n sums, of pixels from first on, or of a quarter as many pooled ones, each of two pixels of both rows. */
INLINE void
pixels_tile (const SppnetPixelsRow *row, gsize first, gint filter, const gint16 *weight, const gint n,
             const gint vectors, const gboolean pooled)
{
  gsize pixel = row->in_pixel, x = (pooled ? 2 * first : first) * pixel;
  Mask low[PIXELS], high[PIXELS];

  UNROLL
  for (gint i = 0; i < n; i++)
    low[i] = high[i] = (Mask) { 0 };
  for (gint s = 0; s < row->steps; s++, weight += vectors * 2 * LANES) {
    const gint16 *upper = row->upper[s] + x, *lower = pooled ? row->lower[s] + x : upper;
    Mask w0 = load_pairs (weight), w1 = vectors > 1 ? load_pairs (weight + 2 * LANES) : w0;

    UNROLL
    for (gint i = 0; i < n; i++) {
      Mask pair = splat_pair (pooled ? (i & 2 ? lower : upper) + (i / 4 * 2 + i % 2) * pixel : upper + i * pixel);

      low[i] = multiply_add_pairs (pair, w0, low[i]);
      if (vectors > 1)
        high[i] = multiply_add_pairs (pair, w1, high[i]);
    }
  }
  pixels_store (row, low, first, filter, n, pooled);
  if (vectors > 1)
    pixels_store (row, high, first, filter + LANES, n, pooled);
}

INLINE void
pixels_block (const SppnetPixelsRow *row, gint filter, const gint16 *weight, gint n, const gint vectors,
              const gboolean pooled)
{
  const gint each = pooled ? 4 : 1, most = PIXELS / each;
  gint first = 0;

  for (; first + most <= n; first += most)
    pixels_tile (row, first, filter, weight, most * each, vectors, pooled);
  for (; first < n; first++)
    pixels_tile (row, first, filter, weight, each, vectors, pooled);
}

INLINE void
pixels_blocks (const SppnetPixelsRow *row, gint n, const gboolean pooled)
{
  const gint16 *weight = row->weight;

  for (gint filter = 0; filter < row->filters; filter += BLOCK, weight += row->weight_block)
    if (row->filters - filter > LANES)
      pixels_block (row, filter, weight, n, 2, pooled);
    else
      pixels_block (row, filter, weight, n, 1, pooled);
}

static void
pixels_row (const SppnetPixelsRow *row, gint n)
{
  pixels_blocks (row, n, FALSE);
}

static void
pixels_row_pooled (const SppnetPixelsRow *row, gint n)
{
  pixels_blocks (row, n, TRUE);
}
