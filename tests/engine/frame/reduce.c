/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reduced frame is the mean of the pixels that the frame has in RGB, of any format and size. */
#include "frame/reduce.h"

#include "pack.h"

static guint8
mean (const guint8 *rgb, gint width, gint height, gint factor, gint x, gint y, gint c)
{
  guint sum = 0, n = 0;

  for (gint j = y * factor; j < MIN ((y + 1) * factor, height); j++)
    for (gint i = x * factor; i < MIN ((x + 1) * factor, width); i++, n++)
      sum += rgb[3 * (j * width + i) + c];
  return (guint8) ((2 * sum + n) / (2 * n));
}

static void
test_mean (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 2, 3 }, { 37, 23 }, { 64, 48 }, { 5, 130 } };
  static const gint factors[] = { 2, 3, 8, 16, 40 };
  SppnetRandom random = { 5 };
  SppnetReducedMemory memory = { { 0 } };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (gint format = 0; format <= SPPNET_PIXEL_FORMAT_GRAY8; format++)
      for (guint f = 0; f < G_N_ELEMENTS (factors); f++) {
        gint width = sizes[s][0], height = sizes[s][1], factor = factors[f];
        Picture picture = picture_new (&random, width, height);
        SppnetFrame frame = pack (&picture, (SppnetPixelFormat) format, (gint) f, &random), reduced;
        g_autofree guint8 *rgb = g_malloc (3 * (gsize) width * (gsize) height);

        sppnet_frame_read_rgb (&frame, 0, height, rgb);
        g_assert_true (sppnet_frame_reduce (&frame, factor, 1 + f % 3, &memory, &reduced, NULL));
        g_assert_cmpint (reduced.width, ==, (width + factor - 1) / factor);
        g_assert_cmpint (reduced.height, ==, (height + factor - 1) / factor);
        g_assert_cmpint (reduced.format, ==, SPPNET_PIXEL_FORMAT_RGB);
        for (gint y = 0; y < reduced.height; y++)
          for (gint x = 0; x < reduced.width; x++)
            for (gint c = 0; c < 3; c++)
              g_assert_cmpuint (reduced.plane[0][y * reduced.stride[0] + 3 * x + c], ==,
                                mean (rgb, width, height, factor, x, y, c));
        unpack_free (&frame);
        picture_clear (&picture);
      }
  sppnet_reduced_memory_clear (&memory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/reduce/mean", test_mean);
  return g_test_run ();
}
