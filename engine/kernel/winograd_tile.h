/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/conv.h"
#include "kernel/tile.h"

/* The transforms of Winograd's F(4x4, 3x3) that do not depend on how numbers are multiplied. */

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

/* One vector of channels of 6x6 cells. */
INLINE void
input_tile (const gfloat *in, gsize pixel, gsize row, Vector *result)
{
  Vector cells[36], half[36];

  UNROLL
  for (gint i = 0; i < 36; i++)
    cells[i] = load (in + i / 6 * row + i % 6 * pixel);
  UNROLL
  for (gint x = 0; x < 6; x++)
    transform_input (cells + x, 6, half + x, 6);
  UNROLL
  for (gint y = 0; y < 6; y++)
    transform_input (half + 6 * y, 1, result + 6 * y, 1);
}
