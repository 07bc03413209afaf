/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "train/network.h"
#include "train/rpn_targets.h"

typedef struct
{
  gdouble objectness; /* mean cross-entropy over the anchors */
  gdouble box;        /* smooth L1 of the positive ones, summed over coordinates, per anchor */
  guint correct;      /* anchors on the right side of one half */
} SppnetRpnLoss;

/* Scratch memory for one picture at a time. */
typedef struct _SppnetRpnPass SppnetRpnPass;

SppnetRpnPass *sppnet_rpn_pass_new (void);
void sppnet_rpn_pass_free (SppnetRpnPass *pass);

/**
 * sppnet_rpn_pass_run:
 * @map: the last feature map
 * @scale: factor on the gradient
 * @gradient: (nullable): [n_params], added to
 * @map_gradient: (nullable): of @map, added to
 *
 * The loss of a region proposal network on the anchors drawn, and its gradient. Only their cells are computed. Single
 * threaded.
 */
gboolean sppnet_rpn_pass_run (SppnetRpnPass *pass, const SppnetNetwork *network, const SppnetMap *map,
                              const SppnetRpnTargets *targets, gfloat scale, gfloat *gradient, gfloat *map_gradient,
                              SppnetRpnLoss *loss, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetRpnPass, sppnet_rpn_pass_free)
