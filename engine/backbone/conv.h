/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "backbone/layers.h"
#include "kernel/conv.h"

/* Convolution on the kernels of the processor's instruction set. layers.h has the reference. */

/* A convolution layer with weights packed for one set of kernels. Without kernels, layers.h runs it: weight and bias
 * are then as there. */
typedef struct
{
  const SppnetConvKernels *kernels;
  const SppnetLayer *layer;
  gint channels;    /* of the input */
  gfloat *weight;   /* [sppnet_conv_direct_weights()], NULL where only Winograd's are wanted */
  gfloat *winograd; /* [sppnet_winograd_weights()], NULL where it does not apply */
  gfloat *bias;     /* [sppnet_conv_bias()] */
} SppnetConv;

/* Floats of the packed weights and of the bias, which are padded to whole vectors. */
gsize sppnet_conv_direct_weights (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels);
gsize sppnet_conv_bias (const SppnetConvKernels *kernels, const SppnetLayer *layer);

/* weight: [ky][kx][in][out], see sppnet_conv_pack(); bias: [out] */
void sppnet_conv_direct_pack (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels,
                              const gfloat *weight, gfloat *packed);
void sppnet_conv_pack_bias (const SppnetConvKernels *kernels, const SppnetLayer *layer, const gfloat *bias,
                            gfloat *packed);

/* Floats of scratch memory per thread. */
gsize sppnet_conv_direct_scratch (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels,
                                  gboolean pooled);

/* sppnet_merge_run() on the kernels; conv: of the layer's 1x1 convolution. */
void sppnet_merge_direct_run (const SppnetConv *conv, const SppnetRows *coarse, const SppnetRows *fine,
                              const SppnetRows *out, gint y0, gint y1, guint threads);

/* What input channels first .. end - 1 add to n pixels of a 1x1 convolution with stride 1, of which all channels come
 * in order: the first with the bias, after the last the activation. The sums are those of sppnet_conv_direct_run(), bit
 * by bit. in: channel first of pixel 0; in_pixel: floats between pixels; out: [n][filters] */
void sppnet_conv_pointwise_add (const SppnetConv *conv, const gfloat *in, gsize in_pixel, gint first, gint end, gsize n,
                                gfloat *out);

/**
 * sppnet_conv_direct_run:
 * @in: must hold every row within the map that the output rows need
 * @out: rows y0 .. y1 - 1 are written
 * @pooled: @out is the convolution's map after 2x2 max pooling with stride 2
 * @scratch: [threads][sppnet_conv_direct_scratch()]
 *
 * Each output is summed in the order of the kernel's cells, whatever the rows and threads.
 */
void sppnet_conv_direct_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1,
                             gboolean pooled, guint threads, gfloat *scratch);
