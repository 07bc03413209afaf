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
    sppnet_packed_dense_run (&dense, x, (gsize) in, n, 1, y);
    for (gsize i = 0; i < n * (gsize) out; i++)
      assert_defined (weight + i % (gsize) out * (gsize) in, bias[i % (gsize) out], x + i / (gsize) out * (gsize) in,
                      in, slope, y[i]);
    g_assert_cmpfloat (y[n * (gsize) out], ==, 77.0f);
    /* The same bits for any number of threads, and one region at a time. */
    sppnet_packed_dense_run (&dense, x, (gsize) in, n, 2 + round % 3, other);
    g_assert_cmpmem (other, n * (gsize) out * sizeof *other, y, n * (gsize) out * sizeof *y);
    for (gsize r = 0; r < n; r++)
      sppnet_packed_dense_run (&dense, x + r * (gsize) in, (gsize) in, 1, 1, other + r * (gsize) out);
    g_assert_cmpmem (other, n * (gsize) out * sizeof *other, y, n * (gsize) out * sizeof *y);
    sppnet_packed_dense_clear (&dense);
  }
}

/* Weights and inputs in steps: exact sums of what they are rounded to, and so close to the sums of what they were. */
static void
test_steps (void)
{
  static const gint channels[] = { 1, 33, 63, 64, 65, 130 }, bins[] = { 1, 6, 7, 8, 13, 14, 15, 55 },
                    outputs[] = { 1, 7, 16, 33, 100 };
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };
  g_auto (SppnetPooledMemory) memory = { 0 };
  g_autofree gint16 *scratch = g_new (gint16, 4 * SPPNET_STEPS_SCRATCH);

  for (guint round = 0; round < 40; round++) {
    gsize n_channels = (gsize) channels[sppnet_random_below (&random, G_N_ELEMENTS (channels))];
    gsize n_bins = (gsize) bins[sppnet_random_below (&random, G_N_ELEMENTS (bins))],
          groups = sppnet_step_groups (n_channels);
    gsize out = (gsize) outputs[sppnet_random_below (&random, 5)];
    gsize length = n_bins * n_channels, n = sppnet_random_below (&random, round % 8 ? 20 : 500);
    gfloat slope = round % 3 == 0 ? 0.0f : round % 3 == 1 ? 0.1f : 1.0f;
    g_autofree gfloat *weight = random_floats (&random, length * out), *bias = random_floats (&random, out);
    g_autofree gfloat *x = random_floats (&random, n * length), *y = random_floats (&random, n * out);
    g_autofree gfloat *other = random_floats (&random, n * out), *vector = g_new0 (gfloat, length);
    g_autofree guint32 *order = g_new (guint32, length);
    gsize bad = n > 2 ? 1 + sppnet_random_below (&random, (guint32) n - 1) : G_MAXSIZE;
    SppnetStepsDense dense;
    SppnetPooled pooled;

    for (gsize i = 0; i < length; i++) {
      gsize bin = i / n_channels, c = i % n_channels;

      order[i] = (guint32) ((c / SPPNET_STEPS * n_bins + bin) * SPPNET_STEPS + c % SPPNET_STEPS);
    }
    if (bad < n)
      x[bad * length + sppnet_random_below (&random, (guint32) length)] = round % 2 ? NAN : -INFINITY;
    g_assert_true (sppnet_pooled_from_floats (&memory, x, n, n_bins, n_channels, &pooled, NULL));
    g_assert_true (sppnet_steps_dense_init (&dense, groups, n_bins, out, slope, weight, length, order, length, bias));
    sppnet_steps_dense_run (&dense, &pooled, FALSE, 1, scratch, y);
    for (gsize r = 0; r < n; r++) {
      sppnet_pooled_to_floats (&pooled, r, vector);
      for (gsize o = 0; o < out; o++) {
        gdouble sum = (gdouble) bias[o], magnitude = 0.0, largest = 0.0;

        for (gsize i = 0; i < length; i++) {
          gfloat w = weight[o * length + i];

          largest = MAX (largest, fabs ((gdouble) w));
          sum += (gdouble) vector[i] * (gdouble) w;
          magnitude += fabs ((gdouble) vector[i]);
        }
        sum *= sum < 0 ? (gdouble) slope : 1.0;
        /* A weight is off by half a step at most. */
        if (r == bad)
          g_assert_true (isnan (y[r * out + o]));
        else
          g_assert_cmpfloat_with_epsilon ((gdouble) y[r * out + o], sum,
                                          magnitude * largest * (0.51 / 2047 + 1e-5) + 1e-5);
      }
    }
    g_assert_cmpfloat (y[n * out], ==, 77.0f);
    /* The same bits for any number of threads. */
    sppnet_steps_dense_run (&dense, &pooled, FALSE, 2 + round % 3, scratch, other);
    g_assert_cmpmem (other, n * out * sizeof *other, y, n * out * sizeof *y);
    sppnet_steps_dense_clear (&dense);
  }
}

/* The largest inputs and weights that there can be do not overflow. */
static void
test_steps_limits (void)
{
  const gsize bins = 14;
  gfloat weight[14 * SPPNET_STEPS], x[14 * SPPNET_STEPS], bias = 0.0f, y = 0.0f;
  g_auto (SppnetPooledMemory) memory = { 0 };
  g_autofree gint16 *scratch = g_new (gint16, SPPNET_STEPS_SCRATCH);
  guint32 order[14 * SPPNET_STEPS];
  SppnetStepsDense dense;
  SppnetPooled pooled;

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    order[i] = i;
  for (gint sign = -1; sign <= 1; sign += 2) {
    for (gsize i = 0; i < G_N_ELEMENTS (x); i++) {
      weight[i] = (gfloat) sign;
      x[i] = -3.0f;
    }
    g_assert_true (sppnet_pooled_from_floats (&memory, x, 1, bins, SPPNET_STEPS, &pooled, NULL));
    g_assert_true (
        sppnet_steps_dense_init (&dense, 1, bins, 1, 1.0f, weight, G_N_ELEMENTS (x), order, G_N_ELEMENTS (x), &bias));
    sppnet_steps_dense_run (&dense, &pooled, FALSE, 1, scratch, &y);
    g_assert_cmpfloat_with_epsilon (y, -3.0f * (gfloat) sign * (gfloat) G_N_ELEMENTS (x), 0.01f);
    sppnet_steps_dense_clear (&dense);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/head/dense/definition", GUINT_TO_POINTER (SPPNET_PRECISION_FLOAT32), test_definition);
  g_test_add_func ("/head/dense/steps", test_steps);
  g_test_add_func ("/head/dense/steps-limits", test_steps_limits);
  if (sppnet_conv_kernels_bfloat16 ())
    g_test_add_data_func ("/head/dense/bfloat16", GUINT_TO_POINTER (SPPNET_PRECISION_BFLOAT16), test_definition);
  return g_test_run ();
}
