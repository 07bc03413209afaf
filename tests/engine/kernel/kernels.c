/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares every kernel of every level with the plain one; `--seed` repeats a run. With `--bench`, times them instead.
 */
#include <math.h>
#include <stdlib.h>

#include "kernel/kernel.h"

#include "arena.h"
#include "bench.h"

#define ROUNDS 3000

static Arena arenas[6];
static const SppnetKernels *plain;

/* Equal bits. NaN may differ in its bits where it is computed: which operand's bits the sum of two has is up to the
 * order that the compiler gives them. */
static void
assert_same (const gfloat *got, const gfloat *expected, gsize n, gboolean any_nan)
{
  for (gsize i = 0; i < n; i++)
    if (!(any_nan && isnan (got[i]) && isnan (expected[i])) && memcmp (&got[i], &expected[i], sizeof *got) != 0)
      g_error ("element %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT ": %a, not %a", i, n, got[i], expected[i]);
  for (guint i = 0; i < G_N_ELEMENTS (arenas); i++)
    arena_check (&arenas[i]);
}

static void
check_bias_activate (const SppnetKernels *kernels, SppnetRandom *random)
{
  static const gfloat slopes[] = { 0.0f, 1.0f, 0.1f, -0.5f, 1e-38f };
  gsize rows = arena_random_size (random, 20), channels = arena_random_size (random, 600);
  gfloat slope = slopes[sppnet_random_below (random, G_N_ELEMENTS (slopes))];
  gfloat *y = arena_floats (&arenas[0], rows * channels, random), *bias = arena_floats (&arenas[1], channels, random);
  gfloat *expected = arena_copy (&arenas[2], y, rows * channels * sizeof *y);

  plain->bias_activate (expected, bias, slope, rows, channels);
  kernels->bias_activate (y, bias, slope, rows, channels);
  assert_same (y, expected, rows * channels, TRUE);
}

static void
check_max_into (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize channels = arena_random_size (random, 3000);
  gfloat *in = arena_floats (&arenas[0], channels, random), *out = arena_floats (&arenas[1], channels, random);
  gfloat *expected = arena_copy (&arenas[2], out, channels * sizeof *out);

  plain->max_into (expected, in, channels);
  kernels->max_into (out, in, channels);
  assert_same (out, expected, channels, FALSE);
}

static void
check_max_cells (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = 1 + arena_random_size (random, 20), channels = arena_random_size (random, 600);
  gfloat *in = arena_floats (&arenas[0], 5 * channels, random);
  gfloat *out = arena_floats (&arenas[1], channels, random),
         *expected = arena_copy (&arenas[2], out, channels * sizeof *out);
  const gfloat *cells[64], *expected_cells[64];
  gboolean in_place = sppnet_random_below (random, 2);

  for (gsize i = 0; i < n; i++)
    cells[i] = expected_cells[i] = in + sppnet_random_below (random, 5) * channels;
  if (in_place) {
    cells[0] = out;
    expected_cells[0] = expected;
  }
  plain->max_cells (expected, expected_cells, n, channels);
  kernels->max_cells (out, cells, n, channels);
  assert_same (out, expected, channels, FALSE);
}

static void
assert_same_bytes (const guint8 *got, const guint8 *expected, gsize n)
{
  g_assert_cmpmem (got, n, expected, n);
  for (guint i = 0; i < G_N_ELEMENTS (arenas); i++)
    arena_check (&arenas[i]);
}

static void
check_largest_finite (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 20), channels = arena_random_size (random, 300);
  gfloat *in = arena_floats (&arenas[0], n * channels, random), *out = arena_floats (&arenas[1], channels, random);
  gfloat *expected;

  for (gsize c = 0; c < channels; c++)
    out[c] = isfinite (out[c]) ? fabsf (out[c]) : 0.0f;
  expected = arena_copy (&arenas[2], out, channels * sizeof *out);
  plain->largest_finite (expected, in, n, channels);
  kernels->largest_finite (out, in, n, channels);
  assert_same (out, expected, channels, FALSE);
}

