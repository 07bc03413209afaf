/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/conv.h"

/* 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3) (Lavin and Gray, CVPR 2016): a quarter of the products, and
 * rounding errors that are larger by about one decimal digit. */

/* Rows of output that belong together: rows start at a multiple of it. */
#define SPPNET_WINOGRAD_ROWS 4

gboolean sppnet_winograd_supports (const SppnetLayer *layer, gint channels);

/* Floats of the packed weights; weight: [3][3][in][out]. */
gsize sppnet_winograd_weights (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels);
void sppnet_winograd_pack (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels,
                           const gfloat *weight, gfloat *packed);

/* Floats of scratch memory per thread. */
gsize sppnet_winograd_scratch (const SppnetConvKernels *kernels, gint channels);

/**
 * sppnet_winograd_run:
 * @in: must hold every row within the map that the output rows need
 * @out: rows y0 .. y1 - 1 are written
 * @pooled: @out is the convolution's map after 2x2 max pooling with stride 2
 * @y0: a multiple of SPPNET_WINOGRAD_ROWS, half of it if pooled; y1 likewise, or the map's end
 * @scratch: [threads][sppnet_winograd_scratch()]
 *
 * A value does not depend on the rows of the call and on the threads.
 */
void sppnet_winograd_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1,
                          gboolean pooled, guint threads, gfloat *scratch);
