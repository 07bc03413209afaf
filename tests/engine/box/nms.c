/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "box/nms.h"

#define MAX_BOXES 120

static const gfloat strange[] = { NAN, INFINITY, -INFINITY, 0.0f, -5.0f, 3e38f };

/* A crowd around a few places, with duplicates and, one in ten, a number that no box should have. */
static SppnetBox
random_box (SppnetRandom *random)
{
  SppnetBox box = { 40.0f * sppnet_random_below (random, 3) + sppnet_random_below (random, 8),
                    40.0f * sppnet_random_below (random, 3) + sppnet_random_below (random, 8),
                    20.0f + sppnet_random_below (random, 12), 20.0f + sppnet_random_below (random, 12) };

  if (sppnet_random_below (random, 10) == 0)
    (&box.x)[sppnet_random_below (random, 4)] = strange[sppnet_random_below (random, G_N_ELEMENTS (strange))];
  return box;
}

static void
random_scores (SppnetRandom *random, gfloat *scores, gsize n)
{
  for (gsize i = 0; i < n; i++)
    switch (sppnet_random_below (random, 6)) {
    case 0:
      scores[i] = strange[sppnet_random_below (random, G_N_ELEMENTS (strange))];
      break;
    case 1:
      scores[i] = -0.0f;
      break;
    default:
      scores[i] = (gfloat) sppnet_random_below (random, 50) / 10.0f - 2.0f; /* many equal */
    }
}

/* Selection sort by the header's words. */
static void
naive_sort (const gfloat *scores, guint32 *order, gsize n)
{
  gboolean taken[MAX_BOXES] = { FALSE };

  for (gsize k = 0; k < n; k++) {
    gsize best = n;

    for (gsize i = 0; i < n; i++)
      if (!taken[i] && (best == n || scores[i] > scores[best] || (isnan (scores[best]) && !isnan (scores[i]))))
        best = i;
    taken[best] = TRUE;
    order[k] = (guint32) best;
  }
}

static void
test_sort (void)
{
  SppnetRandom random = { 11 };

  for (guint round = 0; round < 2000; round++) {
    gsize n = sppnet_random_below (&random, MAX_BOXES + 1);
    gfloat scores[MAX_BOXES];
    guint32 order[MAX_BOXES + 1], expected[MAX_BOXES];

    random_scores (&random, scores, n);
    order[n] = 0xdeadbeef;
    sppnet_sort_by_score (scores, order, n);
    naive_sort (scores, expected, n);
    g_assert_true (order[n] == 0xdeadbeef);
    if (n > 0)
      g_assert_cmpmem (order, n * sizeof *order, expected, n * sizeof *expected);
  }
}

/* From the other side: the best remaining box removes every later one that it overlaps too much. */
static gsize
naive_nms (const SppnetBox *boxes, const guint32 *order, gsize n, gfloat threshold, gsize max_keep, guint32 *kept)
{
  gboolean removed[MAX_BOXES] = { FALSE };
  gsize n_kept = 0;

  for (gsize i = 0; i < n && n_kept < max_keep; i++) {
    if (removed[i])
      continue;
    kept[n_kept++] = order[i];
    for (gsize j = i + 1; j < n; j++)
      if (sppnet_box_iou (&boxes[order[i]], &boxes[order[j]]) > threshold)
        removed[j] = TRUE;
  }
  return n_kept;
}

static void
test_nms (void)
{
  static const gfloat thresholds[] = { 0.3f, 0.5f, 0.7f, 0.0f, 1.0f, -1.0f, NAN };
  SppnetRandom random = { 12 };
  gsize fell = 0;

  for (guint round = 0; round < 2000; round++) {
    gsize n = sppnet_random_below (&random, MAX_BOXES + 1), expected_kept, kept;
    gsize max_keep = round % 3 == 0 ? sppnet_random_below (&random, 10) : G_MAXSIZE;
    gfloat threshold = thresholds[round % G_N_ELEMENTS (thresholds)];
    gfloat scores[MAX_BOXES];
    SppnetBox boxes[MAX_BOXES];
    guint32 order[MAX_BOXES], expected[MAX_BOXES];

    for (gsize i = 0; i < n; i++)
      boxes[i] = random_box (&random);
    random_scores (&random, scores, n);
    sppnet_sort_by_score (scores, order, n);
    expected_kept = naive_nms (boxes, order, n, threshold, max_keep, expected);
    kept = sppnet_nms (boxes, order, n, threshold, max_keep);
    g_assert_cmpuint (kept, ==, expected_kept);
    if (kept > 0)
      g_assert_cmpmem (order, kept * sizeof *order, expected, kept * sizeof *expected);
    fell += n - kept;
  }
  g_assert_cmpuint (fell, >, 2000); /* the boxes do overlap */
}

