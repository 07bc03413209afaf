/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's minimal filtering F(4x4, 3x3) after Lavin and Gray (CVPR 2016): 36 products for 16 outputs instead of 144.
 * Compiled once per ISA with SPPNET_LEVEL set to its name. */
#include "kernel/winograd.h"

#include "kernel/tile.h"

/* B^T d of six vectors, in to out, both with a step of so many vectors. */
INLINE void
transform_input (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector d0 = in[0], d1 = in[in_step], d2 = in[2 * in_step], d3 = in[3 * in_step], d4 = in[4 * in_step],
         d5 = in[5 * in_step];
  Vector even = multiply_add (splat (-4.0f), d2, d4), odd = multiply_add (splat (-4.0f), d1, d3);
  Vector near = d4 - d2, far = d3 - d1;

  out[0] = multiply_add (splat (4.0f), d0, multiply_add (splat (-5.0f), d2, d4));
  out[out_step] = even + odd;
  out[2 * out_step] = even - odd;
  out[3 * out_step] = multiply_add (splat (2.0f), far, near);
  out[4 * out_step] = multiply_add (splat (-2.0f), far, near);
  out[5 * out_step] = multiply_add (splat (4.0f), d1, multiply_add (splat (-5.0f), d3, d5));
}

/* A^T m: six vectors to four. */
INLINE void
transform_output (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector m1 = in[in_step], m2 = in[2 * in_step], m3 = in[3 * in_step], m4 = in[4 * in_step];
  Vector sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;

  out[0] = in[0] + sum1 + sum2;
  out[out_step] = multiply_add (splat (2.0f), difference2, difference1);
  out[2 * out_step] = multiply_add (splat (4.0f), sum2, sum1);
  out[3 * out_step] = multiply_add (splat (8.0f), difference2, difference1) + in[5 * in_step];
}

void
WINOGRAD_NAME (input, SPPNET_LEVEL) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out,
                                     gsize out_plane)
{
  for (gint c = 0; c < channels; c += LANES) {
    Vector cells[36], half[36], result[36];

    UNROLL
    for (gint i = 0; i < 36; i++)
      cells[i] = load (in + c + i / 6 * in_row + i % 6 * in_pixel);
    UNROLL
    for (gint x = 0; x < 6; x++)
      transform_input (cells + x, 6, half + x, 6);
    UNROLL
    for (gint y = 0; y < 6; y++)
      transform_input (half + 6 * y, 1, result + 6 * y, 1);
    UNROLL
    for (gint i = 0; i < 36; i++)
      store (out + c + i * out_plane, result[i]);
  }
}

INLINE void
product_tile (const SppnetWinogradBlock *block, gint plane, gint first, const gint n, const gint vectors)
{
  Vector low[PIXELS], high[PIXELS];
  gfloat *out = block->products + plane * block->products_plane + first * BLOCK;

  UNROLL
  for (gint i = 0; i < n; i++)
    low[i] = high[i] = splat (0.0f);
  tile_add (block->cells + plane * block->cells_plane + first * block->channels, block->channels, 0, 1, block->channels,
            block->weight + (gsize) plane * block->channels * vectors * LANES, n, vectors, low, high);
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
#define WIDE_TILE(n, first) product_tile (block, plane, first, n, 2)
  TILES (n, WIDE_TILE);
}

static void
narrow_products (const SppnetWinogradBlock *block, gint plane, gint n)
{
#define NARROW_TILE(n, first) product_tile (block, plane, first, n, 1)
  TILES (n, NARROW_TILE);
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

void
WINOGRAD_NAME (block, SPPNET_LEVEL) (const SppnetWinogradBlock *block, gint n)
{
  gboolean wide = block->filters > LANES;

  for (gint plane = 0; plane < 36; plane++)
    if (wide)
      wide_products (block, plane, n);
    else
      narrow_products (block, plane, n);
  for (gint i = 0; i < n; i++) {
    store_tile (block, i, 0);
    if (wide)
      store_tile (block, i, LANES);
  }
}
