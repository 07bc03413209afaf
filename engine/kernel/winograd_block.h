/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/winograd_tile.h"

/* The products of a block's tiles and their way to the output, for a file that names, by ADD_PRODUCTS, a function that
 * adds the products of n tiles from first on in one plane to one or two vectors of sums each. */
#if defined(ADD_PRODUCTS)

INLINE void
product_tile (const SppnetWinogradBlock *block, gint plane, gint first, const gint n, const gint vectors)
{
  Vector low[PIXELS], high[PIXELS];
  gfloat *out = block->products + plane * block->products_plane + first * BLOCK;

  UNROLL
  for (gint i = 0; i < n; i++)
    low[i] = high[i] = splat (0.0f);
  ADD_PRODUCTS (block, plane, first, n, vectors, low, high);
  UNROLL
  for (gint i = 0; i < n; i++, out += BLOCK) {
    store (out, low[i]);
    if (vectors > 1)
      store (out + LANES, high[i]);
  }
}

static void
wide_products (const SppnetWinogradBlock *block, gint plane, gint n)
{
#define WIDE_PRODUCTS(n, first) product_tile (block, plane, first, n, 2)
  TILES (n, WIDE_PRODUCTS);
}

static void
narrow_products (const SppnetWinogradBlock *block, gint plane, gint n)
{
#define NARROW_PRODUCTS(n, first) product_tile (block, plane, first, n, 1)
  TILES (n, NARROW_PRODUCTS);
}

/* Sixteen vectors of a tile's output, before the bias. */
INLINE void
output_tile (const gfloat *products, gsize plane, Vector *result)
{
  Vector half[24];

  UNROLL
  for (gint x = 0; x < 6; x++) {
    Vector column[6];

    UNROLL
    for (gint y = 0; y < 6; y++)
      column[y] = load (products + (6 * y + x) * plane);
    transform_output (column, 1, half + x, 6);
  }
  UNROLL
  for (gint y = 0; y < 4; y++)
    transform_output (half + 6 * y, 1, result + 4 * y, 1);
}

/* One vector of filters of tile number i. */
INLINE void
store_tile (const SppnetWinogradBlock *block, gint i, gint offset)
{
  const SppnetWinogradTile *tile = &block->tiles[i];
  Vector result[16], bias = load (block->bias + offset), slope = splat (block->slope);
  gfloat *out = tile->out + offset;
  gint count = block->filters - offset;

  output_tile (block->products + (gsize) i * BLOCK + offset, block->products_plane, result);
  UNROLL
  for (gint p = 0; p < 16; p++)
    result[p] = activate (result[p] + bias, slope);
  if (tile->pooled) {
    UNROLL
    for (gint p = 0; p < 4; p++) {
      const Vector *cells = result + p / 2 * 8 + p % 2 * 2;

      store_some (out + p / 2 * tile->row + p % 2 * tile->pixel,
                  maximum (maximum (cells[0], cells[1]), maximum (cells[4], cells[5])), count);
    }
  } else {
    UNROLL
    for (gint p = 0; p < 16; p++)
      store_some (out + p / 4 * tile->row + p % 4 * tile->pixel, result[p], count);
  }
}

static void
store_tiles (const SppnetWinogradBlock *block, gint n)
{
  for (gint i = 0; i < n; i++) {
    store_tile (block, i, 0);
    if (block->filters > LANES)
      store_tile (block, i, LANES);
  }
}

static inline void
run_block (const SppnetWinogradBlock *block, gint n)
{
  gboolean wide = block->filters > LANES;

  for (gint plane = 0; plane < 36; plane++)
    if (wide)
      wide_products (block, plane, n);
    else
      narrow_products (block, plane, n);
  store_tiles (block, n);
}

#endif
