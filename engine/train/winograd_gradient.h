/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/winograd.h"

/* The gradient of the weights of a 3x3 convolution with stride 1, by Winograd's F(3x3, 4x4): the nine taps are the
 * output, and 4x4 cells of the output's gradient the filter, of a quarter of the products. */

/* Floats of scratch memory. */
gsize sppnet_winograd_gradient_scratch (const SppnetConv *conv);

/**
 * sppnet_winograd_gradient:
 * @conv: with sppnet_winograd_supports()
 * @in: the layer's input, a whole map
 * @out_gradient: of its output before the activation, a whole map
 * @weight_gradient: [3][3][in][out], added to
 *
 * Single threaded.
 */
void sppnet_winograd_gradient (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out_gradient,
                               gfloat *weight_gradient, gfloat *scratch);
