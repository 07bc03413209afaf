/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/convolution.h"
#include "region/rpn_layers.h"
#include "train/network.h"

/* One convolution layer with its weights packed for the kernels of inference, forward and back. Where kernels are NULL
 * (the plain level, or what they do not do) layers.h and matrix products do the same. */
typedef struct
{
  SppnetConv forward;
  SppnetConv backward;    /* from the gradient of the output to that of the input */
  SppnetLayer transposed; /* backward's layer */
} SppnetPack;

/* All layers of a network in training. Shared by the threads, and packed anew after each step. */
typedef struct _SppnetPacks SppnetPacks;

SppnetPacks *sppnet_packs_new (const SppnetNetwork *network, GError **error);
/* Of a network that is only run, and without its region proposals: nothing for the way back. */
SppnetPacks *sppnet_packs_new_forward (const SppnetNetwork *network, GError **error);
void sppnet_packs_free (SppnetPacks *packs);

/* Packs the network's parameters as they are now. */
void sppnet_packs_update (SppnetPacks *packs, guint threads);

const SppnetPack *sppnet_packs_get (const SppnetPacks *packs, guint layer);
/* Of the region proposal network, forward only; NULL where there is none. */
const SppnetRpnLayers *sppnet_packs_get_rpn (const SppnetPacks *packs);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetPacks, sppnet_packs_free)
