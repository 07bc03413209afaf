/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_boxes.h"

#include "picture.h"

#define WIDTH 200
#define HEIGHT 150

static void
run (SppnetEdgeBoxes *boxes, const guint8 *rgb, guint max_boxes, guint threads, SppnetRanking *ranking)
{
  g_assert_true (sppnet_edge_boxes_run (boxes, rgb, WIDTH, HEIGHT, max_boxes, threads, ranking, NULL));
}

/* What is drawn on a plain ground comes first. */
static void
test_objects (void)
{
  static const SppnetBox objects[] = { { 20, 20, 50, 30 }, { 110, 30, 40, 90 } };
  g_autoptr (SppnetEdgeBoxes) boxes = sppnet_edge_boxes_new ();
  g_autofree guint8 *rgb = picture_flat (WIDTH, HEIGHT, 90);
  SppnetRanking ranking = { 0 };
  const SppnetBox *found;

  picture_fill (rgb, WIDTH, 20, 20, 70, 50, 220, 40, 40);
  picture_fill (rgb, WIDTH, 110, 30, 150, 120, 40, 40, 220);
  run (boxes, rgb, 100, 2, &ranking);
  g_assert_true (sppnet_ranking_finish (&ranking, 100, NULL));
  found = ranking.boxes.data;
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++) {
    gfloat best = 0.0f;

    for (guint j = 0; j < 5; j++)
      best = MAX (best, sppnet_box_iou (&found[j], &objects[i]));
    g_assert_cmpfloat (best, >=, 0.8f);
  }
  sppnet_ranking_clear (&ranking);
}

static SppnetBox
box_of (SppnetExtent e)
{
  return (SppnetBox) { e.x0, e.y0, (gfloat) (e.x1 - e.x0 + 1), (gfloat) (e.y1 - e.y0 + 1) };
}

/* Best first, no two of them nearly the same, no more than were asked for and the whole picture, which comes last. */
static void
test_list (void)
{
  static const guint limits[] = { 0, 1, 10, 300, 100000 };
  g_autoptr (SppnetEdgeBoxes) boxes = sppnet_edge_boxes_new ();
  g_autofree guint8 *rgb = picture_clutter (WIDTH, HEIGHT, 60, 2);
  SppnetRanking ranking = { 0 };

  for (guint l = 0; l < G_N_ELEMENTS (limits); l++) {
    const SppnetRanked *ranked;
    gsize n;

    run (boxes, rgb, limits[l], 2, &ranking);
    ranked = ranking.ranked.data;
    n = ranking.n_ranked - 1;
    g_assert_cmpuint (n, <=, limits[l]);
    g_assert_cmpuint (n, >=, MIN (limits[l], 200));
    for (gsize i = 0; i < n; i++) {
      SppnetBox box = box_of (ranked[i].extent);

      g_assert_cmpfloat (ranked[i].rank, <, 0.0f);
      if (i > 0)
        g_assert_cmpfloat (ranked[i].rank, >=, ranked[i - 1].rank);
      for (gsize j = 0; j < i; j++) {
        SppnetBox other = box_of (ranked[j].extent);

        g_assert_cmpfloat (sppnet_box_iou (&box, &other), <=, 0.7001f);
      }
    }
    g_assert_cmpint (ranked[n].extent.x1, ==, WIDTH - 1);
    g_assert_cmpint (ranked[n].extent.y1, ==, HEIGHT - 1);
  }
  sppnet_ranking_clear (&ranking);
}

static void
test_threads (void)
{
  g_autoptr (SppnetEdgeBoxes) boxes = sppnet_edge_boxes_new ();
  SppnetRanking one = { 0 }, many = { 0 };

  for (guint32 seed = 0; seed < 5; seed++) {
    g_autofree guint8 *rgb = picture_clutter (WIDTH, HEIGHT, 60, seed);

    run (boxes, rgb, 200, 1, &one);
    for (guint threads = 2; threads < 6; threads++) {
      run (boxes, rgb, 200, threads, &many);
      g_assert_cmpmem (one.ranked.data, one.n_ranked * sizeof (SppnetRanked), many.ranked.data,
                       many.n_ranked * sizeof (SppnetRanked));
    }
  }
  sppnet_ranking_clear (&one);
  sppnet_ranking_clear (&many);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/edge_boxes/objects", test_objects);
  g_test_add_func ("/region/edge_boxes/list", test_list);
  g_test_add_func ("/region/edge_boxes/threads", test_threads);
  return g_test_run ();
}
