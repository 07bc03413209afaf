/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/conv.h"
#include "model/model.h"

/* Packed weights of all layers, made once per model and shared by its backbones. */
typedef struct
{
  const gfloat *weight[SPPNET_MAX_LAYERS]; /* [ky][kx][in][out] of the layers that layers.h runs, else NULL */
  const gfloat *bias[SPPNET_MAX_LAYERS];   /* [out] */
  SppnetConv conv[SPPNET_MAX_LAYERS];      /* the others; kernels NULL where there is none */
  GPtrArray *memory;
} SppnetWeights;

/* Owned by the model. MEMORY where there is none. */
const SppnetWeights *sppnet_weights_get (SppnetModel *model, GError **error);
