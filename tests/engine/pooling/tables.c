/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bins of any rectangle of any map, with any number of tables, against one step at a time. */
#include "pooling/bin_plan.h"

#include <string.h>

#include "base/random.h"

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

/* A window on the map; one of RoI pooling reaches far beyond it, where its bins are cut, so that some have no cells. */
static void
draw_window (SppnetRandom *random, gint limit, gboolean roi, gint *first, gint *last)
{
  *first = (gint) sppnet_random_below (random, (guint32) limit);
  *last = *first + (gint) sppnet_random_below (random, (guint32) (limit - *first));
  if (roi) {
    *first = (gint) sppnet_random_below (random, 10 * (guint32) limit) - 5 * limit;
    *last = *first + (gint) sppnet_random_below (random, 10 * (guint32) limit);
  }
}

static void
check_plan (const Tables *tables, const SppnetBinPlan *plan, const SppnetRange *x, const SppnetRange *y)
{
  gsize bins = plan->level * plan->level;
  guint8 out[SPPNET_MAX_LEVEL * SPPNET_MAX_LEVEL * SPPNET_STEPS + 1];

  for (gsize g = 0; g < tables->tables.groups; g++) {
    memset (out, 77, sizeof out);
    sppnet_kernels ()->max_pyramid (out, tables->steps + sppnet_max_tables_group (&tables->tables, g), plan, 1, NULL,
                                    0);
    for (gsize bin = 0; bin < bins; bin++)
      for (gsize c = 0; c < SPPNET_STEPS; c++)
        g_assert_cmpuint (out[bin * SPPNET_STEPS + c], ==,
                          naive_max (tables, g, &x[bin % plan->level], &y[bin / plan->level], c));
    g_assert_cmpuint (out[bins * SPPNET_STEPS], ==, 77);
  }
}

static void
check_bins (const Tables *tables, const SppnetMap *map, SppnetRandom *random)
{
  gint level = sppnet_random_below (random, 8) ? 1 + (gint) sppnet_random_below (random, 7) : SPPNET_MAX_LEVEL;
  gboolean roi = sppnet_random_below (random, 4) == 0;
  gsize most = sppnet_bin_plan_most (map->width, map->height, level);
  g_autofree guint32 *offsets = g_new (guint32, most);
  guint32 *end = offsets;
  SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];
  SppnetWindow window;
  SppnetBinPlan plan;

  draw_window (random, map->width, roi, &window.x0, &window.x1);
  draw_window (random, map->height, roi, &window.y0, &window.y1);
  sppnet_window_ranges (map, &window, level, x, y);
  plan = sppnet_bin_plan_ranges (&tables->tables, x, y, level, &end);
  g_assert_cmpuint ((gsize) (end - offsets), <=, most);
  check_plan (tables, &plan, x, y);
  if (!roi) {
    SppnetBinAxis across = { 0 }, down = { 0 };

    g_assert_true (sppnet_bin_axis_set (&across, level, map->width, SPPNET_STEPS, NULL));
    g_assert_true (sppnet_bin_axis_set (&down, level, map->height, (gsize) map->width * SPPNET_STEPS, NULL));
    plan = sppnet_bin_plan_window (&tables->tables, &across, &down, &window);
    check_plan (tables, &plan, x, y);
    sppnet_bin_axis_clear (&across);
    sppnet_bin_axis_clear (&down);
  }
}

/* Axes follow the level and the size of the map. */
static void
test_axis (void)
{
  static const struct
  {
    gint level, cells;
    gsize unit;
  } sizes[] = { { 6, 40, 32 }, { 6, 40, 32 }, { 2, 40, 32 }, { 2, 9, 32 }, { 2, 9, 320 }, { 32, 600, 64 } };
  SppnetBinAxis axis = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gint level = sizes[i].level, lengths = MIN (sizes[i].cells, SPPNET_AXIS_LONGEST);

    g_assert_true (sppnet_bin_axis_set (&axis, level, sizes[i].cells, sizes[i].unit, NULL));
    for (gint length = 1; length <= lengths; length++) {
      const SppnetBinCover *cover = (const SppnetBinCover *) axis.covers.data + length - 1;

      for (guint k = 0; k <= cover->side; k++) {
        const guint32 *offsets = (const guint32 *) axis.offsets.data + cover->offsets[k];

        for (gint bin = 0; bin < level; bin++, offsets += cover->n[k]) {
          gint first, end;

          sppnet_bin_range (bin, level, length, &first, &end);
          g_assert_cmpuint (offsets[0], ==, (gsize) first * sizes[i].unit);
          g_assert_cmpuint (offsets[cover->n[k] - 1], ==, (gsize) (end - (1 << k)) * sizes[i].unit);
          for (guint j = 1; j < cover->n[k]; j++)
            g_assert_cmpuint (offsets[j] - offsets[j - 1], <=, sizes[i].unit << k);
        }
      }
    }
  }
  sppnet_bin_axis_clear (&axis);
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
      check_bins (&tables, &map, &random);
    sppnet_max_tables_build (&tables.tables, 1 + round % 3);
    g_assert_cmpuint (tables.tables.n, ==, n);
    g_assert_cmpuint (steps[bytes], ==, 77);
    for (guint i = 0; i < 30; i++)
      check_bins (&tables, &map, &random);
  }
  sppnet_step_sizes_clear (&step_sizes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pooling/axis", test_axis);
  for (guint n = 1; n <= SPPNET_MAX_TABLES; n++) {
    g_autofree gchar *path = g_strdup_printf ("/pooling/tables/%u", n);

    g_test_add_data_func (path, GUINT_TO_POINTER (n), test_rectangles);
  }
  return g_test_run ();
}
