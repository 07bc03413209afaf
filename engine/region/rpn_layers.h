/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/convolution.h"
#include "base/memory.h"
#include "region/anchors.h"

/* The layers of a region proposal network: a 3x3 convolution of the last map and, on its output, one 1x1 convolution to
 * 5 numbers per anchor: the scores of all, then the four parameters of each. Weights are packed once per model, or
 * after each step of training. */
typedef struct
{
  SppnetLayer hidden_layer, output_layer;
  SppnetConv hidden, output;
} SppnetRpnLayers;

/* Memory for the weights, all 0; precision: of the convolution, scores and boxes are in single precision. The layers
 * must stay where they are. FALSE where there is none; clear them in any case. */
gboolean sppnet_rpn_layers_init (SppnetRpnLayers *layers, const SppnetConfig *config, SppnetPrecision precision);
void sppnet_rpn_layers_clear (SppnetRpnLayers *layers);

/* Scratch memory of one stream. { 0 } before the first use. */
typedef struct
{
  SppnetBuffer scratch; /* [threads][sppnet_conv_scratch()] */
  SppnetBuffer hidden;  /* [cells][filters] */
  SppnetBuffer outputs; /* [cells][5 * anchors] */
} SppnetRpnScratch;

void sppnet_rpn_scratch_clear (SppnetRpnScratch *scratch);

/* Returns the outputs of all cells, or NULL. */
const gfloat *sppnet_rpn_layers_run (const SppnetRpnLayers *layers, const SppnetMap *map, const SppnetAnchorGrid *grid,
                                     guint threads, SppnetRpnScratch *scratch, GError **error);
