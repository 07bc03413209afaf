/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution for inference, with the kernels of every level, against the layers that training uses. */
#include "backbone/conv.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/threads.h"

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
}

static gfloat *
random_floats (SppnetRandom *random, gsize n)
{
  gfloat *data = sppnet_aligned_alloc (sizeof (gfloat) * n);

  for (gsize i = 0; i < n; i++)
    data[i] = (gfloat) sppnet_random_normal (random);
  return data;
}

static SppnetLayer
random_layer (SppnetRandom *random)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV, .name = "layer", .slope = 0.1f };
  gboolean pointwise = below (random, 3) == 0;

  layer.filters = 1 + below (random, 70);
  layer.kernel_width = pointwise ? 1 : 1 + below (random, 7);
  layer.kernel_height = pointwise ? 1 : 1 + below (random, 7);
  layer.stride = pointwise ? 1 : 1 + below (random, 3);
  layer.pad_x = below (random, layer.kernel_width);
  layer.pad_y = below (random, layer.kernel_height);
  layer.activation = (SppnetActivation) below (random, 3);
  return layer;
}

/* Rows y0 .. y1 - 1 in two calls, the second with the first one's rows dropped as a backbone does. */
static void
run_split (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint split, guint threads,
           gfloat *scratch)
{
  SppnetRows rest = *out;

  sppnet_conv_direct_run (conv, in, out, 0, split, threads, scratch);
  rest.data += (gsize) split * out->width * out->channels;
  rest.first = split;
  sppnet_conv_direct_run (conv, in, &rest, split, out->height, threads, scratch);
}

static void
check_layer (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  SppnetLayer layer = random_layer (random);
  gint channels = 1 + below (random, 40);
  SppnetRows in = { .width = 1 + below (random, 50), .height = 1 + below (random, 30), .channels = channels };
  SppnetRows out = { .channels = layer.filters }, expected;
  gsize n_weights = (gsize) layer.filters * channels * layer.kernel_width * layer.kernel_height, n_out;
  g_autoptr (SppnetFloats) in_data = NULL, out_data = NULL, expected_data = NULL, again = NULL;
  g_autoptr (SppnetFloats) file = random_floats (random, n_weights), bias = random_floats (random, layer.filters);
  g_autoptr (SppnetFloats) reference = sppnet_aligned_alloc (sizeof (gfloat) * n_weights);
  g_autoptr (SppnetFloats) packed
      = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_direct_weights (kernels, &layer, channels));
  g_autoptr (SppnetFloats) padded = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_bias (kernels, &layer));
  g_autoptr (SppnetFloats) scratch = sppnet_aligned_alloc (
      sizeof (gfloat) * 3
      * MAX (sppnet_conv_direct_scratch (kernels, &layer, channels), sppnet_layer_scratch (&layer, channels)));
  SppnetConv conv = { kernels, &layer, channels, packed, padded };

  in.end = in.height;
  out.width = sppnet_layer_output_width (&layer, in.width);
  out.end = out.height = sppnet_layer_output_height (&layer, in.height);
  if (out.width == 0 || out.height == 0)
    return;
  n_out = (gsize) out.width * out.height * out.channels;
  in.data = in_data = random_floats (random, (gsize) in.width * in.height * channels);
  out.data = out_data = random_floats (random, n_out);
  expected = out;
  expected.data = expected_data = random_floats (random, n_out);
  sppnet_conv_pack (&layer, channels, file, reference);
  sppnet_layer_run (&layer, reference, bias, &in, &expected, 0, out.height, 1, scratch);

  sppnet_conv_direct_pack (kernels, &layer, channels, file, packed);
  sppnet_conv_pack_bias (kernels, &layer, bias, padded);
  sppnet_conv_direct_run (&conv, &in, &out, 0, out.height, 1, scratch);
  for (gsize i = 0; i < n_out; i++)
    /* Sums of up to 7 * 7 * 40 terms about 1. */
    g_assert_cmpfloat_with_epsilon (out.data[i], expected.data[i], 2e-4);

  again = sppnet_aligned_alloc (sizeof (gfloat) * n_out);
  memcpy (again, out.data, sizeof (gfloat) * n_out);
  run_split (&conv, &in, &out, below (random, out.height), 1 + (guint) below (random, 3), scratch);
  g_assert_true (memcmp (again, out.data, sizeof (gfloat) * n_out) == 0);
}

static void
test_level (gconstpointer data)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (GPOINTER_TO_UINT (data));
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  sppnet_blas_begin ();
  for (gint i = 0; i < 150; i++)
    check_layer (kernels, &random);
  sppnet_blas_end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
    g_autofree gchar *path = g_strdup_printf ("/backbone/conv/%s/direct", sppnet_isa_name (isa));

    g_test_add_data_func (path, GUINT_TO_POINTER (isa), test_level);
  }
  return g_test_run ();
}
