/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/convolution.h"

#include <string.h>

#include "backbone/plan.h"
#include "backbone/winograd.h"
#include "base/memory.h"

/* The gathered input of a kernel so large that it would not fit the caches: left to the matrix product. */
#define MOST_SCRATCH (1u << 20)

static gsize
reference_weights (const SppnetConv *conv)
{
  return (gsize) conv->layer->kernel_width * conv->layer->kernel_height * conv->channels * conv->layer->filters;
}

const SppnetConvKernels *
sppnet_conv_kernels_for_precision (SppnetPrecision precision, gint channels)
{
  if (precision == SPPNET_PRECISION_BFLOAT16 && channels % 2 == 0 && sppnet_conv_kernels_bfloat16 ())
    return sppnet_conv_kernels_bfloat16 ();
  return sppnet_conv_kernels ();
}

gboolean
sppnet_conv_init (SppnetConv *conv, const SppnetLayer *layer, gint channels, SppnetPrecision precision)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for_precision (precision, channels);

  *conv = (SppnetConv) { .layer = layer, .channels = channels };
  /* The plain level is the reference. */
  if (sppnet_cpu_isa () == SPPNET_ISA_PLAIN
      || sppnet_conv_direct_scratch (kernels, layer, channels, FALSE) > MOST_SCRATCH) {
    conv->weight = sppnet_aligned_zeros (sizeof (gfloat) * reference_weights (conv));
    conv->bias = sppnet_aligned_zeros (sizeof (gfloat) * layer->filters);
    return conv->weight && conv->bias;
  }
  conv->kernels = kernels;
  conv->weight = sppnet_aligned_zeros (sizeof (gfloat) * sppnet_conv_direct_weights (kernels, layer, channels));
  conv->bias = sppnet_aligned_zeros (sizeof (gfloat) * sppnet_conv_bias (kernels, layer));
  if (!sppnet_winograd_supports (layer, channels))
    return conv->weight && conv->bias;
  conv->winograd = sppnet_aligned_zeros (sizeof (gfloat) * sppnet_winograd_weights (kernels, layer, channels));
  return conv->weight && conv->bias && conv->winograd;
}

gboolean
sppnet_conv_init_small (SppnetConv *conv, const SppnetLayer *layer, gint channels)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels ()->small_tiles;

  *conv = (SppnetConv) { .kernels = kernels, .layer = layer, .channels = channels };
  conv->winograd = sppnet_aligned_zeros (sizeof (gfloat) * sppnet_winograd_weights (kernels, layer, channels));
  conv->bias = sppnet_aligned_zeros (sizeof (gfloat) * sppnet_conv_bias (kernels, layer));
  return conv->winograd && conv->bias;
}

void
sppnet_conv_clear (SppnetConv *conv)
{
  sppnet_aligned_free (conv->weight);
  sppnet_aligned_free (conv->winograd);
  sppnet_aligned_free (conv->bias);
  *conv = (SppnetConv) { 0 };
}

void
sppnet_conv_update (SppnetConv *conv, const gfloat *weight, const gfloat *bias)
{
  if (!conv->kernels)
    memcpy (conv->weight, weight, sizeof *weight * reference_weights (conv));
  else if (conv->weight)
    sppnet_conv_direct_pack (conv->kernels, conv->layer, conv->channels, weight, conv->weight);
  if (conv->winograd)
    sppnet_winograd_pack (conv->kernels, conv->layer, conv->channels, weight, conv->winograd);
  /* What a vector has more stays 0. */
  if (bias)
    memcpy (conv->bias, bias, sizeof *bias * conv->layer->filters);
}

void
sppnet_conv_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, guint threads, gfloat *scratch)
{
  SppnetShape shape = { out->width, out->height, out->channels };

  switch (sppnet_plan_method (conv, &shape)) {
  case SPPNET_METHOD_WINOGRAD:
    sppnet_winograd_run (conv, &(SppnetWinogradAfter) { 0 }, in, out, 0, out->height, threads, scratch);
    break;
  case SPPNET_METHOD_DIRECT:
    sppnet_conv_direct_run (conv, in, out, 0, out->height, FALSE, threads, scratch);
    break;
  case SPPNET_METHOD_LAYER:
    sppnet_layer_run (conv->layer, conv->weight, conv->bias, in, out, 0, out->height, threads, scratch);
    break;
  case SPPNET_METHOD_WINOGRAD_SMALL: /* not among its own weights */
  case SPPNET_METHOD_PIXELS:
  case SPPNET_METHOD_ADD:
    g_assert_not_reached ();
  }
}

gsize
sppnet_conv_scratch (const SppnetConv *conv)
{
  gsize direct;

  if (!conv->kernels)
    return sppnet_layer_scratch (conv->layer, conv->channels);
  direct = sppnet_conv_direct_scratch (conv->kernels, conv->layer, conv->channels, FALSE);
  return MAX (direct, conv->winograd ? sppnet_winograd_scratch (conv, &(SppnetWinogradAfter) { 0 }) : 0);
}
