/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/cpu.h"

/* Convolution kernels, compiled once per ISA like those of kernel/kernel.h. Filters are worked on in blocks of one or
 * two vectors (SppnetConvKernels.block), so packed weights depend on the level. */

/* A row of output pixels: pixel i has the sum over its kernel rows y and the run k of cells and channels that lie one
 * after the other in each row. */
typedef struct
{
  const gfloat *in; /* first kernel row of output pixel 0 */
  gsize in_pixel;   /* floats from one output pixel's input to the next one's */
  gsize in_row;     /* floats from one kernel row to the next */
  gint rows, run;
  const gfloat *weight; /* blocks of [y][k][filter], filters padded to whole vectors */
  gsize weight_block;   /* floats from one block to the next */
  gsize weight_skip;    /* steps (y, k) at the front of each block that are not used: kernel rows above the map */
  const gfloat *bias;   /* [filters], padded to whole vectors; NULL: the sums go on from what out holds */
  gfloat slope;         /* of the negative side: 1 linear, 0 ReLU */
  gint filters;
  gfloat *out;
  gsize out_pixel; /* floats from one output pixel to the next */
} SppnetConvRow;

/* Where the 4x4 output pixels of a Winograd tile go. */
typedef struct
{
  gfloat *out;     /* the first filter of the first pixel */
  gsize row;       /* floats between rows of the output */
  gsize pixel;     /* floats between its pixels */
  gboolean pooled; /* the maxima of 2x2 pixels: 2x2 results */
} SppnetWinogradTile;

/* Tiles of a 3x3 convolution with stride 1, for one block of filters, by Winograd's F(4x4, 3x3). */
typedef struct
{
  const gfloat *cells; /* [36][n][channels], of winograd_input */
  gsize cells_plane;   /* floats from one of the 36 to the next */
  gint channels;
  const gfloat *weight; /* [36][channels][filter], filters padded to whole vectors */
  const gfloat *bias;   /* of the block's first filter */
  gfloat slope;
  gint filters;     /* from the block's first one on; more than a block are cut */
  gfloat *products; /* scratch: [36][n][block] */
  gsize products_plane;
  const SppnetWinogradTile *tiles; /* [n] */
} SppnetWinogradBlock;

typedef struct
{
  gint lanes;  /* floats in a vector */
  gint block;  /* filters in a block of packed weights */
  gint pixels; /* output pixels worked on at once; rows of a multiple are fastest */

  /* NULL: weights are floats. Else it packs depth (even) steps of [width] weights, floats, in place for kernels that
   * round inputs and weights to bfloat16: pairs of steps. Other numbers of floats, and offsets, are as without. */
  void (*to_pairs) (gfloat *block, gsize depth, gsize width);

  /* Pixels 0 .. n - 1 of a row. A pixel's value does not depend on n: sums run over y and k in order. Against plain:
   * relative error at most rows * run * 2^-23 of the sum of magnitudes. */
  void (*conv_row) (const SppnetConvRow *row, gint n);

  /* out[i][c] = max of cells 2 i and 2 i + 1 of both rows. Bit-exact without NaN. */
  void (*pool_2x2) (gfloat *out, const gfloat *above, const gfloat *below, gint n, gint channels);

  /* 6x6 cells of channels (a multiple of 16) to their 36 combinations: out [36][channels], planes out_plane apart. */
  void (*winograd_input) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out, gsize out_plane);
  /* The outputs of n tiles. A tile's values do not depend on n or on its place. */
  void (*winograd_block) (const SppnetWinogradBlock *block, gint n);

  /* The weights of one input channel and of filters, at most a block: in holds the 3x3 taps, tap floats apart, each
   * [filters]; out their 36 combinations, plane floats apart, filters padded with 0 to whole vectors. */
  void (*winograd_weights) (const gfloat *in, gsize tap, gint filters, gfloat *out, gsize plane);
  /* The same of 4x4 cells of an output's gradient, for the gradient of the weights: F(3x3, 4x4). */
  void (*winograd_gradient) (const gfloat *in, gsize pixel, gsize row, gint filters, gfloat *out, gsize plane);
  /* From the 36 sums of products of both to 3x3 taps, added to out. in: [36][n], out: [9][n]. */
  void (*winograd_taps) (const gfloat *in, gsize plane, gfloat *out, gsize tap, gsize n);
} SppnetConvKernels;

/* Products of bfloat16, an even number of channels; NULL where this build, this processor or SPPNET_CPU has none. */
const SppnetConvKernels *sppnet_conv_kernels_bfloat16 (void);

/* The table for this process (sppnet_cpu_isa()), and that of one level; NULL where this build or processor has none. */
const SppnetConvKernels *sppnet_conv_kernels (void);
const SppnetConvKernels *sppnet_conv_kernels_for (SppnetIsa isa);
