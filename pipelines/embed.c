/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds objects in pictures of any size, one after the other, that arrive on standard input as binary PPM:
 *   cc embed.c -o embed $(pkg-config --cflags --libs sppnet)
 *   djpeg dog.jpg | ./embed voc20.safetensors
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
  int width, height;

  while (detector && scanf (" P6 %d %d 255%*c", &width, &height) == 2) {
    gsize bytes = 3 * (gsize) CLAMP (width, 1, SPPNET_FRAME_MAX_SIZE) * CLAMP (height, 1, SPPNET_FRAME_MAX_SIZE);
    g_autofree guint8 *pixels = g_malloc0 (bytes);
    SppnetFrame frame = {
      .format = SPPNET_PIXEL_FORMAT_RGB, .width = width, .height = height, .plane = { pixels }, .stride = { width * 3 },
    };
    const SppnetDetection *found;
    gsize n;

    if (fread (pixels, 1, bytes, stdin) != bytes) {
      g_printerr ("the picture ends early\n");
      return 1;
    }
    if (!sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, &error))
      break;
    for (gsize i = 0; i < n; i++)
      g_print ("%s %.2f at %.0f,%.0f %.0fx%.0f\n", found[i].label, found[i].confidence, found[i].box.x,
               found[i].box.y, found[i].box.width, found[i].box.height);
  }
  if (error)
    g_printerr ("%s\n", error->message);
  return error != NULL;
}
