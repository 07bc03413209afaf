/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/ranking.h"

#include "base/random.h"

#define N 5000

/* Any ranks, negative and equal ones too: in order, equal ones as they came. */
static void
test_sort (void)
{
  SppnetRandom random = { 3 };
  SppnetRanking ranking = { 0 };
  const SppnetRanked *ranked;

  g_assert_true (sppnet_ranking_start (&ranking, N, NULL));
  for (guint i = 0; i < N; i++) {
    gfloat rank = (gfloat) sppnet_random_normal (&random);

    if (i % 3 == 0)
      rank = (gfloat) ((gint) (rank * 4.0f));
    sppnet_ranking_add (&ranking, rank, (SppnetExtent) { (guint16) i, 0, (guint16) i, 0 });
  }
  sppnet_ranking_sort (&ranking);
  ranked = ranking.ranked.data;
  g_assert_cmpuint (ranking.n_ranked, ==, N);
  for (guint i = 1; i < N; i++) {
    g_assert_cmpfloat (ranked[i - 1].rank, <=, ranked[i].rank);
    if (ranked[i - 1].rank == ranked[i].rank && (ranked[i].rank != 0.0f))
      g_assert_cmpuint (ranked[i - 1].extent.x0, <, ranked[i].extent.x0);
  }
  sppnet_ranking_clear (&ranking);
}

/* The first of equal boxes stays, at its place. */
static void
test_equal_boxes (void)
{
  static const gfloat ranks[] = { 4, 3, 2, 1, 0 };
  static const guint16 sides[] = { 7, 9, 7, 8, 9 };
  static const gfloat wanted[] = { 10, 9, 8 };
  SppnetRanking ranking = { 0 };

  for (gsize most = 0; most < 5; most++) {
    const SppnetBox *boxes;

    g_assert_true (sppnet_ranking_start (&ranking, 5, NULL));
    for (guint i = 0; i < 5; i++)
      sppnet_ranking_add (&ranking, ranks[i], (SppnetExtent) { 1, 2, (guint16) (1 + sides[i]), 2 });
    g_assert_true (sppnet_ranking_finish (&ranking, most, NULL));
    boxes = ranking.boxes.data;
    g_assert_cmpuint (ranking.n_boxes, ==, MIN (most, 3));
    for (gsize i = 0; i < ranking.n_boxes; i++) {
      g_assert_cmpfloat (boxes[i].width, ==, wanted[i]);
      g_assert_cmpfloat (boxes[i].height, ==, 1.0f);
      g_assert_cmpfloat (boxes[i].x, ==, 1.0f);
      g_assert_cmpfloat (boxes[i].y, ==, 2.0f);
    }
  }
  sppnet_ranking_clear (&ranking);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/ranking/sort", test_sort);
  g_test_add_func ("/region/ranking/equal-boxes", test_equal_boxes);
  return g_test_run ();
}
