/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/optimizer.h"

/* Training by gradient descent, of whatever computes the gradients: the loop of steps that writes checkpoints, can be
 * stopped, and goes on from where it was. */
typedef struct
{
  /* Set by the caller. */
  SppnetNetwork *network;
  const SppnetOptimizerSettings *optimizer;
  guint pictures; /* of a step, each with a gradient of its own */
  guint n_steps, warm_up, threads;
  gsize first_param;       /* that has a gradient */
  const gchar *checkpoint; /* (nullable) */
  const gchar *key;        /* names data and settings */
  guint checkpoint_seconds;
  /* Fills gradients[0 .. pictures - 1] for a step. */
  gboolean (*compute) (gpointer user_data, guint step, GError **error);
  /* After so many steps; FALSE stops. */
  gboolean (*report) (gpointer user_data, guint done);
  gpointer user_data;

  /* Owned. */
  guint done;         /* steps, of an earlier run */
  gfloat **gradients; /* [pictures][n_params] */
  SppnetMoments moments;
} SppnetDescent;

/* Allocates, and loads the checkpoint where there is one. What there is must be cleared after a failure, too. */
gboolean sppnet_descent_init (SppnetDescent *descent, GError **error);
/* CANCELLED when stopped, with a checkpoint written. */
gboolean sppnet_descent_run (SppnetDescent *descent, GError **error);
void sppnet_descent_clear (SppnetDescent *descent);
