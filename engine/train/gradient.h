/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/layers.h"
#include "pooling/pooling.h"
#include "train/packs.h"

/* Gradients of the layers that sppnet_layer_run() computes, for whole maps. */

/**
 * sppnet_layer_gradient:
 * @pack: (nullable): of a convolution layer
 * @in, @out: the layer's input and output maps
 * @out_gradient: of @out; used up
 * @in_gradient: (nullable): of @in, overwritten; %NULL for the first layer
 * @weight_gradient, @bias_gradient: added to (convolution)
 * @scratch: [sppnet_layer_gradient_scratch()]
 */
void sppnet_layer_gradient (const SppnetLayer *layer, const SppnetPack *pack, const gfloat *weight,
                            const SppnetRows *in, const SppnetRows *out, gfloat *out_gradient,
                            const SppnetRows *in_gradient, gfloat *weight_gradient, gfloat *bias_gradient,
                            gfloat *scratch);

/* Floats, enough for the layer's output, too. */
gsize sppnet_layer_gradient_scratch (const SppnetLayer *layer, const SppnetPack *pack, gint channels);

/* Of sppnet_merge_run(): out_gradient is used up, coarse_gradient overwritten, fine_gradient [cells of fine][channels],
 * weight_gradient and bias_gradient added to. */
void sppnet_merge_gradient (const SppnetLayer *layer, const gfloat *weight, const SppnetRows *fine,
                            const SppnetRows *out, gfloat *out_gradient, const SppnetRows *coarse_gradient,
                            gfloat *fine_gradient, gfloat *weight_gradient, gfloat *bias_gradient);

/* Max pooling of regions as sppnet_pool_regions(), with the cell (y * width + x) that each maximum came from; -1: an
 * empty bin. out, source: [n][bins][channels] */
void sppnet_pool_regions_with_source (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n,
                                      gfloat *out, gint32 *source);
/* map_gradient += what flows back through the maxima. Regions and bins overlap: it accumulates. */
void sppnet_pool_regions_gradient (const SppnetMap *map, gint n_bins, gsize n, const gint32 *source,
                                   const gfloat *out_gradient, gfloat *map_gradient);
