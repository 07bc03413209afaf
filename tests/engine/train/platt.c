/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/platt.h"

#include <math.h>

#include "base/random.h"

#define N 300

static gfloat scores[N];
static gboolean correct[N];

/* Platt's likelihood with his targets, directly from its definition. */
static gdouble
loss (gsize n, gdouble a, gdouble b)
{
  gdouble sum = 0, yes = 0, no = 0;

  for (gsize i = 0; i < n; i++)
    *(correct[i] ? &yes : &no) += 1;
  for (gsize i = 0; i < n; i++) {
    gdouble t = correct[i] ? (yes + 1) / (yes + 2) : 1 / (no + 2), f = a * scores[i] + b;

    sum += t * log1p (exp (f)) + (1 - t) * log1p (exp (-f));
  }
  return sum;
}

/* No point of a grid, refined around its best point, is better than the fit. */
static void
expect_optimum (gsize n, gdouble a_range, gdouble b_range)
{
  gfloat a, b;
  gdouble best_a = 0, best_b = 0, best = INFINITY, fitted;

  g_assert_true (sppnet_platt_fit (scores, correct, NULL, n, &a, &b));
  for (guint level = 0; level < 8; level++) {
    gdouble at_a = best_a, at_b = best_b;

    for (gint i = -20; i <= 20; i++)
      for (gint j = -20; j <= 20; j++) {
        gdouble try_a = at_a + a_range * i / 20, try_b = at_b + b_range * j / 20, value = loss (n, try_a, try_b);

        if (value < best) {
          best = value;
          best_a = try_a;
          best_b = try_b;
        }
      }
    a_range /= 4;
    b_range /= 4;
  }
  fitted = loss (n, a, b);
  g_test_message ("fit %g %g, grid %g %g, likelihood %.8f and %.8f", a, b, best_a, best_b, fitted, best);
  g_assert_cmpfloat (fitted, <=, best + 1e-5 * n);
  g_assert_cmpfloat (best, <=, fitted + 1e-3 * n); /* the grid did look in the right place */
}

static void
draw (guint64 seed, gsize n, gdouble slope, gdouble offset, gdouble spread)
{
  SppnetRandom random = { seed };

  for (gsize i = 0; i < n; i++) {
    scores[i] = (gfloat) (spread * sppnet_random_normal (&random));
    correct[i] = sppnet_random_uniform (&random) < 1 / (1 + exp (slope * scores[i] + offset));
  }
}

static void
test_grid (void)
{
  for (guint64 seed = 1; seed <= 3; seed++) {
    draw (seed, N, -2, .5, 1);
    expect_optimum (N, 10, 10);
    draw (seed, N, -1, 3, 1); /* few are correct */
    expect_optimum (N, 10, 10);
    draw (seed, N, -200, 1, .01); /* another unit */
    expect_optimum (N, 800, 10);
    draw (seed, N, 2, 0, 1); /* the wrong way round */
    expect_optimum (N, 10, 10);
  }
}

static void
test_few (void)
{
  scores[0] = -1;
  scores[1] = 1;
  correct[0] = FALSE;
  correct[1] = TRUE;
  expect_optimum (2, 10, 10);
}

/* All correct ones above all others: the slope must stay finite, and the order right. */
static void
test_separable (void)
{
  gfloat a, b;

  for (gsize i = 0; i < N; i++) {
    scores[i] = (gfloat) i / N - .5f + (i < N / 2 ? 0 : 1);
    correct[i] = i >= N / 2;
  }
  expect_optimum (N, 50, 50);
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
  g_assert_cmpfloat (a, <, 0);
  g_assert_true (isfinite (a) && isfinite (b));
  g_assert_cmpfloat (1 / (1 + expf (a * scores[0] + b)), <, .1f);
  g_assert_cmpfloat (1 / (1 + expf (a * scores[N - 1] + b)), >, .9f);
}

static void
test_one_sided (void)
{
  gfloat a = 5, b = 5;

  draw (1, N, -2, 0, 1);
  for (guint side = 0; side < 2; side++) {
    for (gsize i = 0; i < N; i++)
      correct[i] = side == 1;
    a = b = 5;
    g_assert_false (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
    g_assert_cmpfloat (a, ==, -1);
    g_assert_cmpfloat (b, ==, 0);
  }
  g_assert_false (sppnet_platt_fit (NULL, NULL, NULL, 0, &a, &b));
}

/* Scores that are not finite are left out; when they were one whole side, that side is empty. */
static void
test_not_finite (void)
{
  gfloat a, b, a2, b2;

  draw (3, N, -2, 0, 1);
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N - 3, &a, &b));
  scores[N - 1] = NAN;
  scores[N - 2] = INFINITY;
  scores[N - 3] = -INFINITY;
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N, &a2, &b2));
  g_assert_cmpfloat (a, ==, a2);
  g_assert_cmpfloat (b, ==, b2);

  for (gsize i = 0; i < N; i++)
    if (correct[i])
      scores[i] = NAN;
  g_assert_false (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
  g_assert_cmpfloat (a, ==, -1);
}

/* Equal scores tell nothing: the confidence is the share of correct ones. Extreme ones are fitted too. */
static void
test_extremes (void)
{
  gfloat a, b;

  for (gsize i = 0; i < N; i++) {
    scores[i] = 7;
    correct[i] = i % 4 == 0;
  }
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
  g_assert_cmpfloat_with_epsilon (1 / (1 + exp ((gdouble) a * 7 + b)), .25, .01);

  draw (5, N, -2, 0, 1);
  for (gsize i = 0; i < N; i++)
    scores[i] *= 1e30f;
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
  g_assert_cmpfloat (a, <, 0);
  g_assert_cmpfloat_with_epsilon (a * 1e30f, -2, 1);
}

/* A weight counts as so many examples, and 0 as none. */
static void
test_weights (void)
{
  static gfloat weights[N];
  gfloat a, b, a2, b2;

  draw (6, N / 3, -2, .5, 1);
  for (gsize i = 0; i < N / 3; i++) {
    scores[i + N / 3] = scores[i + 2 * N / 3] = scores[i];
    correct[i + N / 3] = correct[i + 2 * N / 3] = correct[i];
    weights[i] = 3;
  }
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N, &a, &b));
  g_assert_true (sppnet_platt_fit (scores, correct, weights, N, &a2, &b2)); /* 3, 0 and 0 times */
  g_assert_cmpfloat_with_epsilon (a, a2, 1e-4);
  g_assert_cmpfloat_with_epsilon (b, b2, 1e-4);
  g_assert_true (sppnet_platt_fit (scores, correct, NULL, N / 3, &a2, &b2)); /* Platt's targets know the number */
  g_assert_cmpfloat (fabsf (a - a2), >, 1e-3f);
  for (gsize i = 0; i < N; i++)
    weights[i] = correct[i] ? 1 : 0;
  g_assert_false (sppnet_platt_fit (scores, correct, weights, N, &a, &b));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/platt/grid", test_grid);
  g_test_add_func ("/train/platt/few", test_few);
  g_test_add_func ("/train/platt/separable", test_separable);
  g_test_add_func ("/train/platt/one-sided", test_one_sided);
  g_test_add_func ("/train/platt/not-finite", test_not_finite);
  g_test_add_func ("/train/platt/extremes", test_extremes);
  g_test_add_func ("/train/platt/weights", test_weights);
  return g_test_run ();
}
