/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooling.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Channel-wise maximum over a rectangle of cells, both ends exclusive of x1, y1; zero for an empty one (Fast R-CNN). */
static void
pool_cells (const SppnetKernels *kernels, const SppnetMap *map, gint x0, gint x1, gint y0, gint y1, gfloat *out)
{
  gsize channels = map->channels;

  if (x0 >= x1 || y0 >= y1) {
    memset (out, 0, sizeof *out * channels);
    return;
  }
  for (gint y = y0; y < y1; y++) {
    const gfloat *row = map->data + ((gsize) y * map->width + x0) * channels;

    if (y == y0)
      kernels->max_rows (out, row, x1 - x0, channels, channels);
    else
      for (gint x = x0; x < x1; x++, row += channels)
        kernels->max_into (out, row, channels);
  }
}

/* Far outside any map where the coordinate is wild or not a number, and small enough to multiply by a level. */
static gint
nearest_cell (gfloat x, gint stride)
{
  gdouble cell = round ((gdouble) x / stride);

  return isnan (cell) ? 0 : (gint) CLAMP (cell, -100000.0, 100000.0);
}

void
sppnet_region_bins (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, SppnetWindow *bins)
{
  SppnetWindow window;

  if (config->pooling == SPPNET_POOLING_ROI) {
    /* Fast R-CNN: both corners rounded to cells, at least one cell, then clipped to the map. */
    window.x0 = nearest_cell (box->x, map->geometry.stride);
    window.y0 = nearest_cell (box->y, map->geometry.stride);
    window.x1 = MAX (nearest_cell (box->x + box->width - 1, map->geometry.stride), window.x0);
    window.y1 = MAX (nearest_cell (box->y + box->height - 1, map->geometry.stride), window.y0);
  } else {
    window = sppnet_window_from_box (box, &map->geometry, map->width, map->height);
  }

  for (guint l = 0; l < config->n_levels; l++) {
    gint n = config->levels[l];

    for (gint i = 0; i < n * n; i++, bins++) {
      gint x0, x1, y0, y1;

      sppnet_bin_range (i % n, n, window.x1 - window.x0 + 1, &x0, &x1);
      sppnet_bin_range (i / n, n, window.y1 - window.y0 + 1, &y0, &y1);
      bins->x0 = CLAMP (window.x0 + x0, 0, map->width);
      bins->y0 = CLAMP (window.y0 + y0, 0, map->height);
      bins->x1 = CLAMP (window.x0 + x1, 0, map->width);
      bins->y1 = CLAMP (window.y0 + y1, 0, map->height);
    }
  }
}

void
sppnet_pool_regions (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n, guint threads,
                     gfloat *out)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint n_bins = sppnet_config_bins (config);
  gsize length = (gsize) n_bins * map->channels;

#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
  for (gsize i = 0; i < n; i++) {
    SppnetWindow bins[SPPNET_MAX_BINS];

    sppnet_region_bins (map, config, &boxes[i], bins);
    for (gint b = 0; b < n_bins; b++)
      pool_cells (kernels, map, bins[b].x0, bins[b].x1, bins[b].y0, bins[b].y1,
                  out + i * length + (gsize) b * map->channels);
  }
}

void
sppnet_pooled_from_file_order (const SppnetConfig *config, guint32 *index)
{
  guint32 channels = (guint32) sppnet_config_channels (config);
  guint32 level_start = 0;

  for (guint l = 0; l < config->n_levels; l++) {
    guint32 bins = (guint32) (config->levels[l] * config->levels[l]);

    for (guint32 c = 0; c < channels; c++)
      for (guint32 b = 0; b < bins; b++)
        *index++ = level_start + b * channels + c;
    level_start += bins * channels;
  }
}