static void
check_to_steps (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = 1 + arena_random_size (random, 20), channels = 1 + sppnet_random_below (random, SPPNET_STEPS);
  gsize stride = channels + sppnet_random_below (random, 50);
  gfloat *in = arena_floats (&arenas[0], (n - 1) * stride + channels, random);
  gfloat *reciprocal = arena_floats (&arenas[1], SPPNET_STEPS, random);
  guint8 *out = arena_take (&arenas[2], n * SPPNET_STEPS), *expected = arena_take (&arenas[3], n * SPPNET_STEPS);

  for (gsize c = 0; c < SPPNET_STEPS; c++)
    reciprocal[c] = (gfloat) exp (8.0 * sppnet_random_normal (random));
  plain->to_steps (expected, in, stride, n, channels, reciprocal);
  kernels->to_steps (out, in, stride, n, channels, reciprocal);
  assert_same_bytes (out, expected, n * SPPNET_STEPS);
}

/* [n] */
static guint8 *
random_steps (Arena *arena, gsize n, SppnetRandom *random)
{
  guint8 *steps = arena_take (arena, n);

  for (gsize i = 0; i < n; i++)
    steps[i] = (guint8) sppnet_random_below (random, 256);
  return steps;
}

static void
check_from_steps (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 20);
  guint8 *in = random_steps (&arenas[0], n * SPPNET_STEPS, random);
  gfloat *step = arena_floats (&arenas[1], SPPNET_STEPS, random);
  gfloat *out = arena_floats (&arenas[2], n * SPPNET_STEPS, random);
  gfloat *expected = arena_copy (&arenas[3], out, n * SPPNET_STEPS * sizeof *out);

  plain->from_steps (expected, in, n, step);
  kernels->from_steps (out, in, n, step);
  assert_same (out, expected, n * SPPNET_STEPS, TRUE);
}

static void
check_steps_to_shorts (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 20), bytes = n * SPPNET_STEPS * sizeof (gint16);
  guint8 *in = random_steps (&arenas[0], n * SPPNET_STEPS, random);
  gint16 *out = arena_take (&arenas[1], bytes), *expected = arena_take (&arenas[2], bytes);
  gint16 *multiplier = arena_take (&arenas[3], SPPNET_STEPS * sizeof *multiplier);
  gboolean finite = TRUE;

  for (gsize c = 0; c < SPPNET_STEPS; c++)
    multiplier[c] = (gint16) (1 << sppnet_random_below (random, 4));
  for (gsize i = 0; i < n * SPPNET_STEPS; i++) {
    if (in[i] == SPPNET_STEP_NOT_FINITE && sppnet_random_below (random, 8))
      in[i] = SPPNET_STEP_ZERO;
    finite = finite && in[i] != SPPNET_STEP_NOT_FINITE;
  }
  g_assert_cmpint (plain->steps_to_shorts (expected, in, n, multiplier), ==, finite);
  g_assert_cmpint (kernels->steps_to_shorts (out, in, n, multiplier), ==, finite);
  assert_same_bytes ((guint8 *) out, (guint8 *) expected, bytes);
  for (gsize i = 0; i < n * SPPNET_STEPS; i++)
    g_assert_cmpint (out[i], ==, (in[i] - SPPNET_STEP_ZERO) * multiplier[i % SPPNET_STEPS]);
}

