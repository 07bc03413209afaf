/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each layer against its definition, written out as nested loops in double precision. */
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/layers.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
}

static gdouble
at (const SppnetRows *in, gint x, gint y, gint c)
{
  if (x < 0 || y < 0 || x >= in->width || y >= in->height)
    return 0.0;
  return in->data[((gsize) y * in->width + x) * in->channels + c];
}

static gboolean
inside (const SppnetRows *in, gint x, gint y)
{
  return x >= 0 && y >= 0 && x < in->width && y < in->height;
}

static gdouble
naive_conv (const SppnetLayer *layer, const gfloat *file_weight, const gfloat *bias, const SppnetRows *in, gint x,
            gint y, gint o, gdouble *magnitude)
{
  gdouble sum = bias[o];

  *magnitude = fabs (sum);
  for (gint c = 0; c < in->channels; c++)
    for (gint ky = 0; ky < layer->kernel_height; ky++)
      for (gint kx = 0; kx < layer->kernel_width; kx++) {
        gsize w = (((gsize) o * in->channels + c) * layer->kernel_height + ky) * layer->kernel_width + kx;
        gdouble term
            = file_weight[w] * at (in, x * layer->stride - layer->pad_x + kx, y * layer->stride - layer->pad_y + ky, c);

        sum += term;
        *magnitude += fabs (term);
      }
  if (layer->activation == SPPNET_ACTIVATION_RELU)
    return MAX (sum, 0.0);
  return layer->activation == SPPNET_ACTIVATION_LEAKY && sum < 0.0 ? sum * layer->slope : sum;
}

static gdouble
naive_pool (const SppnetLayer *layer, const SppnetRows *in, gint x, gint y, gint c)
{
  gdouble sum = 0.0, best = -INFINITY;
  gint n = 0;

  for (gint ky = 0; ky < layer->kernel_height; ky++)
    for (gint kx = 0; kx < layer->kernel_width; kx++) {
      gint ix = x * layer->stride - layer->pad_x + kx, iy = y * layer->stride - layer->pad_y + ky;

      if (!inside (in, ix, iy))
        continue;
      sum += at (in, ix, iy, c);
      best = MAX (best, at (in, ix, iy, c));
      n++;
    }
  g_assert_cmpint (n, >, 0);
  return layer->kind == SPPNET_LAYER_MAX_POOL ? best : sum / n;
}

static gdouble
naive_lrn (const SppnetLayer *layer, const SppnetRows *in, gint x, gint y, gint c)
{
  gint reach = layer->lrn_size / 2;
  gdouble sum = 0.0;

  for (gint d = -reach; d <= reach; d++)
    if (!layer->lrn_within_channel)
      sum += c + d >= 0 && c + d < in->channels ? pow (at (in, x, y, c + d), 2.0) : 0.0;
    else
      for (gint e = -reach; e <= reach; e++)
        sum += pow (at (in, x + e, y + d, c), 2.0);
  sum *= layer->lrn_alpha / (layer->lrn_within_channel ? layer->lrn_size * layer->lrn_size : layer->lrn_size);
  return at (in, x, y, c) * pow (layer->lrn_k + sum, -layer->lrn_beta);
}

static SppnetLayer
random_layer (SppnetRandom *random, SppnetLayerKind kind)
{
  SppnetLayer layer = { .kind = kind, .name = "layer" };

  layer.filters = 1 + below (random, 40);
  layer.kernel_width = 1 + below (random, 7);
  layer.kernel_height = 1 + below (random, 7);
  layer.stride = 1 + below (random, 3);
  layer.pad_x = below (random, layer.kernel_width);
  layer.pad_y = below (random, layer.kernel_height);
  layer.ceil_mode = below (random, 2);
  if (kind != SPPNET_LAYER_CONV) {
    /* A window of pooling must touch the map: at most half the kernel is padding. */
    layer.pad_x = MIN (layer.pad_x, layer.kernel_width / 2);
    layer.pad_y = MIN (layer.pad_y, layer.kernel_height / 2);
  }
  layer.activation = (SppnetActivation) below (random, 3);
  layer.slope = 0.1f;
  layer.lrn_size = 1 + 2 * below (random, 3);
  layer.lrn_within_channel = below (random, 2);
  layer.lrn_alpha = 0.5f;
  layer.lrn_beta = 0.75f;
  layer.lrn_k = 1.0f + below (random, 2);
  return layer;
}

