/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first layer on 8-bit pixels against the reference on normalised floats. */
#include "backbone/pixels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
}

typedef struct
{
  SppnetConfig config;
  SppnetLayer pool;
  gboolean pooled;
  SppnetFrame frame;
  guint8 *rgb;
  gfloat *weight, *bias; /* [ky][kx][3][out] */
  SppnetRows out;
  gfloat *expected;
} Problem;

static void
random_config (SppnetConfig *config, SppnetRandom *random)
{
  SppnetLayer *layer = &config->layers[0];

  sppnet_config_init (config);
  config->n_layers = 1;
  *layer = (SppnetLayer) { .kind = SPPNET_LAYER_CONV, .name = "first", .slope = 0.1f };
  layer->filters = 1 + below (random, 70);
  layer->kernel_width = 1 + below (random, 7);
  layer->kernel_height = 1 + below (random, 7);
  layer->stride = 1 + below (random, 3);
  layer->pad_x = below (random, layer->kernel_width);
  layer->pad_y = below (random, layer->kernel_height);
  layer->activation = (SppnetActivation) below (random, 3);
  config->input_bgr = below (random, 2);
  for (gint c = 0; c < 3; c++) {
    config->input_mean[c] = (gfloat) below (random, 256);
    config->input_scale[c] = 0.02f * (gfloat) (below (random, 5) - 2);
    if (layer->pad_x == 0 && layer->pad_y == 0)
      config->input_mean[c] += 0.3f;
  }
}

static void
run_reference (Problem *problem)
{
  const SppnetConfig *config = &problem->config;
  const SppnetLayer *layer = &config->layers[0];
  gint width = problem->frame.width, height = problem->frame.height;
  g_autoptr (SppnetFloats) input = sppnet_aligned_alloc (sizeof (gfloat) * 3 * width * height);
  g_autoptr (SppnetFloats) scratch = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_layer_scratch (layer, 3));
  g_autoptr (SppnetFloats) map = NULL;
  SppnetRows in = { input, 0, height, width, height, 3 };
  SppnetRows middle = { .width = sppnet_layer_output_width (layer, width),
                        .height = sppnet_layer_output_height (layer, height),
                        .channels = layer->filters };

  middle.end = middle.height;
  middle.data = map = sppnet_aligned_alloc (sizeof (gfloat) * middle.width * middle.height * middle.channels);
  sppnet_frame_normalize (problem->rgb, (gsize) width * height, config->input_bgr, config->input_mean,
                          config->input_scale, input);
  sppnet_layer_run (layer, problem->weight, problem->bias, &in, &middle, 0, middle.height, 1, scratch);
  problem->out = middle;
  if (problem->pooled) {
    problem->out.width = sppnet_layer_output_width (&problem->pool, middle.width);
    problem->out.height = problem->out.end = sppnet_layer_output_height (&problem->pool, middle.height);
  }
  problem->expected
      = sppnet_aligned_alloc (sizeof (gfloat) * problem->out.width * problem->out.height * problem->out.channels);
  problem->out.data = problem->expected;
  if (problem->pooled)
    sppnet_layer_run (&problem->pool, NULL, NULL, &middle, &problem->out, 0, problem->out.height, 1, NULL);
  else
    memcpy (problem->expected, map, sizeof (gfloat) * middle.width * middle.height * middle.channels);
}

