/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gradient of 3x3 weights by Winograd's F(3x3, 4x4), the transposed F(4x4, 3x3). Compiled once per ISA with
 * SPPNET_LEVEL set to its name. */
#define SIDE 4
#include "kernel/winograd.h"

#include "kernel/winograd_tile.h"

/* The powers of the points over the products of their differences, as for weights, but of four vectors. */
INLINE void
transform_gradient (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector g0 = in[0], g1 = in[in_step], g2 = in[2 * in_step], g3 = in[3 * in_step];
  Vector even = (g0 + g2) * splat (-1.0f / 6), odd = (g1 + g3) * splat (-1.0f / 6);
  Vector far_even = multiply_add (splat (1.0f / 6), g2, g0 * splat (1.0f / 24));
  Vector far_odd = multiply_add (splat (1.0f / 3), g3, g1 * splat (1.0f / 12));

  out[0] = g0 * splat (0.25f);
  out[out_step] = even + odd;
  out[2 * out_step] = even - odd;
  out[3 * out_step] = far_even + far_odd;
  out[4 * out_step] = far_even - far_odd;
  out[5 * out_step] = g3;
}

/* Six vectors to three: the powers of the points, transposed. */
INLINE void
transform_taps (const Vector *in, const gint in_step, Vector *out, const gint out_step)
{
  Vector m1 = in[in_step], m2 = in[2 * in_step], m3 = in[3 * in_step], m4 = in[4 * in_step];
  Vector near = m1 + m2, far = m3 + m4;

  out[0] = in[0] + near + far;
  out[out_step] = multiply_add (splat (2.0f), m3 - m4, m1 - m2);
  out[2 * out_step] = multiply_add (splat (4.0f), far, near) + in[5 * in_step];
}

static void
gradient (const gfloat *in, gsize pixel, gsize row, gint filters, gfloat *out, gsize plane)
{
  for (gint f = 0; f < filters; f += LANES) {
    Vector cells[16], half[24], result[36];

    UNROLL
    for (gint i = 0; i < 16; i++)
      cells[i] = load_some (in + f + i / 4 * row + i % 4 * pixel, filters - f);
    UNROLL
    for (gint x = 0; x < 4; x++)
      transform_gradient (cells + x, 4, half + x, 4);
    UNROLL
    for (gint y = 0; y < 6; y++)
      transform_gradient (half + 4 * y, 1, result + 6 * y, 1);
    UNROLL
    for (gint i = 0; i < 36; i++)
      store (out + f + i * plane, result[i]);
  }
}

static void
taps (const gfloat *in, gsize plane, gfloat *out, gsize tap, gsize n)
{
  for (gsize k = 0; k < n; k += LANES) {
    Vector sums[36], half[18], result[9];
    gint count = (gint) MIN (n - k, LANES);

    UNROLL
    for (gint i = 0; i < 36; i++)
      sums[i] = load_some (in + k + i * plane, count);
    UNROLL
    for (gint x = 0; x < 6; x++)
      transform_taps (sums + x, 6, half + x, 6);
    UNROLL
    for (gint y = 0; y < 3; y++)
      transform_taps (half + 6 * y, 1, result + 3 * y, 1);
    UNROLL
    for (gint i = 0; i < 9; i++)
      store_some (out + k + i * tap, load_some (out + k + i * tap, count) + result[i], count);
  }
}

const SppnetWinogradGradientKernels WINOGRAD_NAME (gradient_kernels, SPPNET_LEVEL)
    = { .input = input_tile, .gradient = gradient, .taps = taps };
