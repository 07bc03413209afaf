/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pack.h"

static void
test_formats (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 3, 5 }, { 1, 9 }, { 17, 1 }, { 31, 7 }, { 513, 2 }, { 8192, 1 } };
  static const gint paddings[] = { 0, 1, 7 };
  SppnetRandom random = { 3 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    Picture picture = picture_new (&random, sizes[s][0], sizes[s][1]);
    gsize bytes = 3 * (gsize) picture.width * picture.height;

    for (guint f = SPPNET_PIXEL_FORMAT_RGB; f <= SPPNET_PIXEL_FORMAT_ABGR; f++)
      for (guint p = 0; p < G_N_ELEMENTS (paddings); p++) {
        SppnetFrame frame = pack (&picture, f, paddings[p], &random);
        g_autofree guint8 *rgb = read_rgb (&frame, 0, picture.height);

        g_assert_cmpmem (rgb, bytes, picture.rgb, bytes);
        unpack_free (&frame);
      }
    picture_clear (&picture);
  }
}

static void
assert_refused (const SppnetFrame *frame, SppnetError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_frame_check (frame, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
}

static void
test_check_size (void)
{
  static const gint bad[][2]
      = { { 0, 1 }, { 1, 0 }, { -1, 4 }, { 4, G_MININT }, { 8193, 1 }, { 1, 8193 }, { G_MAXINT, G_MAXINT } };
  guint8 pixel[4] = { 0 };
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, 1, 1, { pixel }, { 3 } };

  g_assert_true (sppnet_frame_check (&frame, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    frame.width = bad[i][0];
    frame.height = bad[i][1];
    frame.stride[0] = G_MAXINT;
    assert_refused (&frame, SPPNET_ERROR_UNSUPPORTED);
  }
  frame.width = frame.height = 8192;
  g_assert_true (sppnet_frame_check (&frame, NULL));

  frame.format = SPPNET_PIXEL_FORMAT_GRAY8 + 1;
  assert_refused (&frame, SPPNET_ERROR_UNSUPPORTED);
  frame.format = (SppnetPixelFormat) -1;
  assert_refused (&frame, SPPNET_ERROR_UNSUPPORTED);
  frame.format = SPPNET_PIXEL_FORMAT_I420;
  frame.matrix = SPPNET_COLOR_MATRIX_BT2020 + 1;
  assert_refused (&frame, SPPNET_ERROR_UNSUPPORTED);
  frame.matrix = SPPNET_COLOR_MATRIX_BT2020;
  frame.range = (SppnetColorRange) -1;
  assert_refused (&frame, SPPNET_ERROR_UNSUPPORTED);
}

/* The shortest stride is accepted, one byte less is not, nor is a missing plane; planes not in the format do not
 * matter. */
static void
test_check_planes (void)
{
  SppnetRandom random = { 4 };
  Picture picture = picture_new (&random, 7, 3);

  for (guint f = SPPNET_PIXEL_FORMAT_I420; f <= SPPNET_PIXEL_FORMAT_GRAY8; f++) {
    SppnetFrame frame = pack (&picture, f, 0, &random);

    g_assert_true (sppnet_frame_check (&frame, NULL));
    for (guint p = 0; p < 3; p++) {
      SppnetFrame broken = frame;

      if (!frame.plane[p])
        continue;
      broken.plane[p] = NULL;
      assert_refused (&broken, SPPNET_ERROR_SETTINGS);
      broken = frame;
      broken.stride[p]--;
      assert_refused (&broken, SPPNET_ERROR_SETTINGS);
      broken.stride[p] = -frame.stride[p];
      assert_refused (&broken, SPPNET_ERROR_SETTINGS);
      broken.stride[p] = G_MININT;
      assert_refused (&broken, SPPNET_ERROR_SETTINGS);
    }
    unpack_free (&frame);
  }
  picture_clear (&picture);
}

/* Bit-exact with the formula, any number of pixels, nothing read or written beyond. */
static void
test_normalize (void)
{
  static const gfloat mean[3] = { 104.0f, 0.25f, -3.5f }, scale[3] = { 1.0f / 255.0f, 1.0f, -0.017f };
  SppnetRandom random = { 5 };

  for (gsize pixels = 0; pixels <= 67; pixels++)
    for (gint bgr = 0; bgr < 2; bgr++) {
      g_autofree guint8 *rgb = random_bytes (&random, 3 * pixels);
      g_autofree gfloat *out = g_new (gfloat, 3 * pixels + 16);

      for (gsize i = 0; i < 3 * pixels + 16; i++)
        out[i] = 12345.0f;
      sppnet_frame_normalize (rgb, pixels, bgr, mean, scale, out);
      for (gsize i = 0; i < pixels; i++)
        for (guint c = 0; c < 3; c++)
          g_assert_cmpfloat (out[3 * i + c], ==, (rgb[3 * i + (bgr ? 2 - c : c)] - mean[c]) * scale[c]);
      for (gsize i = 0; i < 16; i++)
        g_assert_cmpfloat (out[3 * pixels + i], ==, 12345.0f);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/rgb/formats", test_formats);
  g_test_add_func ("/frame/check/size", test_check_size);
  g_test_add_func ("/frame/check/planes", test_check_planes);
  g_test_add_func ("/frame/normalize", test_normalize);
  return g_test_run ();
}
