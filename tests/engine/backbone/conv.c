/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution for inference, with the kernels of every level, against the reference. */
#include "backbone/winograd.h"

#include <math.h>
#include <string.h>

#include "../bfloat16.h"
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
random_layer (SppnetRandom *random, gboolean winograd)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV, .name = "layer", .slope = 0.1f, .stride = 1 };
  gint choice = below (random, 3);

  layer.filters = 1 + below (random, below (random, 8) ? 70 : 300);
  layer.kernel_width = winograd ? 3 : choice ? 1 + below (random, 7) : 1;
  layer.kernel_height = winograd ? 3 : choice ? 1 + below (random, 7) : 1;
  if (!winograd && choice)
    layer.stride = 1 + below (random, 3);
  layer.pad_x = below (random, layer.kernel_width);
  layer.pad_y = below (random, layer.kernel_height);
  layer.activation = (SppnetActivation) below (random, 3);
  return layer;
}

/* One convolution, with pooling after it or without, and everything to run it in both ways. */
typedef struct
{
  SppnetLayer layer, pool;
  gboolean winograd, pooled;
  SppnetConv conv;
  SppnetRows in, middle, out; /* middle: before pooling */
  gfloat *file, *bias, *reference, *packed, *packed_bias, *tiles, *scratch;
} Problem;

static gboolean
problem_init (Problem *problem, const SppnetConvKernels *kernels, gboolean winograd, SppnetRandom *random)
{
  gint channels = winograd            ? 16 * (1 + below (random, 3))
                  : kernels->to_pairs ? 2 + 2 * below (random, 60)
                                      : 1 + below (random, 40);
  const SppnetLayer *layer = &problem->layer;
  gsize n_weights, scratch;

  *problem = (Problem) { .layer = random_layer (random, winograd), .winograd = winograd, .pooled = below (random, 2) };
  problem->pool = (SppnetLayer) {
    .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2, .ceil_mode = below (random, 2)
  };
  problem->in
      = (SppnetRows) { .width = 1 + below (random, 50), .height = 1 + below (random, 30), .channels = channels };
  problem->in.end = problem->in.height;
  problem->middle.channels = problem->out.channels = layer->filters;
  problem->middle.width = sppnet_layer_output_width (layer, problem->in.width);
  problem->middle.height = sppnet_layer_output_height (layer, problem->in.height);
  problem->out = problem->middle;
  if (problem->pooled) {
    problem->out.width = sppnet_layer_output_width (&problem->pool, problem->middle.width);
    problem->out.height = sppnet_layer_output_height (&problem->pool, problem->middle.height);
  }
  problem->middle.end = problem->middle.height;
  problem->out.end = problem->out.height;
  if (problem->out.width <= 0 || problem->out.height <= 0)
    return FALSE;
  n_weights = (gsize) layer->filters * channels * layer->kernel_width * layer->kernel_height;
  problem->file = random_floats (random, n_weights);
  problem->bias = random_floats (random, layer->filters);
  problem->in.data = random_floats (random, (gsize) problem->in.width * problem->in.height * channels);
  if (kernels->to_pairs && !winograd) {
    /* What the kernels round stays as it is. */
    round_to_bfloat16 (problem->file, n_weights);
    round_to_bfloat16 (problem->in.data, (gsize) problem->in.width * problem->in.height * channels);
  }
  problem->reference = sppnet_aligned_alloc (sizeof (gfloat) * n_weights);
  sppnet_conv_pack (layer, channels, problem->file, problem->reference);
  problem->packed = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_direct_weights (kernels, layer, channels));
  sppnet_conv_direct_pack (kernels, layer, channels, problem->reference, problem->packed);
  problem->packed_bias = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_bias (kernels, layer));
  sppnet_conv_pack_bias (kernels, layer, problem->bias, problem->packed_bias);
  if (winograd) {
    problem->tiles = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_winograd_weights (kernels, layer, channels));
    sppnet_winograd_pack (kernels, layer, channels, problem->reference, problem->tiles);
  }
  scratch = MAX (sppnet_conv_direct_scratch (kernels, layer, channels, TRUE), sppnet_layer_scratch (layer, channels));
  problem->conv = (SppnetConv) { kernels, layer, channels, problem->packed, problem->tiles, problem->packed_bias };
  scratch = MAX (scratch, winograd ? sppnet_winograd_scratch (&problem->conv, &(SppnetWinogradAfter) { 0 }) : 0);
  problem->scratch = sppnet_aligned_alloc (sizeof (gfloat) * 3 * scratch);
  return TRUE;
}

