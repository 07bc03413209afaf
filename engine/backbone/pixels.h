/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/conv.h"
#include "frame/frame.h"
#include "model/config.h"

/* The first layer on the pixels as they are. They are 8-bit integers: with weights of 16 bits, all sums of products are
 * exact and take half as long as those of floats. Mean and scale of the input are part of weights and bias. */
typedef struct
{
  const SppnetConvKernels *kernels; /* NULL: the layer cannot be run so */
  const SppnetLayer *layer;
  gint pairs;       /* of values, in a row of the kernel */
  gint16 *weight;   /* blocks of [kernel_height][pairs][filter][2] */
  gfloat *scale;    /* [filters], padded to whole blocks */
  gfloat *bias;     /* likewise */
  gint16 beside[3]; /* R G B of what is 0 after normalisation: the pixels beside the frame */
} SppnetPixels;

/* Packs a model's first layer. weight: [ky][kx][3][out], see sppnet_conv_pack(); bias: [out]. One with padding and a
 * mean that is no 8-bit integer, with a kernel of more than 15 cells along an axis, or with a negative slope gets no
 * kernels. FALSE where there is no memory; clear it in any case. */
gboolean sppnet_pixels_init (SppnetPixels *pixels, const SppnetConvKernels *kernels, const SppnetConfig *config,
                             const gfloat *weight, const gfloat *bias);
void sppnet_pixels_clear (SppnetPixels *pixels);

/* Floats that a row of a frame takes, with what lies beside it. */
gint sppnet_pixels_row_floats (const SppnetPixels *pixels, gint width);

/* Writes row y of a frame; rgb: scratch [width][3]. NULL for frame: a row above or below it. */
void sppnet_pixels_read_row (const SppnetPixels *pixels, const SppnetFrame *frame, gint y, gint width, guint8 *rgb,
                             gfloat *row);

/**
 * sppnet_pixels_run:
 * @in: rows of a frame, sppnet_pixels_row_floats() each as one channel; must hold every row within the frame that the
 * output rows need
 * @beside: a row above or below the frame
 * @width: of the frame
 * @out: rows y0 .. y1 - 1 are written
 * @pooled: @out is the convolution's map after 2x2 max pooling with stride 2
 */
void sppnet_pixels_run (const SppnetPixels *pixels, const SppnetRows *in, const gfloat *beside, gint width,
                        const SppnetRows *out, gint y0, gint y1, gboolean pooled, guint threads);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetPixels, sppnet_pixels_clear)