/* FALSE: the map would be empty. */
static gboolean
problem_init (Problem *problem, SppnetRandom *random)
{
  const SppnetLayer *layer = &problem->config.layers[0];
  gint width = 1 + below (random, 60), height = 1 + below (random, 30);
  gsize n_weights;

  memset (problem, 0, sizeof *problem);
  random_config (&problem->config, random);
  n_weights = (gsize) layer->kernel_width * layer->kernel_height * 3 * layer->filters;
  problem->pooled = below (random, 2);
  problem->pool = (SppnetLayer) {
    .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2, .ceil_mode = below (random, 2)
  };
  problem->rgb = g_malloc (3 * (gsize) width * height);
  for (gint i = 0; i < 3 * width * height; i++)
    problem->rgb[i] = (guint8) below (random, 256);
  problem->frame = (SppnetFrame) { .format = SPPNET_PIXEL_FORMAT_RGB, .width = width, .height = height };
  problem->frame.plane[0] = problem->rgb;
  problem->frame.stride[0] = 3 * width;
  problem->weight = g_new (gfloat, n_weights);
  problem->bias = g_new (gfloat, layer->filters);
  for (gsize i = 0; i < n_weights; i++)
    problem->weight[i] = below (random, 20) ? (gfloat) sppnet_random_normal (random) : 0.0f;
  for (gint f = 0; f < layer->filters; f++)
    problem->bias[f] = (gfloat) sppnet_random_normal (random);
  width = sppnet_layer_output_width (layer, width);
  height = sppnet_layer_output_height (layer, height);
  if (width > 0 && height > 0 && problem->pooled) {
    width = sppnet_layer_output_width (&problem->pool, width);
    height = sppnet_layer_output_height (&problem->pool, height);
  }
  return width > 0 && height > 0;
}

static void
problem_clear (Problem *problem)
{
  g_free (problem->rgb);
  g_free (problem->weight);
  g_free (problem->bias);
  sppnet_aligned_free (problem->expected);
  sppnet_config_clear (&problem->config);
}

/* The output rows in two calls. (transfer full) */
static gfloat *
run (const Problem *problem, const SppnetPixels *pixels, gint split, guint threads)
{
  gint width = problem->frame.width, height = problem->frame.height;
  SppnetRows in = { .end = height, .height = height, .channels = 1 }, out = problem->out;
  g_autoptr (SppnetFloats) rows = NULL, beside = NULL;
  g_autofree guint8 *rgb = g_malloc (3 * (gsize) width);

  in.width = sppnet_pixels_row_floats (pixels, width);
  in.data = rows = sppnet_aligned_alloc (sizeof (gfloat) * in.width * height);
  beside = sppnet_aligned_alloc (sizeof (gfloat) * in.width);
  sppnet_pixels_read_row (pixels, NULL, 0, width, NULL, beside);
  for (gint y = 0; y < height; y++)
    sppnet_pixels_read_row (pixels, &problem->frame, y, width, rgb, sppnet_rows_at (&in, y));
  out.data = sppnet_aligned_alloc (sizeof (gfloat) * out.width * out.height * out.channels);
  sppnet_pixels_run (pixels, &in, beside, width, &out, 0, split, problem->pooled, threads);
  sppnet_pixels_run (pixels, &in, beside, width, &out, split, out.height, problem->pooled, threads);
  return out.data;
}

/* The most that rounding a filter's weights to a step changes its sums by, and what floats round. */
static gdouble
most_error (const Problem *problem, gint filter)
{
  const SppnetConfig *config = &problem->config;
  const SppnetLayer *layer = &config->layers[0];
  gint taps = layer->kernel_width * layer->kernel_height;
  gdouble largest = 0.0, values = 0.0, sum = 0.0;

  for (gint i = 0; i < taps * 3; i++) {
    gdouble scale = fabs ((gdouble) config->input_scale[i % 3]), mean = config->input_mean[i % 3];
    gdouble weight = fabs ((gdouble) problem->weight[i * layer->filters + filter]) * scale;

    largest = MAX (largest, weight);
    values += MAX (mean, 255.0 - mean);
    sum += weight * 255.0;
  }
  return 1.0 * largest / 32766.0 * values + 1e-6 * (sum + 10.0);
}

static void
test_against_reference (gconstpointer data)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (GPOINTER_TO_UINT (data));
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  for (gint round = 0; round < 200; round++) {
    g_autoptr (SppnetFloats) whole = NULL, split = NULL;
    g_auto (SppnetPixels) pixels = { 0 };
    Problem problem;

    if (problem_init (&problem, &random)) {
      gsize cells;

      run_reference (&problem);
      g_assert_true (sppnet_pixels_init (&pixels, kernels, &problem.config, problem.weight, problem.bias));
      g_assert_true (pixels.kernels == kernels);
      whole = run (&problem, &pixels, problem.out.height, 1);
      split = run (&problem, &pixels, below (&random, problem.out.height + 1), 1 + (guint) below (&random, 3));
      cells = (gsize) problem.out.width * problem.out.height;
      for (gsize i = 0; i < cells * problem.out.channels; i++)
        g_assert_cmpfloat_with_epsilon (whole[i], problem.expected[i],
                                        most_error (&problem, (gint) (i % problem.out.channels)));
      g_assert_cmpmem (whole, sizeof *whole * cells * problem.out.channels, split,
                       sizeof *split * cells * problem.out.channels);
    }
    problem_clear (&problem);
  }
}

