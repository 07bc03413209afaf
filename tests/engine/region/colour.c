/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/colour.h"

#include <math.h>

#include "base/random.h"
#include "region/smooth.h"

typedef struct
{
  guint8 rgb[3];
  gint out[3]; /* -1: the space has no such channel */
} Case;

static void
check (SppnetColour colour, const Case *cases, guint n, gint tolerance)
{
  for (guint i = 0; i < n; i++) {
    guint8 out[3] = { 0 };

    sppnet_colour_convert (colour, cases[i].rgb, 1, out);
    for (guint c = 0; c < 3; c++) {
      g_test_message ("case %u channel %u: %d", i, c, out[c]);
      if (cases[i].out[c] >= 0)
        g_assert_cmpint (ABS (out[c] - cases[i].out[c]), <=, tolerance);
    }
  }
}

static void
test_hsv (void)
{
  static const Case cases[] = {
    { { 0, 0, 0 }, { 0, 0, 0 } },           { { 255, 255, 255 }, { 0, 0, 255 } },
    { { 90, 90, 90 }, { 0, 0, 90 } },       { { 255, 0, 0 }, { 0, 255, 255 } },
    { { 255, 255, 0 }, { 43, 255, 255 } },  { { 0, 255, 0 }, { 85, 255, 255 } },
    { { 0, 255, 255 }, { 128, 255, 255 } }, { { 0, 0, 255 }, { 170, 255, 255 } },
    { { 255, 0, 255 }, { 213, 255, 255 } }, { { 255, 0, 1 }, { 255, 255, 255 } },
    { { 200, 100, 100 }, { 0, 128, 200 } },
  };

  check (SPPNET_COLOUR_HSV, cases, G_N_ELEMENTS (cases), 1);
}

/* CIE L*a*b* of sRGB's corners, D65. */
static void
test_lab (void)
{
  static const Case cases[] = {
    { { 0, 0, 0 }, { 0, 128, 128 } },         { { 255, 255, 255 }, { 255, 128, 128 } },
    { { 128, 128, 128 }, { 137, 128, 128 } }, { { 255, 0, 0 }, { 136, 208, 195 } },
    { { 0, 255, 0 }, { 224, 42, 211 } },      { { 0, 0, 255 }, { 82, 207, 20 } },
    { { 10, 10, 10 }, { 7, 128, 128 } },
  };

  check (SPPNET_COLOUR_LAB, cases, G_N_ELEMENTS (cases), 1);
}

static void
test_rgi (void)
{
  static const Case cases[] = {
    { { 0, 0, 0 }, { 85, 85, 0 } },
    { { 255, 255, 255 }, { 85, 85, 255 } },
    { { 255, 0, 0 }, { 255, 0, 85 } },
    { { 100, 50, 50 }, { 128, 64, 67 } },
  };

  check (SPPNET_COLOUR_RGI, cases, G_N_ELEMENTS (cases), 1);
}

/* The single channels are those of the spaces of three. */
static void
test_single (void)
{
  SppnetRandom random = { 1 };

  g_assert_cmpuint (sppnet_colour_channels (SPPNET_COLOUR_H), ==, 1);
  g_assert_cmpuint (sppnet_colour_channels (SPPNET_COLOUR_I), ==, 1);
  for (guint i = 0; i < 10000; i++) {
    guint64 number = sppnet_random_next (&random);
    guint8 rgb[3] = { (guint8) number, (guint8) (number >> 8), (guint8) (number >> 16) }, three[3], one;

    sppnet_colour_convert (SPPNET_COLOUR_HSV, rgb, 1, three);
    sppnet_colour_convert (SPPNET_COLOUR_H, rgb, 1, &one);
    g_assert_cmpuint (one, ==, three[0]);
    sppnet_colour_convert (SPPNET_COLOUR_RGI, rgb, 1, three);
    sppnet_colour_convert (SPPNET_COLOUR_I, rgb, 1, &one);
    g_assert_cmpuint (one, ==, three[2]);
  }
}

/* The definition, in two dimensions and in double precision. */
static gdouble
smoothed (const guint8 *in, gint width, gint height, gint x, gint y)
{
  gdouble sum = 0.0, weights = 0.0;

  for (gint i = -3; i <= 3; i++)
    for (gint j = -3; j <= 3; j++) {
      gdouble weight = exp (-(i * i + j * j) / (2.0 * 0.8 * 0.8));

      sum += weight * in[CLAMP (y + i, 0, height - 1) * width + CLAMP (x + j, 0, width - 1)];
      weights += weight;
    }
  return sum / weights;
}

static void
test_smooth (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 3 }, { 6, 6 }, { 7, 7 }, { 8, 5 }, { 23, 17 } };
  SppnetRandom random = { 2 };
  guint8 in[23 * 17];
  gfloat scratch[23 * 17], out[23 * 17];

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    gint width = sizes[s][0], height = sizes[s][1];

    for (gint i = 0; i < width * height; i++)
      in[i] = (guint8) sppnet_random_next (&random);
    sppnet_smooth (in, width, height, scratch, out);
    for (gint y = 0; y < height; y++)
      for (gint x = 0; x < width; x++)
        g_assert_cmpfloat_with_epsilon (out[y * width + x], smoothed (in, width, height, x, y), 1e-3);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/colour/hsv", test_hsv);
  g_test_add_func ("/region/colour/lab", test_lab);
  g_test_add_func ("/region/colour/rgi", test_rgi);
  g_test_add_func ("/region/colour/single", test_single);
  g_test_add_func ("/region/colour/smooth", test_smooth);
  return g_test_run ();
}
