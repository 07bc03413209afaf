/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "base/random.h"
#include "box/box.h"
#include "box/regression.h"

#define SIDE 24

static SppnetBox
integer_box (SppnetRandom *random)
{
  guint32 x = sppnet_random_below (random, SIDE), y = sppnet_random_below (random, SIDE);

  return (SppnetBox) { x, y, sppnet_random_below (random, SIDE - x + 1), sppnet_random_below (random, SIDE - y + 1) };
}

static gboolean
covers (const SppnetBox *box, gint x, gint y)
{
  return x >= box->x && x < box->x + box->width && y >= box->y && y < box->y + box->height;
}

/* The definition: pixels in both over pixels in either. */
static void
test_iou_pixels (void)
{
  SppnetRandom random = { 1 };

  for (guint i = 0; i < 3000; i++) {
    SppnetBox a = integer_box (&random), b = i % 10 == 0 ? a : integer_box (&random);
    gint both = 0, either = 0;
    gfloat iou = sppnet_box_iou (&a, &b);

    for (gint y = 0; y < SIDE; y++)
      for (gint x = 0; x < SIDE; x++) {
        both += covers (&a, x, y) && covers (&b, x, y);
        either += covers (&a, x, y) || covers (&b, x, y);
      }
    g_assert_cmpfloat (iou, ==, (gfloat) (either > 0 ? (gdouble) both / either : 0.0));
    g_assert_cmpfloat (iou, ==, sppnet_box_iou (&b, &a));
  }
}

/* Empty, negative, infinite and NaN boxes overlap nothing, themselves included; a finite one overlaps itself fully. */
static void
test_iou_degenerate (void)
{
  static const gfloat values[] = { 0.0f, -1.0f, 1.0f, 0.1f, 8192.0f, 1e-40f, -3e38f, 3e38f, INFINITY, -INFINITY, NAN };
  const guint n = G_N_ELEMENTS (values);
  SppnetBox large = { -4e4f, -4e4f, 8e4f, 8e4f };

  for (guint i = 0; i < n * n * n * n; i++) {
    SppnetBox a = { values[i % n], values[i / n % n], values[i / n / n % n], values[i / n / n / n] };
    gfloat with_itself = sppnet_box_iou (&a, &a), with_large = sppnet_box_iou (&a, &large);

    g_assert_true (with_itself == 0.0f || with_itself == 1.0f);
    g_assert_true (with_large >= 0.0f && with_large <= 1.0f);
    if (!isfinite (a.x) || !isfinite (a.y) || !isfinite (a.width) || !isfinite (a.height) || a.width <= 0.0f
        || a.height <= 0.0f) {
      g_assert_cmpfloat (with_itself, ==, 0.0f);
      g_assert_cmpfloat (with_large, ==, 0.0f);
    }
  }
  large = (SppnetBox) { 0.1f, 0.3f, 1e-3f, 8e3f };
  g_assert_cmpfloat (sppnet_box_iou (&large, &large), ==, 1.0f);
}

static SppnetBox
random_box (SppnetRandom *random)
{
  return (SppnetBox) { (gfloat) (sppnet_random_uniform (random) * 2000.0 - 500.0),
                       (gfloat) (sppnet_random_uniform (random) * 2000.0 - 500.0),
                       (gfloat) exp (sppnet_random_uniform (random) * 4.0 + 3.0),
                       (gfloat) exp (sppnet_random_uniform (random) * 4.0 + 3.0) };
}

/* Sides differ by at most exp (4) < 1000 / 16, so that the limit of the logarithm is not met. */
static void
test_encode_decode (void)
{
  SppnetRandom random = { 2 };

  for (guint i = 0; i < 10000; i++) {
    SppnetBox from = random_box (&random), to = random_box (&random), got;
    gfloat t[4];
    gdouble tolerance = 1e-3; /* pixels: t has 24 bits, moves are up to 100 sides of up to 1100 pixels */

    sppnet_box_encode (&from, &to, t);
    got = sppnet_box_decode (&from, t);
    g_assert_cmpfloat_with_epsilon (got.x, to.x, tolerance);
    g_assert_cmpfloat_with_epsilon (got.y, to.y, tolerance);
    g_assert_cmpfloat_with_epsilon (got.width, to.width, tolerance);
    g_assert_cmpfloat_with_epsilon (got.height, to.height, tolerance);
  }
}

/* Numbers from the definition in R-CNN, worked out by hand. */
static void
test_encode_values (void)
{
  SppnetBox from = { 10.0f, 20.0f, 40.0f, 80.0f }, to = { 30.0f, 20.0f, 80.0f, 40.0f }, same;
  gfloat t[4], zero[4] = { 0 };

  sppnet_box_encode (&from, &to, t);
  g_assert_cmpfloat (t[0], ==, 1.0f);   /* centres at x 30 and 70, over 40 */
  g_assert_cmpfloat (t[1], ==, -0.25f); /* centres at y 60 and 40, over 80 */
  g_assert_cmpfloat_with_epsilon (t[2], G_LN2, 1e-7);
  g_assert_cmpfloat_with_epsilon (t[3], -G_LN2, 1e-7);
  same = sppnet_box_decode (&from, zero);
  g_assert_true (same.x == from.x && same.y == from.y && same.width == from.width && same.height == from.height);
}

