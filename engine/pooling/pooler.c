/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooler.h"

/* The map in steps and tables of maxima take no more than this together, if the map alone does not; tables are made
 * when the bins so far had so many cells for each cell of them. */
#define TABLE_BYTES (96u << 20)
#define TABLE_WORTH 2

/* One run, for its threads. */
typedef struct
{
  const SppnetKernels *kernels;
  const SppnetPooler *pooler;
  const SppnetBox *boxes;
  gsize n, bins;
  SppnetBinPlan *plans; /* [n][n_bases] */
  guint8 *pooled;       /* [groups][n][bins][SPPNET_STEPS] */
} Run;

/* Which levels are pooled from the map, and which are unions of what is pooled before. */
static void
plan_pyramid (SppnetPooler *pooler)
{
  const SppnetConfig *config = pooler->config;
  SppnetPyramidStep pyramid[SPPNET_MAX_LEVELS];

  sppnet_pyramid_plan (config, pyramid);
  pooler->n_bases = pooler->n_unions = 0;
  for (guint s = 0; s < config->n_levels; s++) {
    const SppnetPyramidStep *step = &pyramid[s];
    gint level = config->levels[step->level];

    if (step->source < 0)
      pooler->bases[pooler->n_bases++] = *step;
    else
      pooler->unions[pooler->n_unions++]
          = (SppnetUnionPlan) { (guint32) level, (guint32) (config->levels[step->source] / level),
                                (guint32) (step->first * SPPNET_STEPS), (guint32) (step->source_first * SPPNET_STEPS) };
  }
}

static gint
base_level (const SppnetPooler *pooler, guint base)
{
  return pooler->config->levels[pooler->bases[base].level];
}

/* None where all windows are on the map, and short enough. */
static gsize
most_offsets (const SppnetPooler *pooler)
{
  const SppnetMap *map = &pooler->map;
  gsize n = 0;

  if (pooler->config->pooling == SPPNET_POOLING_SPP && MAX (map->width, map->height) <= SPPNET_AXIS_LONGEST)
    return 0;
  for (guint b = 0; b < pooler->n_bases; b++)
    n += sppnet_bin_plan_most (map->width, map->height, base_level (pooler, b));
  return n;
}

gsize
sppnet_pooler_region_bytes (const SppnetMap *map, const SppnetConfig *config)
{
  SppnetPooler pooler = { .map = *map, .config = config };

  plan_pyramid (&pooler);
  return sppnet_steps_of_region (config) + pooler.n_bases * sizeof (SppnetBinPlan)
         + most_offsets (&pooler) * sizeof (guint32);
}

/* As many as the largest bins of any level can use. */
static guint
count_tables (const SppnetPooler *pooler)
{
  const SppnetMap *map = &pooler->map;
  gsize bytes = (gsize) map->width * (gsize) map->height * sppnet_step_groups ((gsize) map->channels) * SPPNET_STEPS;
  gint coarsest = SPPNET_MAX_LEVEL; /* of the levels that are pooled from the map */

  for (guint b = 0; b < pooler->n_bases; b++)
    coarsest = MIN (coarsest, base_level (pooler, b));
  return (guint) CLAMP (TABLE_BYTES / bytes, 1,
                        sppnet_max_tables_useful (map->width / coarsest, map->height / coarsest));
}

gboolean
sppnet_pooler_set_map (SppnetPooler *pooler, const SppnetMap *map, const SppnetConfig *config, gsize most,
                       guint threads, GError **error)
{
  gsize groups = sppnet_step_groups ((gsize) map->channels), bins = (gsize) sppnet_config_bins (config);
  gsize cells = (gsize) map->width * (gsize) map->height;
  guint n_tables;
  guint8 *tables;

  pooler->map = *map;
  pooler->map.data = NULL;
  pooler->config = config;
  pooler->most = most;
  pooler->cells = 0;
  /* Offsets of cells are numbers of 32 bits. */
  if (cells > G_MAXUINT32 / SPPNET_STEPS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "a map of %dx%d cells is too large to pool from",
                 map->width, map->height);
    return FALSE;
  }
  plan_pyramid (pooler);
  for (guint b = 0; b < pooler->n_bases; b++)
    if (!sppnet_bin_axis_set (&pooler->x[b], base_level (pooler, b), map->width, SPPNET_STEPS, error)
        || !sppnet_bin_axis_set (&pooler->y[b], base_level (pooler, b), map->height, (gsize) map->width * SPPNET_STEPS,
                                 error))
      return FALSE;
  pooler->offsets_of_region = most_offsets (pooler);
  n_tables = count_tables (pooler);
  tables = sppnet_buffer_reserve (&pooler->memory, groups * n_tables * cells, SPPNET_STEPS, error);
  if (!tables || !sppnet_step_sizes_choose (&pooler->sizes, map->data, cells, (gsize) map->channels, threads, error)
      || !sppnet_buffer_reserve (&pooler->plans, most * pooler->n_bases, sizeof (SppnetBinPlan), error)
      || !sppnet_buffer_reserve (&pooler->offsets, most * pooler->offsets_of_region, sizeof (guint32), error)
      || !sppnet_buffer_reserve (&pooler->pooled, groups * most * bins, SPPNET_STEPS, error))
    return FALSE;
  pooler->tables = sppnet_max_tables_init (map, &pooler->sizes, n_tables, threads, tables);
  return TRUE;
}

