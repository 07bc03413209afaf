/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/layers.h"
#include "base/memory.h"
#include "train/network.h"

/* The first fully connected layer of a network in training, with the region layers that it sees besides the pooled
 * vectors, where there are any: the bins of all regions are one map, one region below the other, with a row of zeros
 * between them. For one thread; { 0 } before the first use. */
typedef struct
{
  SppnetRows maps[SPPNET_MAX_REGION_LAYERS + 1]; /* before layer 0, 1, ... and after the last */
  SppnetBuffer memory[SPPNET_MAX_REGION_LAYERS + 1], gradient[2], scratch;
  gsize first_bin;
} SppnetRegionPass;

/* For runs of n regions. */
gboolean sppnet_region_pass_reserve (SppnetRegionPass *pass, const SppnetNetwork *network, gsize n, GError **error);
/* vectors: [n][pooled]; y: [n][outputs], after the activation */
void sppnet_region_pass_run (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *vectors, gsize n,
                             gfloat *y);
/* Of the last run. dy: of the outputs before the activation; vectors_gradient: (nullable): [n][pooled], overwritten;
 * gradient: [n_params], added to */
void sppnet_region_pass_gradient (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *vectors,
                                  const gfloat *dy, gsize n, gfloat *vectors_gradient, gfloat *gradient);
void sppnet_region_pass_clear (SppnetRegionPass *pass);