/* What must hold whatever the implementation: survivors do not overlap, and they survive a second time. */
static void
test_nms_properties (void)
{
  SppnetRandom random = { 13 };

  for (guint round = 0; round < 500; round++) {
    SppnetBox boxes[MAX_BOXES];
    guint32 order[MAX_BOXES], again[MAX_BOXES];
    gsize kept;

    for (guint32 i = 0; i < MAX_BOXES; i++) {
      boxes[i] = random_box (&random);
      order[i] = i;
    }
    kept = sppnet_nms (boxes, order, MAX_BOXES, 0.4f, G_MAXSIZE);
    g_assert_cmpuint (kept, >, 0);
    g_assert_cmpuint (order[0], ==, 0); /* the best box never falls */
    for (gsize i = 0; i < kept; i++)
      for (gsize j = 0; j < i; j++)
        g_assert_false (sppnet_box_iou (&boxes[order[i]], &boxes[order[j]]) > 0.4f);
    memcpy (again, order, sizeof again);
    g_assert_cmpuint (sppnet_nms (boxes, again, kept, 0.4f, G_MAXSIZE), ==, kept);
    g_assert_cmpmem (again, kept * sizeof *again, order, kept * sizeof *order);
  }
}

/* Exactly at the threshold stays: 1/3 is the overlap of two squares shifted by half their side. */
static void
test_nms_threshold (void)
{
  SppnetBox boxes[2] = { { 0, 0, 2, 2 }, { 1, 0, 2, 2 } };
  guint32 order[2] = { 1, 0 };

  g_assert_cmpuint (sppnet_nms (boxes, order, 2, 1.0f / 3.0f, 2), ==, 2);
  g_assert_cmpuint (sppnet_nms (boxes, order, 2, 0.333f, 2), ==, 1);
  g_assert_cmpuint (order[0], ==, 1);
  g_assert_cmpuint (sppnet_nms (boxes, order, 0, 0.3f, 2), ==, 0);
  g_assert_cmpuint (sppnet_nms (NULL, NULL, 0, 0.3f, 0), ==, 0);
}

/* The fast one, for sorted boxes, keeps the same ones in the same order. Sides are whole numbers: both are exact. */
static void
test_nms_sorted (void)
{
  SppnetRandom random = { 14 };

  for (guint round = 0; round < 1000; round++) {
    gsize n = sppnet_random_below (&random, MAX_BOXES + 1), kept;
    gsize max_keep = round % 3 == 0 ? sppnet_random_below (&random, 10) : G_MAXSIZE;
    gfloat scores[MAX_BOXES], columns[SPPNET_NMS_COLUMNS * MAX_BOXES];
    SppnetBox boxes[MAX_BOXES], sorted[MAX_BOXES];
    guint32 order[MAX_BOXES];

    for (guint32 i = 0; i < n; i++) {
      do
        boxes[i] = random_box (&random);
      while (!(boxes[i].width > 0 && boxes[i].width < 100 && boxes[i].height > 0 && boxes[i].height < 100
               && fabsf (boxes[i].x) < 1000 && fabsf (boxes[i].y) < 1000));
      sorted[i] = boxes[i];
      order[i] = i;
      scores[i] = 1.0f - (gfloat) i * 0.001f;
    }
    kept = sppnet_nms (boxes, order, n, 0.55f, max_keep);
    g_assert_cmpuint (sppnet_nms_sorted (sorted, scores, n, 0.55f, max_keep, columns), ==, kept);
    for (gsize i = 0; i < kept; i++) {
      g_assert_cmpmem (&sorted[i], sizeof sorted[i], &boxes[order[i]], sizeof boxes[0]);
      g_assert_cmpfloat (scores[i], ==, 1.0f - (gfloat) order[i] * 0.001f);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/box/sort", test_sort);
  g_test_add_func ("/box/nms/naive", test_nms);
  g_test_add_func ("/box/nms/properties", test_nms_properties);
  g_test_add_func ("/box/nms/threshold", test_nms_threshold);
  g_test_add_func ("/box/nms/sorted", test_nms_sorted);
  return g_test_run ();
}