/* Against the definition: levels have blocks of their own. Whole numbers that floats hold, so that all bits agree. */
static void
check_dense_shorts (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 30), run = 2 * (1 + sppnet_random_below (random, 20));
  gsize outputs = 1 + sppnet_random_below (random, 70), block = kernels->dense_block;
  gsize padded = (outputs + block - 1) / block * block;
  gint16 *in = arena_take (&arenas[0], n * run * sizeof *in);
  gint16 *weight = arena_take (&arenas[1], run * padded * sizeof *weight);
  gfloat *scale = arena_take (&arenas[2], padded * sizeof *scale),
         *bias = arena_take (&arenas[3], padded * sizeof *bias);
  gfloat *out = arena_take (&arenas[4], n * outputs * sizeof *out), *before;
  gboolean first = sppnet_random_below (random, 2), relu = sppnet_random_below (random, 2);
  SppnetShortsRow row
      = { in, run, weight, run * block, scale, 0.25f, first ? bias : NULL, relu ? 0.0f : 1.0f, outputs, out };

  for (gsize i = 0; i < n * run; i++)
    in[i] = (gint16) (sppnet_random_below (random, 401) - 200);
  for (gsize i = 0; i < run * padded; i++)
    weight[i] = (gint16) (sppnet_random_below (random, 201) - 100);
  for (gsize o = 0; o < padded; o++) {
    scale[o] = (gfloat) (1 << sppnet_random_below (random, 4));
    bias[o] = (gfloat) sppnet_random_below (random, 1000);
  }
  for (gsize i = 0; i < n * outputs; i++)
    out[i] = (gfloat) sppnet_random_below (random, 1000);
  before = g_memdup2 (out, n * outputs * sizeof *out);
  kernels->dense_shorts (&row, n);
  for (gsize i = 0; i < n * outputs; i++) {
    gsize o = i % outputs;
    const gint16 *w = weight + o / block * run * block + o % block * 2, *x = in + i / outputs * run;
    gint32 sum = 0;
    gfloat expected;

    for (gsize k = 0; k < run; k++)
      sum += x[k] * w[k / 2 * block * 2 + k % 2];
    expected = (gfloat) sum * (scale[o] * 0.25f) + (first ? bias[o] : before[i]);
    g_assert_cmpfloat (out[i], ==, relu ? MAX (expected, 0.0f) : expected);
  }
  g_free (before);
  for (guint i = 0; i < G_N_ELEMENTS (arenas); i++)
    arena_check (&arenas[i]);
}

static void
check_max_steps (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 20);
  guint8 *in = random_steps (&arenas[0], (n + 4) * SPPNET_STEPS, random);
  guint8 *out = arena_take (&arenas[1], n * SPPNET_STEPS), *expected = arena_take (&arenas[2], n * SPPNET_STEPS);
  const guint8 *cells[4];

  for (guint i = 0; i < 4; i++)
    cells[i] = in + sppnet_random_below (random, 5) * SPPNET_STEPS;
  plain->max_steps (expected, cells, n);
  kernels->max_steps (out, cells, n);
  assert_same_bytes (out, expected, n * SPPNET_STEPS);
}

#define MOST_SIDE 32

/* A level of any cells, and one of unions of its bins. */
static void
check_max_pyramid (const SppnetKernels *kernels, SppnetRandom *random)
{
  gboolean largest = sppnet_random_below (random, 16) == 0;
  guint32 coarse = largest ? 2 : 1 + sppnet_random_below (random, 3);
  guint32 side = largest ? MOST_SIDE / 2 : 1 + sppnet_random_below (random, 4), level = coarse * side;
  guint32 n_across = 1 + sppnet_random_below (random, 5), n_down = 1 + sppnet_random_below (random, 5);
  guint32 all = (guint32) (((guint64) 1 << level) - 1), across[MOST_SIDE * 5], down[MOST_SIDE * 5];
  gsize cells = 64, n = (level * level + coarse * coarse) * SPPNET_STEPS;
  guint8 *in = random_steps (&arenas[0], 3 * cells * SPPNET_STEPS, random);
  guint8 *out = arena_take (&arenas[1], n), *expected = arena_take (&arenas[2], n);
  gsize first = sppnet_random_below (random, (guint32) cells) * SPPNET_STEPS;
  SppnetBinPlan plan = { first, across, down, level, n_across, n_down, coarse * coarse * SPPNET_STEPS, all, all };
  SppnetUnionPlan unions = { coarse, side, 0, plan.out };

  for (guint32 i = 0; i < level * n_across; i++)
    across[i] = sppnet_random_below (random, (guint32) cells) * SPPNET_STEPS;
  for (guint32 i = 0; i < level * n_down; i++)
    down[i] = sppnet_random_below (random, (guint32) cells) * SPPNET_STEPS;
  if (sppnet_random_below (random, 4) == 0) {
    plan.columns = (guint32) sppnet_random_next (random) & all;
    plan.rows = (guint32) sppnet_random_next (random) & all;
  }
  plain->max_pyramid (expected, in, &plan, 1, &unions, 1);
  kernels->max_pyramid (out, in, &plan, 1, &unions, 1);
  assert_same_bytes (out, expected, n);
}

