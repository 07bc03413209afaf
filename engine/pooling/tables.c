/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/tables.h"

/* Sides of the rectangles as powers of two, and the table that each is made of. More of them would save look-ups, but
 * take more time and more of the caches than those cost. */
static const struct
{
  guint8 across, down, from;
} shapes[SPPNET_MAX_TABLES] = { { 0, 0, 0 }, { 1, 1, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 2, 2, 1 }, { 2, 1, 1 },
                                { 1, 2, 1 }, { 2, 0, 2 }, { 0, 2, 3 }, { 3, 3, 4 }, { 4, 4, 9 } };

guint
sppnet_max_tables_useful (gint bin_width, gint bin_height)
{
  guint n = 0;

  for (guint t = 0; t < SPPNET_MAX_TABLES; t++)
    if (bin_width >= 1 << shapes[t].across && bin_height >= 1 << shapes[t].down)
      n = t + 1;
  return MAX (n, 1);
}

/* The most cells that every bin of at least 2^k x 2^l has room for. */
static void
choose_best (SppnetMaxTables *tables)
{
  for (guint k = 0; k < SPPNET_TABLE_SIDES; k++)
    for (guint l = 0; l < SPPNET_TABLE_SIDES; l++) {
      guint best = 0;

      for (guint t = 1; t < tables->n; t++)
        if (shapes[t].across <= k && shapes[t].down <= l
            && shapes[t].across + shapes[t].down > shapes[best].across + shapes[best].down)
          best = t;
      tables->best[k][l] = (guint8) best;
    }
}

SppnetMaxTables
sppnet_max_tables_init (const SppnetMap *map, const SppnetStepSizes *sizes, guint most, guint threads, guint8 *steps)
{
  gsize channels = (gsize) map->channels;
  SppnetMaxTables tables = { steps, 1, most, map->width, map->height, sppnet_step_groups (channels), { { 0 } } };

  sppnet_steps_write (sizes, map->data, (gsize) map->width * (gsize) map->height, channels, threads, steps,
                      sppnet_max_tables_group (&tables, 1));
  return tables;
}

/* One table of one group. */
static void
build (const SppnetMaxTables *tables, guint t, guint8 *group)
{
  gint across = 1 << shapes[t].across, down = 1 << shapes[t].down;
  /* From one of its rectangles to the next that it is made of. */
  gint right = across - (1 << shapes[shapes[t].from].across), below = down - (1 << shapes[shapes[t].from].down);
  gint columns = tables->width - across + 1, rows = tables->height - down + 1;
  gsize row = (gsize) tables->width * SPPNET_STEPS;
  guint8 *out = group + t * sppnet_max_tables_size (tables);
  const guint8 *in = group + shapes[t].from * sppnet_max_tables_size (tables);

  if (columns <= 0)
    return;
  for (gint y = 0; y < rows; y++, in += row, out += row) {
    const guint8 *lower = in + (gsize) below * row,
                 *cells[4] = { in, in + right * SPPNET_STEPS, lower, lower + right * SPPNET_STEPS };

    sppnet_kernels ()->max_steps (out, cells, (gsize) columns);
  }
}

void
sppnet_max_tables_build (SppnetMaxTables *tables, guint threads)
{
  guint8 *steps = (guint8 *) tables->steps;

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize g = 0; g < tables->groups; g++)
    for (guint t = 1; t < tables->most; t++)
      build (tables, t, steps + sppnet_max_tables_group (tables, g));
  tables->n = tables->most;
  choose_best (tables);
}

gsize
sppnet_bin_plan_most (gint width, gint height, gint level, gboolean clipped)
{
  /* At least two for each bin; all bins have as many as the longest. */
  if (clipped)
    return (gsize) width + (gsize) height + 6 * (gsize) level;
  return (gsize) level * ((gsize) MAX (width, 2) + (gsize) MAX (height, 2));
}

/* Of bins that have cells. */
static void
shortest_and_longest (const SppnetRange *ranges, gint n, gint *shortest, gint *longest, guint32 *bits)
{
  *shortest = G_MAXINT;
  *longest = 0;
  *bits = 0;
  for (gint i = 0; i < n; i++) {
    gint length = ranges[i].end - ranges[i].first;

    if (length <= 0)
      continue;
    *shortest = MIN (*shortest, length);
    *longest = MAX (*longest, length);
    *bits |= (guint32) 1 << i;
  }
}

/* The offsets of each bin along one axis, or those of a cell on the map for a bin without cells. Returns what they
 * take. */
static guint
place (const SppnetRange *ranges, gint n, gint side, guint each, gsize unit, gsize first, guint32 *offsets)
{
  for (gint i = 0; i < n; i++)
    for (guint j = 0; j < each; j++) {
      gint cell = MIN (ranges[i].first + (gint) j * side, ranges[i].end - side);

      *offsets++ = (guint32) (first + (gsize) MAX (cell, 0) * unit);
    }
  return (guint) n * each;
}

SppnetBinPlan
sppnet_bin_plan_cells (const SppnetMaxTables *tables, const SppnetRange *x, const SppnetRange *y, gint level,
                       guint32 **offsets)
{
  SppnetBinPlan plan = { .level = (guint32) level };
  gint narrowest, widest, lowest, highest;
  guint k, l, table;

  shortest_and_longest (x, level, &narrowest, &widest, &plan.columns);
  shortest_and_longest (y, level, &lowest, &highest, &plan.rows);
  if (plan.columns == 0 || plan.rows == 0)
    return plan;
  k = MIN (g_bit_storage ((gulong) narrowest) - 1, SPPNET_TABLE_SIDES - 1);
  l = MIN (g_bit_storage ((gulong) lowest) - 1, SPPNET_TABLE_SIDES - 1);
  table = tables->best[k][l];
  k = shapes[table].across;
  l = shapes[table].down;
  /* At least two, even where one would do: a rectangle more costs less than a branch that the processor cannot
   * predict. */
  plan.n_across = MAX ((guint32) (widest + (1 << k) - 1) >> k, 2);
  plan.n_down = MAX ((guint32) (highest + (1 << l) - 1) >> l, 2);
  plan.across = *offsets;
  *offsets += place (x, level, 1 << k, plan.n_across, SPPNET_STEPS, table * sppnet_max_tables_size (tables), *offsets);
  plan.down = *offsets;
  *offsets += place (y, level, 1 << l, plan.n_down, (gsize) tables->width * SPPNET_STEPS, 0, *offsets);
  return plan;
}
