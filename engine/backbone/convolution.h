/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/conv.h"

/* A convolution layer with memory of its own for packed weights, run by the method that suits its size. */

/* Memory for a layer's weights (of a merge: of its 1x1 convolution), all 0. The layer must outlive it. What precision
 * cannot do (an odd number of channels) is done in single precision. FALSE where there is no memory; clear it in any
 * case. */
gboolean sppnet_conv_init (SppnetConv *conv, const SppnetLayer *layer, gint channels, SppnetPrecision precision);
/* The same for weights of the kernels' small tiles only, in single precision, of a layer that
 * sppnet_winograd_supports().
 */
gboolean sppnet_conv_init_small (SppnetConv *conv, const SppnetLayer *layer, gint channels);
void sppnet_conv_clear (SppnetConv *conv);

/* weight: [ky][kx][in][out], see sppnet_conv_pack(); bias: (nullable): [out], NULL: stays as it is */
void sppnet_conv_update (SppnetConv *conv, const gfloat *weight, const gfloat *bias);

/* All rows of a whole map. Not for merge. scratch: [threads][sppnet_conv_scratch()] */
void sppnet_conv_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, guint threads,
                      gfloat *scratch);
/* Floats per thread. */
gsize sppnet_conv_scratch (const SppnetConv *conv);

/* The kernels for so many channels. */
const SppnetConvKernels *sppnet_conv_kernels_for_precision (SppnetPrecision precision, gint channels);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetConv, sppnet_conv_clear)