static void
test_decode_wild (void)
{
  static const gfloat wild[] = { 0.0f, 1.0f, -1e6f, 50.0f, -50.0f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN };
  const guint n = G_N_ELEMENTS (wild);
  SppnetBox from = { 8191.0f, -3.0f, 8192.0f, 0.01f };

  for (guint i = 0; i < n * n * n * n; i++) {
    gfloat t[4] = { wild[i % n], wild[i / n % n], wild[i / n / n % n], wild[i / n / n / n] };
    SppnetBox box = sppnet_box_decode (&from, t);

    g_assert_true (isfinite (box.x) && isfinite (box.y));
    g_assert_true (box.width >= from.width / 62.51f && box.width <= from.width * 62.51f);
    g_assert_true (box.height >= from.height / 62.51f && box.height <= from.height * 62.51f);
  }
}

static void
test_encode_empty (void)
{
  if (g_test_subprocess ()) {
    SppnetBox box = { 0, 0, 1, 1 }, empty = { 0, 0, 0, 1 };
    gfloat t[4];

    sppnet_box_encode (&empty, &box, t);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*from->width > 0*");
}

static void
test_clip (void)
{
  static const struct
  {
    SppnetBox in, out;
  } cases[] = {
    { { 1, 2, 3, 4 }, { 1, 2, 3, 4 } },
    { { -5, -6, 10, 20 }, { 0, 0, 5, 14 } },
    { { 95, 40, 10, 20 }, { 95, 40, 5, 10 } },
    { { -10, -10, 500, 500 }, { 0, 0, 100, 50 } },
    { { -10, 5, 10, 5 }, { 0, 5, 0, 5 } },
    { { 100, 50, 1, 1 }, { 100, 50, 0, 0 } },
    { { 300, 5, 7, 5 }, { 100, 5, 0, 5 } },
    { { 10, 5, -7, 5 }, { 10, 5, 0, 5 } },
    { { NAN, 5, 7, 5 }, { 0, 5, 0, 5 } },
    { { 3, 5, NAN, INFINITY }, { 3, 5, 0, 45 } },
    { { -INFINITY, 5, INFINITY, 5 }, { 0, 5, 0, 5 } },
    { { -3e38f, 5, 3.1e38f, 5 }, { 0, 5, 100, 5 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    SppnetBox got = sppnet_box_clip (&cases[i].in, 100, 50);

    g_assert_cmpfloat (got.x, ==, cases[i].out.x);
    g_assert_cmpfloat (got.y, ==, cases[i].out.y);
    g_assert_cmpfloat (got.width, ==, cases[i].out.width);
    g_assert_cmpfloat (got.height, ==, cases[i].out.height);
  }
}

/* Whatever the rounding, a clipped box ends inside the frame, and clipping it again changes nothing. */
static void
test_clip_inside (void)
{
  SppnetRandom random = { 3 };

  for (guint i = 0; i < 20000; i++) {
    gint width = 1 + (gint) sppnet_random_below (&random, 8192), height = 1 + (gint) sppnet_random_below (&random, 600);
    SppnetBox box = random_box (&random), got = sppnet_box_clip (&box, width, height);
    SppnetBox again = sppnet_box_clip (&got, width, height);

    g_assert_true (got.x >= 0.0f && got.y >= 0.0f && got.width >= 0.0f && got.height >= 0.0f);
    g_assert_true ((gdouble) got.x + got.width <= width && (gdouble) got.y + got.height <= height);
    g_assert_true (again.x == got.x && again.y == got.y && again.width == got.width && again.height == got.height);
  }
}

static void
test_finite (void)
{
  static const gfloat bad[] = { NAN, INFINITY, -INFINITY };
  SppnetBox box = { 0, -1e30f, 0, 1e30f };

  g_assert_true (sppnet_box_is_finite (&box));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    for (guint k = 0; k < 4; k++) {
      gfloat sides[] = { 1, 2, 3, 4 };

      sides[k] = bad[i];
      box = (SppnetBox) { sides[0], sides[1], sides[2], sides[3] };
      g_assert_false (sppnet_box_is_finite (&box));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/box/iou/pixels", test_iou_pixels);
  g_test_add_func ("/box/iou/degenerate", test_iou_degenerate);
  g_test_add_func ("/box/finite", test_finite);
  g_test_add_func ("/box/regression/encode-decode", test_encode_decode);
  g_test_add_func ("/box/regression/values", test_encode_values);
  g_test_add_func ("/box/regression/wild", test_decode_wild);
  g_test_add_func ("/box/regression/empty", test_encode_empty);
  g_test_add_func ("/box/clip/cases", test_clip);
  g_test_add_func ("/box/clip/inside", test_clip_inside);
  return g_test_run ();
}
