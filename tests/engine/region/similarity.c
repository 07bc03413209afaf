/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/similarity.h"

#include <string.h>

#define CTSF (SPPNET_SIMILARITY_COLOUR | SPPNET_SIMILARITY_TEXTURE | SPPNET_SIMILARITY_SIZE | SPPNET_SIMILARITY_FILL)

static void
test_colour_codes (void)
{
  static const guint8 in[] = { 0, 10, 11, 127, 128, 245, 246, 255 };
  static const guint8 expected[] = { 0, 0, 1, 12, 12, 23, 24, 24 };
  guint8 out[G_N_ELEMENTS (in)];

  sppnet_colour_codes (in, G_N_ELEMENTS (in), out);
  g_assert_cmpmem (out, sizeof out, expected, sizeof expected);
}

/* A ramp has one gradient inside, half of it at the border. */
static void
check_ramp (gfloat gx, gfloat gy, gint expected)
{
  gfloat in[5 * 5];
  guint8 out[5 * 5];

  for (gint y = 0; y < 5; y++)
    for (gint x = 0; x < 5; x++)
      in[y * 5 + x] = 100.0f + gx * (gfloat) x + gy * (gfloat) y;
  sppnet_texture_codes (in, 5, 5, out);
  for (gint y = 1; y < 4; y++)
    for (gint x = 1; x < 4; x++)
      g_assert_cmpint (out[y * 5 + x], ==, expected);
}

static void
test_texture_codes (void)
{
  gfloat pixel = 9.0f;
  guint8 code = 1;

  /* magnitude 4: bin 1 + 1.8 * log2 (4) = 4; orientations anticlockwise from the x axis in image coordinates */
  check_ramp (4, 0, 4);
  check_ramp (4, 4, 10 + 5); /* magnitude 5.7 */
  check_ramp (0, 4, 20 + 4);
  check_ramp (-4, 4, 30 + 5);
  check_ramp (-4, 0, 40 + 4);
  check_ramp (-4, -4, 50 + 5);
  check_ramp (0, -4, 60 + 4);
  check_ramp (4, -4, 70 + 5);
  check_ramp (0, 0, 0);
  check_ramp (0.3f, -0.3f, 0);
  check_ramp (0, 1, 20 + 1);
  check_ramp (200, 0, 9);
  check_ramp (-200, 0, 49);
  sppnet_texture_codes (&pixel, 1, 1, &code);
  g_assert_cmpuint (code, ==, 0);
}

/* Two regions of one channel: 2 and 4 pixels. */
static void
test_histograms (void)
{
  static const guint32 labels[6] = { 0, 1, 1, 0, 1, 1 };
  static const guint8 codes[12] = { 3, 24, 24, 4, 24, 0, /* texture */ 79, 5, 5, 79, 5, 5 };
  SppnetHistogramLayout layout = sppnet_histogram_layout (1);
  guint32 counts[2 * 112];
  gfloat histograms[2 * 112], sum = 0.0f;
  SppnetRegion regions[2];

  g_assert_cmpuint (layout.texture, ==, 32);
  g_assert_cmpuint (layout.length, ==, 112);
  sppnet_histograms_count (&layout, codes, labels, 3, 2, 2, counts, regions, histograms);
  g_assert_cmpuint (regions[0].size, ==, 2);
  g_assert_cmpuint (regions[1].size, ==, 4);
  g_assert_cmpuint (regions[0].extent.x1, ==, 0);
  g_assert_cmpuint (regions[0].extent.y1, ==, 1);
  g_assert_cmpuint (regions[1].extent.x0, ==, 1);
  g_assert_cmpuint (regions[1].extent.x1, ==, 2);
  g_assert_cmpuint (regions[1].extent.y0, ==, 0);
  g_assert_cmpfloat (histograms[3], ==, 0.5f);
  g_assert_cmpfloat (histograms[4], ==, 0.5f);
  g_assert_cmpfloat (histograms[32 + 79], ==, 1.0f);
  g_assert_cmpfloat (histograms[112 + 24], ==, 0.75f);
  g_assert_cmpfloat (histograms[112 + 0], ==, 0.25f);
  g_assert_cmpfloat (histograms[112 + 32 + 5], ==, 1.0f);
  for (guint i = 0; i < 112; i++)
    sum += histograms[i];
  g_assert_cmpfloat (sum, ==, 2.0f);
}

static void
test_merge (void)
{
  static const gfloat a[3] = { 1.0f, 0.0f, 0.0f }, b[3] = { 0.0f, 0.5f, 0.5f };
  gfloat c[3];

  sppnet_histogram_merge (a, 30, b, 10, 3, c);
  g_assert_cmpfloat (c[0], ==, 0.75f);
  g_assert_cmpfloat (c[1], ==, 0.125f);
  g_assert_cmpfloat (c[2], ==, 0.125f);
}

/* 10x10 pixels; a: 4 pixels of a 2x2 box, b: 6 pixels of the 3x3 box next to it, together a 5x3 box. */
static void
test_measures (void)
{
  SppnetHistogramLayout layout = sppnet_histogram_layout (3);
  SppnetRegion a = { { 0, 0, 1, 1 }, 4 }, b = { { 2, 0, 4, 2 }, 6 };
  gfloat ha[320] = { 0 }, hb[320] = { 0 };
  gfloat colour = 0.25f + 0.5f, texture = 0.125f, size = 1.0f - 0.1f, fill = 1.0f - 0.05f;

  g_assert_cmpuint (layout.length, ==, 320);
  ha[0] = 0.25f, ha[30] = 0.75f;
  hb[0] = 0.5f, hb[30] = 0.5f;
  ha[80] = 0.125f, ha[200] = 0.875f;
  hb[80] = 0.5f, hb[319] = 0.5f;
  g_assert_cmpfloat (sppnet_similarity (SPPNET_SIMILARITY_COLOUR, &layout, &a, ha, &b, hb, 100), ==, colour);
  g_assert_cmpfloat (sppnet_similarity (SPPNET_SIMILARITY_TEXTURE, &layout, &a, ha, &b, hb, 100), ==, texture);
  g_assert_cmpfloat_with_epsilon (sppnet_similarity (SPPNET_SIMILARITY_SIZE, &layout, &a, NULL, &b, NULL, 100), size,
                                  1e-6);
  g_assert_cmpfloat_with_epsilon (sppnet_similarity (SPPNET_SIMILARITY_FILL, &layout, &a, NULL, &b, NULL, 100), fill,
                                  1e-6);
  g_assert_cmpfloat_with_epsilon (sppnet_similarity (CTSF, &layout, &a, ha, &b, hb, 100),
                                  colour + texture + size + fill, 1e-6);
  g_assert_cmpfloat_with_epsilon (sppnet_similarity (CTSF & ~SPPNET_SIMILARITY_COLOUR, &layout, &b, hb, &a, ha, 100),
                                  texture + size + fill, 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/similarity/colour-codes", test_colour_codes);
  g_test_add_func ("/region/similarity/texture-codes", test_texture_codes);
  g_test_add_func ("/region/similarity/histograms", test_histograms);
  g_test_add_func ("/region/similarity/merge", test_merge);
  g_test_add_func ("/region/similarity/measures", test_measures);
  return g_test_run ();
}