static void
check_add_into (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize channels = arena_random_size (random, 3000);
  gfloat *in = arena_floats (&arenas[0], channels, random), *out = arena_floats (&arenas[1], channels, random);
  gfloat *expected = arena_copy (&arenas[2], out, channels * sizeof *out);

  plain->add_into (expected, in, channels);
  kernels->add_into (out, in, channels);
  assert_same (out, expected, channels, TRUE);
}

static void
check_activation_gradient (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 3000);
  gfloat slope = sppnet_random_below (random, 2) ? 0.1f : 0.0f;
  gfloat *gradient = arena_floats (&arenas[0], n, random), *out = arena_floats (&arenas[1], n, random);
  gfloat *expected = arena_copy (&arenas[2], gradient, n * sizeof *gradient);

  plain->activation_gradient (expected, out, slope, n);
  kernels->activation_gradient (gradient, out, slope, n);
  assert_same (gradient, expected, n, TRUE);
}

static void
check_adamw (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 600), bytes = n * sizeof (gfloat);
  gfloat *values[3], *expected[3], *gradient = g_new (gfloat, n + 1);
  SppnetAdamW step = { 0.5f, 0.9f, 0.999f, 2.0f, 3.0f, 1e-2f, 0.99f };

  for (guint k = 0; k < 3; k++) {
    values[k] = arena_floats (&arenas[k], n, random);
    for (gsize i = 0; i < n && k == 2; i++)
      values[k][i] = fabsf (values[k][i]); /* a mean of squares */
    expected[k] = arena_copy (&arenas[3 + k], values[k], bytes);
  }
  for (gsize i = 0; i < n; i++)
    gradient[i] = arena_random_float (random);
  plain->adamw (expected[0], expected[1], expected[2], gradient, n, &step);
  kernels->adamw (values[0], values[1], values[2], gradient, n, &step);
  for (guint k = 0; k < 3; k++)
    assert_same (values[k], expected[k], n, TRUE);
  g_free (gradient);
}

static void
check_max_source (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize channels = arena_random_size (random, 600), bytes = channels * sizeof (gfloat);
  gfloat *in = arena_floats (&arenas[0], channels, random), *out = arena_floats (&arenas[1], channels, random);
  gint32 *from = arena_take (&arenas[2], bytes), *source = arena_take (&arenas[3], bytes);
  gboolean cells = sppnet_random_below (random, 2);
  gfloat *expected;
  gint32 *expected_source;

  for (gsize c = 0; c < channels; c++) {
    from[c] = (gint32) sppnet_random_next (random);
    source[c] = (gint32) sppnet_random_next (random);
  }
  expected = arena_copy (&arenas[4], out, bytes);
  expected_source = arena_copy (&arenas[5], source, bytes);
  plain->max_source (expected, expected_source, in, cells ? NULL : from, 77, channels);
  kernels->max_source (out, source, in, cells ? NULL : from, 77, channels);
  assert_same (out, expected, channels, FALSE);
  g_assert_cmpmem (source, bytes, expected_source, bytes);
}

/* Whole numbers from a few, so that cells share their maximum, as they do after ReLU. */
static void
check_max_2x2_gradient (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 20), channels = arena_random_size (random, 200), row = 2 * n * channels;
  gfloat *in = arena_floats (&arenas[0], 2 * row, random), *out = arena_floats (&arenas[1], n * channels, random);
  gfloat *gradient = arena_floats (&arenas[2], n * channels, random);
  gfloat *change = arena_floats (&arenas[3], 2 * row, random), *expected = arena_floats (&arenas[4], 2 * row, random);

  for (gsize i = 0; i < 2 * row; i++)
    in[i] = (gfloat) sppnet_random_below (random, 4);
  for (gsize i = 0; i < n * channels; i++) {
    gsize left = 2 * (i / channels) * channels + i % channels, right = left + channels;

    out[i] = MAX (MAX (in[left], in[right]), MAX (in[row + left], in[row + right]));
    gradient[i] = (gfloat) sppnet_random_normal (random);
  }
  plain->max_2x2_gradient (expected, expected + row, in, in + row, out, gradient, n, channels);
  kernels->max_2x2_gradient (change, change + row, in, in + row, out, gradient, n, channels);
  assert_same (change, expected, 2 * row, FALSE);
}

