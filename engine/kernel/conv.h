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
  gsize weight_skip;    /* steps (y, k) at the front of each block that are not used: kernel rows above the map,
                         * or input channels before those of this call */
  const gfloat *bias;   /* [filters], padded to whole vectors; NULL: none */
  gboolean onto;        /* add to what out holds, before the activation */
  gfloat slope;         /* of the negative side: 1 linear, 0 ReLU */
  gint filters;
  gfloat *out;
  gsize out_pixel; /* floats from one output pixel to the next */
} SppnetConvRow;

/* A row of output pixels of a convolution of 8-bit pixels, three values each, kept in 16 bits. */
typedef struct
{
  gint steps;                 /* pairs of values in the kernel */
  const gint16 *const *upper; /* [steps]: where output pixel 0 reads them */
  const gint16 *const *lower; /* pooled: [steps], of the second row */
  gsize in_pixel;             /* values from one output pixel's input to the next one's */
  const gint16 *weight;       /* blocks of [steps][filter][2], filters padded to whole vectors */
  gsize weight_block;         /* weights from one block to the next */
  const gfloat *scale;        /* [filters], padded likewise, not negative: what a sum is multiplied by */
  const gfloat *bias;         /* [filters], padded likewise */
  gfloat slope;               /* of the negative side, 0 or more */
  gint filters;
  gfloat *out;
  gsize out_pixel; /* floats from one output pixel to the next */
} SppnetPixelsRow;

/* Where the output pixels of a Winograd tile go, side x side of them. */
typedef struct
{
  gfloat *out;     /* the first filter of the first pixel */
  gsize row;       /* floats between rows of the output */
  gsize pixel;     /* floats between its pixels */
  gboolean pooled; /* the maxima of 2x2 pixels: a quarter of the results */
} SppnetWinogradTile;

/* Tiles of a 3x3 convolution with stride 1, for one block of filters. */
typedef struct
{
  const gfloat *cells; /* [planes][n][channels], of SppnetWinogradKernels.input */
  gsize cells_plane;   /* floats from one plane to the next */
  gint channels;
  const gfloat *weight; /* [planes][channels][filter], filters padded to whole vectors */
  const gfloat *bias;   /* of the block's first filter */
  gfloat slope;
  gint filters;                    /* from the block's first one on; more than a block are cut */
  gfloat *products;                /* scratch: [n][planes][block] */
  gsize products_tile;             /* floats from one tile to the next */
  const SppnetWinogradTile *tiles; /* [n] */
} SppnetWinogradBlock;

/* Winograd's F(side x side, 3x3), Lavin and Gray 2016: a tile of side x side pixels of output from (side + 2) x (side +
 * 2) cells of input, by so many products, the planes, where (side x side x 9) would be needed. */
typedef struct
{
  gint side;

  /* The cells of a tile, of channels (a multiple of 16), to their combinations: out [planes][channels], planes
   * out_plane apart. */
  void (*input) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out, gsize out_plane);
  /* The outputs of n tiles. A tile's values do not depend on n or on its place. */
  void (*block) (const SppnetWinogradBlock *block, gint n);
  /* The weights of one input channel and of filters, at most a block: in holds the 3x3 taps, tap floats apart, each
   * [filters]; out their combinations, plane floats apart, filters padded with 0 to whole vectors. */
  void (*weights) (const gfloat *in, gsize tap, gint filters, gfloat *out, gsize plane);
} SppnetWinogradKernels;

/* F(3x3, 4x4), of 36 planes, for the gradient of 3x3 weights: they are the output, and 4x4 cells of the output's
 * gradient the filter. */
typedef struct
{
  /* Of 6x6 cells, as above. */
  void (*input) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out, gsize out_plane);
  /* 4x4 cells of an output's gradient, of filters, to their combinations, as weights above. */
  void (*gradient) (const gfloat *in, gsize pixel, gsize row, gint filters, gfloat *out, gsize plane);
  /* From the sums of products of both to 3x3 taps, added to out. in: [36][n], out: [9][n]. */
  void (*taps) (const gfloat *in, gsize plane, gfloat *out, gsize tap, gsize n);
} SppnetWinogradGradientKernels;

typedef struct _SppnetConvKernels SppnetConvKernels;

struct _SppnetConvKernels
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

  /* Pixels 0 .. n - 1 of a row after 2x2 max pooling: the maxima of pixels 2 i and 2 i + 1 of the row and of one whose
   * input lies so many floats below. Needs a bias, a slope of 0 or more, and no weight_skip. Else as conv_row; NULL
   * where there is none. */
  void (*conv_row_pooled) (const SppnetConvRow *row, gsize below, gint n);

  /* out[i][c] = max of cells 2 i and 2 i + 1 of both rows. Bit-exact without NaN. */
  void (*pool_2x2) (gfloat *out, const gfloat *above, const gfloat *below, gint n, gint channels);

  /* Pixels 0 .. n - 1 of a row of the first layer, and after 2x2 max pooling as above. Sums must stay within 32 bits
   * and are exact. NULL where there is none. */
  void (*pixels_row) (const SppnetPixelsRow *row, gint n);
  void (*pixels_row_pooled) (const SppnetPixelsRow *row, gint n);

  const SppnetWinogradKernels *winograd;
  const SppnetWinogradGradientKernels *winograd_gradient; /* NULL: none */

  /* The same with smaller Winograd tiles, of which small maps waste less; NULL: none. */
  const SppnetConvKernels *small_tiles;
};

/* Products of bfloat16, an even number of channels; NULL where this build, this processor or SPPNET_CPU has none. */
const SppnetConvKernels *sppnet_conv_kernels_bfloat16 (void);

/* The table for this process (sppnet_cpu_isa()), and that of one level; NULL where this build or processor has none. */
const SppnetConvKernels *sppnet_conv_kernels (void);
const SppnetConvKernels *sppnet_conv_kernels_for (SppnetIsa isa);
