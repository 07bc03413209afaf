/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/convolution.h"
#include "backbone/pixels.h"
#include "model/model.h"

/* Packed weights of all layers, made once per model and shared by its backbones. */
typedef struct
{
  SppnetConv conv[SPPNET_MAX_LAYERS]; /* of the layers that have weights */
  SppnetPixels pixels;                /* of the first layer */
} SppnetWeights;

/* Owned by the model. MEMORY where there is none. */
const SppnetWeights *sppnet_weights_get (SppnetModel *model, SppnetPrecision precision, GError **error);

/* A layer for SPPNET_METHOD_WINOGRAD_SMALL, packed when it is first asked for. */
const SppnetConv *sppnet_weights_get_small (SppnetModel *model, guint layer, GError **error);

/* Packs the tensors NAME.weight and NAME.bias, NAME being that of conv's layer, into memory that it has. */
gboolean sppnet_weights_load (SppnetConv *conv, SppnetModel *model, GError **error);
