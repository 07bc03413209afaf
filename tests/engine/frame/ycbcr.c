/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "pack.h"

static const gint sizes[][2] = {
  { 1, 1 },   { 2, 1 },   { 1, 2 },   { 3, 5 },   { 5, 3 },    { 1, 37 },   { 37, 1 },   { 16, 16 },
  { 33, 17 }, { 511, 2 }, { 512, 3 }, { 513, 2 }, { 1025, 3 }, { 2, 8192 }, { 8192, 1 },
};
static const gint paddings[] = { 0, 1, 3, 32 };

/* BT.601, BT.709 and BT.2020 in double precision, each weight typed again from the recommendation. */
static void
reference (SppnetColorMatrix matrix, SppnetColorRange range, gint y, gint u, gint v, gdouble rgb[3])
{
  static const gdouble red[] = { .299, .2126, .2627 }, green[] = { .587, .7152, .6780 },
                       blue[] = { .114, .0722, .0593 };
  gdouble kr = red[matrix], kg = green[matrix], kb = blue[matrix];
  gdouble luma = range == SPPNET_COLOR_RANGE_FULL ? y / 255.0 : (y - 16) / 219.0;
  gdouble cb = (u - 128) / (range == SPPNET_COLOR_RANGE_FULL ? 255.0 : 224.0);
  gdouble cr = (v - 128) / (range == SPPNET_COLOR_RANGE_FULL ? 255.0 : 224.0);

  rgb[0] = luma + 2.0 * (1.0 - kr) * cr;
  rgb[2] = luma + 2.0 * (1.0 - kb) * cb;
  rgb[1] = (luma - kr * rgb[0] - kb * rgb[2]) / kg;
  for (guint c = 0; c < 3; c++)
    rgb[c] = CLAMP (rgb[c] * 255.0, 0.0, 255.0);
}

/* The arithmetic of videoconvert: differences from 128 that are too large by up to 1 / 256, factors that are off by up
 * to 1 / 512, up to three products that are rounded down each; at limited range a luma of 128 stays 128, 2.4 levels too
 * dark. tests/gst-plugin/convert.c compares the bytes. */
static void
assert_near (SppnetColorRange range, const guint8 *got, const gdouble *expected)
{
  gdouble darker = range == SPPNET_COLOR_RANGE_FULL ? 0.0 : 2.4;

  for (guint c = 0; c < 3; c++) {
    g_assert_cmpfloat (got[c], <=, expected[c] + 2.0);
    g_assert_cmpfloat (got[c], >=, MAX (expected[c] - darker, 0.0) - 4.0);
  }
}

static void
test_lattice (void)
{
  guint8 y[52], u[26], v[26];
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_I420, 52, 1, { y, u, v }, { 52, 26, 26 } };

  for (gint i = 0; i < 52; i++)
    y[i] = (guint8) (5 * i);
  for (guint m = 0; m < 3; m++)
    for (guint r = 0; r < 2; r++)
      for (gint cb = 0; cb <= 255; cb += 5)
        for (gint cr = 0; cr <= 255; cr += 5) {
          g_autofree guint8 *rgb = NULL;

          memset (u, cb, sizeof u);
          memset (v, cr, sizeof v);
          frame.matrix = m;
          frame.range = r;
          rgb = read_rgb (&frame, 0, 1);
          for (gint i = 0; i < 52; i++) {
            gdouble expected[3];

            reference (m, r, y[i], cb, cr, expected);
            assert_near (r, rgb + 3 * i, expected);
          }
        }
}

static guint8 *
reference_picture (const Picture *picture, SppnetColorMatrix matrix, SppnetColorRange range, const guint8 *got)
{
  for (gint y = 0; y < picture->height; y++)
    for (gint x = 0; x < picture->width; x++) {
      gsize i = (gsize) y * picture->width + x;
      gdouble expected[3];

      reference (matrix, range, picture->y[i], chroma_at (picture, picture->u, x, y),
                 chroma_at (picture, picture->v, x, y), expected);
      assert_near (range, got + 3 * i, expected);
    }
  return g_memdup2 (got, 3 * (gsize) picture->width * picture->height);
}

/* All six formats give the same bytes, whatever the stride, and they are right pixel by pixel. */
static void
check_formats (const Picture *picture, SppnetRandom *random, SppnetColorMatrix matrix, SppnetColorRange range)
{
  g_autofree guint8 *expected = NULL;

  for (guint f = SPPNET_PIXEL_FORMAT_I420; f <= SPPNET_PIXEL_FORMAT_UYVY; f++)
    for (guint p = 0; p < G_N_ELEMENTS (paddings); p++) {
      SppnetFrame frame = pack (picture, f, paddings[p], random);
      g_autofree guint8 *rgb = NULL;

      frame.matrix = matrix;
      frame.range = range;
      rgb = read_rgb (&frame, 0, picture->height);
      if (!expected)
        expected = reference_picture (picture, matrix, range, rgb);
      g_assert_cmpmem (rgb, 3 * (gsize) picture->width * picture->height, expected,
                       3 * (gsize) picture->width * picture->height);
      unpack_free (&frame);
    }
}

static void
test_formats (void)
{
  SppnetRandom random = { 1 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    Picture picture = picture_new (&random, sizes[s][0], sizes[s][1]);

    check_formats (&picture, &random, s % 3, s / 3 % 2);
    picture_clear (&picture);
  }
}

