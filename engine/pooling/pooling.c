/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooling.h"

#include <math.h>
#include <string.h>

/* Bins along one axis of a level, at most. */
#define MAX_SIDE 32
/* Tables of maxima are made up to this size together, and when the regions so far had so many cells for each cell of
 * them. */
#define TABLE_BYTES (96u << 20)
#define TABLE_WORTH 4

/* Far outside any map where the coordinate is wild or not a number, and small enough to multiply by a level. */
static gint
nearest_cell (gfloat x, gint stride)
{
  gdouble cell = round ((gdouble) x / stride);

  return isnan (cell) ? 0 : (gint) CLAMP (cell, -100000.0, 100000.0);
}

static SppnetWindow
region_window (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box)
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

/* A level's window: that of the region, or a larger one around it, on the map. It depends on the region's window alone,
 * so that regions of one window have one vector. */
static SppnetWindow
level_window (const SppnetMap *map, const SppnetConfig *config, guint level, SppnetWindow window)
{
  if (config->scales[level] != 1.0f) {
    enlarge (&window.x0, &window.x1, config->scales[level], map->width);
    enlarge (&window.y0, &window.y1, config->scales[level], map->height);
  }
  return window;
}

/* The cells of the n bins along one axis of a window from first to last: [n], the first and one past the last. */
typedef struct
{
  gint first, end;
} Range;

static void
divide (gint first, gint last, gint n, gint limit, Range *ranges)
{
  for (gint i = 0; i < n; i++) {
    sppnet_bin_range (i, n, last - first + 1, &ranges[i].first, &ranges[i].end);
    ranges[i].first = CLAMP (first + ranges[i].first, 0, limit);
    ranges[i].end = CLAMP (first + ranges[i].end, 0, limit);
  }
}

void
sppnet_region_bins (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, SppnetWindow *bins)
{
  SppnetWindow region = region_window (map, config, box);
  Range x[MAX_SIDE], y[MAX_SIDE];

  for (guint l = 0; l < config->n_levels; l++) {
    SppnetWindow window = level_window (map, config, l, region);
    gint n = config->levels[l];

    divide (window.x0, window.x1, n, map->width, x);
    divide (window.y0, window.y1, n, map->height, y);
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
  window = region_window (map, config, box);
  return sppnet_window_area (&window, &map->geometry);
}

/* Zero for an empty bin (Fast R-CNN). out: [n][n][channels] */
static void
pool_from_cells (const SppnetMaxTables *tables, const SppnetWindow *window, gint n, gfloat *out)
{
  Range x[MAX_SIDE], y[MAX_SIDE];

  divide (window->x0, window->x1, n, tables->width, x);
  divide (window->y0, window->y1, n, tables->height, y);
  for (gint i = 0; i < n * n; i++, out += tables->channels) {
    const Range *across = &x[i % n], *down = &y[i / n];

    if (across->first >= across->end || down->first >= down->end)
      memset (out, 0, sizeof *out * tables->channels);
    else
      sppnet_max_tables_pool (tables, across->first, across->end, down->first, down->end, out);
  }
}

/* Bin i of n is the union of bins i r .. i r + r - 1 of n r, whatever the window: floor (i r a / (n r)) = floor (i a /
 * n), and so for the end. finer: [n r][n r][channels], out: [n][n][channels] */
static void
pool_from_bins (const SppnetMaxTables *map, const gfloat *finer, gint n, gint r, gfloat *out)
{
  SppnetMaxTables tables = { { finer }, 1, n * r, n * r, map->channels, map->kernels };

  for (gint i = 0; i < n * n; i++, out += map->channels)
    sppnet_max_tables_pool (&tables, i % n * r, i % n * r + r, i / n * r, i / n * r + r, out);
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

/* out: [n][bins][channels] */
static void
pool_regions (const SppnetMaxTables *tables, const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes,
              gsize n, guint threads, gfloat *out)
{
  gsize length = (gsize) sppnet_config_bins (config) * map->channels;
  SppnetPyramidStep steps[SPPNET_MAX_LEVELS];

  sppnet_pyramid_plan (config, steps);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
  for (gsize i = 0; i < n; i++) {
    SppnetWindow window = region_window (map, config, &boxes[i]);
    gfloat *vector = out + i * length;

    for (guint s = 0; s < config->n_levels; s++) {
      gint source = steps[s].source, level = config->levels[steps[s].level];
      gfloat *bins = vector + steps[s].first * map->channels;

      if (source < 0) {
        SppnetWindow larger = level_window (map, config, steps[s].level, window);

        pool_from_cells (tables, &larger, level, bins);
      } else {
        pool_from_bins (tables, vector + steps[s].source_first * map->channels, level, config->levels[source] / level,
                        bins);
      }
    }
  }
}

void
sppnet_pool_regions (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n, guint threads,
                     gfloat *out)
{
  SppnetMaxTables tables = sppnet_max_tables_none (map);

  pool_regions (&tables, map, config, boxes, n, threads, out);
}

gboolean
sppnet_pooler_set_map (SppnetPooler *pooler, const SppnetMap *map, const SppnetConfig *config, GError **error)
{
  gsize bytes = sizeof (gfloat) * (gsize) map->width * map->height * map->channels;
  SppnetPyramidStep steps[SPPNET_MAX_LEVELS];
  gint coarsest = G_MAXINT; /* of the levels that are pooled from cells */

  sppnet_pyramid_plan (config, steps);
  for (guint s = 0; s < config->n_levels; s++)
    if (steps[s].source < 0)
      coarsest = MIN (coarsest, config->levels[steps[s].level]);
  pooler->map = *map;
  pooler->config = config;
  pooler->tables = sppnet_max_tables_none (map);
  pooler->cells = 0;
  /* As many as the largest bins can use. */
  pooler->n_tables = 1;
  while (pooler->n_tables < SPPNET_MAX_TABLES && pooler->n_tables * bytes <= TABLE_BYTES
         && MIN (map->width, map->height) / coarsest >= 1 << pooler->n_tables)
    pooler->n_tables++;
  /* Now, and not when there happen to be many regions: a stream allocates in its first frame. */
  return sppnet_buffer_reserve (&pooler->memory, pooler->n_tables - 1, bytes, error) != NULL;
}

void
sppnet_pooler_clear (SppnetPooler *pooler)
{
  sppnet_buffer_clear (&pooler->memory);
}

void
sppnet_pooler_run (SppnetPooler *pooler, const SppnetBox *boxes, gsize n, guint threads, gfloat *out)
{
  const SppnetMap *map = &pooler->map;

  for (gsize i = 0; i < n && pooler->tables.n < pooler->n_tables; i++) {
    SppnetWindow window = region_window (map, pooler->config, &boxes[i]);

    pooler->cells += (gsize) CLAMP (window.x1 - window.x0 + 1, 1, map->width)
                     * (gsize) CLAMP (window.y1 - window.y0 + 1, 1, map->height);
    /* A table costs four cells for each of the map. */
    if (pooler->cells > TABLE_WORTH * pooler->n_tables * (gsize) map->width * (gsize) map->height)
      pooler->tables = sppnet_max_tables_build (map, pooler->n_tables, threads, pooler->memory.data);
  }
  pool_regions (&pooler->tables, map, pooler->config, boxes, n, threads, out);
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
