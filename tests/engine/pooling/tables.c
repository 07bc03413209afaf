/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bins of any rectangle of any map, with any number of tables, against one step at a time. */
#include "pooling/tables.h"

#include <string.h>

#include "base/random.h"
#include "pooling/pooled.h"

typedef struct
{
  SppnetMaxTables tables;
  guint8 *steps;
} Tables;

static guint8
naive_max (const Tables *tables, gsize group, const SppnetRange *x, const SppnetRange *y, gsize channel)
{
  gsize width = (gsize) tables->tables.width, cells = width * (gsize) tables->tables.height;
  const guint8 *map = tables->steps + group * tables->tables.most * cells * SPPNET_STEPS;
  guint8 best = 0;

  if (x->first >= x->end || y->first >= y->end)
    return SPPNET_STEP_ZERO;
  for (gint row = y->first; row < y->end; row++)
    for (gint column = x->first; column < x->end; column++)
      best = MAX (best, map[((gsize) row * width + (gsize) column) * SPPNET_STEPS + channel]);
  return best;
}

/* Bins that overlap by no more than a cell, as those of a level do. Windows of RoI pooling reach far beyond the map,
 * where their bins are cut, so that some have no cells. */
static void
draw_ranges (SppnetRandom *random, gint level, gint limit, gboolean roi, SppnetRange *ranges)
{
  gint first = (gint) sppnet_random_below (random, (guint32) limit);
  gint length = 1 + (gint) sppnet_random_below (random, (guint32) (limit - first));

  if (roi) {
    first = (gint) sppnet_random_below (random, 10 * (guint32) limit) - 5 * limit;
    length = 1 + (gint) sppnet_random_below (random, 10 * (guint32) limit);
  }
  for (gint i = 0; i < level; i++) {
    sppnet_bin_range (i, level, length, &ranges[i].first, &ranges[i].end);
    ranges[i].first = CLAMP (first + ranges[i].first, 0, limit);
    ranges[i].end = CLAMP (first + ranges[i].end, 0, limit);
  }
}

static void
check_bins (const Tables *tables, SppnetRandom *random)
{
  gint level = sppnet_random_below (random, 8) ? 1 + (gint) sppnet_random_below (random, 7) : SPPNET_MAX_LEVEL;
  gint width = tables->tables.width;
  gboolean roi = sppnet_random_below (random, 4) == 0;
  gsize most = sppnet_bin_plan_most (width, tables->tables.height, level, !roi);
  g_autofree guint32 *offsets = g_new (guint32, most);
  guint32 *end = offsets;
  guint8 out[SPPNET_MAX_LEVEL * SPPNET_MAX_LEVEL * SPPNET_STEPS + 1];
  SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];
  SppnetBinPlan plan;

  draw_ranges (random, level, width, roi, x);
  draw_ranges (random, level, tables->tables.height, roi, y);
  plan = sppnet_bin_plan_cells (&tables->tables, x, y, level, &end);
  g_assert_cmpuint ((gsize) (end - offsets), <=, most);
  for (gsize g = 0; g < tables->tables.groups; g++) {
    gsize cells = (gsize) width * (gsize) tables->tables.height;

    memset (out, 77, sizeof out);
    sppnet_kernels ()->max_pyramid (out, tables->steps + g * tables->tables.most * cells * SPPNET_STEPS, &plan, 1, NULL,
                                    0);
    for (gint bin = 0; bin < level * level; bin++)
      for (gsize c = 0; c < SPPNET_STEPS; c++)
        g_assert_cmpuint (out[(gsize) bin * SPPNET_STEPS + c], ==,
                          naive_max (tables, g, &x[bin % level], &y[bin / level], c));
    g_assert_cmpuint (out[level * level * SPPNET_STEPS], ==, 77);
  }
}

static void
test_rectangles (gconstpointer data)
{
  static const gint sizes[] = { 1, 2, 3, 7, 8, 9, 16, 40, 90 };
  guint n = GPOINTER_TO_UINT (data);
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };
  SppnetStepSizes step_sizes = { 0 };

  for (guint round = 0; round < 40; round++) {
    SppnetMap map = { NULL,
                      sizes[sppnet_random_below (&random, 9)],
                      sizes[sppnet_random_below (&random, 9)],
                      1 + (gint) sppnet_random_below (&random, 70),
                      { 16, 0, 0 } };
    gsize cells = (gsize) map.width * map.height, groups = sppnet_step_groups ((gsize) map.channels);
    gsize bytes = groups * n * cells * SPPNET_STEPS;
    g_autofree gfloat *values = g_new (gfloat, cells * map.channels);
    g_autofree guint8 *steps = g_malloc (bytes + 1);
    Tables tables;

    for (gsize i = 0; i < cells * map.channels; i++)
      values[i] = (gfloat) sppnet_random_normal (&random);
    memset (steps, 77, bytes + 1);
    map.data = values;
    g_assert_true (sppnet_step_sizes_choose (&step_sizes, values, cells, (gsize) map.channels, 1 + round % 3, NULL));
    tables = (Tables) { sppnet_max_tables_init (&map, &step_sizes, n, 1 + round % 3, steps), steps };
    for (guint i = 0; i < 10; i++)
      check_bins (&tables, &random);
    sppnet_max_tables_build (&tables.tables, 1 + round % 3);
    g_assert_cmpuint (tables.tables.n, ==, n);
    g_assert_cmpuint (steps[bytes], ==, 77);
    for (guint i = 0; i < 30; i++)
      check_bins (&tables, &random);
  }
  sppnet_step_sizes_clear (&step_sizes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint n = 1; n <= SPPNET_MAX_TABLES; n++) {
    g_autofree gchar *path = g_strdup_printf ("/pooling/tables/%u", n);

    g_test_add_data_func (path, GUINT_TO_POINTER (n), test_rectangles);
  }
  return g_test_run ();
}
