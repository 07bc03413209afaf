/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. */
#include "kernel/conv.h"

#include "kernel/pixels.h"
#include "kernel/pool.h"
#include "kernel/tile.h"
#include "kernel/winograd.h"

#define TABLE_NAME_(level) sppnet_conv_kernels_##level
#define TABLE_NAME(level) TABLE_NAME_ (level)

extern const SppnetConvKernels TABLE_NAME (SPPNET_LEVEL);

INLINE void
tile (const SppnetConvRow *row, gint first, gint filter, const gfloat *weight, const gint n, const gint vectors)
{
  Vector low[PIXELS], high[PIXELS], slope = splat (row->slope);
  gfloat *out = row->out + first * row->out_pixel + filter;
  gint count = row->filters - filter;

  tile_start (row->bias ? row->bias + filter : NULL, row->onto ? out : NULL, row->out_pixel, count, n, vectors, low,
              high);
  tile_add (row->in + first * row->in_pixel, row->in_pixel, row->in_row, row->rows, row->run, weight, 0, n, vectors,
            low, high);
  UNROLL
  for (gint i = 0; i < n; i++, out += row->out_pixel) {
    store_some (out, activate (low[i], slope), count);
    if (vectors > 1)
      store_some (out + LANES, activate (high[i], slope), count - LANES);
  }
}

static void
wide_block (const SppnetConvRow *row, gint filter, const gfloat *weight, gint n)
{
#define WIDE_TILE(n, first) tile (row, first, filter, weight, n, 2)
  TILES (n, WIDE_TILE);
}

static void
narrow_block (const SppnetConvRow *row, gint filter, const gfloat *weight, gint n)
{
#define NARROW_TILE(n, first) tile (row, first, filter, weight, n, 1)
  TILES (n, NARROW_TILE);
}

/* The 2x2 maximum of two pixels of two rows, of two vectors of filters. Where a tile is of few pixels, its sums would
 * otherwise wait for their input: it takes 6 loads for 8 products, pooled_tile 13 for 12. */
INLINE void
pooled_pair (const SppnetConvRow *row, gsize below, gint first, gint filter, const gfloat *weight)
{
  Vector low[4], high[4], slope = splat (row->slope);
  const gfloat *in = row->in + 2 * first * row->in_pixel;
  const gsize places[4] = { 0, row->in_pixel, below, below + row->in_pixel };
  gfloat *out = row->out + first * row->out_pixel + filter;
  gint count = row->filters - filter;

  UNROLL
  for (gint i = 0; i < 4; i++) {
    low[i] = load (row->bias + filter);
    high[i] = load (row->bias + filter + LANES);
  }
  for (gint y = 0; y < row->rows; y++, in += row->in_row) {
    const gfloat *cell = in;

    for (gint k = 0; k < row->run; k++, cell++, weight += BLOCK) {
      Vector w0 = load (weight), w1 = load (weight + LANES);

      UNROLL
      for (gint i = 0; i < 4; i++) {
        Vector x = splat (cell[places[i]]);

        low[i] = multiply_add (x, w0, low[i]);
        high[i] = multiply_add (x, w1, high[i]);
      }
    }
  }
  store_some (out, activate (maximum (maximum (low[0], low[1]), maximum (low[2], low[3])), slope), count);
  store_some (out + LANES, activate (maximum (maximum (high[0], high[1]), maximum (high[2], high[3])), slope),
              count - LANES);
}

/* The 2x2 maxima of one vector of filters: n of them, from 2 n pixels of two rows. */
INLINE void
pooled_tile (const SppnetConvRow *row, gsize below, gint first, gint filter, const gfloat *weight, gsize step,
             const gint n)
{
  Vector upper[PIXELS], lower[PIXELS], slope = splat (row->slope);
  const gfloat *in = row->in + 2 * first * row->in_pixel;
  gfloat *out = row->out + first * row->out_pixel + filter;

  UNROLL
  for (gint i = 0; i < 2 * n; i++)
    upper[i] = lower[i] = load (row->bias + filter);
  for (gint y = 0; y < row->rows; y++, in += row->in_row) {
    const gfloat *cell = in;

    for (gint k = 0; k < row->run; k++, cell++, weight += step) {
      Vector w = load (weight);

      UNROLL
      for (gint i = 0; i < 2 * n; i++) {
        upper[i] = multiply_add (splat (cell[i * row->in_pixel]), w, upper[i]);
        lower[i] = multiply_add (splat (cell[below + i * row->in_pixel]), w, lower[i]);
      }
    }
  }
  UNROLL
  for (gint i = 0; i < n; i++, out += row->out_pixel)
    store_some (
        out,
        activate (maximum (maximum (upper[2 * i], upper[2 * i + 1]), maximum (lower[2 * i], lower[2 * i + 1])), slope),
        row->filters - filter);
}

static void
pooled_vector (const SppnetConvRow *row, gsize below, gint filter, const gfloat *weight, gsize step, gint n)
{
#define POOLED_TILE(n, first) pooled_tile (row, below, first, filter, weight, step, n)
  HALF_TILES (n, POOLED_TILE);
}

static void
conv_row_pooled (const SppnetConvRow *row, gsize below, gint n)
{
  const gfloat *weight = row->weight;

  for (gint filter = 0; filter < row->filters; filter += BLOCK, weight += row->weight_block) {
    gsize step = row->filters - filter > LANES ? BLOCK : LANES;

    if (PIXELS == 6 && step == BLOCK)
      for (gint i = 0; i < n; i++)
        pooled_pair (row, below, i, filter, weight);
    else
      for (gint i = 0; i < MIN (row->filters - filter, BLOCK); i += LANES)
        pooled_vector (row, below, filter + i, weight + i, step, n);
  }
}

static void
conv_row (const SppnetConvRow *row, gint n)
{
  const gfloat *weight = row->weight;

  for (gint filter = 0; filter < row->filters; filter += BLOCK, weight += row->weight_block)
    if (row->filters - filter > LANES)
      wide_block (row, filter, weight + row->weight_skip * BLOCK, n);
    else
      narrow_block (row, filter, weight + row->weight_skip * LANES, n);
}

#define FOR_ANY_TILES                                                                                                  \
  .lanes = LANES, .block = BLOCK, .pixels = PIXELS, .conv_row = conv_row, .conv_row_pooled = conv_row_pooled,          \
  .pool_2x2 = pool_2x2, .pixels_row = pixels_row, .pixels_row_pooled = pixels_row_pooled

static const SppnetConvKernels small_tiles = {
  FOR_ANY_TILES,
  .winograd = &WINOGRAD_NAME (small_kernels, SPPNET_LEVEL),
};

const SppnetConvKernels TABLE_NAME (SPPNET_LEVEL) = {
  FOR_ANY_TILES,
  .winograd = &WINOGRAD_NAME (kernels, SPPNET_LEVEL),
  .winograd_gradient = &WINOGRAD_NAME (gradient_kernels, SPPNET_LEVEL),
  .small_tiles = &small_tiles,
};
