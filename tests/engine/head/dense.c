/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed layers of any size against their definition. */
#include "head/dense.h"

#include <math.h>
#include <string.h>

#include "../bfloat16.h"
#include "base/random.h"

static gfloat *
random_floats (SppnetRandom *random, gsize n)
{
  gfloat *values = g_new (gfloat, n + 1);

  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) sppnet_random_normal (random);
  values[n] = 77.0f;
  return values;
}

/* Of a sum of n products, each addition is off by at most 2^-24 of a partial sum; two sums are compared. */
static void
assert_defined (const gfloat *weight, gfloat bias, const gfloat *x, gint inputs, gfloat slope, gfloat y)
{
  gdouble sum = bias, magnitude = fabs ((gdouble) bias);

  for (gint i = 0; i < inputs; i++) {
    sum += (gdouble) weight[i] * (gdouble) x[i];
    magnitude += fabs ((gdouble) weight[i] * (gdouble) x[i]);
  }
  if (sum < 0)
    sum *= (gdouble) slope;
  g_assert_cmpfloat_with_epsilon ((gdouble) y, sum, inputs * 0x1p-23 * magnitude + 1e-30);
}

/* data: the precision. Of bfloat16, numbers that it does not change: an even number of inputs, or it is not used. */
static void
test_definition (gconstpointer data)
{
  SppnetPrecision precision = GPOINTER_TO_UINT (data);
  static const gint inputs[] = { 1, 7, 200, 1023, 1024, 1025, 2100 }, outputs[] = { 1, 15, 16, 17, 33, 64, 100 };
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };

  for (guint round = 0; round < 60; round++) {
    gint in = inputs[sppnet_random_below (&random, 7)], out = outputs[sppnet_random_below (&random, 7)];
    gsize n = sppnet_random_below (&random, 50);
    gfloat slope = round % 3 == 0 ? 0.0f : round % 3 == 1 ? 0.1f : 1.0f;
    g_autofree gfloat *weight = random_floats (&random, (gsize) in * (gsize) out),
                      *bias = random_floats (&random, (gsize) out);
    g_autofree gfloat *x = random_floats (&random, n * (gsize) in), *y = random_floats (&random, n * (gsize) out);
    g_autofree gfloat *other = random_floats (&random, n * (gsize) out);
    SppnetPackedDense dense;

    if (precision == SPPNET_PRECISION_BFLOAT16) {
      round_to_bfloat16 (weight, (gsize) in * (gsize) out);
      round_to_bfloat16 (x, n * (gsize) in);
    }

    g_assert_true (sppnet_packed_dense_init (&dense, in, out, slope, precision, weight, bias));
    sppnet_packed_dense_run (&dense, x, n, 1, y);
    for (gsize i = 0; i < n * (gsize) out; i++)
      assert_defined (weight + i % (gsize) out * (gsize) in, bias[i % (gsize) out], x + i / (gsize) out * (gsize) in,
                      in, slope, y[i]);
    g_assert_cmpfloat (y[n * (gsize) out], ==, 77.0f);
    /* The same bits for any number of threads, and one region at a time. */
    sppnet_packed_dense_run (&dense, x, n, 2 + round % 3, other);
    g_assert_cmpmem (other, n * (gsize) out * sizeof *other, y, n * (gsize) out * sizeof *y);
    for (gsize r = 0; r < n; r++)
      sppnet_packed_dense_run (&dense, x + r * (gsize) in, 1, 1, other + r * (gsize) out);
    g_assert_cmpmem (other, n * (gsize) out * sizeof *other, y, n * (gsize) out * sizeof *y);
    sppnet_packed_dense_clear (&dense);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/head/dense/definition", GUINT_TO_POINTER (SPPNET_PRECISION_FLOAT32), test_definition);
  if (sppnet_conv_kernels_bfloat16 ())
    g_test_add_data_func ("/head/dense/bfloat16", GUINT_TO_POINTER (SPPNET_PRECISION_BFLOAT16), test_definition);
  return g_test_run ();
}
