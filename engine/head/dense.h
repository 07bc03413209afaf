/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "kernel/conv.h"
#include "pooling/pooled.h"

/* A fully connected layer, y = act (weight x + bias), packed for the kernels of the processor: a convolution of one
 * cell a region. */
typedef struct
{
  const SppnetConvKernels *kernels;
  gint inputs, outputs;
  gfloat slope;   /* of the negative side */
  gfloat *weight; /* blocks of [input][output] */
  gfloat *bias;   /* padded to whole blocks */
} SppnetPackedDense;

/* weight: [outputs][inputs], bias: [outputs]. FALSE where there is no memory. */
gboolean sppnet_packed_dense_init (SppnetPackedDense *dense, gint inputs, gint outputs, gfloat slope,
                                   SppnetPrecision precision, const gfloat *weight, const gfloat *bias);
void sppnet_packed_dense_clear (SppnetPackedDense *dense);

/* x: n rows of inputs, spacing floats from one to the next; y: [n][outputs]. A region's values depend neither on n nor
 * on threads. */
void sppnet_packed_dense_run (const SppnetPackedDense *dense, const gfloat *x, gsize spacing, gsize n, guint threads,
                              gfloat *y);

/* The first layer of a head, whose inputs are pooled regions as sppnet_pooler_run() gives them: weights in 16 bits,
 * steps of 1/2047 of each output's largest, sums of products exact. */
typedef struct
{
  gsize inputs, outputs, padded; /* padded: outputs to whole blocks */
  gfloat slope;
  gint16 *weight; /* slices of the inputs, in each blocks of [input / 2][output][2] */
  gfloat *scale;  /* of an output's weights, padded to whole blocks */
  gfloat *bias;   /* padded likewise */
} SppnetStepsDense;

/* inputs: groups x bins x SPPNET_STEPS; weight: [outputs][row], of which columns are used; order: [columns], the input
 * of each, as sppnet_steps_from_file_order() gives it; other inputs count nothing; bias: [outputs]. FALSE where there
 * is no memory.
 */
gboolean sppnet_steps_dense_init (SppnetStepsDense *dense, gsize groups, gsize bins, gsize outputs, gfloat slope,
                                  const gfloat *weight, gsize row, const guint32 *order, gsize columns,
                                  const gfloat *bias);
void sppnet_steps_dense_clear (SppnetStepsDense *dense);
/* x: inputs of the layer; onto: the sums are added to y, which has the bias; y: [x->n][outputs], NaN for a region in
 * which something is not finite; scratch: [threads][SPPNET_STEPS_SCRATCH] */
#define SPPNET_STEPS_SCRATCH (144 * 7 * SPPNET_STEPS)
void sppnet_steps_dense_run (const SppnetStepsDense *dense, const SppnetPooled *x, gboolean onto, guint threads,
                             gint16 *scratch, gfloat *y);
