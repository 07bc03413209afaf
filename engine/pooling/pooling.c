/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooling.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Cells handed to the kernel at once. */
#define BATCH 32

/* Far outside any map where the coordinate is wild or not a number, and small enough to multiply by a level. */
static gint
nearest_cell (gfloat x, gint stride)
{
  gdouble cell = round ((gdouble) x / stride);

  return isnan (cell) ? 0 : (gint) CLAMP (cell, -100000.0, 100000.0);
}

SppnetWindow
sppnet_region_window (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box)
{
  SppnetWindow window;

  if (config->pooling != SPPNET_POOLING_ROI)
    return sppnet_window_from_box (box, &map->geometry, map->width, map->height);
  /* Fast R-CNN: both corners rounded to cells, at least one cell, then clipped to the map. */
  window.x0 = nearest_cell (box->x, map->geometry.stride);
  window.y0 = nearest_cell (box->y, map->geometry.stride);
  window.x1 = MAX (nearest_cell (box->x + box->width - 1, map->geometry.stride), window.x0);
  window.y1 = MAX (nearest_cell (box->y + box->height - 1, map->geometry.stride), window.y0);
  return window;
}

static void
enlarge (gint *first, gint *last, gfloat scale, gint cells)
{
  gint more = (gint) lroundf (0.5f * (scale - 1.0f) * (gfloat) (*last - *first + 1));

  *first = MAX (*first - more, 0);
  *last = MIN (*last + more, cells - 1);
}

/* It depends on the region's window alone, so that regions of one window have one vector. */
SppnetWindow
sppnet_level_window (const SppnetMap *map, const SppnetConfig *config, guint level, const SppnetWindow *window)
{
  SppnetWindow larger = *window;

  if (config->scales[level] != 1.0f) {
    enlarge (&larger.x0, &larger.x1, config->scales[level], map->width);
    enlarge (&larger.y0, &larger.y1, config->scales[level], map->height);
  }
  return larger;
}

/* The n bins along one axis of a window from first to last: sppnet_bin_range() with one division instead of two a bin.
 * Bin i ends, rounded down, at first, with a rest of over parts of n. */
static void
divide (gint first, gint last, gint n, gint limit, SppnetRange *ranges)
{
  gint whole = (last - first + 1) / n, rest = (last - first + 1) % n, over = 0;

  for (gint i = 0; i < n; i++) {
    ranges[i].first = CLAMP (first, 0, limit);
    first += whole;
    over += rest;
    if (over >= n) {
      over -= n;
      first++;
    }
    ranges[i].end = CLAMP (first + (over > 0), 0, limit);
  }
}

void
sppnet_window_ranges (const SppnetMap *map, const SppnetWindow *window, gint level, SppnetRange *x, SppnetRange *y)
{
  divide (window->x0, window->x1, level, map->width, x);
  divide (window->y0, window->y1, level, map->height, y);
}

void
sppnet_region_bins (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, SppnetWindow *bins)
{
  SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];
  SppnetWindow window = sppnet_region_window (map, config, box);

  for (guint l = 0; l < config->n_levels; l++) {
    SppnetWindow larger = sppnet_level_window (map, config, l, &window);
    gint n = config->levels[l];

    sppnet_window_ranges (map, &larger, n, x, y);
    for (gint i = 0; i < n * n; i++)
      *bins++ = (SppnetWindow) { x[i % n].first, y[i / n].first, x[i % n].end, y[i / n].end };
  }
}

SppnetBox
sppnet_region_base (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box)
{
  SppnetWindow window;

  if (config->box_from == SPPNET_BOX_FROM_REGION)
    return *box;
  window = sppnet_region_window (map, config, box);
  return sppnet_window_area (&window, &map->geometry);
}

