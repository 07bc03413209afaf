/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spatial pyramid pooling of regions of random size and place: as it is defined, and as a detector does it. Prints
 * processor time of one thread.
 *
 *   pooling [REGIONS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "pooling/pooler.h"

#define CHUNK 2048 /* as in detect/scoring.c */
#define ROUNDS 7

static SppnetBox *
random_boxes (gsize n, gint width, gint height)
{
  SppnetRandom random = { 1 };
  SppnetBox *boxes = g_new (SppnetBox, n);

  for (gsize i = 0; i < n; i++) {
    gfloat x = (gfloat) (sppnet_random_uniform (&random) * width),
           y = (gfloat) (sppnet_random_uniform (&random) * height);
    gfloat w = (gfloat) (sppnet_random_uniform (&random) * width),
           h = (gfloat) (sppnet_random_uniform (&random) * height);

    boxes[i] = (SppnetBox) { MIN (x, w), MIN (y, h), ABS (x - w) + 1, ABS (y - h) + 1 };
  }
  return boxes;
}

/* Milliseconds of the quickest of some rounds. */
static gdouble
time_pooling (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n, gboolean pooler_runs,
              gfloat *out)
{
  gdouble best = G_MAXDOUBLE;
  SppnetPooler pooler = { 0 };

  for (gint round = 0; round < ROUNDS; round++) {
    gint64 start = g_get_monotonic_time ();

    if (pooler_runs && !sppnet_pooler_set_map (&pooler, map, config, CHUNK, 1, NULL))
      g_error ("no memory");
    for (gsize first = 0; first < n; first += CHUNK)
      if (pooler_runs)
        sppnet_pooler_run (&pooler, boxes + first, MIN (CHUNK, n - first), 1);
      else
        sppnet_pool_regions (map, config, boxes + first, MIN (CHUNK, n - first), 1, out);
    best = MIN (best, (gdouble) (g_get_monotonic_time () - start) / 1e3);
  }
  sppnet_pooler_clear (&pooler);
  return best;
}

int
main (int argc, char **argv)
{
  static const gint strides[] = { 16, 8 };
  const gint width = 640, height = 480, channels = 128;
  gsize n = argc > 1 ? (gsize) atoi (argv[1]) : 2000;
  g_autofree SppnetBox *boxes = random_boxes (n, width, height);
  g_auto (SppnetConfig) config;
  SppnetRandom random = { 2 };

  sppnet_config_init (&config);
  /* That of the default model: with a window of three times the size around each region. */
  for (gint level = 1; level <= 2; level++) {
    config.levels[config.n_levels] = level;
    config.scales[config.n_levels++] = 3;
  }
  printf ("%-12s %12s %12s\n", "map", "defined, ms", "detector, ms");
  for (guint s = 0; s < G_N_ELEMENTS (strides); s++) {
    SppnetMap map = { NULL, width / strides[s], height / strides[s], channels, { strides[s], 0, 0 } };
    gsize floats = (gsize) map.width * map.height * channels;
    gfloat *cells = sppnet_aligned_alloc (sizeof (gfloat) * floats);
    gfloat *out = sppnet_aligned_alloc (sizeof (gfloat) * CHUNK * (gsize) sppnet_config_bins (&config) * channels);

    for (gsize i = 0; i < floats; i++)
      cells[i] = (gfloat) sppnet_random_normal (&random);
    map.data = cells;
    printf ("%3dx%-8d %12.2f %12.2f\n", map.width, map.height, time_pooling (&map, &config, boxes, n, FALSE, out),
            time_pooling (&map, &config, boxes, n, TRUE, out));
    sppnet_aligned_free (cells);
    sppnet_aligned_free (out);
  }
  return 0;
}