/* Rows in any portion are the same as all at once, also from an odd row on. */
static void
test_portions (void)
{
  SppnetRandom random = { 2 };
  Picture picture = picture_new (&random, 19, 11);

  for (guint f = SPPNET_PIXEL_FORMAT_I420; f <= SPPNET_PIXEL_FORMAT_GRAY8; f++) {
    SppnetFrame frame = pack (&picture, f, 5, &random);
    g_autofree guint8 *whole = read_rgb (&frame, 0, 11);

    for (gint y0 = 0; y0 < 11; y0++)
      for (gint rows = 0; rows <= 11 - y0; rows++) {
        g_autofree guint8 *part = read_rgb (&frame, y0, rows);

        if (rows > 0)
          g_assert_cmpmem (part, 3 * 19 * rows, whole + 3 * 19 * y0, 3 * 19 * rows);
      }
    unpack_free (&frame);
  }
  picture_clear (&picture);
}

static void
test_gray (void)
{
  guint8 gray[256];
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_GRAY8, 256, 1, { gray }, { 256 } };

  for (guint i = 0; i < 256; i++)
    gray[i] = (guint8) i;
  for (guint r = 0; r < 2; r++) {
    g_autofree guint8 *rgb = NULL;

    frame.range = r;
    rgb = read_rgb (&frame, 0, 1);
    for (gint i = 0; i < 256; i++) {
      gdouble value = r == SPPNET_COLOR_RANGE_FULL ? i : CLAMP ((i - 16) * 255.0 / 219.0, 0.0, 255.0);
      const gdouble expected[] = { value, value, value };

      if (r == SPPNET_COLOR_RANGE_FULL)
        g_assert_cmpint (rgb[3 * i], ==, i);
      assert_near (r, rgb + 3 * i, expected);
      g_assert_cmpint (rgb[3 * i + 1], ==, rgb[3 * i]);
      g_assert_cmpint (rgb[3 * i + 2], ==, rgb[3 * i]);
    }
  }
}

/* Levels worked out by hand, e.g. green of the last but one: 128 + floor (40 * 257 * -183 / 65536). */
static void
test_levels (void)
{
  static const struct
  {
    SppnetColorRange range;
    guint8 y, u, v, rgb[3];
  } levels[] = {
    { SPPNET_COLOR_RANGE_LIMITED, 16, 128, 128, { 0, 0, 0 } },
    { SPPNET_COLOR_RANGE_LIMITED, 235, 128, 128, { 253, 253, 253 } }, /* 128 + floor (107 * 257 * 298 / 65536) */
    { SPPNET_COLOR_RANGE_FULL, 0, 128, 128, { 0, 0, 0 } },
    { SPPNET_COLOR_RANGE_FULL, 255, 128, 128, { 255, 255, 255 } },
    { SPPNET_COLOR_RANGE_FULL, 128, 128, 168, { 184, 99, 128 } },  /* 40 * 1.402, 40 * -.714 */
    { SPPNET_COLOR_RANGE_FULL, 128, 168, 128, { 128, 114, 199 } }, /* 40 * -.344, 40 * 1.773 */
  };

  for (guint i = 0; i < G_N_ELEMENTS (levels); i++) {
    SppnetFrame frame = { SPPNET_PIXEL_FORMAT_I420,
                          1,
                          1,
                          { &levels[i].y, &levels[i].u, &levels[i].v },
                          { 1, 1, 1 },
                          SPPNET_COLOR_MATRIX_BT601,
                          levels[i].range };
    g_autofree guint8 *rgb = read_rgb (&frame, 0, 1);

    g_assert_cmpmem (rgb, 3, levels[i].rgb, 3);
  }
}

/* Black, white and the primaries of 8-bit video, as every test card has them. */
static void
test_colours (void)
{
  static const struct
  {
    SppnetColorMatrix matrix;
    SppnetColorRange range;
    guint8 y, u, v, rgb[3];
  } colours[] = {
    { SPPNET_COLOR_MATRIX_BT601, SPPNET_COLOR_RANGE_LIMITED, 16, 128, 128, { 0, 0, 0 } },
    { SPPNET_COLOR_MATRIX_BT601, SPPNET_COLOR_RANGE_LIMITED, 235, 128, 128, { 255, 255, 255 } },
    { SPPNET_COLOR_MATRIX_BT601, SPPNET_COLOR_RANGE_LIMITED, 81, 90, 240, { 254, 0, 0 } },
    { SPPNET_COLOR_MATRIX_BT601, SPPNET_COLOR_RANGE_FULL, 76, 85, 255, { 254, 0, 0 } },
    { SPPNET_COLOR_MATRIX_BT709, SPPNET_COLOR_RANGE_LIMITED, 63, 102, 240, { 255, 1, 0 } },
    { SPPNET_COLOR_MATRIX_BT709, SPPNET_COLOR_RANGE_LIMITED, 32, 240, 118, { 1, 0, 255 } },
    { SPPNET_COLOR_MATRIX_BT2020, SPPNET_COLOR_RANGE_LIMITED, 74, 97, 240, { 255, 0, 2 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (colours); i++) {
    SppnetFrame frame = {
      SPPNET_PIXEL_FORMAT_I420, 1, 1, { &colours[i].y, &colours[i].u, &colours[i].v }, { 1, 1, 1 }, colours[i].matrix,
      colours[i].range
    };
    g_autofree guint8 *rgb = read_rgb (&frame, 0, 1);

    for (guint c = 0; c < 3; c++)
      g_assert_cmpint (ABS (rgb[c] - colours[i].rgb[c]), <=, 5); /* the code values are rounded, too */
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/ycbcr/lattice", test_lattice);
  g_test_add_func ("/frame/ycbcr/formats", test_formats);
  g_test_add_func ("/frame/ycbcr/portions", test_portions);
  g_test_add_func ("/frame/ycbcr/gray", test_gray);
  g_test_add_func ("/frame/ycbcr/levels", test_levels);
  g_test_add_func ("/frame/ycbcr/colours", test_colours);
  return g_test_run ();
}