/* The bound of a sum in any order: each of at most n additions is off by half a unit in the last place, 2^-24, of a
 * partial sum, which is at most the sum of the magnitudes; two sums are compared. */
static void
check_min_sum (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 2000);
  gfloat *a = arena_floats (&arenas[0], n, random), *b = arena_floats (&arenas[1], n, random);
  gboolean finite = sppnet_random_below (random, 8) != 0;
  gdouble magnitude = 0.0;
  gfloat expected, got;

  for (gsize i = 0; i < n; i++) {
    if (finite && !(fabsf (a[i]) < 1e30f))
      a[i] = 0.25f;
    if (finite && !(fabsf (b[i]) < 1e30f))
      b[i] = 0.5f;
    magnitude += fabs ((gdouble) (a[i] < b[i] ? a[i] : b[i]));
  }
  expected = plain->min_sum (a, b, n);
  got = kernels->min_sum (a, b, n);
  if (!finite && !(isfinite (magnitude) && magnitude < 3e38)) {
    g_assert_cmpint (isfinite (got), ==, isfinite (expected));
    return;
  }
  g_assert_cmpfloat (fabs ((gdouble) got - expected), <=, n * 0x1p-23 * magnitude);
}

/* Boxes around a few places, so that some overlap; and in each, now and then, any number at all. */
static void
check_overlaps (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 400), stride = n + arena_random_size (random, 20);
  gfloat *columns = arena_floats (&arenas[0], 5 * stride, random), *box = arena_floats (&arenas[1], 5, random);
  gfloat share = (gfloat) (sppnet_random_uniform (random) * 0.5);
  gboolean expected;

  for (gsize i = 0; i <= n; i++) {
    gfloat *at = i < n ? columns + i : box;
    gsize step = i < n ? stride : 1;

    if (sppnet_random_below (random, 16) == 0)
      continue;
    at[0] = (gfloat) sppnet_random_below (random, 90);
    at[step] = (gfloat) sppnet_random_below (random, 90);
    at[2 * step] = at[0] + 10.0f + (gfloat) sppnet_random_below (random, 8);
    at[3 * step] = at[step] + 10.0f + (gfloat) sppnet_random_below (random, 8);
    at[4 * step] = (at[2 * step] - at[0]) * (at[3 * step] - at[step]);
  }
  expected = plain->overlaps (columns, stride, n, box, share);
  g_assert_cmpint (kernels->overlaps (columns, stride, n, box, share), ==, expected);
  assert_same (NULL, NULL, 0, FALSE);
}

static void
check_half_to_float (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 3000);
  guint16 *in = arena_take (&arenas[0], n * sizeof *in);
  gfloat *out = arena_floats (&arenas[1], n, random), *expected = arena_floats (&arenas[2], n, random);

  for (gsize i = 0; i < n; i++)
    in[i] = (guint16) sppnet_random_next (random);
  plain->half_to_float (expected, in, n);
  kernels->half_to_float (out, in, n);
  assert_same (out, expected, n, FALSE);
}

static void
check_float_to_half (const SppnetKernels *kernels, SppnetRandom *random)
{
  gsize n = arena_random_size (random, 3000);
  gfloat *in = arena_floats (&arenas[0], n, random);
  guint16 *out = arena_take (&arenas[1], n * sizeof *out), *expected = arena_take (&arenas[2], n * sizeof *out);

  plain->float_to_half (expected, in, n);
  kernels->float_to_half (out, in, n);
  assert_same (NULL, NULL, 0, FALSE);
  for (gsize i = 0; i < n; i++)
    if (out[i] != expected[i])
      g_error ("half of %a: 0x%04x, not 0x%04x", in[i], out[i], expected[i]);
}

typedef void (*Check) (const SppnetKernels *kernels, SppnetRandom *random);