static void
problem_clear (Problem *problem)
{
  gfloat *memory[] = { problem->file,   problem->bias,        problem->in.data, problem->reference,
                       problem->packed, problem->packed_bias, problem->tiles,   problem->scratch };

  for (guint i = 0; i < G_N_ELEMENTS (memory); i++)
    sppnet_aligned_free (memory[i]);
}

static gsize
n_out (const Problem *problem)
{
  return (gsize) problem->out.width * problem->out.height * problem->out.channels;
}

/* The reference. (transfer full) */
static gfloat *
run_reference (const Problem *problem)
{
  SppnetRows middle = problem->middle, out = problem->out;
  gfloat *middle_data = sppnet_aligned_alloc (sizeof (gfloat) * middle.width * middle.height * middle.channels);

  middle.data = middle_data;
  sppnet_layer_run (&problem->layer, problem->reference, problem->bias, &problem->in, &middle, 0, middle.height, 1,
                    problem->scratch);
  if (!problem->pooled)
    return middle_data;
  out.data = sppnet_aligned_alloc (sizeof (gfloat) * n_out (problem));
  sppnet_layer_run (&problem->pool, NULL, NULL, &middle, &out, 0, out.height, 1, NULL);
  sppnet_aligned_free (middle_data);
  return out.data;
}

/* Two calls, the second with the first one's rows dropped as a backbone does. (transfer full) */
static gfloat *
run (const Problem *problem, gint split, guint threads)
{
  SppnetRows out = problem->out;
  gfloat *data = sppnet_aligned_alloc (sizeof (gfloat) * n_out (problem));

  for (gint call = 0; call < 2; call++) {
    gint y0 = call ? split : 0, y1 = call ? problem->out.height : split;

    out.first = y0;
    out.data = data + (gsize) y0 * out.width * out.channels;
    if (y0 == y1)
      continue;
    if (problem->winograd)
      sppnet_winograd_run (&problem->conv, &(SppnetWinogradAfter) { .pooled = problem->pooled }, &problem->in, &out, y0,
                           y1, threads, problem->scratch);
    else
      sppnet_conv_direct_run (&problem->conv, &problem->in, &out, y0, y1, problem->pooled, threads, problem->scratch);
  }
  return data;
}

/* Rounding after the transforms, whose largest terms are some ten times a result: 2^-9 of each, and few results where a
 * map is small. */
static void
check_rounded (const gfloat *expected, const gfloat *got, gsize n)
{
  gdouble difference = 0.0, length = 0.0;

  for (gsize i = 0; i < n; i++) {
    difference += pow ((gdouble) got[i] - expected[i], 2.0);
    length += pow (expected[i], 2.0);
  }
  g_assert_cmpfloat (sqrt (difference), <=, 0.06 * sqrt (length));
}

static void
check_problem (const SppnetConvKernels *kernels, gboolean winograd, SppnetRandom *random)
{
  g_autoptr (SppnetFloats) expected = NULL, whole = NULL, split = NULL;
  Problem problem;
  gint step, rows;

  if (!problem_init (&problem, kernels, winograd, random))
    return;
  step = winograd ? sppnet_winograd_rows (kernels) / (problem.pooled ? 2 : 1) : 1;
  rows = below (random, (problem.out.height + step - 1) / step) * step;
  expected = run_reference (&problem);
  whole = run (&problem, problem.out.height, 1);
  split = run (&problem, rows, 1 + (guint) below (random, 3));
  if (kernels->to_pairs && winograd)
    check_rounded (expected, whole, n_out (&problem));
  /* Winograd's sums are of terms up to hundreds of times as large as their result: its errors go with the spread of
   * the results of numbers about 1, of which up to 6e-5 were seen. The others are sums of up to 7 * 7 * 40 products;
   * one of hundreds is rounded to coarser steps all the way. */
  for (gsize i = 0; i < n_out (&problem) && !(kernels->to_pairs && winograd); i++)
    g_assert_cmpfloat_with_epsilon (whole[i], expected[i],
                                    winograd ? 2e-4 * sqrt (9.0 * problem.in.channels)
                                             : 5e-4 * MAX (1.0, fabs ((gdouble) expected[i]) / 64.0));
  g_assert_true (memcmp (whole, split, sizeof (gfloat) * n_out (&problem)) == 0);
  problem_clear (&problem);
}

