/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Sums over pairs of an input x [length] and targets t [n_targets], in double: enough to solve the ridge regression of
 * t on x without keeping the pairs. Pairs wait in a block so that they are added by matrix products. */
typedef struct
{
  gsize length, n_targets;
  gdouble *memory;  /* what the following point into */
  gdouble *gram;    /* [length][length], sum of x x^T; upper triangle */
  gdouble *moment;  /* [n_targets][length], sum of t x^T */
  gdouble *sum_x;   /* [length] */
  gdouble *sum_t;   /* [n_targets] */
  gdouble *block_x; /* [SPPNET_PAIRS_BLOCK][length] */
  gdouble *block_t; /* [SPPNET_PAIRS_BLOCK][n_targets] */
  gsize n_block;    /* pairs that wait */
  guint64 n;        /* all pairs */
} SppnetNormalEquations;

#define SPPNET_PAIRS_BLOCK 128

/* FALSE when the memory, 8 * length^2 bytes and a little more, cannot be had. */
gboolean sppnet_normal_equations_init (SppnetNormalEquations *equations, gsize length, gsize n_targets);
void sppnet_normal_equations_clear (SppnetNormalEquations *equations);

void sppnet_normal_equations_add (SppnetNormalEquations *equations, const gfloat *x, const gfloat *t);

/* Minimises sum |weight . x + bias - (t - mean) / scale|^2 + lambda |weight|^2 (the bias is free), once: the sums are
 * used up. mean, scale: [n_targets]; weight: [n_targets][length]; bias: [n_targets]. FALSE when the matrix is not
 * positive definite or the result not finite. */
gboolean sppnet_normal_equations_solve (SppnetNormalEquations *equations, gdouble lambda, const gfloat *mean,
                                        const gfloat *scale, gfloat *weight, gfloat *bias);