static const struct
{
  const gchar *name;
  Check check;
} checks[] = {
  { "bias_activate", check_bias_activate },

  { "max_into", check_max_into },
  { "max_cells", check_max_cells },
  { "largest_finite", check_largest_finite },
  { "to_steps", check_to_steps },
  { "from_steps", check_from_steps },
  { "steps_to_shorts", check_steps_to_shorts },
  { "dense_shorts", check_dense_shorts },
  { "max_steps", check_max_steps },
  { "max_pyramid", check_max_pyramid },
  { "add_into", check_add_into },
  { "activation_gradient", check_activation_gradient },
  { "adamw", check_adamw },
  { "max_source", check_max_source },
  { "max_2x2_gradient", check_max_2x2_gradient },
  { "min_sum", check_min_sum },
  { "overlaps", check_overlaps },
  { "half_to_float", check_half_to_float },
  { "float_to_half", check_float_to_half },
};

/* data: the number of a check plus the number of checks times the level */
static void
test_level (gconstpointer data)
{
  guint check = GPOINTER_TO_UINT (data) % G_N_ELEMENTS (checks), isa = GPOINTER_TO_UINT (data) / G_N_ELEMENTS (checks);
  const SppnetKernels *kernels = sppnet_kernels_for (isa);
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  for (guint i = 0; i < ROUNDS; i++)
    checks[check].check (kernels, &random);
}

/* The plain loops against their description, one element at a time. */
static void
test_plain (void)
{
  SppnetRandom random = { (guint32) g_test_rand_int () };

  for (guint round = 0; round < ROUNDS; round++) {
    gfloat in[6], out[2], y[2];

    for (guint i = 0; i < 6; i++)
      in[i] = (gfloat) (sppnet_random_uniform (&random) * 16.0 - 8.0);
    memcpy (out, in, sizeof out);
    plain->max_into (out, in + 2, 2);
    g_assert_true (out[0] == MAX (in[0], in[2]) && out[1] == MAX (in[1], in[3]));
    plain->max_cells (out, (const gfloat *[]) { in, in + 2, in + 3 }, 3, 2);
    g_assert_true (out[0] == MAX (MAX (in[0], in[2]), in[3]) && out[1] == MAX (MAX (in[1], in[3]), in[4]));
    memcpy (y, in, sizeof y);
    plain->add_into (y, in + 2, 2);
    g_assert_true (y[0] == in[0] + in[2] && y[1] == in[1] + in[3]);
    memcpy (y, in, sizeof y);
    plain->bias_activate (y, in + 4, 0.1f, 2, 1);
    for (guint i = 0; i < 2; i++)
      g_assert_cmpfloat (y[i], ==, in[i] + in[4] < 0.0f ? (in[i] + in[4]) * 0.1f : in[i] + in[4]);
    g_assert_cmpfloat_with_epsilon (plain->min_sum (in, in + 3, 3),
                                    MIN (in[0], in[3]) + MIN (in[1], in[4]) + MIN (in[2], in[5]), 1e-5);
  }
}

/* The largest inputs and weights that a head has, in whole tiles and beside them: sums just below 2^31. */
static void
test_dense_limits (void)
{
  enum
  {
    RUN = 448,
    ROWS = 26
  };
  g_autofree gint16 *in = g_new (gint16, ROWS * RUN);

  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++)
    for (gint sign = -1; sign <= 1; sign += 2) {
      const SppnetKernels *kernels = sppnet_kernels_for (isa);
      g_autofree gint16 *weight = NULL;
      gfloat scale[64], out[ROWS] = { 0 };

      if (!kernels)
        continue;
      g_assert_cmpuint (kernels->dense_block, <=, G_N_ELEMENTS (scale));
      weight = g_new (gint16, RUN * kernels->dense_block);
      for (gsize i = 0; i < RUN * kernels->dense_block; i++)
        weight[i] = (gint16) (sign * 2047);
      for (gsize i = 0; i < ROWS * RUN; i++)
        in[i] = 127 * 16;
      for (gsize i = 0; i < G_N_ELEMENTS (scale); i++)
        scale[i] = 1.0f;
      kernels->dense_shorts (
          &(SppnetShortsRow) { in, RUN, weight, RUN * kernels->dense_block, scale, 1.0f, NULL, 1.0f, 1, out }, ROWS);
      for (gsize r = 0; r < ROWS; r++)
        g_assert_cmpfloat (out[r], ==, (gfloat) sign * 2047.0f * 2032.0f * 448.0f);
    }
}

