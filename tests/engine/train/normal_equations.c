/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/normal_equations.h"

#include "base/random.h"

/* One input, one target: w = Sxy / (Sxx + lambda) about the means, b = (mean y - m) / s - w mean x, by hand. */
static void
test_one_input (void)
{
  static const gfloat x[] = { 1, 2, 3, 6 }, t[] = { 2, 3, 7, 8 };
  const gfloat mean = 4, scale = 2;
  SppnetNormalEquations equations;
  gfloat weight, bias;

  g_assert_true (sppnet_normal_equations_init (&equations, 1, 1));
  for (guint i = 0; i < 4; i++)
    sppnet_normal_equations_add (&equations, &x[i], &t[i]);
  g_assert_true (sppnet_normal_equations_solve (&equations, 2, &mean, &scale, &weight, &bias));
  /* means 3 and 5; Sxx = 4 + 1 + 0 + 9 = 14, Sxy = 6 + 2 + 0 + 9 = 17; (17 / 2) / (14 + 2) */
  g_assert_cmpfloat_with_epsilon (weight, 17. / 32, 1e-6);
  g_assert_cmpfloat_with_epsilon (bias, .5 - 3 * 17. / 32, 1e-6);
  sppnet_normal_equations_clear (&equations);
}

/* With two orthogonal centred inputs each weight is that of one input; the means must not matter, however large. */
static void
test_orthogonal_inputs (void)
{
  SppnetNormalEquations equations;
  const gfloat mean[2] = { 0, 0 }, scale[2] = { 1, 1 };
  gfloat weight[2][2], bias[2];

  g_assert_true (sppnet_normal_equations_init (&equations, 2, 2));
  for (guint i = 0; i < 4 * SPPNET_PAIRS_BLOCK; i++) {
    gfloat a = i % 2 ? 1 : -1, b = i / 2 % 2 ? 2 : -2;
    gfloat x[2] = { a + 1000, b - 500 }, t[2] = { 3 * a + b + 7, -b };

    sppnet_normal_equations_add (&equations, x, t);
  }
  g_assert_cmpuint (equations.n, ==, 4 * SPPNET_PAIRS_BLOCK);
  g_assert_true (sppnet_normal_equations_solve (&equations, 512, mean, scale, weight[0], bias));
  g_assert_cmpfloat_with_epsilon (weight[0][0], 3 * 512. / 1024, 1e-5);
  g_assert_cmpfloat_with_epsilon (weight[0][1], 2048. / 2560, 1e-5);
  g_assert_cmpfloat_with_epsilon (weight[1][0], 0, 1e-5);
  g_assert_cmpfloat_with_epsilon (weight[1][1], -2048. / 2560, 1e-5);
  g_assert_cmpfloat_with_epsilon (bias[0], 7 - 1500 + 400, 1e-2);
  g_assert_cmpfloat_with_epsilon (bias[1], -400, 1e-2);
  sppnet_normal_equations_clear (&equations);
}

/* The gradient of what is minimised must vanish, for random problems and counts around the block's size. */
static void
test_optimal (void)
{
  enum
  {
    N_MAX = 2 * SPPNET_PAIRS_BLOCK + 1,
    D = 9,
    T = 4
  };
  static const guint counts[] = { 1, 2, 10, SPPNET_PAIRS_BLOCK - 1, SPPNET_PAIRS_BLOCK, SPPNET_PAIRS_BLOCK + 1, N_MAX };
  SppnetRandom random = { 4 };

  for (guint c = 0; c < G_N_ELEMENTS (counts); c++) {
    static gfloat x[N_MAX][D], t[N_MAX][T];
    const gfloat mean[T] = { .1f, -.2f, .3f, 0 }, scale[T] = { .5f, 2, 1, .1f };
    const gdouble lambda = 3;
    gfloat weight[T][D], bias[T];
    gdouble gradient[T][D + 1] = { 0 };
    SppnetNormalEquations equations;

    g_assert_true (sppnet_normal_equations_init (&equations, D, T));
    for (guint i = 0; i < counts[c]; i++) {
      for (guint k = 0; k < D; k++)
        x[i][k] = (gfloat) sppnet_random_normal (&random) + 1;
      for (guint j = 0; j < T; j++)
        t[i][j] = (gfloat) sppnet_random_normal (&random) * scale[j] + mean[j] + x[i][j];
      sppnet_normal_equations_add (&equations, x[i], t[i]);
    }
    g_assert_true (sppnet_normal_equations_solve (&equations, lambda, mean, scale, weight[0], bias));
    sppnet_normal_equations_clear (&equations);

    for (guint j = 0; j < T; j++) {
      for (guint i = 0; i < counts[c]; i++) {
        gdouble residual = bias[j] - ((gdouble) t[i][j] - mean[j]) / scale[j];

        for (guint k = 0; k < D; k++)
          residual += (gdouble) weight[j][k] * x[i][k];
        for (guint k = 0; k < D; k++)
          gradient[j][k] += residual * x[i][k];
        gradient[j][D] += residual;
      }
      for (guint k = 0; k <= D; k++)
        g_assert_cmpfloat_with_epsilon (gradient[j][k] + (k < D ? lambda * weight[j][k] : 0), 0,
                                        1e-4 * (1 + counts[c]));
    }
  }
}

static void
test_too_large (void)
{
  SppnetNormalEquations equations;

  g_assert_false (sppnet_normal_equations_init (&equations, G_MAXINT / 4, 4));
  g_assert_null (equations.memory);
  g_assert_false (sppnet_normal_equations_init (&equations, G_MAXSIZE / 2, 4));
  sppnet_normal_equations_clear (&equations);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/normal-equations/one-input", test_one_input);
  g_test_add_func ("/train/normal-equations/orthogonal-inputs", test_orthogonal_inputs);
  g_test_add_func ("/train/normal-equations/optimal", test_optimal);
  g_test_add_func ("/train/normal-equations/too-large", test_too_large);
  return g_test_run ();
}
