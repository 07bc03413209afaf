/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a small model that finds red and green things: model FILE */
#include "../engine/detect/scene.h"

int
main (int argc, char **argv)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  if (argc != 2)
    return 2;
  scene_config (&config);
  config.proposals = SPPNET_PROPOSALS_GRID;
  if (tiny_model_save (argv[1], &config, scene_fill, NULL, &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