static gfloat *
random_floats (SppnetRandom *random, gsize n)
{
  gfloat *data = sppnet_aligned_alloc (sizeof (gfloat) * n);

  for (gsize i = 0; i < n; i++)
    data[i] = (gfloat) sppnet_random_normal (random);
  return data;
}

static void
check_values (const SppnetLayer *layer, const gfloat *file_weight, const gfloat *bias, const SppnetRows *in,
              const SppnetRows *out)
{
  for (gint y = 0; y < out->height; y++)
    for (gint x = 0; x < out->width; x++)
      for (gint c = 0; c < out->channels; c++) {
        gdouble got = out->data[((gsize) y * out->width + x) * out->channels + c], want, magnitude = 1.0;

        if (layer->kind == SPPNET_LAYER_CONV)
          want = naive_conv (layer, file_weight, bias, in, x, y, c, &magnitude);
        else if (layer->kind == SPPNET_LAYER_LRN)
          want = naive_lrn (layer, in, x, y, c);
        else
          want = naive_pool (layer, in, x, y, c);
        /* A sum of n terms of float is off by at most n rounding errors of the terms' total. */
        g_assert_cmpfloat_with_epsilon (got, want, 1e-6 + 2e-6 * magnitude);
      }
}

static void
check_layer (SppnetRandom *random, SppnetLayerKind kind)
{
  SppnetLayer layer = random_layer (random, kind);
  SppnetRows in
      = { .width = 1 + below (random, 24), .height = 1 + below (random, 24), .channels = 1 + below (random, 20) };
  SppnetRows out = { 0 };
  g_autoptr (SppnetFloats) in_data = NULL, out_data = NULL, weight = NULL, packed = NULL, bias = NULL, scratch = NULL;
  gsize n_weights = (gsize) layer.filters * in.channels * layer.kernel_width * layer.kernel_height;
  guint threads = sppnet_threads_budget (0);

  in.end = in.height;
  out.width = sppnet_layer_output_width (&layer, in.width);
  out.end = out.height = sppnet_layer_output_height (&layer, in.height);
  out.channels = kind == SPPNET_LAYER_CONV ? layer.filters : in.channels;
  if (out.width == 0 || out.height == 0)
    return;
  in.data = in_data = random_floats (random, (gsize) in.width * in.height * in.channels);
  out.data = out_data = random_floats (random, (gsize) out.width * out.height * out.channels);
  weight = random_floats (random, n_weights);
  packed = random_floats (random, n_weights);
  bias = random_floats (random, layer.filters);
  scratch = random_floats (random, threads * sppnet_layer_scratch (&layer, in.channels));
  if (kind == SPPNET_LAYER_CONV)
    sppnet_conv_pack (&layer, in.channels, weight, packed);
  sppnet_layer_run (&layer, packed, bias, &in, &out, 0, out.height, threads, scratch);
  check_values (&layer, weight, bias, &in, &out);
}

static void
test_layers (gconstpointer kind)
{
  SppnetRandom random = { 2014 };

  sppnet_blas_begin ();
  for (gint i = 0; i < 150; i++)
    check_layer (&random, (SppnetLayerKind) GPOINTER_TO_INT (kind));
  sppnet_blas_end ();
}

