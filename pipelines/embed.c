/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds objects in pictures of any size, one after the other, that arrive on standard input as binary PPM:
 *   cc embed.c -o embed $(pkg-config --cflags --libs sppnet)
 *   djpeg dog.jpg | ./embed                    # or ./embed MODEL; djpeg is in libjpeg-turbo-progs
 */
#include <sppnet/sppnet.h>
#include <stdio.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = argc > 1 ? g_strdup (argv[1]) : sppnet_model_get_default_path (&error);
  g_autoptr (SppnetModel) model = path ? sppnet_model_load (path, &error) : NULL;
  g_autoptr (SppnetDetector) detector = model ? sppnet_detector_new (model, NULL, &error) : NULL;
  int items = EOF, width, height, white;

  while (detector && (items = scanf (" P6 %d %d %d%*c", &width, &height, &white)) == 3 && white == 255 && width > 0
         && width <= SPPNET_FRAME_MAX_SIZE && height > 0 && height <= SPPNET_FRAME_MAX_SIZE) {
    gsize bytes = 3 * (gsize) width * (gsize) height, n;
    g_autofree guint8 *pixels = g_malloc (bytes);
    SppnetFrame frame = {
      .format = SPPNET_PIXEL_FORMAT_RGB,
      .width = width,
      .height = height,
      .plane = { pixels },
      .stride = { width * 3 },
    };
    const SppnetDetection *found;

    if (fread (pixels, 1, bytes, stdin) != bytes)
      break;
    if (!sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, &error))
      break;
    for (gsize i = 0; i < n; i++)
      g_print ("%s %.2f at %.0f,%.0f %.0fx%.0f\n", found[i].label, found[i].confidence, found[i].box.x, found[i].box.y,
               found[i].box.width, found[i].box.height);
  }
  if (error || items != EOF)
    g_printerr ("%s\n", error ? error->message : "not a whole binary PPM picture of 8 bits, without comments");
  return error || items != EOF;
}
