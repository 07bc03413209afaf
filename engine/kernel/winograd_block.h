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
  gfloat *out = block->products + first * block->products_tile + plane * BLOCK;

  UNROLL
  for (gint i = 0; i < n; i++)
    low[i] = high[i] = splat (0.0f);
  ADD_PRODUCTS (block, plane, first, n, vectors, low, high);
  UNROLL
  for (gint i = 0; i < n; i++, out += block->products_tile) {
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

/* The first axis of a vector of filters' products: half [SIDE][CELLS]. The bias is added to the products of the point
 * 1, which are part of every output once. */
INLINE void
output_columns (const gfloat *products, Vector bias, Vector *half)
{
  KEEP_LOOP
  for (gint x = 0; x < CELLS; x++) {
    Vector column[CELLS];

    UNROLL
    for (gint y = 0; y < CELLS; y++)
      column[y] = load (products + (CELLS * y + x) * BLOCK);
    if (x == 1)
      column[1] += bias;
    transform_output (column, 1, half + x, CELLS);
  }
}

/* One vector of filters of tile number i. */
INLINE void
store_tile (const SppnetWinogradBlock *block, gint i, gint offset)
{
  const SppnetWinogradTile *tile = &block->tiles[i];
  Vector half[SIDE * CELLS], row[SIDE], below[SIDE], slope = splat (block->slope);
  gfloat *out = tile->out + offset;
  gint count = block->filters - offset;

  output_columns (block->products + i * block->products_tile + offset, load (block->bias + offset), half);
  if (tile->pooled) {
    KEEP_LOOP
    for (gint y = 0; y < SIDE; y += 2) {
      transform_output (half + CELLS * y, 1, row, 1);
      transform_output (half + CELLS * (y + 1), 1, below, 1);
      UNROLL
      for (gint x = 0; x < SIDE; x += 2)
        store_some (out + y / 2 * tile->row + x / 2 * tile->pixel,
                    activate (maximum (maximum (row[x], row[x + 1]), maximum (below[x], below[x + 1])), slope), count);
    }
  } else {
    KEEP_LOOP
    for (gint y = 0; y < SIDE; y++) {
      transform_output (half + CELLS * y, 1, row, 1);
      UNROLL
      for (gint x = 0; x < SIDE; x++)
        store_some (out + y * tile->row + x * tile->pixel, activate (row[x], slope), count);
    }
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

  for (gint plane = 0; plane < PLANES; plane++)
    if (wide)
      wide_products (block, plane, n);
    else
      narrow_products (block, plane, n);
  store_tiles (block, n);
}

#endif
