/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/tables.h"

/* Sides of the rectangles as powers of two, and the table that each is made of. More of them would save look-ups, but
 * take more time and more of the caches than those cost. */
static const struct
{
  guint8 across, down, from;
} shapes[SPPNET_MAX_TABLES]
    = { { 0, 0, 0 }, { 1, 1, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 2, 2, 1 }, { 3, 3, 4 }, { 4, 4, 5 } };

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
      tables->best[k][l] = (SppnetMaxTable) { (guint8) best, shapes[best].across, shapes[best].down };
    }
}

SppnetMaxTables
sppnet_max_tables_init (const SppnetMap *map, const SppnetStepSizes *sizes, guint most, guint threads, guint8 *steps)
{
  gsize channels = (gsize) map->channels;
  SppnetMaxTables tables = { steps, 1, most, map->width, map->height, sppnet_step_groups (channels), { { { 0 } } } };

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