/* A 1x1 convolution with random weights. */
typedef struct
{
  SppnetLayer layer;
  SppnetConv conv;
} Pointwise;

static void
pointwise_init (Pointwise *pointwise, const SppnetConvKernels *kernels, gint channels, SppnetRandom *random)
{
  SppnetLayer *layer = &pointwise->layer;
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;

  *layer = (SppnetLayer) { .kind = SPPNET_LAYER_CONV, .name = "then", .stride = 1, .slope = 0.1f };
  layer->kernel_width = layer->kernel_height = 1;
  layer->filters = 1 + below (random, 80);
  layer->activation = (SppnetActivation) below (random, 3);
  pointwise->conv = (SppnetConv) { .kernels = kernels, .layer = layer, .channels = channels };
  pointwise->conv.weight
      = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_direct_weights (kernels, layer, channels));
  pointwise->conv.bias = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_conv_bias (kernels, layer));
  weight = random_floats (random, (gsize) channels * layer->filters);
  bias = random_floats (random, (gsize) layer->filters);
  sppnet_conv_direct_pack (kernels, layer, channels, weight, pointwise->conv.weight);
  sppnet_conv_pack_bias (kernels, layer, bias, pointwise->conv.bias);
}

static gfloat *
new_map (SppnetRows *rows, const SppnetRows *size, gint channels)
{
  *rows = *size;
  rows->channels = channels;
  rows->first = 0;
  rows->end = rows->height;
  rows->data = sppnet_aligned_alloc (sizeof (gfloat) * rows->width * rows->height * channels);
  return rows->data;
}

static void
assert_same_map (const SppnetRows *a, const SppnetRows *b)
{
  gsize n = sizeof (gfloat) * a->width * a->height * a->channels;

  g_assert_cmpmem (a->data, n, b->data, n);
}

/* A problem with a 1x1 convolution after it, as one step and as two: the same bits. With pooling, it may be of the map
 * before. */
static void
check_followed (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  g_autoptr (SppnetFloats) scratch = NULL, got = NULL, expected = NULL, then_got = NULL, then_expected = NULL;
  SppnetRows out, want, then_out, then_want;
  SppnetWinogradAfter after = { 0 };
  gboolean beside = below (random, 2);
  guint threads = 1 + (guint) below (random, 3);
  Pointwise then;
  Problem problem;
  gint step, split;

  if (!problem_init (&problem, kernels, TRUE, random))
    return;
  /* Pairs of channels. */
  if (kernels->to_pairs && problem.layer.filters % 2) {
    problem_clear (&problem);
    return;
  }
  beside = beside && problem.pooled;
  pointwise_init (&then, kernels, problem.layer.filters, random);
  after = (SppnetWinogradAfter) { problem.pooled, &then.conv, beside ? &then_out : NULL };
  scratch = sppnet_aligned_alloc (sizeof (gfloat) * threads * sppnet_winograd_scratch (&problem.conv, &after));
  step = sppnet_winograd_rows (kernels) / (problem.pooled ? 2 : 1);
  split = below (random, (problem.out.height + step - 1) / step) * step;

  want = problem.out;
  want.data = expected = run (&problem, problem.out.height, 1);
  if (beside) {
    Problem whole = problem;
    g_autoptr (SppnetFloats) map = NULL;

    whole.pooled = FALSE;
    whole.out = problem.middle;
    whole.out.data = map = run (&whole, whole.out.height, 1);
    then_expected = new_map (&then_want, &whole.out, then.layer.filters);
    sppnet_conv_direct_run (&then.conv, &whole.out, &then_want, 0, then_want.height, FALSE, 1, problem.scratch);
    then_got = new_map (&then_out, &then_want, then.layer.filters);
    got = new_map (&out, &problem.out, problem.layer.filters);
  } else {
    then_expected = new_map (&then_want, &problem.out, then.layer.filters);
    sppnet_conv_direct_run (&then.conv, &want, &then_want, 0, then_want.height, FALSE, 1, problem.scratch);
    got = new_map (&out, &problem.out, then.layer.filters);
  }
  if (split > 0)
    sppnet_winograd_run (&problem.conv, &after, &problem.in, &out, 0, split, threads, scratch);
  sppnet_winograd_run (&problem.conv, &after, &problem.in, &out, split, out.height, threads, scratch);
  assert_same_map (&out, beside ? &want : &then_want);
  if (beside)
    assert_same_map (&then_out, &then_want);
  sppnet_aligned_free (then.conv.weight);
  sppnet_aligned_free (then.conv.bias);
  problem_clear (&problem);
}

