/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/bin_plan.h"

/* At least two, even where one would do: a rectangle more costs less than a branch that the processor cannot predict.
 */
static guint
rectangles (gint longest, guint k)
{
  return MAX ((guint) (longest + (1 << k) - 1) >> k, 2);
}

/* The largest power of two that fits into this many cells, if there is a table for it. */
static guint
side_within (gint cells)
{
  return MIN (g_bit_storage ((gulong) cells) - 1, SPPNET_TABLE_SIDES - 1);
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
place (const SppnetRange *ranges, gint n, gint side, guint each, gsize unit, guint32 *offsets)
{
  for (gint i = 0; i < n; i++)
    for (guint j = 0; j < each; j++) {
      gint cell = MIN (ranges[i].first + (gint) j * side, ranges[i].end - side);

      *offsets++ = (guint32) ((gsize) MAX (cell, 0) * unit);
    }
  return (guint) n * each;
}

static void
bin_ranges (gint level, gint length, SppnetRange *ranges)
{
  for (gint i = 0; i < level; i++)
    sppnet_bin_range (i, level, length, &ranges[i].first, &ranges[i].end);
}

gboolean
sppnet_bin_axis_set (SppnetBinAxis *axis, gint level, gint cells, gsize unit, GError **error)
{
  gint lengths = MIN (cells, SPPNET_AXIS_LONGEST);
  SppnetRange ranges[SPPNET_MAX_LEVEL];
  SppnetBinCover *covers;
  guint32 *offsets, n = 0;

  if (axis->level == level && axis->cells == cells && axis->unit == unit)
    return TRUE;
  axis->cells = 0;
  covers = sppnet_buffer_reserve (&axis->covers, (gsize) lengths, sizeof *covers, error);
  if (!covers)
    return FALSE;
  for (gint length = 1; length <= lengths; length++) {
    SppnetBinCover *cover = &covers[length - 1];
    gint shortest, longest;
    guint32 bits;

    bin_ranges (level, length, ranges);
    shortest_and_longest (ranges, level, &shortest, &longest, &bits);
    cover->side = (guint16) side_within (shortest);
    for (guint k = 0; k <= cover->side; k++) {
      cover->n[k] = (guint16) rectangles (longest, k);
      cover->offsets[k] = n;
      n += (guint32) level * cover->n[k];
    }
  }
  offsets = sppnet_buffer_reserve (&axis->offsets, n, sizeof *offsets, error);
  if (!offsets)
    return FALSE;
  for (gint length = 1; length <= lengths; length++) {
    const SppnetBinCover *cover = &covers[length - 1];

    bin_ranges (level, length, ranges);
    for (guint k = 0; k <= cover->side; k++)
      place (ranges, level, 1 << k, cover->n[k], unit, offsets + cover->offsets[k]);
  }
  axis->level = level;
  axis->cells = cells;
  axis->unit = unit;
  return TRUE;
}

void
sppnet_bin_axis_clear (SppnetBinAxis *axis)
{
  sppnet_buffer_clear (&axis->covers);
  sppnet_buffer_clear (&axis->offsets);
  *axis = (SppnetBinAxis) { 0 };
}

static const SppnetBinCover *
cover_of (const SppnetBinAxis *axis, gint first, gint last)
{
  return (const SppnetBinCover *) axis->covers.data + (last - first);
}

SppnetBinPlan
sppnet_bin_plan_window (const SppnetMaxTables *tables, const SppnetBinAxis *x, const SppnetBinAxis *y,
                        const SppnetWindow *window)
{
  const SppnetBinCover *across = cover_of (x, window->x0, window->x1), *down = cover_of (y, window->y0, window->y1);
  const SppnetMaxTable *table = &tables->best[across->side][down->side];
  guint32 all = (guint32) (((guint64) 1 << x->level) - 1);

  return (SppnetBinPlan) { .first = table->number * sppnet_max_tables_size (tables) + (gsize) window->x0 * x->unit
                                    + (gsize) window->y0 * y->unit,
                           .across = (const guint32 *) x->offsets.data + across->offsets[table->across],
                           .down = (const guint32 *) y->offsets.data + down->offsets[table->down],
                           .level = (guint32) x->level,
                           .n_across = across->n[table->across],
                           .n_down = down->n[table->down],
                           .columns = all,
                           .rows = all };
}

gsize
sppnet_bin_plan_most (gint width, gint height, gint level)
{
  /* All bins have as many as the longest. */
  return (gsize) level * ((gsize) MAX (width, 2) + (gsize) MAX (height, 2));
}

SppnetBinPlan
sppnet_bin_plan_ranges (const SppnetMaxTables *tables, const SppnetRange *x, const SppnetRange *y, gint level,
                        guint32 **offsets)
{
  SppnetBinPlan plan = { .level = (guint32) level };
  gint narrowest, widest, lowest, highest;
  const SppnetMaxTable *table;

  shortest_and_longest (x, level, &narrowest, &widest, &plan.columns);
  shortest_and_longest (y, level, &lowest, &highest, &plan.rows);
  if (plan.columns == 0 || plan.rows == 0)
    return plan;
  table = &tables->best[side_within (narrowest)][side_within (lowest)];
  plan.first = table->number * sppnet_max_tables_size (tables);
  plan.n_across = rectangles (widest, table->across);
  plan.n_down = rectangles (highest, table->down);
  plan.across = *offsets;
  *offsets += place (x, level, 1 << table->across, plan.n_across, SPPNET_STEPS, *offsets);
  plan.down = *offsets;
  *offsets += place (y, level, 1 << table->down, plan.n_down, (gsize) tables->width * SPPNET_STEPS, *offsets);
  return plan;
}