/* Channel-wise maximum over the cells of a rectangle of cells; 0 where it has none (Fast R-CNN). out: [channels] */
static void
pool_bin (const SppnetMap *map, const SppnetWindow *bin, gfloat *out)
{
  gsize channels = (gsize) map->channels;
  const gfloat *cells[BATCH];
  guint n = 0;

  if (bin->x0 >= bin->x1 || bin->y0 >= bin->y1) {
    memset (out, 0, sizeof *out * channels);
    return;
  }
  for (gint y = bin->y0; y < bin->y1; y++)
    for (gint x = bin->x0; x < bin->x1; x++) {
      if (n == BATCH) {
        sppnet_kernels ()->max_cells (out, cells, n, channels);
        cells[0] = out;
        n = 1;
      }
      cells[n++] = map->data + ((gsize) y * (gsize) map->width + (gsize) x) * channels;
    }
  sppnet_kernels ()->max_cells (out, cells, n, channels);
}

void
sppnet_pyramid_plan (const SppnetConfig *config, SppnetPyramidStep *steps)
{
  gboolean done[SPPNET_MAX_LEVELS] = { FALSE };
  gsize first[SPPNET_MAX_LEVELS], bins = 0;

  for (guint l = 0; l < config->n_levels; l++) {
    first[l] = bins;
    bins += (gsize) (config->levels[l] * config->levels[l]);
  }
  for (guint s = 0; s < config->n_levels; s++) {
    SppnetPyramidStep *step = &steps[s];

    *step = (SppnetPyramidStep) { SPPNET_MAX_LEVELS, -1, 0, 0 };
    for (guint l = 0; l < config->n_levels; l++)
      if (!done[l] && (step->level == SPPNET_MAX_LEVELS || config->levels[l] > config->levels[step->level]))
        step->level = l;
    /* The coarsest that nests has the fewest bins to look at. */
    for (guint l = 0; l < config->n_levels; l++)
      if (done[l] && config->scales[l] == config->scales[step->level]
          && config->levels[l] % config->levels[step->level] == 0
          && (step->source < 0 || config->levels[l] < config->levels[step->source]))
        step->source = (gint) l;
    step->first = first[step->level];
    step->source_first = step->source < 0 ? 0 : first[step->source];
    done[step->level] = TRUE;
  }
}

/* The bins of a level from the map, or from those of a finer level. vector: [bins][channels] */
static void
pool_level (const SppnetMap *map, const SppnetConfig *config, const SppnetPyramidStep *step, const SppnetWindow *bins,
            gfloat *vector)
{
  gint level = config->levels[step->level];
  gsize channels = (gsize) map->channels;
  gfloat *out = vector + step->first * channels;

  if (step->source < 0) {
    for (gint i = 0; i < level * level; i++)
      pool_bin (map, &bins[step->first + (gsize) i], out + (gsize) i * channels);
  } else {
    gint finer = config->levels[step->source], r = finer / level;
    SppnetMap source = { vector + step->source_first * channels, finer, finer, map->channels, map->geometry };

    for (gint i = 0; i < level * level; i++) {
      gint x = i % level * r, y = i / level * r;
      SppnetWindow bin = { x, y, x + r, y + r };

      pool_bin (&source, &bin, out + (gsize) i * channels);
    }
  }
}

void
sppnet_pool_regions (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n, guint threads,
                     gfloat *out)
{
  gsize n_bins = (gsize) sppnet_config_bins (config);
  SppnetPyramidStep steps[SPPNET_MAX_LEVELS];

  sppnet_pyramid_plan (config, steps);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
  for (gsize i = 0; i < n; i++) {
    SppnetWindow bins[SPPNET_MAX_BINS];

    sppnet_region_bins (map, config, &boxes[i], bins);
    for (guint s = 0; s < config->n_levels; s++)
      pool_level (map, config, &steps[s], bins, out + i * n_bins * (gsize) map->channels);
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

void
sppnet_region_features_from_file_order (const SppnetConfig *config, guint32 *index)
{
  guint32 filters = (guint32) sppnet_config_region_channels (config, config->n_region_layers);
  guint32 bins = (guint32) sppnet_config_region_features (config) / filters;

  for (guint32 c = 0; c < filters; c++)
    for (guint32 b = 0; b < bins; b++)
      *index++ = b * filters + c;
}
