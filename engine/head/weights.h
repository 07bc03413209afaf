/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "head/dense.h"
#include "head/region_layers.h"
#include "model/model.h"

/* A matrix whose rows are used one by one: y = weight x + bias. */
typedef struct
{
  const gfloat *weight; /* [outputs][inputs] */
  const gfloat *bias;   /* [outputs] */
  gfloat *reordered;    /* what weight points to when the model's own tensor has another order of columns; or NULL */
  gsize inputs, outputs;
} SppnetMatrix;

/* The matrices of a model's head in the order of the engine's pooled vectors; immutable, one per model. */
typedef struct
{
  guint n_layers;            /* fully connected layers and the classifier, which is the last */
  SppnetStepsDense first;    /* of them */
  SppnetRegionLayers region; /* which add to it */
  SppnetPackedDense others[SPPNET_MAX_HEAD_LAYERS];
  SppnetMatrix box; /* outputs: [labels][4]; 0 without box regression */
} SppnetHeadWeights;

/* Owned by the model. */
const SppnetHeadWeights *sppnet_head_weights (SppnetModel *model, SppnetPrecision precision, GError **error);