static void
set_layer (SppnetConfig *config)
{
  sppnet_config_init (config);
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                                      .name = "first",
                                      .filters = 1,
                                      .kernel_width = 3,
                                      .kernel_height = 3,
                                      .stride = 1,
                                      .pad_x = 1,
                                      .pad_y = 1 };
}

/* Layers whose sums are not exact, or whose padding is no pixel. */
static void
test_unsupported (void)
{
  static gfloat weight[15 * 15 * 3], bias[1];
  g_auto (SppnetConfig) config;
  g_auto (SppnetPixels) pixels = { 0 };
  SppnetLayer *layer = &config.layers[0];

  set_layer (&config);
  for (guint i = 0; i < G_N_ELEMENTS (weight); i++)
    weight[i] = 1.0f;
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_nonnull (pixels.kernels);
  sppnet_pixels_clear (&pixels);

  config.input_mean[1] = 103.9f;
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_null (pixels.kernels);
  config.input_mean[1] = 300.0f;
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_null (pixels.kernels);
  layer->pad_x = layer->pad_y = 0; /* nothing lies beside the frame */
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_nonnull (pixels.kernels);
  sppnet_pixels_clear (&pixels);

  layer->activation = SPPNET_ACTIVATION_LEAKY;
  layer->slope = -0.5f;
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_null (pixels.kernels);
  layer->slope = 0.5f;
  layer->kernel_width = 16;
  layer->kernel_height = 1;
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &config, weight, bias));
  g_assert_null (pixels.kernels);
}

/* Weights all alike of the largest kernel and pixels all white: the sums still are exact, with coarser weights. */
static void
test_largest_sum (void)
{
  static gfloat weight[15 * 15 * 3], bias[1];
  guint8 rgb[15 * 15 * 3];
  Problem problem = { .rgb = rgb, .weight = weight, .bias = bias };
  SppnetLayer *layer = &problem.config.layers[0];
  g_autoptr (SppnetFloats) got = NULL;
  g_auto (SppnetPixels) pixels = { 0 };

  set_layer (&problem.config);
  layer->kernel_width = layer->kernel_height = 15;
  layer->pad_x = layer->pad_y = 0;
  memset (rgb, 255, sizeof rgb);
  for (guint i = 0; i < G_N_ELEMENTS (weight); i++)
    weight[i] = 0.7f;
  problem.frame = (SppnetFrame) { .format = SPPNET_PIXEL_FORMAT_RGB, .width = 15, .height = 15 };
  problem.frame.plane[0] = rgb;
  problem.frame.stride[0] = 45;
  run_reference (&problem);
  g_assert_true (sppnet_pixels_init (&pixels, sppnet_conv_kernels (), &problem.config, weight, bias));
  g_assert_nonnull (pixels.kernels);
  got = run (&problem, &pixels, 1, 1);
  g_assert_cmpfloat_with_epsilon (*got, *problem.expected, 1e-4 * *problem.expected);
  g_assert_cmpfloat (*got, >, 400.0);
  sppnet_aligned_free (problem.expected);
  sppnet_config_clear (&problem.config);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backbone/pixels/unsupported", test_unsupported);
  g_test_add_func ("/backbone/pixels/largest-sum", test_largest_sum);
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
    g_autofree gchar *path = g_strdup_printf ("/backbone/pixels/%s", sppnet_isa_name (isa));

    g_test_add_data_func (path, GUINT_TO_POINTER (isa), test_against_reference);
  }
  return g_test_run ();
}
