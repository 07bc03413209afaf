/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any rectangle of any map with any number of tables against one number at a time. */
#include <math.h>

#include "base/random.h"
#include "pooling/tables.h"

static gfloat
naive_max (const SppnetMap *map, const gint *rectangle, gint channel)
{
  gfloat best = -INFINITY;

  for (gint y = rectangle[2]; y < rectangle[3]; y++)
    for (gint x = rectangle[0]; x < rectangle[1]; x++)
      best = MAX (best, map->data[((gsize) y * map->width + x) * map->channels + channel]);
  return best;
}

static void
check_rectangle (const SppnetMap *map, const SppnetMaxTables *tables, SppnetRandom *random, gfloat *out)
{
  gint rectangle[4];

  rectangle[0] = (gint) sppnet_random_below (random, (guint32) map->width);
  rectangle[1] = rectangle[0] + 1 + (gint) sppnet_random_below (random, (guint32) (map->width - rectangle[0]));
  rectangle[2] = (gint) sppnet_random_below (random, (guint32) map->height);
  rectangle[3] = rectangle[2] + 1 + (gint) sppnet_random_below (random, (guint32) (map->height - rectangle[2]));
  out[map->channels] = 1e9f;
  sppnet_max_tables_pool (tables, rectangle[0], rectangle[1], rectangle[2], rectangle[3], out);
  for (gint c = 0; c < map->channels; c++)
    g_assert_cmpfloat (out[c], ==, naive_max (map, rectangle, c));
  g_assert_cmpfloat (out[map->channels], ==, 1e9f);
}

static void
test_rectangles (gconstpointer data)
{
  static const gint sizes[] = { 1, 2, 3, 7, 8, 9, 16, 40, 90 };
  guint n = GPOINTER_TO_UINT (data);
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };

  for (guint round = 0; round < 60; round++) {
    SppnetMap map = { NULL,
                      sizes[sppnet_random_below (&random, 9)],
                      sizes[sppnet_random_below (&random, 9)],
                      1 + (gint) sppnet_random_below (&random, 70),
                      { 16, 0, 0 } };
    gsize floats = (gsize) map.width * map.height * map.channels;
    g_autofree gfloat *cells = g_new (gfloat, floats), *memory = g_new (gfloat, (n - 1) * floats + 1);
    g_autofree gfloat *out = g_new (gfloat, map.channels + 1);
    SppnetMaxTables tables;

    for (gsize i = 0; i < floats; i++)
      cells[i] = (gfloat) sppnet_random_normal (&random);
    for (gsize i = 0; i <= (n - 1) * floats; i++)
      memory[i] = NAN;
    map.data = cells;
    tables = sppnet_max_tables_build (&map, n, 1 + round % 3, memory);
    g_assert_cmpuint (tables.n, ==, n);
    g_assert_true (isnan (memory[(n - 1) * floats]));
    for (guint i = 0; i < 40; i++)
      check_rectangle (&map, &tables, &random, out);
  }
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
