/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/vector.h"

/* The inner loop of convolution: a tile of PIXELS pixels times one or two vectors of filters is summed in registers. */

/* The sums, two weights and an input value fill the 32 or 16 registers. */
#if LANES == 16 || defined(__aarch64__)
#define PIXELS 12
#else
#define PIXELS 6
#endif
#define BLOCK (2 * LANES)

/* Adds n products (constant where inlined) of an input value with one or two vectors of weights, for each of run values
 * and rows of them. pixel, row: floats between pixels' input and between rows. ahead: of the weights, floats to fetch
 * early; 0 where they are in the cache. */
INLINE void
tile_add (const gfloat *in, gsize pixel, gsize row, gint rows, gint run, const gfloat *weight, const gint ahead,
          const gint n, const gint vectors, Vector *low, Vector *high)
{
  for (gint y = 0; y < rows; y++, in += row) {
    const gfloat *cell = in;

    for (gint k = 0; k < run; k++, cell++, weight += vectors * LANES) {
      Vector w0 = load (weight), w1 = vectors > 1 ? load (weight + LANES) : w0;

      if (ahead > 0)
        __builtin_prefetch (weight + ahead);
      if (ahead > 0 && vectors > 1)
        __builtin_prefetch (weight + ahead + LANES);
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

/* A vector of which only the first count floats are there; the others are 0. */
INLINE Vector
load_some (const gfloat *in, gint count)
{
  Vector v = splat (0.0f);

  if (count >= LANES)
    return load (in);
  memcpy (&v, in, sizeof *in * MAX (count, 0));
  return v;
}

/* The first count floats of a vector; none where count is not positive. */
INLINE void
store_some (gfloat *out, Vector v, gint count)
{
  if (count >= LANES)
    store (out, v);
  else
    memcpy (out, &v, sizeof *out * MAX (count, 0));
}

/* What the sums of n pixels go on from: the bias, padded to whole vectors, and the first count floats of each pixel,
 * pixel floats apart; either may be NULL. */
INLINE void
tile_start (const gfloat *bias, const gfloat *onto, gsize pixel, gint count, const gint n, const gint vectors,
            Vector *low, Vector *high)
{
  UNROLL
  for (gint i = 0; i < n; i++) {
    low[i] = bias ? load (bias) : splat (0.0f);
    high[i] = bias && vectors > 1 ? load (bias + LANES) : splat (0.0f);
    if (onto)
      low[i] += load_some (onto + i * pixel, count);
    if (onto && vectors > 1)
      high[i] += load_some (onto + i * pixel + LANES, count - LANES);
  }
}

/* TILES (n, call) makes call (PIXELS, first) and then call (rest, first), the numbers of pixels constant in each. */
#define TILE_CASE_(n, first, call)                                                                                     \
  case n:                                                                                                              \
    call (n, first);                                                                                                   \
    break;
#define TILE_CASES_2_(first, call)                                                                                     \
  TILE_CASE_ (1, first, call)                                                                                          \
  TILE_CASE_ (2, first, call)
#define TILE_CASES_5_(first, call)                                                                                     \
  TILE_CASES_2_ (first, call)                                                                                          \
  TILE_CASE_ (3, first, call)                                                                                          \
  TILE_CASE_ (4, first, call)                                                                                          \
  TILE_CASE_ (5, first, call)
#if PIXELS > 6
#define TILE_CASES_(first, call)                                                                                       \
  TILE_CASES_5_ (first, call)                                                                                          \
  TILE_CASE_ (6, first, call)                                                                                          \
  TILE_CASE_ (7, first, call)                                                                                          \
  TILE_CASE_ (8, first, call)                                                                                          \
  TILE_CASE_ (9, first, call)                                                                                          \
  TILE_CASE_ (10, first, call)                                                                                         \
  TILE_CASE_ (11, first, call)
#define HALF_TILE_CASES_(first, call) TILE_CASES_5_ (first, call)
#else
#define TILE_CASES_(first, call) TILE_CASES_5_ (first, call)
#define HALF_TILE_CASES_(first, call) TILE_CASES_2_ (first, call)
#endif
#define TILES_(n, most, cases, call)                                                                                   \
  do {                                                                                                                 \
    gint first_ = 0;                                                                                                   \
                                                                                                                       \
    for (; first_ + most <= (n); first_ += most)                                                                       \
      call (most, first_);                                                                                             \
    switch ((n) -first_) {                                                                                             \
      cases (first_, call)                                                                                             \
    }                                                                                                                  \
  } while (0)
#define TILES(n, call) TILES_ (n, PIXELS, TILE_CASES_, call)
/* The same with half as many. */
#define HALF_TILES(n, call) TILES_ (n, (PIXELS / 2), HALF_TILE_CASES_, call)