static void
test_followed (gconstpointer data)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (GPOINTER_TO_UINT (data));
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  for (gint i = 0; i < 100; i++)
    check_followed (i % 2 ? kernels : kernels->small_tiles, &random);
}

static void
test_bfloat16_followed (void)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_bfloat16 ();
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor has no AVX512_BF16, or SPPNET_CPU is lower");
    return;
  }
  for (gint i = 0; i < 100; i++)
    check_followed (kernels, &random);
}

/* data: the level, plus a hundred for Winograd, two for its small tiles */
static void
test_level (gconstpointer data)
{
  guint isa = GPOINTER_TO_UINT (data) % 100;
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (isa);
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  if (GPOINTER_TO_UINT (data) >= 200)
    kernels = kernels->small_tiles;
  sppnet_blas_begin ();
  for (gint i = 0; i < 150; i++)
    check_problem (kernels, GPOINTER_TO_UINT (data) >= 100, &random);
  sppnet_blas_end ();
}

/* data: whether Winograd */
static void
test_bfloat16 (gconstpointer data)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_bfloat16 ();
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor has no AVX512_BF16, or SPPNET_CPU is lower");
    return;
  }
  sppnet_blas_begin ();
  for (gint i = 0; i < 150; i++)
    check_problem (kernels, GPOINTER_TO_UINT (data), &random);
  sppnet_blas_end ();
}

/* Layers that the transforms do not fit. */
static void
test_winograd_supports (void)
{
  SppnetLayer layer = { .kind = SPPNET_LAYER_CONV, .kernel_width = 3, .kernel_height = 3, .stride = 1 };

  g_assert_true (sppnet_winograd_supports (&layer, 16));
  g_assert_false (sppnet_winograd_supports (&layer, 3));
  layer.stride = 2;
  g_assert_false (sppnet_winograd_supports (&layer, 16));
  layer.stride = 1;
  layer.kernel_width = 5;
  g_assert_false (sppnet_winograd_supports (&layer, 16));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backbone/conv/winograd-supports", test_winograd_supports);
  g_test_add_func ("/backbone/conv/bfloat16/followed", test_bfloat16_followed);
  g_test_add_data_func ("/backbone/conv/bfloat16/direct", GUINT_TO_POINTER (0), test_bfloat16);
  g_test_add_data_func ("/backbone/conv/bfloat16/winograd", GUINT_TO_POINTER (1), test_bfloat16);
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
    g_autofree gchar *direct = g_strdup_printf ("/backbone/conv/%s/direct", sppnet_isa_name (isa));
    g_autofree gchar *small = g_strdup_printf ("/backbone/conv/%s/winograd-small", sppnet_isa_name (isa));
    g_autofree gchar *followed = g_strdup_printf ("/backbone/conv/%s/followed", sppnet_isa_name (isa));
    g_autofree gchar *winograd = g_strdup_printf ("/backbone/conv/%s/winograd", sppnet_isa_name (isa));

    g_test_add_data_func (direct, GUINT_TO_POINTER (isa), test_level);
    g_test_add_data_func (winograd, GUINT_TO_POINTER (100 + isa), test_level);
    g_test_add_data_func (followed, GUINT_TO_POINTER (isa), test_followed);
    g_test_add_data_func (small, GUINT_TO_POINTER (200 + isa), test_level);
  }
  return g_test_run ();
}
