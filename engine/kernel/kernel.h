/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cpu.h"

/* The hot loops that are not matrix products. One portable source (kernel/kernels.c) is compiled once per ISA; the
 * plain build is the specification. Maps are [height][width][channels]; buffers need no alignment and are not read or
 * written beyond the counts given. */

/* Channels in a group of steps (pooling/pooled.h): a cell of one is a cache line. A value of 0 is step
 * SPPNET_STEP_ZERO; what is not finite is the largest step, so that it is the maximum of whatever it is among, and
 * finite values stay below it. */
#define SPPNET_STEPS 64
#define SPPNET_STEP_ZERO 128
#define SPPNET_STEP_NOT_FINITE 255
#define SPPNET_STEP_LARGEST (SPPNET_STEP_NOT_FINITE - 1 - SPPNET_STEP_ZERO)

/* The level x level bins of one level of a region's pyramid: bin (x, y) is the maximum of the map's cells at
 * first + across[x][i] + down[y][j], i < n_across, j < n_down. */
typedef struct
{
  gsize first;
  const guint32 *across, *down; /* [level][n_across], [level][n_down]: offsets in steps */
  guint32 level, n_across, n_down;
  guint32 out;           /* where in the region's vector the bins go */
  guint32 columns, rows; /* bits of those that have cells; bins without are SPPNET_STEP_ZERO */
} SppnetBinPlan;

/* The bins of a level of which each is the union of side x side bins of a finer one, that of level side x level side
 * bins. */
typedef struct
{
  guint32 level, side;
  guint32 out, source; /* where in the region's vector the bins of both are */
} SppnetUnionPlan;

/* What a run of inputs, 16-bit numbers, adds to a fully connected layer's outputs. Sums of products are exact: they
 * must stay within 32 bits. */
typedef struct
{
  const gint16 *in;     /* [n][run] */
  gsize run;            /* even */
  const gint16 *weight; /* blocks of [run / 2][dense_block][2] */
  gsize weight_block;   /* numbers from one block to the next */
  const gfloat *scale;  /* [outputs], padded to whole blocks: what a sum is multiplied by, and by unit */
  gfloat unit;
  const gfloat *bias; /* [outputs], padded to whole blocks, before the first run; NULL: add to what out holds */
  gfloat slope;       /* of the negative side, after the last run: 1 linear, 0 ReLU */
  gsize outputs;
  gfloat *out; /* [n][outputs] */
} SppnetShortsRow;

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

  /* largest[c] = max (largest[c], |in[i][c]|) over those of the n cells that are finite. Bit-exact. */
  void (*largest_finite) (gfloat *largest, const gfloat *in, gsize n, gsize channels);
  /* out[i][c] = SPPNET_STEP_ZERO + in[i][c] * reciprocal[c], to the nearest step, ties to even, within
   * SPPNET_STEP_LARGEST; SPPNET_STEP_ZERO for c >= channels. in: n cells, stride floats apart, channels of them at most
   * SPPNET_STEPS; out: [n][SPPNET_STEPS]. Bit-exact. */
  void (*to_steps) (guint8 *out, const gfloat *in, gsize stride, gsize n, gsize channels, const gfloat *reciprocal);
  /* out[i][c] = (in[i][c] - SPPNET_STEP_ZERO) * step[c], NaN for SPPNET_STEP_NOT_FINITE. [n][SPPNET_STEPS]. Bit-exact.
   */
  void (*from_steps) (gfloat *out, const guint8 *in, gsize n, const gfloat *step);
  /* out[i][c] = (in[i][c] - SPPNET_STEP_ZERO) * multiplier[c]. FALSE where one is SPPNET_STEP_NOT_FINITE.
   * [n][SPPNET_STEPS]. Bit-exact. */
  gboolean (*steps_to_shorts) (gint16 *out, const guint8 *in, gsize n, const gint16 *multiplier);
  /* n rows; dense_block: outputs that the weights are packed for; rows of a multiple of dense_rows
   * are fastest. Sums bit-exact, floats to some 2^-22. */
  void (*dense_shorts) (const SppnetShortsRow *row, gsize n);
  gsize dense_block, dense_rows;
  /* out = the maximum of the four. [n][SPPNET_STEPS] */
  void (*max_steps) (guint8 *out, const guint8 *const in[4], gsize n);
  /* A region's vector: levels from the map's cells, in, then those that are unions of bins, each after what it is made
   * of. A cell and a bin is [SPPNET_STEPS]. */
  void (*max_pyramid) (guint8 *out, const guint8 *in, const SppnetBinPlan *levels, gsize n_levels,
                       const SppnetUnionPlan *unions, gsize n_unions);

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
