/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/kernel.h"
#include "kernel/vector.h"

/* SppnetKernels.dense_shorts. Two vectors of outputs of so many rows stay in registers. */
#if defined(SPPNET_PLAIN)
#define DENSE_ROWS 1
#elif defined(__AVX512F__)
#define DENSE_ROWS 12
#elif defined(__aarch64__)
#define DENSE_ROWS 8
#elif defined(__AVX2__)
#define DENSE_ROWS 6
#else
#define DENSE_ROWS 4
#endif
#define DENSE_BLOCK (2 * LANES)

/* The sums of a block of outputs as floats, scaled, added and activated. out: the block's first output */
INLINE void
dense_store (const SppnetShortsRow *row, Mask sum, gsize output, gfloat *out)
{
  gfloat edge[LANES] = { 0 };
  gsize n = MIN (row->outputs - output, LANES);
  Vector v = to_floats (sum) * (load (row->scale + output) * splat (row->unit));

  if (row->bias) {
    v = v + load (row->bias + output);
  } else if (n == LANES) {
    v = v + load (out);
  } else {
    memcpy (edge, out, n * sizeof *edge);
    v = v + load (edge);
  }
  if (row->slope != 1.0f)
    v = activate (v, splat (row->slope));
  if (n == LANES) {
    store (out, v);
  } else {
    store (edge, v);
    memcpy (out, edge, n * sizeof *edge);
  }
}

INLINE void
dense_rows (const SppnetShortsRow *row, const gint16 *in, const gint16 *weight, gsize output, gfloat *out, gsize rows)
{
  Mask sums[DENSE_ROWS][2];

  UNROLL
  for (gsize r = 0; r < rows; r++)
    sums[r][0] = sums[r][1] = (Mask) { 0 };

  for (gsize k = 0; k < row->run; k += 2, weight += 2 * DENSE_BLOCK) {
    Mask left = load_pairs (weight), right = load_pairs (weight + 2 * LANES);

    UNROLL
    for (gsize r = 0; r < rows; r++) {
      Mask pair = splat_pair (in + r * row->run + k);

      sums[r][0] = multiply_add_pairs (left, pair, sums[r][0]);
      sums[r][1] = multiply_add_pairs (right, pair, sums[r][1]);
    }
  }
  for (gsize r = 0; r < rows; r++, out += row->outputs) {
    dense_store (row, sums[r][0], output, out);
    if (output + LANES < row->outputs)
      dense_store (row, sums[r][1], output + LANES, out + LANES);
  }
}

static void
dense_shorts (const SppnetShortsRow *row, gsize n)
{
  const gint16 *weight = row->weight;

  for (gsize output = 0; output < row->outputs; output += DENSE_BLOCK, weight += row->weight_block) {
    gsize r = 0;

    for (; r + DENSE_ROWS <= n; r += DENSE_ROWS)
      dense_rows (row, row->in + r * row->run, weight, output, row->out + r * row->outputs + output, DENSE_ROWS);
    for (; r < n; r++)
      dense_rows (row, row->in + r * row->run, weight, output, row->out + r * row->outputs + output, 1);
  }
}
