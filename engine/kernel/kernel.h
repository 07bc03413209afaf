/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cpu.h"

/* The hot loops that are not matrix products. One portable source (kernel/kernels.c) is compiled once per ISA; the
 * plain build is the specification. Maps are [height][width][channels]; buffers need no alignment and are not read or
 * written beyond the counts given. */

/* One step of AdamW (Loshchilov and Hutter 2019) for a run of parameters. */
typedef struct
{
  gfloat scale;                /* of the gradient, first of all */
  gfloat first, second;        /* what the moments keep of themselves */
  gfloat correct_1, correct_2; /* 1 / (1 - first^t), 1 / (1 - second^t) */
  gfloat rate, keep;           /* keep: 1 - rate * weight decay */
} SppnetAdamW;

typedef struct
{
  /* y[row][c] = act (y[row][c] + bias[c]); slope: of the negative side (1: linear, 0: ReLU). Bit-exact: there is
   * no multiplication to fuse with the addition. */
  void (*bias_activate) (gfloat *y, const gfloat *bias, gfloat slope, gsize rows, gsize channels);

  /* out[c] = max (out[c], in[c]). NaN is not preserved. Bit-exact. */
  void (*max_into) (gfloat *out, const gfloat *in, gsize channels);

  /* out[c] = max over the cells of cells[i][c]; n >= 1 cells, of which out may be one. NaN counts only in the first.
   * Bit-exact.
   */
  void (*max_cells) (gfloat *out, const gfloat *const *cells, gsize n, gsize channels);

  /* out[c] += in[c]. Bit-exact. */
  void (*add_into) (gfloat *out, const gfloat *in, gsize channels);

  /* gradient[i] *= out[i] > 0 ? 1 : slope, where out is an activation's output. Bit-exact. */
  void (*activation_gradient) (gfloat *gradient, const gfloat *out, gfloat slope, gsize n);

  /* first = moments of the gradient, second of its square; params = keep * params - rate * correct_1 * first / (sqrt
   * (correct_2 * second) + 1e-8). Bit-exact. */
  void (*adamw) (gfloat *params, gfloat *first, gfloat *second, const gfloat *gradient, gsize n,
                 const SppnetAdamW *step);

  /* Maxima that know where they come from: where in[c] > out[c], out[c] = in[c] and source[c] = from[c], or cell where
   * from is NULL. Bit-exact. */
  void (*max_source) (gfloat *out, gint32 *source, const gfloat *in, const gint32 *from, gint32 cell, gsize channels);

  /* Gives gradient[i][c] of the maximum out[i][c] of cells 2 i and 2 i + 1 of two rows to the first of them, above
   * before below, that has it; the others get 0. Bit-exact for finite gradients. */
  void (*max_2x2_gradient) (gfloat *above_gradient, gfloat *below_gradient, const gfloat *above, const gfloat *below,
                            const gfloat *out, const gfloat *gradient, gsize n, gsize channels);

  /* sum of min (a[i], b[i]): histogram intersection. Sums in another order: relative error at most n * 2^-23. */
  gfloat (*min_sum) (const gfloat *a, const gfloat *b, gsize n);

  /* TRUE where a box of n overlaps box: intersection > share * (sum of the areas). Columns of left, top, right, bottom
   * and area, stride floats apart; box likewise. Bit-exact. */
  gboolean (*overlaps) (const gfloat *columns, gsize stride, gsize n, const gfloat box[5], gfloat share);

  /* IEEE half <-> float, round to nearest even. Bit-exact. */
  void (*half_to_float) (gfloat *out, const guint16 *in, gsize n);
  void (*float_to_half) (guint16 *out, const gfloat *in, gsize n);
} SppnetKernels;

/* The table for this process (sppnet_cpu_isa()). */
const SppnetKernels *sppnet_kernels (void);
/* The table of one level; NULL where this build or processor has none. For tests and benchmarks. */
const SppnetKernels *sppnet_kernels_for (SppnetIsa isa);
