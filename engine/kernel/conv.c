/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. */
#include "kernel/conv.h"

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

  UNROLL
  for (gint i = 0; i < n; i++) {
    const gfloat *sum = row->bias ? row->bias + filter : out + i * row->out_pixel;

    low[i] = row->bias ? load (sum) : load_some (sum, count);
    high[i] = vectors == 1 ? low[i] : row->bias ? load (sum + LANES) : load_some (sum + LANES, count - LANES);
  }
  tile_add (row->in + first * row->in_pixel, row->in_pixel, row->in_row, row->rows, row->run, weight, n, vectors, low,
            high);
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

const SppnetConvKernels TABLE_NAME (SPPNET_LEVEL) = {
  .lanes = LANES,
  .block = BLOCK,
  .pixels = PIXELS,
  .conv_row = conv_row,
  .pool_2x2 = pool_2x2,
  .winograd = &WINOGRAD_NAME (kernels, SPPNET_LEVEL),
  .winograd_gradient = &WINOGRAD_NAME (gradient_kernels, SPPNET_LEVEL),
};
