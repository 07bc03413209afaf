/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/network.h"

typedef enum
{
  SPPNET_OPTIMIZER_SGD,   /* momentum and weight decay in the gradient (Krizhevsky et al. 2012) */
  SPPNET_OPTIMIZER_ADAMW, /* Adam with decoupled weight decay (Loshchilov, Hutter 2019) */
} SppnetOptimizerKind;

typedef struct
{
  SppnetOptimizerKind kind;
  gdouble learning_rate;          /* of fully connected layers */
  gdouble backbone_learning_rate; /* of convolution layers */
  gdouble momentum;               /* SGD; Adam's first moment */
  gdouble second_moment;          /* Adam */
  gdouble weight_decay;
  gdouble clip;    /* largest norm of a gradient; longer ones are scaled down */
  gdouble average; /* the result is the mean of the parameters over this last part of the steps (stochastic weight
                    * averaging, Izmailov et al. 2018), and the rate stays what it is after the warm-up; 0: neither */
} SppnetOptimizerSettings;

/* Arrays as long as the parameters. */
typedef struct
{
  gfloat *first;
  gfloat *second; /* NULL with SGD */
  gfloat *mean;   /* of the parameters; NULL where none is wanted */
} SppnetMoments;

/* Zeros. FALSE: no memory; what there is must still be cleared. */
gboolean sppnet_moments_init (SppnetMoments *moments, const SppnetNetwork *network,
                              const SppnetOptimizerSettings *settings);
void sppnet_moments_clear (SppnetMoments *moments);

/* After a step: takes the parameters into the mean, as its number n, from 0. */
void sppnet_moments_average (SppnetMoments *moments, const SppnetNetwork *network, guint n, guint threads);

/* The first parameter that is trained: the convolution layers come first, and may have no learning rate. */
gsize sppnet_optimizer_first (const SppnetNetwork *network, const SppnetOptimizerSettings *settings);

/* One step, number step (from 0), with the learning rates times rate. gradient: the sum over pictures. Returns the
 * gradient's norm before clipping; a norm that is not finite leaves parameters and moments as they are. */
gdouble sppnet_optimizer_step (SppnetNetwork *network, SppnetMoments *moments, const gfloat *gradient,
                               const SppnetOptimizerSettings *settings, guint step, gdouble rate, guint threads);