/* Rounding to even, limits, what is not finite, and back. */
static void
test_plain_steps (void)
{
  const gfloat in[] = { 0, 1, -1, 0.5f, 1.5f, -0.5f, -2.5f, 126, 127, -1e30f, NAN, INFINITY, -INFINITY, 3.2f };
  const guint8 expected[] = { 128, 129, 127, 128, 130, 128, 126, 254, 254, 2, 255, 255, 255, 131 };
  gfloat reciprocal[SPPNET_STEPS], step[SPPNET_STEPS], values[SPPNET_STEPS], largest[2] = { 2, 0 };
  guint8 steps[SPPNET_STEPS];

  for (gsize c = 0; c < SPPNET_STEPS; c++) {
    reciprocal[c] = 1.0f;
    step[c] = 0.5f;
  }
  plain->to_steps (steps, in, 0, 1, G_N_ELEMENTS (in), reciprocal);
  for (gsize c = 0; c < SPPNET_STEPS; c++)
    g_assert_cmpuint (steps[c], ==, c < G_N_ELEMENTS (expected) ? expected[c] : SPPNET_STEP_ZERO);
  plain->from_steps (values, steps, 1, step);
  g_assert_true (values[0] == 0.0f && values[1] == 0.5f && values[2] == -0.5f && values[7] == 63.0f
                 && isnan (values[10]));
  plain->largest_finite (largest, (const gfloat[]) { 1, -INFINITY, -3, 0.25f, NAN, -0.5f }, 3, 2);
  g_assert_true (largest[0] == 3.0f && largest[1] == 0.5f);
}

/* Of training: a ReLU's gradient, where maxima come from, and the first of two equal cells. */
static void
test_plain_gradients (void)
{
  gfloat gradient[3] = { 2, 4, 8 }, values[3] = { 1, -1, 0 }, best[2] = { 3, 5 };
  gfloat above[2] = { 1, 7 }, below[2] = { 7, 2 }, top = 7, change = 3, out[4], first[1] = { 0 }, second[1] = { 0 };
  gint32 source[2] = { 10, 11 };

  plain->activation_gradient (gradient, values, 0.25f, 3);
  g_assert_true (gradient[0] == 2 && gradient[1] == 1 && gradient[2] == 2);
  /* The first step of AdamW is the learning rate, whatever the gradient's size. */
  plain->adamw (values, first, second, gradient, 1, &(SppnetAdamW) { 1, 0.9f, 0.99f, 10, 100, 0.5f, 1 });
  g_assert_cmpfloat_with_epsilon (values[0], 1.0f - 0.5f, 1e-5f);
  g_assert_cmpfloat_with_epsilon (first[0], 0.2f, 1e-6f);
  g_assert_cmpfloat_with_epsilon (second[0], 0.04f, 1e-6f);
  plain->max_source (best, source, (const gfloat[]) { 4, 5 }, NULL, 6, 2);
  g_assert_true (best[0] == 4 && best[1] == 5 && source[0] == 6 && source[1] == 11);
  plain->max_source (best, source, (const gfloat[]) { 0, 6 }, (const gint32[]) { 1, 2 }, 0, 2);
  g_assert_true (best[0] == 4 && best[1] == 6 && source[0] == 6 && source[1] == 2);
  plain->max_2x2_gradient (out, out + 2, above, below, &top, &change, 1, 1);
  g_assert_true (out[0] == 0 && out[1] == 3 && out[2] == 0 && out[3] == 0);
}

/* Every half: its value by definition, back again, and the floats at and around the middle to the next one. */
static void
test_plain_half (void)
{
  for (guint h = 0; h < 0x7c00; h++) {
    guint16 half = (guint16) h, back, negative = (guint16) (h | 0x8000);
    gfloat value,
        expected = ldexpf ((gfloat) (h < 0x400 ? h : (h & 0x3ff) | 0x400), h < 0x400 ? -24 : (gint) (h >> 10) - 25);
    gfloat next = h == 0x7bff ? 65536.0f : 0.0f, around[4];
    guint16 rounded[4];

    plain->half_to_float (&value, &half, 1);
    g_assert_cmpfloat (value, ==, expected);
    plain->float_to_half (&back, &value, 1);
    g_assert_cmpuint (back, ==, h);
    plain->half_to_float (&value, &negative, 1);
    g_assert_true (value == -expected && signbit (value));
    if (next == 0.0f) {
      half++;
      plain->half_to_float (&next, &half, 1);
    }
    around[0] = (expected + next) / 2.0f; /* exact; to the even one */
    around[1] = nextafterf (around[0], 0.0f);
    around[2] = nextafterf (around[0], INFINITY);
    around[3] = -around[2];
    plain->float_to_half (rounded, around, 4);
    g_assert_cmpuint (rounded[0], ==, h + h % 2);
    g_assert_cmpuint (rounded[1], ==, h);
    g_assert_cmpuint (rounded[2], ==, h + 1);
    g_assert_cmpuint (rounded[3], ==, (h + 1) | 0x8000);
  }
}

