/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/random.h"

#include <math.h>

/* The sequence must never change: seeds in model files and checkpoints depend on it. */
static void
test_golden (void)
{
  static const guint64 from_1234567[] = {
    G_GUINT64_CONSTANT (6457827717110365317),  G_GUINT64_CONSTANT (3203168211198807973),
    G_GUINT64_CONSTANT (9817491932198370423),  G_GUINT64_CONSTANT (4593380528125082431),
    G_GUINT64_CONSTANT (16408922859458223821),
  };
  SppnetRandom random = { 1234567 }, zero = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (from_1234567); i++)
    g_assert_cmpuint (sppnet_random_next (&random), ==, from_1234567[i]);
  g_assert_cmpuint (sppnet_random_next (&zero), ==, G_GUINT64_CONSTANT (0xe220a8397b1dcdaf));
}

/* A checkpoint is the state. */
static void
test_resume (void)
{
  SppnetRandom random = { 99 }, copy;

  for (guint i = 0; i < 100; i++)
    sppnet_random_normal (&random);
  copy = random;
  for (guint i = 0; i < 100; i++)
    g_assert_cmpfloat (sppnet_random_normal (&random), ==, sppnet_random_normal (&copy));
}

static void
test_uniform (void)
{
  const guint n = 100000;
  SppnetRandom random = { 5 };
  gdouble sum = 0.0, squares = 0.0;

  for (guint i = 0; i < n; i++) {
    gdouble u = sppnet_random_uniform (&random);

    g_assert_true (u >= 0.0 && u < 1.0);
    sum += u;
    squares += u * u;
  }
  /* Five standard errors. */
  g_assert_cmpfloat_with_epsilon (sum / n, 0.5, 5.0 * sqrt (1.0 / 12.0 / n));
  g_assert_cmpfloat_with_epsilon (squares / n, 1.0 / 3.0, 5.0 * sqrt (4.0 / 45.0 / n));
}

static void
test_below (void)
{
  static const guint32 bounds[] = { 1, 2, 3, 7, 100, 0x80000001u, G_MAXUINT32 };
  SppnetRandom random = { 6 };
  guint histogram[7] = { 0 };

  for (guint b = 0; b < G_N_ELEMENTS (bounds); b++)
    for (guint i = 0; i < 1000; i++)
      g_assert_cmpuint (sppnet_random_below (&random, bounds[b]), <, bounds[b]);
  for (guint i = 0; i < 70000; i++)
    histogram[sppnet_random_below (&random, 7)]++;
  for (guint i = 0; i < 7; i++)
    g_assert_cmpint (ABS ((gint) histogram[i] - 10000), <, 500); /* five standard deviations: 463 */
}

/* Moments, and the share within one and two standard deviations. */
static void
test_normal (void)
{
  const guint n = 200000;
  SppnetRandom random = { 7 };
  gdouble sum = 0.0, squares = 0.0, cubes = 0.0;
  guint within_1 = 0, within_2 = 0;

  for (guint i = 0; i < n; i++) {
    gdouble z = sppnet_random_normal (&random);

    g_assert_true (isfinite (z));
    sum += z;
    squares += z * z;
    cubes += z * z * z;
    within_1 += fabs (z) < 1.0;
    within_2 += fabs (z) < 2.0;
  }
  g_assert_cmpfloat_with_epsilon (sum / n, 0.0, 0.012);
  g_assert_cmpfloat_with_epsilon (squares / n, 1.0, 0.016);
  g_assert_cmpfloat_with_epsilon (cubes / n, 0.0, 0.045);
  g_assert_cmpfloat_with_epsilon ((gdouble) within_1 / n, 0.6827, 0.0055);
  g_assert_cmpfloat_with_epsilon ((gdouble) within_2 / n, 0.9545, 0.0025);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/random/golden", test_golden);
  g_test_add_func ("/base/random/resume", test_resume);
  g_test_add_func ("/base/random/uniform", test_uniform);
  g_test_add_func ("/base/random/below", test_below);
  g_test_add_func ("/base/random/normal", test_normal);
  return g_test_run ();
}
