/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/half.h"

#include <math.h>

#include "base/random.h"

/* The value of a half by the definition of the format. */
static gdouble
half_value (guint16 half)
{
  gint exponent = half >> 10 & 31, mantissa = half & 0x3ff;
  gdouble sign = half & 0x8000 ? -1 : 1;

  if (exponent == 31)
    return mantissa ? NAN : sign * INFINITY;
  return exponent ? sign * ldexp (1024 + mantissa, exponent - 25) : sign * ldexp (mantissa, -24);
}

static void
test_half_all (void)
{
  for (guint32 h = 0; h < 65536; h++) {
    gfloat value = sppnet_half_to_float ((guint16) h);

    if (isnan (half_value ((guint16) h))) {
      g_assert_true (isnan (value));
      g_assert_true (isnan (sppnet_half_to_float (sppnet_float_to_half (value))));
      continue;
    }
    g_assert_true ((gdouble) value == half_value ((guint16) h));
    g_assert_cmpint (signbit (value) != 0, ==, (h & 0x8000) != 0);
    g_assert_cmpuint (sppnet_float_to_half (value), ==, h);
  }
}

/* Nearest to even by the definition: at and beside the middle between neighbours. */
static void
test_half_rounding (void)
{
  for (guint32 h = 0; h < 0x7c00; h++) {
    gdouble low = half_value ((guint16) h);
    gdouble high = h + 1 == 0x7c00 ? 65536 : half_value ((guint16) (h + 1));
    gfloat middle = (gfloat) ((low + high) / 2);

    g_assert_true ((gdouble) middle == (low + high) / 2);
    g_assert_cmpuint (sppnet_float_to_half (middle), ==, h % 2 ? h + 1 : h);
    g_assert_cmpuint (sppnet_float_to_half (nextafterf (middle, 0)), ==, h);
    g_assert_cmpuint (sppnet_float_to_half (nextafterf (middle, INFINITY)), ==, h + 1);
    g_assert_cmpuint (sppnet_float_to_half (-middle), ==, 0x8000 | (h % 2 ? h + 1 : h));
  }
  g_assert_cmpuint (sppnet_float_to_half (1e30f), ==, 0x7c00);
  g_assert_cmpuint (sppnet_float_to_half (-INFINITY), ==, 0xfc00);
  g_assert_cmpuint (sppnet_float_to_half (0x1p-149f), ==, 0);
}

static void
test_bfloat (void)
{
  SppnetRandom random = { 3 };

  for (guint32 b = 0; b < 65536; b++) {
    gfloat value = sppnet_bfloat_to_float ((guint16) b);

    if (isnan (value))
      g_assert_true (isnan (sppnet_bfloat_to_float (sppnet_float_to_bfloat (value))));
    else
      g_assert_cmpuint (sppnet_float_to_bfloat (value), ==, b);
  }
  for (guint i = 0; i < 100000; i++) {
    guint32 bits = (guint32) sppnet_random_next (&random) & 0x7fffffff;
    gfloat value = sppnet_bits_float (bits);
    guint16 rounded = sppnet_float_to_bfloat (value);
    guint32 low = bits >> 16, rest = bits & 0xffff;

    if (isnan (value))
      g_assert_true (isnan (sppnet_bfloat_to_float (rounded)));
    else
      g_assert_cmpuint (rounded, ==, rest > 0x8000 || (rest == 0x8000 && low % 2) ? low + 1 : low);
  }
  g_assert_cmpuint (sppnet_float_to_bfloat (sppnet_bits_float (0x7f7fffff)), ==, 0x7f80);
  g_assert_true (isnan (sppnet_bfloat_to_float (sppnet_float_to_bfloat (sppnet_bits_float (0x7f800001)))));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/half/all", test_half_all);
  g_test_add_func ("/half/rounding", test_half_rounding);
  g_test_add_func ("/bfloat/all", test_bfloat);
  return g_test_run ();
}
