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
  SppnetBinPlan *plans;    /* [n][levels], in the pyramid's order */
  guint32 *offsets;        /* [n][most offsets of a region] */
  guint8 *pooled;          /* [groups][n][bins][SPPNET_STEPS] */
  gsize offsets_of_region; /* at most */
} Run;

static gsize
most_offsets (const SppnetMap *map, const SppnetConfig *config, const SppnetPyramidStep *pyramid)
{
  gsize n = 0;

  for (guint s = 0; s < config->n_levels; s++)
    if (pyramid[s].source < 0)
      n += sppnet_bin_plan_most (map->width, map->height, config->levels[pyramid[s].level],
                                 config->pooling == SPPNET_POOLING_SPP);
  return n;
}

gsize
sppnet_pooler_region_bytes (const SppnetMap *map, const SppnetConfig *config)
{
  SppnetPyramidStep pyramid[SPPNET_MAX_LEVELS];

  sppnet_pyramid_plan (config, pyramid);
  return sppnet_steps_of_region (config) + config->n_levels * sizeof (SppnetBinPlan)
         + most_offsets (map, config, pyramid) * sizeof (guint32);
}

/* As many as the largest bins of the finest level can use. */
static guint
count_tables (const SppnetPooler *pooler)
{
  const SppnetMap *map = &pooler->map;
  gsize bytes = (gsize) map->width * (gsize) map->height * sppnet_step_groups ((gsize) map->channels) * SPPNET_STEPS;
  gint finest = 1; /* of the levels that are pooled from cells */

  for (guint s = 0; s < pooler->config->n_levels; s++)
    if (pooler->pyramid[s].source < 0)
      finest = MAX (finest, pooler->config->levels[pooler->pyramid[s].level]);
  return (guint) CLAMP (TABLE_BYTES / bytes, 1, sppnet_max_tables_useful (map->width / finest, map->height / finest));
}

/* Bin i of n is the union of bins i r .. i r + r - 1 of n r, whatever the window: floor (i r a / (n r)) = floor (i a /
 * n), and so for the end. These plans are the same for all regions. */
static void
plan_nested (SppnetPooler *pooler)
{
  guint32 *offsets = pooler->nested_offsets;

  for (guint s = 0; s < pooler->config->n_levels; s++) {
    const SppnetPyramidStep *step = &pooler->pyramid[s];

    if (step->source < 0)
      continue;
    pooler->nested[s]
        = sppnet_bin_plan_nested (pooler->config->levels[step->level], pooler->config->levels[step->source], &offsets);
    pooler->nested[s].source = (gint32) (step->source_first * SPPNET_STEPS);
    pooler->nested[s].out = (guint32) (step->first * SPPNET_STEPS);
  }
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
  sppnet_pyramid_plan (config, pooler->pyramid);
  n_tables = count_tables (pooler);
  tables = sppnet_buffer_reserve (&pooler->memory, groups * n_tables * cells, SPPNET_STEPS, error);
  if (!tables || !sppnet_step_sizes_choose (&pooler->sizes, map->data, cells, (gsize) map->channels, threads, error)
      || !sppnet_buffer_reserve (&pooler->plans, most * config->n_levels, sizeof (SppnetBinPlan), error)
      || !sppnet_buffer_reserve (&pooler->offsets, most * most_offsets (&pooler->map, config, pooler->pyramid),
                                 sizeof (guint32), error)
      || !sppnet_buffer_reserve (&pooler->pooled, groups * most * bins, SPPNET_STEPS, error))
    return FALSE;
  pooler->tables = sppnet_max_tables_init (map, &pooler->sizes, n_tables, threads, tables);
  plan_nested (pooler);
  return TRUE;
}

void
sppnet_pooler_clear (SppnetPooler *pooler)
{
  sppnet_buffer_clear (&pooler->memory);
  sppnet_step_sizes_clear (&pooler->sizes);
  sppnet_buffer_clear (&pooler->plans);
  sppnet_buffer_clear (&pooler->offsets);
  sppnet_buffer_clear (&pooler->pooled);
}

/* Whether tables pay for this run's regions and those before it. */
static gboolean
tables_pay (SppnetPooler *pooler, const SppnetBox *boxes, gsize n)
{
  SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];
  gsize worth = (gsize) TABLE_WORTH * pooler->tables.most * (gsize) pooler->map.width * (gsize) pooler->map.height;

  for (gsize i = 0; i < n && pooler->cells <= worth; i++)
    for (guint s = 0; s < pooler->config->n_levels; s++) {
      gint level = pooler->config->levels[pooler->pyramid[s].level];

      if (pooler->pyramid[s].source >= 0)
        continue;
      sppnet_region_ranges (&pooler->map, pooler->config, &boxes[i], pooler->pyramid[s].level, x, y);
      pooler->cells += (gsize) MAX (x[level - 1].end - x[0].first, 0) * (gsize) MAX (y[level - 1].end - y[0].first, 0);
    }
  return pooler->cells > worth;
}

/* Where one region's bins are found, level after level in the pyramid's order. */
static void
plan_region (const Run *run, gsize i)
{
  const SppnetPooler *pooler = run->pooler;
  SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];
  guint32 *offsets = run->offsets + i * run->offsets_of_region;
  SppnetBinPlan *plans = run->plans + i * pooler->config->n_levels;

  for (guint s = 0; s < pooler->config->n_levels; s++) {
    const SppnetPyramidStep *step = &pooler->pyramid[s];
    gint level = pooler->config->levels[step->level];

    plans[s] = pooler->nested[s];
    if (step->source >= 0)
      continue;
    sppnet_region_ranges (&pooler->map, pooler->config, &run->boxes[i], step->level, x, y);
    plans[s] = sppnet_bin_plan_cells (&pooler->tables, x, y, level, &offsets);
    plans[s].out = (guint32) (step->first * SPPNET_STEPS);
  }
  g_assert (offsets <= run->offsets + (i + 1) * run->offsets_of_region);
}

static void
pool_region (const Run *run, gsize i, gsize group)
{
  const SppnetMaxTables *tables = &run->pooler->tables;
  gsize n_levels = run->pooler->config->n_levels;

  run->kernels->max_pyramid (run->pooled + (group * run->n + i) * run->bins * SPPNET_STEPS,
                             tables->steps + sppnet_max_tables_group (tables, group), run->plans + i * n_levels,
                             n_levels);
}

SppnetPooled
sppnet_pooler_run (SppnetPooler *pooler, const SppnetBox *boxes, gsize n, guint threads)
{
  gsize groups = pooler->tables.groups, shares = groups * threads;
  Run run = { sppnet_kernels (),
              pooler,
              boxes,
              n,
              (gsize) sppnet_config_bins (pooler->config),
              pooler->plans.data,
              pooler->offsets.data,
              pooler->pooled.data,
              most_offsets (&pooler->map, pooler->config, pooler->pyramid) };

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
