/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. A tile of PIXELS output pixels times two vectors of filters
 * is summed in registers: for each input value, one load and two products. */
#include "kernel/conv.h"

#include "kernel/vector.h"

#define TABLE_NAME_(level) sppnet_conv_kernels_##level
#define TABLE_NAME(level) TABLE_NAME_ (level)

extern const SppnetConvKernels TABLE_NAME (SPPNET_LEVEL);

/* The sums, two weights and an input value fill the 32 or 16 registers. */
#if LANES == 16 || defined(__aarch64__)
#define PIXELS 12
#else
#define PIXELS 6
#endif
#define BLOCK (2 * LANES)

/* The sums of n pixels (constant where inlined) for vectors (1 or 2) of filters. */
INLINE void
tile_sums (const SppnetConvRow *row, const gfloat *in, const gfloat *weight, const gfloat *bias, const gint n,
           const gint vectors, Vector *low, Vector *high)
{
  gsize pixel = row->in_pixel;

  UNROLL
  for (gint i = 0; i < n; i++) {
    low[i] = load (bias);
    high[i] = vectors > 1 ? load (bias + LANES) : low[i];
  }
  for (gint y = 0; y < row->rows; y++, in += row->in_row) {
    const gfloat *cell = in;

    for (gint k = 0; k < row->run; k++, cell++, weight += vectors * LANES) {
      Vector w0 = load (weight), w1 = vectors > 1 ? load (weight + LANES) : w0;

      UNROLL
      for (gint i = 0; i < n; i++) {
        Vector x = splat (cell[i * pixel]);

        low[i] = multiply_add (x, w0, low[i]);
        if (vectors > 1)
          high[i] = multiply_add (x, w1, high[i]);
      }
    }
  }
}

INLINE void
store_some (gfloat *out, Vector v, gint count)
{
  if (count >= LANES)
    store (out, v);
  else
    memcpy (out, &v, sizeof *out * MAX (count, 0));
}

INLINE void
tile (const SppnetConvRow *row, gint first, gint filter, const gfloat *weight, const gint n, const gint vectors)
{
  Vector low[PIXELS], high[PIXELS], slope = splat (row->slope);
  gfloat *out = row->out + first * row->out_pixel + filter;
  gint count = row->filters - filter;

  tile_sums (row, row->in + first * row->in_pixel, weight, row->bias + filter, n, vectors, low, high);
  UNROLL
  for (gint i = 0; i < n; i++, out += row->out_pixel) {
    store_some (out, activate (low[i], slope), count);
    if (vectors > 1)
      store_some (out + LANES, activate (high[i], slope), count - LANES);
  }
}

/* Up to PIXELS pixels; the number is a constant in each case. */
#define CASE(n)                                                                                                        \
  case n:                                                                                                              \
    tile (row, first, filter, weight, n, vectors);                                                                     \
    break

INLINE void
tail (const SppnetConvRow *row, gint first, gint filter, const gfloat *weight, gint n, const gint vectors)
{
  switch (n) {
    CASE (1);
    CASE (2);
    CASE (3);
    CASE (4);
    CASE (5);
#if PIXELS > 6
    CASE (6);
    CASE (7);
    CASE (8);
    CASE (9);
    CASE (10);
    CASE (11);
#endif
  }
}

static void
wide_block (const SppnetConvRow *row, gint filter, const gfloat *weight, gint n)
{
  gint i = 0;

  for (; i + PIXELS <= n; i += PIXELS)
    tile (row, i, filter, weight, PIXELS, 2);
  tail (row, i, filter, weight, n - i, 2);
}

static void
narrow_block (const SppnetConvRow *row, gint filter, const gfloat *weight, gint n)
{
  gint i = 0;

  for (; i + PIXELS <= n; i += PIXELS)
    tile (row, i, filter, weight, PIXELS, 1);
  tail (row, i, filter, weight, n - i, 1);
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
};
