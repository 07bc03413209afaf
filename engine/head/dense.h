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

/* x: [n][inputs], y: [n][outputs]. A region's values depend neither on n nor on threads. */
void sppnet_packed_dense_run (const SppnetPackedDense *dense, const gfloat *x, gsize n, guint threads, gfloat *y);

/* The same for x as the pooler leaves it, its columns in that order, [groups][bins][SPPNET_STEPS]. scratch:
 * [threads][SPPNET_POOLED_SCRATCH] */
#define SPPNET_POOLED_SCRATCH (144 * 14 * SPPNET_STEPS)
void sppnet_packed_dense_run_pooled (const SppnetPackedDense *dense, const SppnetPooled *x, guint threads,
                                     gfloat *scratch, gfloat *y);