static void
test_plain_half_special (void)
{
  static const gfloat large[] = { INFINITY, 65520.0f, 1e38f, -INFINITY, -65520.0f, NAN };
  static const guint16 special[] = { 0x7c00, 0xfc00, 0x7c01, 0xffff };
  guint16 halves[6];
  gfloat values[4];

  plain->float_to_half (halves, large, 6);
  g_assert_true (halves[0] == 0x7c00 && halves[1] == 0x7c00 && halves[2] == 0x7c00);
  g_assert_true (halves[3] == 0xfc00 && halves[4] == 0xfc00 && (halves[5] & 0x7fff) > 0x7c00);
  plain->half_to_float (values, special, 4);
  g_assert_true (values[0] == INFINITY && values[1] == -INFINITY && isnan (values[2]) && isnan (values[3]));
}

/* Two squares of side 10 that share half of one: IoU 1/3, an intersection of a quarter of the sum of the areas. */
static void
test_plain_overlaps (void)
{
  gfloat columns[5][3] = { { 100, 0, 50 }, { 100, 0, 50 }, { 110, 10, 60 }, { 110, 10, 60 }, { 100, 100, 100 } };
  gfloat box[5] = { 5, 0, 15, 10, 100 };

  g_assert_true (plain->overlaps (columns[0], 3, 3, box, 0.249f));
  g_assert_false (plain->overlaps (columns[0], 3, 3, box, 0.25f));
  g_assert_false (plain->overlaps (columns[0], 3, 1, box, 0.249f));
  g_assert_false (plain->overlaps (columns[0], 3, 0, box, 0.0f));
  box[0] = 10; /* they touch */
  g_assert_false (plain->overlaps (columns[0], 3, 3, box, 0.0f));
  box[0] = NAN;
  g_assert_false (plain->overlaps (columns[0], 3, 3, box, 0.0f));
}

static void
test_table (void)
{
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++)
    g_assert_true ((sppnet_kernels_for (isa) != NULL) == (isa <= (guint) sppnet_cpu_highest_isa ()));
  g_assert_null (sppnet_kernels_for (SPPNET_N_ISAS));
  g_assert_null (sppnet_kernels_for ((SppnetIsa) -1));
  g_assert_true (sppnet_kernels () == sppnet_kernels_for (sppnet_cpu_isa ()));
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "--bench"))
    return bench ();
  g_test_init (&argc, &argv, NULL);
  plain = sppnet_kernels_for (SPPNET_ISA_PLAIN);
  for (guint i = 0; i < G_N_ELEMENTS (arenas); i++)
    arena_init (&arenas[i]);
  g_test_add_func ("/kernel/table", test_table);
  g_test_add_func ("/kernel/plain/loops", test_plain);
  g_test_add_func ("/kernel/plain/overlaps", test_plain_overlaps);
  g_test_add_func ("/kernel/plain/steps", test_plain_steps);
  g_test_add_func ("/kernel/dense-limits", test_dense_limits);
  g_test_add_func ("/kernel/plain/gradients", test_plain_gradients);
  g_test_add_func ("/kernel/plain/half", test_plain_half);
  g_test_add_func ("/kernel/plain/half-special", test_plain_half_special);
  for (guint isa = SPPNET_ISA_BASE; isa < SPPNET_N_ISAS; isa++)
    for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
      g_autofree gchar *path = g_strdup_printf ("/kernel/%s/%s", sppnet_isa_name (isa), checks[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (isa * G_N_ELEMENTS (checks) + i), test_level);
    }
  return g_test_run ();
}
