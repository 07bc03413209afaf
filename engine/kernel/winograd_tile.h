/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/tile.h"

/* The transforms of Winograd's F(SIDE x SIDE, 3x3) after Lavin and Gray (CVPR 2016), one of a tile's axes at a time,
 * for a file that defines SIDE as 4 or 6: from CELLS = SIDE + 2 cells of input, and from 3 weights, to PLANES factors
 * of as many products, and from those to SIDE outputs. The points of the interpolation are 0, 1, -1, 2, -2 and
 * infinity; with 6 outputs 1/2 and -1/2, too. in and out have a step of so many vectors. */
#if defined(SIDE)
#define CELLS (SIDE + 2)
#define PLANES (CELLS * CELLS)

#if SIDE == 4

/* B^T d: the products of the differences between x and all other points. */
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

/* G g: the powers of the points over the products of their differences. */
INLINE void
transform_weights (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector g0 = in[0], g1 = in[in_step], g2 = in[2 * in_step];
  Vector ends = (g0 + g2) * splat (-1.0f / 6), middle = g1 * splat (-1.0f / 6);
  Vector far = multiply_add (splat (1.0f / 6), g2, g0 * splat (1.0f / 24)), half = g1 * splat (1.0f / 12);

  out[0] = g0 * splat (0.25f);
  out[out_step] = ends + middle;
  out[2 * out_step] = ends - middle;
  out[3 * out_step] = far + half;
  out[4 * out_step] = far - half;
  out[5 * out_step] = g2;
}

/* A^T m: the powers of the points. */
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

#else

/* With the signs of the first row turned. */
INLINE void
transform_input (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector d0 = in[0], d1 = in[in_step], d2 = in[2 * in_step], d3 = in[3 * in_step], d4 = in[4 * in_step],
         d5 = in[5 * in_step], d6 = in[6 * in_step], d7 = in[7 * in_step];
  Vector one = multiply_add (splat (-4.25f), d4, d2 + d6), one_odd = multiply_add (splat (-4.25f), d3, d1 + d5);
  Vector two = multiply_add (splat (0.25f), d2, multiply_add (splat (-1.25f), d4, d6));
  Vector two_odd = multiply_add (splat (0.5f), d1, multiply_add (splat (-2.5f), d3, d5 + d5));
  Vector half = multiply_add (splat (4.0f), d2, multiply_add (splat (-5.0f), d4, d6));
  Vector half_odd = multiply_add (splat (-2.5f), d3, multiply_add (splat (0.5f), d5, d1 + d1));

  out[0] = multiply_add (splat (5.25f), d4 - d2, d0 - d6);
  out[out_step] = one + one_odd;
  out[2 * out_step] = one - one_odd;
  out[3 * out_step] = two + two_odd;
  out[4 * out_step] = two - two_odd;
  out[5 * out_step] = half + half_odd;
  out[6 * out_step] = half - half_odd;
  out[7 * out_step] = multiply_add (splat (5.25f), d3 - d5, d7 - d1);
}

/* With the sign of the first row turned, and the rows of 1/2 and -1/2 divided by 32. */
INLINE void
transform_weights (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector g0 = in[0], g1 = in[in_step], g2 = in[2 * in_step];
  Vector one = (g0 + g2) * splat (-2.0f / 9), one_odd = g1 * splat (-2.0f / 9);
  Vector two = multiply_add (splat (4.0f), g2, g0) * splat (1.0f / 90), two_odd = g1 * splat (1.0f / 45);
  Vector half = multiply_add (splat (4.0f), g0, g2) * splat (1.0f / 180), half_odd = g1 * splat (1.0f / 90);

  out[0] = g0;
  out[out_step] = one + one_odd;
  out[2 * out_step] = one - one_odd;
  out[3 * out_step] = two + two_odd;
  out[4 * out_step] = two - two_odd;
  out[5 * out_step] = half + half_odd;
  out[6 * out_step] = half - half_odd;
  out[7 * out_step] = g2;
}

/* With those of 1/2 and -1/2 times 32. */
INLINE void
transform_output (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector m1 = in[in_step], m2 = in[2 * in_step], m3 = in[3 * in_step], m4 = in[4 * in_step], m5 = in[5 * in_step],
         m6 = in[6 * in_step];
  Vector sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
  Vector sum3 = m5 + m6, difference3 = m5 - m6;

  out[0] = in[0] + sum1 + multiply_add (splat (32.0f), sum3, sum2);
  out[out_step] = multiply_add (splat (16.0f), difference3, multiply_add (splat (2.0f), difference2, difference1));
  out[2 * out_step] = multiply_add (splat (8.0f), sum3, multiply_add (splat (4.0f), sum2, sum1));
  out[3 * out_step] = multiply_add (splat (4.0f), difference3, multiply_add (splat (8.0f), difference2, difference1));
  out[4 * out_step] = multiply_add (splat (2.0f), sum3, multiply_add (splat (16.0f), sum2, sum1));
  out[5 * out_step] = in[7 * in_step] + difference1 + multiply_add (splat (32.0f), difference2, difference3);
}

#endif

/* The first axis of one vector of channels of CELLS x CELLS cells. */
INLINE void
input_columns (const gfloat *in, gsize pixel, gsize row, Vector *half)
{
  UNROLL
  for (gint x = 0; x < CELLS; x++) {
    Vector column[CELLS];

    UNROLL
    for (gint y = 0; y < CELLS; y++)
      column[y] = load (in + y * row + x * pixel);
    transform_input (column, 1, half + x, CELLS);
  }
}

/* SppnetWinogradKernels.input. A file whose planes are not of floats says how a vector is stored from number i on. */
#if !defined(STORE_CELL)
#define STORE_CELL(out, i, vector) store ((out) + (i), vector)
#endif

static inline void
input_tile (const gfloat *in, gsize pixel, gsize row, gint channels, gfloat *out, gsize plane)
{
  for (gint c = 0; c < channels; c += LANES) {
    Vector half[PLANES], result[CELLS];

    input_columns (in + c, pixel, row, half);
    UNROLL
    for (gint y = 0; y < CELLS; y++) {
      transform_input (half + CELLS * y, 1, result, 1);
      UNROLL
      for (gint x = 0; x < CELLS; x++)
        STORE_CELL (out + (CELLS * y + x) * plane, c, result[x]);
    }
  }
}

/* SppnetWinogradKernels.weights */
static inline void
weights_tile (const gfloat *in, gsize tap, gint filters, gfloat *out, gsize plane)
{
  for (gint f = 0; f < filters; f += LANES) {
    Vector taps[9], half[3 * CELLS], result[CELLS];

    UNROLL
    for (gint i = 0; i < 9; i++)
      taps[i] = load_some (in + f + i * tap, filters - f);
    UNROLL
    for (gint x = 0; x < 3; x++)
      transform_weights (taps + x, 3, half + x, 3);
    UNROLL
    for (gint y = 0; y < CELLS; y++) {
      transform_weights (half + 3 * y, 1, result, 1);
      UNROLL
      for (gint x = 0; x < CELLS; x++)
        store (out + f + (y * CELLS + x) * plane, result[x]);
    }
  }
}

#endif
