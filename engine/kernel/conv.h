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
  const gfloat *bias;   /* [filters], padded to whole vectors */
  gfloat slope;         /* of the negative side: 1 linear, 0 ReLU */
  gint filters;
  gfloat *out;
  gsize out_pixel; /* floats from one output pixel to the next */
} SppnetConvRow;

typedef struct
{
  gint lanes;  /* floats in a vector */
  gint block;  /* filters in a block of packed weights */
  gint pixels; /* output pixels worked on at once; rows of a multiple are fastest */

  /* Pixels 0 .. n - 1 of a row. A pixel's value does not depend on n: sums run over y and k in order. Against plain:
   * relative error at most rows * run * 2^-23 of the sum of magnitudes. */
  void (*conv_row) (const SppnetConvRow *row, gint n);
} SppnetConvKernels;

/* The table for this process (sppnet_cpu_isa()), and that of one level; NULL where this build or processor has none. */
const SppnetConvKernels *sppnet_conv_kernels (void);
const SppnetConvKernels *sppnet_conv_kernels_for (SppnetIsa isa);
