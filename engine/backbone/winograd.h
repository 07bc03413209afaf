/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/conv.h"

/* 3x3 convolution with stride 1 by Winograd's minimal filtering (Lavin and Gray, CVPR 2016), on tiles whose side the
 * kernels choose: F(6x6, 3x3) has 64 products for what takes 324, and rounding errors that are larger by one to two
 * decimal digits. */

/* Rows of output that belong together: rows start at a multiple of it. Even. */
gint sppnet_winograd_rows (const SppnetConvKernels *kernels);
/* Products of a tile, of one channel and one filter. */
gint sppnet_winograd_planes (const SppnetConvKernels *kernels);

/* Tiles that are worked on together at most: the weights are read once for them. */
gint sppnet_winograd_tiles (const SppnetConvKernels *kernels, gint channels);

gboolean sppnet_winograd_supports (const SppnetLayer *layer, gint channels);

/* Floats of the packed weights; weight: [3][3][in][out]. */
gsize sppnet_winograd_weights (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels);
void sppnet_winograd_pack (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels,
                           const gfloat *weight, gfloat *packed);

/* What is done with a tile's results while they are in the cache. */
typedef struct
{
  gboolean pooled;            /* the output is the convolution's map after 2x2 max pooling with stride 2 */
  const SppnetConv *then;     /* (nullable): a 1x1 convolution with stride 1 */
  const SppnetRows *then_out; /* (nullable): where it goes, of the map before pooling. NULL: it is of the output, and
                               * takes its place */
} SppnetWinogradAfter;

/* Floats of scratch memory per thread. */
gsize sppnet_winograd_scratch (const SppnetConv *conv, const SppnetWinogradAfter *after);

/**
 * sppnet_winograd_run:
 * @in: must hold every row within the map that the tiles of the output rows reach
 * @out: rows y0 .. y1 - 1 are written; of after->then_out those they are made of, at its end all that are left
 * @y0: a multiple of sppnet_winograd_rows(), half of it if pooled; y1 likewise, or the map's end
 * @scratch: [threads][sppnet_winograd_scratch()]
 *
 * A value does not depend on the rows of the call and on the threads.
 */
void sppnet_winograd_run (const SppnetConv *conv, const SppnetWinogradAfter *after, const SppnetRows *in,
                          const SppnetRows *out, gint y0, gint y1, guint threads, gfloat *scratch);
/* The rows of tiles that start at every pitch-th row; rows between them are left as they are. For a layer that pads by
 * 1, of pieces of a map that are as high as a tile, with zeros between them. pitch: at least sppnet_winograd_rows(), of
 * which the map's height is a multiple */
void sppnet_winograd_run_apart (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint pitch,
                                guint threads, gfloat *scratch);