void
sppnet_pooler_clear (SppnetPooler *pooler)
{
  sppnet_buffer_clear (&pooler->memory);
  sppnet_step_sizes_clear (&pooler->sizes);
  for (guint b = 0; b < SPPNET_MAX_LEVELS; b++) {
    sppnet_bin_axis_clear (&pooler->x[b]);
    sppnet_bin_axis_clear (&pooler->y[b]);
  }
  sppnet_buffer_clear (&pooler->plans);
  sppnet_buffer_clear (&pooler->offsets);
  sppnet_buffer_clear (&pooler->pooled);
}

static SppnetWindow
base_window (const SppnetPooler *pooler, guint base, const SppnetWindow *window)
{
  return sppnet_level_window (&pooler->map, pooler->config, pooler->bases[base].level, window);
}

/* Of a window that may reach over the map's edges. */
static gint
cells_on_map (gint first, gint last, gint cells)
{
  return MAX (MIN (last, cells - 1) - MAX (first, 0) + 1, 0);
}

/* Whether tables pay for this run's regions and those before it. */
static gboolean
tables_pay (SppnetPooler *pooler, const SppnetBox *boxes, gsize n)
{
  const SppnetMap *map = &pooler->map;
  gsize worth = (gsize) TABLE_WORTH * pooler->tables.most * (gsize) map->width * (gsize) map->height;

  for (gsize i = 0; i < n && pooler->cells <= worth; i++) {
    SppnetWindow region = sppnet_region_window (map, pooler->config, &boxes[i]);

    for (guint b = 0; b < pooler->n_bases; b++) {
      SppnetWindow window = base_window (pooler, b, &region);

      pooler->cells += (gsize) cells_on_map (window.x0, window.x1, map->width)
                       * (gsize) cells_on_map (window.y0, window.y1, map->height);
    }
  }
  return pooler->cells > worth;
}

/* Whether the axes know this window's bins. */
static gboolean
is_plain (const SppnetMap *map, const SppnetWindow *window)
{
  return window->x0 >= 0 && window->y0 >= 0 && window->x1 < map->width && window->y1 < map->height
         && window->x1 - window->x0 < SPPNET_AXIS_LONGEST && window->y1 - window->y0 < SPPNET_AXIS_LONGEST;
}

/* Where one region's bins are found, of each level that is pooled from the map. */
static void
plan_region (const Run *run, gsize i)
{
  const SppnetPooler *pooler = run->pooler;
  guint32 *offsets = (guint32 *) pooler->offsets.data + i * pooler->offsets_of_region;
  SppnetBinPlan *plans = run->plans + i * pooler->n_bases;
  SppnetWindow region = sppnet_region_window (&pooler->map, pooler->config, &run->boxes[i]);

  for (guint b = 0; b < pooler->n_bases; b++) {
    SppnetWindow window = base_window (pooler, b, &region);

    if (is_plain (&pooler->map, &window)) {
      plans[b] = sppnet_bin_plan_window (&pooler->tables, &pooler->x[b], &pooler->y[b], &window);
    } else {
      SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];

      sppnet_window_ranges (&pooler->map, &window, base_level (pooler, b), x, y);
      plans[b] = sppnet_bin_plan_ranges (&pooler->tables, x, y, base_level (pooler, b), &offsets);
    }
    plans[b].out = (guint32) (pooler->bases[b].first * SPPNET_STEPS);
  }
  g_assert (offsets <= (guint32 *) pooler->offsets.data + (i + 1) * pooler->offsets_of_region);
}

static void
pool_region (const Run *run, gsize i, gsize group)
{
  const SppnetPooler *pooler = run->pooler;

  run->kernels->max_pyramid (run->pooled + (group * run->n + i) * run->bins * SPPNET_STEPS,
                             pooler->tables.steps + sppnet_max_tables_group (&pooler->tables, group),
                             run->plans + i * pooler->n_bases, pooler->n_bases, pooler->unions, pooler->n_unions);
}

SppnetPooled
sppnet_pooler_run (SppnetPooler *pooler, const SppnetBox *boxes, gsize n, guint threads)
{
  gsize groups = pooler->tables.groups, shares = groups * threads;
  Run run = { sppnet_kernels (),  pooler, boxes, n, (gsize) sppnet_config_bins (pooler->config), pooler->plans.data,
              pooler->pooled.data };

  g_assert (n <= pooler->most);
  if (pooler->tables.n < pooler->tables.most && tables_pay (pooler, boxes, n))
    sppnet_max_tables_build (&pooler->tables, threads);
#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(static)
    for (gsize i = 0; i < n; i++)
      plan_region (&run, i);
      /* As many shares as threads in each group: all threads have work, and each stays with few groups. */
#pragma omp for schedule(static)
    for (gsize share = 0; share < shares; share++) {
      gsize group = share / threads, part = share % threads;

      for (gsize i = n * part / threads; i < n * (part + 1) / threads; i++)
        pool_region (&run, i, group);
    }
  }
  return (SppnetPooled) { run.pooled, &pooler->sizes, n, run.bins, (gsize) pooler->map.channels };
}
