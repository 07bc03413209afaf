/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * SppnetRandom:
 *
 * SplitMix64 (Steele, Lea, Flood 2014): one word of state, the same numbers on every machine, so that a seed reproduces
 * a proposal ranking or a training run and a checkpoint is one integer.
 */
typedef struct
{
  guint64 state;
} SppnetRandom;

static inline guint64
sppnet_random_next (SppnetRandom *random)
{
  guint64 z = random->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Uniform in [0, 1). */
static inline gdouble
sppnet_random_uniform (SppnetRandom *random)
{
  return (gdouble) (sppnet_random_next (random) >> 11) * 0x1.0p-53;
}

/* Uniform in 0 .. bound - 1; bound >= 1. The bias is below 2^-32 for any bound used here. */
static inline guint32
sppnet_random_below (SppnetRandom *random, guint32 bound)
{
  return (guint32) (((sppnet_random_next (random) >> 32) * bound) >> 32);
}

/* Standard normal (Box-Muller, one of the pair). */
gdouble sppnet_random_normal (SppnetRandom *random);
