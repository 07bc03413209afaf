/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times the convolution layers of a model on a made-up frame. --input and --map are written, for the peers, and for
 * their results to be compared with. The time includes reading the pixels, which the peers do not do. */
#include <string.h>

#include "../tools/texture.h"
#include "backbone/backbone.h"
#include "base/cpu.h"
#include "peers/peer.h"

/* [height][width][channels] -> [channels][height][width], to a file */
static void
write_planes (const gchar *path, const gfloat *cells, gsize n, gsize channels)
{
  g_autofree gfloat *planes = g_new (gfloat, n * channels);

  for (gsize i = 0; i < n; i++)
    for (gsize c = 0; c < channels; c++)
      planes[c * n + i] = cells[i * channels + c];
  peer_write (path, planes, n * channels);
}

static void
write_input (const gchar *path, const SppnetPicture *picture, const SppnetConfig *config)
{
  gsize pixels = (gsize) picture->width * (gsize) picture->height;
  g_autofree gfloat *input = g_new (gfloat, pixels * 3);

  sppnet_frame_normalize (picture->rgb, pixels, config->input_bgr, config->input_mean, config->input_scale, input);
  write_planes (path, input, pixels, 3);
}

/* ms: [repeat] */
static gboolean
run (SppnetModel *model, const SppnetPicture *picture, const PeerArguments *arg, gdouble *ms, GError **error)
{
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, error);
  SppnetFrame frame = sppnet_picture_frame (picture);
  SppnetMap map;

  if (!backbone || !sppnet_backbone_run (backbone, &frame, arg->threads, &map, NULL, error))
    return FALSE;
  for (guint i = 0; i < arg->repeat; i++) {
    gint64 start = g_get_monotonic_time ();

    if (!sppnet_backbone_run (backbone, &frame, arg->threads, &map, NULL, error))
      return FALSE;
    ms[i] = (g_get_monotonic_time () - start) / 1000.0;
  }
  peer_print (arg, "gst-sppnet", SPPNET_VERSION, ms);
  if (arg->map)
    write_planes (arg->map, map.data, (gsize) map.width * (gsize) map.height, (gsize) map.channels);
  return TRUE;
}

int
main (int argc, char **argv)
{
  PeerArguments arg = peer_parse (argc, argv);
  g_auto (SppnetPicture) picture = { 0 };
  g_autofree gdouble *ms = g_new (gdouble, arg.repeat);
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetModel) model = sppnet_model_load (arg.model, &error);

  if (!model) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  sppnet_texture_fill (&picture, arg.width, arg.height, 1);
  if (arg.input)
    write_input (arg.input, &picture, sppnet_model_get_config (model));
  if (!run (model, &picture, &arg, ms, &error)) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  return 0;
}
