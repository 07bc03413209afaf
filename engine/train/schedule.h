/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/random.h"

/* What comes when in a training run. All follows from the seed and the number of the step, so that a resumed run goes
 * on as an unbroken one. */

/* Factor on the learning rate: rises from 0 in the first warm_up steps, then falls to 1 % along half a cosine, or stays
 * where it does not settle. */
gdouble sppnet_schedule_rate (guint step, guint n_steps, guint warm_up, gboolean settles);

/* Passes over so many pictures: those given, or where they are < 0, the standard, and at least what makes so many steps
 * of a number of pictures each. */
gdouble sppnet_schedule_epochs (gdouble given, gdouble standard, guint least_steps, guint per_step, guint pictures);
/* The steps of so many passes. */
guint sppnet_schedule_steps (gdouble epochs, guint per_step, guint pictures);

/* A sequence of random numbers that depends on nothing that ran before it. */
SppnetRandom sppnet_schedule_random (guint32 seed, guint64 number);

/* The endless sequence of passes over n pictures; each pass is a new permutation. { n, seed } before the first use. */
typedef struct
{
  guint n;
  guint32 seed;
  guint *order; /* [n] of the current pass */
  guint epoch;  /* that order is of, + 1 */
} SppnetShuffle;

guint sppnet_shuffle_at (SppnetShuffle *shuffle, guint64 place);
void sppnet_shuffle_clear (SppnetShuffle *shuffle);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetShuffle, sppnet_shuffle_clear)
