/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_map.h"

#include "picture.h"

static guint
count (const SppnetEdgeMap *map)
{
  const guint8 *magnitude = map->magnitude.data;
  guint n = 0;

  for (gint i = 0; i < map->width * map->height; i++)
    n += magnitude[i] > 0;
  return n;
}

static void
test_flat (void)
{
  static const gint sizes[][2]
      = { { 1, 1 }, { 2, 3 }, { 4, 4 }, { 5, 5 }, { 6, 1 }, { 1, 300 }, { 8192, 2 }, { 40, 30 } };
  SppnetEdgeMap map = { 0 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    g_autofree guint8 *rgb = picture_flat (sizes[s][0], sizes[s][1], (guint8) (100 * s));

    g_assert_true (sppnet_edge_map_run (&map, rgb, sizes[s][0], sizes[s][1], 2, NULL));
    g_assert_cmpuint (count (&map), ==, 0);
  }
  sppnet_edge_map_clear (&map);
}

/* An upright step gives one line of edge, one pixel wide, on the step; a level one the same turned. */
static void
test_step (void)
{
  SppnetEdgeMap map = { 0 };

  for (gint turned = 0; turned < 2; turned++) {
    g_autofree guint8 *rgb = picture_flat (64, 64, 60);
    const guint8 *magnitude, *orientation;

    picture_fill (rgb, 64, turned ? 0 : 30, turned ? 30 : 0, 64, 64, 60, 60, 200);
    g_assert_true (sppnet_edge_map_run (&map, rgb, 64, 64, 1, NULL));
    magnitude = map.magnitude.data;
    orientation = map.orientation.data;
    for (gint along = 2; along < 61; along++) {
      guint n = 0;

      for (gint across = 0; across < 64; across++) {
        gint at = turned ? across * 64 + along : along * 64 + across;

        if (!magnitude[at])
          continue;
        g_assert_cmpint (across, >=, 29);
        g_assert_cmpint (across, <=, 30);
        g_assert_cmpuint (orientation[at], ==, turned ? 0 : 128);
        n++;
      }
      /* both sides of a symmetric step are as strong */
      g_assert_cmpuint (n, >=, 1);
    }
  }
  sppnet_edge_map_clear (&map);
}

/* A slanted step: the orientation is the step's. */
static void
test_slanted (void)
{
  g_autofree guint8 *rgb = picture_flat (80, 80, 60);
  SppnetEdgeMap map = { 0 };
  const guint8 *magnitude, *orientation;
  guint n = 0;

  for (gint y = 0; y < 80; y++)
    picture_fill (rgb, 80, 0, y, y, y + 1, 180, 60, 60);
  g_assert_true (sppnet_edge_map_run (&map, rgb, 80, 80, 2, NULL));
  magnitude = map.magnitude.data;
  orientation = map.orientation.data;
  for (gint y = 8; y < 72; y++)
    for (gint x = 8; x < 72; x++)
      if (magnitude[y * 80 + x]) {
        g_assert_cmpint (ABS (x - y), <=, 2);
        g_assert_cmpint (ABS (orientation[y * 80 + x] - 64), <=, 3); /* down to the right: an eighth of a turn */
        n++;
      }
  g_assert_cmpuint (n, >=, 60);
  sppnet_edge_map_clear (&map);
}

/* The same edge counts for less where there are many. */
static void
test_surroundings (void)
{
  g_autofree guint8 *alone = picture_flat (96, 96, 100), *among = picture_flat (96, 96, 100);
  SppnetEdgeMap a = { 0 }, b = { 0 };
  gsize at = 48 * 96 + 47;

  picture_fill (alone, 96, 48, 0, 96, 96, 130, 130, 130);
  for (gint x = 0; x < 96; x += 12)
    picture_fill (among, 96, x, 0, x + 6, 96, 130, 130, 130);
  picture_fill (among, 96, 48, 0, 54, 96, 130, 130, 130);
  g_assert_true (sppnet_edge_map_run (&a, alone, 96, 96, 1, NULL) && sppnet_edge_map_run (&b, among, 96, 96, 1, NULL));
  g_assert_cmpuint (((const guint8 *) b.magnitude.data)[at], >, 0);
  g_assert_cmpuint (((const guint8 *) a.magnitude.data)[at], >, ((const guint8 *) b.magnitude.data)[at]);
  sppnet_edge_map_clear (&a);
  sppnet_edge_map_clear (&b);
}

static void
test_threads (void)
{
  g_autofree guint8 *rgb = picture_clutter (123, 77, 60, 3);
  SppnetEdgeMap a = { 0 }, b = { 0 };

  g_assert_true (sppnet_edge_map_run (&a, rgb, 123, 77, 1, NULL));
  for (guint threads = 2; threads < 6; threads++) {
    g_assert_true (sppnet_edge_map_run (&b, rgb, 123, 77, threads, NULL));
    g_assert_cmpmem (a.magnitude.data, 123 * 77, b.magnitude.data, 123 * 77);
    for (gint i = 0; i < 123 * 77; i++)
      if (((const guint8 *) a.magnitude.data)[i])
        g_assert_cmpuint (((const guint8 *) a.orientation.data)[i], ==, ((const guint8 *) b.orientation.data)[i]);
  }
  g_assert_cmpuint (count (&a), >, 500);
  sppnet_edge_map_clear (&a);
  sppnet_edge_map_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/edge_map/flat", test_flat);
  g_test_add_func ("/region/edge_map/step", test_step);
  g_test_add_func ("/region/edge_map/slanted", test_slanted);
  g_test_add_func ("/region/edge_map/surroundings", test_surroundings);
  g_test_add_func ("/region/edge_map/threads", test_threads);
  return g_test_run ();
}