static void
test_pack (void)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV, .filters = 2, .kernel_width = 3, .kernel_height = 1 };
  gfloat file[2 * 2 * 3], packed[12], back[12];

  for (gint i = 0; i < 12; i++)
    file[i] = (gfloat) i;
  sppnet_conv_pack (&layer, 2, file, packed);
  /* x = 1, in = 1, out = 0 is element (0, 1, 0, 1) of the file. */
  g_assert_cmpfloat (packed[(1 * 2 + 1) * 2 + 0], ==, 4.0f);
  sppnet_conv_unpack (&layer, 2, packed, back);
  g_assert_cmpmem (file, sizeof file, back, sizeof back);
}

/* Sizes that Caffe and Darknet give. */
static void
test_output_size (void)
{
  SppnetLayer pool = { .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 3, .kernel_height = 3, .stride = 2 };

  g_assert_cmpint (sppnet_layer_output_width (&pool, 110), ==, 54);
  pool.ceil_mode = TRUE;
  g_assert_cmpint (sppnet_layer_output_width (&pool, 110), ==, 55);
  pool.pad_x = 1;
  g_assert_cmpint (sppnet_layer_output_width (&pool, 109), ==, 55);
  pool = (SppnetLayer) {
    .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2, .ceil_mode = TRUE
  };
  for (gint n = 1; n < 40; n++)
    g_assert_cmpint (sppnet_layer_output_width (&pool, n), ==, (n + 1) / 2);
}

/* The published network: a frame of 224 gives a map of 15 x 15 with stride 16 and no offset (paper, appendix). */
static void
test_geometry (void)
{
  static const gint conv[5][3] = { { 7, 2, 3 }, { 5, 2, 2 }, { 3, 1, 1 }, { 3, 1, 1 }, { 3, 1, 1 } };
  SppnetGeometry geometry;
  g_auto (SppnetConfig) config;
  gint width, height;

  sppnet_config_init (&config);
  for (guint i = 0; i < 5; i++) {
    config.layers[config.n_layers++] = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                                                       .filters = 8,
                                                       .kernel_width = conv[i][0],
                                                       .kernel_height = conv[i][0],
                                                       .stride = conv[i][1],
                                                       .pad_x = conv[i][2],
                                                       .pad_y = conv[i][2] };
    if (i < 2)
      config.layers[config.n_layers++] = (SppnetLayer) { .kind = SPPNET_LAYER_MAX_POOL,
                                                         .kernel_width = 3,
                                                         .kernel_height = 3,
                                                         .stride = 2,
                                                         .pad_x = 1,
                                                         .pad_y = 1,
                                                         .ceil_mode = TRUE };
  }
  geometry = sppnet_config_geometry (&config);
  g_assert_cmpint (geometry.stride, ==, 16);
  g_assert_cmpfloat (geometry.offset_x, ==, 0.0f);
  sppnet_config_map_size (&config, 224, 224, &width, &height);
  g_assert_cmpint (width, ==, 15);
  g_assert_cmpint (height, ==, 15);

  /* Pooling of 2 without padding puts the centre between two pixels. */
  config.n_layers = 1;
  config.layers[0]
      = (SppnetLayer) { .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2 };
  g_assert_cmpfloat (sppnet_config_geometry (&config).offset_x, ==, 0.5f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/backbone/layers/conv", GINT_TO_POINTER (SPPNET_LAYER_CONV), test_layers);
  g_test_add_data_func ("/backbone/layers/max-pool", GINT_TO_POINTER (SPPNET_LAYER_MAX_POOL), test_layers);
  g_test_add_data_func ("/backbone/layers/average-pool", GINT_TO_POINTER (SPPNET_LAYER_AVERAGE_POOL), test_layers);
  g_test_add_data_func ("/backbone/layers/lrn", GINT_TO_POINTER (SPPNET_LAYER_LRN), test_layers);
  g_test_add_func ("/backbone/layers/pack", test_pack);
  g_test_add_func ("/backbone/layers/output-size", test_output_size);
  g_test_add_func ("/backbone/layers/geometry", test_geometry);
  return g_test_run ();
}
