/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The matrices of F(side x side, 3x3) by Cook and Toom's interpolation (Lavin and Gray 2016, section 4), for side 4 and
 * 6. The last point is infinity. The kernels turn the sign of point 0 and move a factor of 32 at 1/2 and -1/2 where the
 * side is 6. */
typedef struct
{
  gint side, cells;
  gdouble input[8][8];   /* B^T: the coefficients of the product of the differences between x and the other points */
  gdouble weights[8][4]; /* G: the powers of a point over the product of its differences from the others */
  gdouble output[6][8];  /* A^T: the powers of the points */
} WinogradMatrices;

/* Multiplies a polynomial, lowest power first, by x - point. */
static inline void
times_difference (gdouble *polynomial, gdouble point)
{
  for (gint i = 7; i > 0; i--)
    polynomial[i] = polynomial[i - 1] - point * polynomial[i];
  polynomial[0] *= -point;
}

static inline gdouble
power (gdouble x, gint n)
{
  gdouble product = 1.0;

  for (gint i = 0; i < n; i++)
    product *= x;
  return product;
}

/* taps: of the filter, 3 or, for a gradient, 4 */
static inline void
winograd_matrices (WinogradMatrices *matrices, gint side, gint taps)
{
  static const gdouble points[] = { 0, 1, -1, 2, -2, 0.5, -0.5 };
  gint last = side + 1;

  *matrices = (WinogradMatrices) { .side = side, .cells = side + 2 };
  for (gint i = 0; i <= last; i++) {
    gdouble product = 1.0, halves = i < last && i >= 5 ? 32.0 : 1.0, sign = side == 6 && i == 0 ? -1.0 : 1.0;
    gdouble polynomial[8] = { 1.0 };

    for (gint j = 0; j < last; j++)
      if (j != i) {
        times_difference (polynomial, points[j]);
        product *= i < last ? points[i] - points[j] : 1.0;
      }
    for (gint j = 0; j <= last; j++)
      matrices->input[i][j] = sign * polynomial[j];
    for (gint j = 0; j < taps; j++)
      matrices->weights[i][j] = i < last ? sign * power (points[i], j) / product / halves : j == taps - 1;
    for (gint j = 0; j < side; j++)
      matrices->output[j][i] = i < last ? power (points[i], j) * halves : j == side - 1;
  }
}
