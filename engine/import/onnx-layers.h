/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/layers.h"

/* Names of the first and the last map. Values in between are "LAYER/PART": layer names hold no '/'. */
#define SPPNET_ONNX_INPUT "input"
#define SPPNET_ONNX_OUTPUT "map"

/* The operators of all layers. shapes: (nullable) of the maps before each layer, where the frame's size is fixed */
void sppnet_onnx_add_layers (GByteArray *graph, const SppnetConfig *config, const SppnetShape *shapes);
