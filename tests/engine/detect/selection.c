/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which regions are scored, and which boxes become detections, against the obvious slow way. */
#include "box/regression.h"
#include "detect/selection.h"

#include "base/random.h"
#include "detect/region_list.h"
#include "region/window.h"
#include "scene.h"

static SppnetBox
random_box (SppnetRandom *random, gint width, gint height)
{
  gfloat x = (gfloat) sppnet_random_below (random, width - 8), y = (gfloat) sppnet_random_below (random, height - 8);

  return (SppnetBox) { x, y, 8 + sppnet_random_below (random, width - 7 - (guint32) x),
                       8 + sppnet_random_below (random, height - 7 - (guint32) y) };
}

static gboolean
same_window (const SppnetBox *a, const SppnetBox *b, const SppnetMap *map)
{
  SppnetWindow u = sppnet_window_from_box (a, &map->geometry, map->width, map->height);
  SppnetWindow v = sppnet_window_from_box (b, &map->geometry, map->width, map->height);

  return memcmp (&u, &v, sizeof u) == 0;
}

static void
test_one_proposal_per_window (void)
{
  const SppnetMap map = { NULL, 20, 12, 1, { 16, 0, 0 } };
  SppnetBox given[] = { { 40, 40, 100, 80 }, { 41, 41, 100, 80 }, { 40, 40, 100, 80 } }, proposals[3000];
  SppnetRandom random = { 1 };
  g_auto (SppnetRegionList) list = { 0 };
  gsize expected = 3;

  g_assert_true (same_window (&given[0], &given[1], &map));
  for (gsize i = 0; i < G_N_ELEMENTS (proposals); i++)
    proposals[i] = random_box (&random, 320, 192);
  proposals[7] = given[0];
  g_assert_true (
      sppnet_region_list_set (&list, given, 3, 0, proposals, G_N_ELEMENTS (proposals), &map, 320, 192, NULL));

  /* the caller's stay, all of them, and first */
  for (gint i = 0; i < 3; i++) {
    g_assert_cmpmem (&list.boxes[i], sizeof (SppnetBox), &given[i], sizeof (SppnetBox));
    g_assert_cmpint (list.index[i], ==, i);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (proposals); i++) {
    gboolean seen = same_window (&proposals[i], &given[0], &map);

    for (gsize j = 0; j < i && !seen; j++)
      seen = same_window (&proposals[i], &proposals[j], &map);
    if (seen)
      continue;
    g_assert_cmpuint (expected, <, list.n);
    g_assert_cmpmem (&list.boxes[expected], sizeof (SppnetBox), &proposals[i], sizeof (SppnetBox));
    g_assert_cmpint (list.index[expected], ==, -1);
    expected++;
  }
  g_assert_cmpuint (list.n, ==, expected);
  g_assert_cmpuint (list.n, <, G_N_ELEMENTS (proposals));
  g_assert_cmpuint (list.n + list.n_duplicates, ==, 3 + G_N_ELEMENTS (proposals));
}

/* The caller's regions grow on each side, as far as the frame goes; proposals do not. */
static void
test_margin (void)
{
  static const SppnetBox given[] = { { 50, 60, 20, 40 }, { 0, 0, 10, 10 } }, proposal = { 100, 100, 50, 50 };
  g_auto (SppnetRegionList) list = { 0 };

  g_assert_true (sppnet_region_list_set (&list, given, 2, 0.5f, &proposal, 1, NULL, 320, 192, NULL));
  g_assert_cmpuint (list.n, ==, 3);
  g_assert_true (list.boxes[0].x == 40 && list.boxes[0].y == 40 && list.boxes[0].width == 40
                 && list.boxes[0].height == 80);
  g_assert_true (list.boxes[1].x == 0 && list.boxes[1].y == 0 && list.boxes[1].width == 15
                 && list.boxes[1].height == 15);
  g_assert_cmpmem (&list.boxes[2], sizeof (SppnetBox), &proposal, sizeof proposal);
}

/* The corners of the largest map, whose windows need all bits of the key. */
static void
test_large_map (void)
{
  const SppnetMap map = { NULL, 8192, 8192, 1, { 1, 0, 0 } };
  SppnetBox proposals[64];
  g_auto (SppnetRegionList) list = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (proposals); i++)
    proposals[i] = (SppnetBox) { i & 1 ? 0 : 8100 - i, i & 2 ? 0 : 8100 - i, i & 4 ? 20 : 90, i & 8 ? 21 : 91 };
  for (guint pass = 0; pass < 2; pass++) {
    gsize distinct = 0;

    for (gsize i = 0; i < G_N_ELEMENTS (proposals); i++) {
      gboolean seen = FALSE;

      for (gsize j = 0; j < i && !seen; j++)
        seen = same_window (&proposals[i], &proposals[j], &map);
      distinct += !seen;
    }
    g_assert_true (
        sppnet_region_list_set (&list, NULL, 0, 0, proposals, G_N_ELEMENTS (proposals), &map, 8192, 8192, NULL));
    g_assert_cmpuint (list.n, ==, distinct);
  }
}

static void
test_without_map_all_stay (void)
{
  const SppnetBox proposals[] = { { 0, 0, 9, 9 }, { 0, 0, 9, 9 } };
  g_auto (SppnetRegionList) list = { 0 };

  g_assert_true (sppnet_region_list_set (&list, NULL, 0, 0, proposals, 2, NULL, 320, 192, NULL));
  g_assert_cmpuint (list.n, ==, 2);
  g_assert_true (sppnet_region_list_set (&list, NULL, 0, 0, NULL, 0, NULL, 320, 192, NULL));
  g_assert_cmpuint (list.n, ==, 0);
}

/* Greedy suppression per class by repeated search for the best; returns how many survive. */
static gsize
naive_select (const SppnetCandidate *candidates, gsize n, gfloat threshold, gsize most, guint32 *out)
{
  g_autofree gboolean *gone = g_new0 (gboolean, n);
  gsize kept = 0;

  while (kept < most) {
    gsize best = n;

    for (gsize i = 0; i < n; i++)
      if (!gone[i] && (best == n || candidates[i].confidence > candidates[best].confidence))
        best = i;
    if (best == n)
      break;
    out[kept++] = (guint32) best;
    for (gsize i = 0; i < n; i++)
      if (i == best
          || (candidates[i].label == candidates[best].label
              && sppnet_box_iou (&candidates[i].box, &candidates[best].box) > threshold))
        gone[i] = TRUE;
  }
  return kept;
}

static void
check_selection (SppnetSelection *selection, SppnetModel *model, SppnetRandom *random, gsize n, gfloat threshold,
                 guint most)
{
  gfloat thresholds[2] = { 0 };
  const SppnetPlan plan
      = { .max_detections = most, .nms_threshold = threshold, .thresholds = thresholds, .n_labels = 2 };
  g_autofree guint32 *expected = g_new (guint32, n + 1);
  const SppnetDetection *found;
  gsize n_found, n_expected;

  sppnet_selection_reset (selection);
  for (gsize i = 0; i < n; i++) {
    SppnetCandidate candidate = { random_box (random, 320, 200), (gfloat) sppnet_random_uniform (random),
                                  sppnet_random_below (random, 2), (gint32) i };

    g_assert_true (sppnet_selection_add (selection, &candidate, NULL));
  }
  g_assert_true (sppnet_selection_run (selection, &plan, thresholds, NULL, most, model, &found, &n_found, NULL));
  n_expected = naive_select (selection->candidates, n, threshold, most, expected);
  g_assert_cmpuint (n_found, ==, n_expected);
  for (gsize i = 0; i < n_found; i++) {
    const SppnetCandidate *candidate = &selection->candidates[expected[i]];

    g_assert_cmpint (found[i].region, ==, candidate->region);
    g_assert_cmpuint (found[i].label_id, ==, candidate->label);
    g_assert_cmpstr (found[i].label, ==, scene_labels[candidate->label]);
    g_assert_cmpfloat (found[i].confidence, ==, candidate->confidence);
    g_assert_cmpmem (&found[i].box, sizeof (SppnetBox), &candidate->box, sizeof (SppnetBox));
  }
}

static void
test_selection (void)
{
  const gsize counts[] = { 0, 1, 2, 50, 700, 5000 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_auto (SppnetSelection) selection = { 0 };
  SppnetRandom random = { 3 };

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    check_selection (&selection, model, &random, counts[i], 0.3f, 100);
    check_selection (&selection, model, &random, counts[i], 0.7f, 7);
    check_selection (&selection, model, &random, counts[i] % 1000, 1.0f, G_MAXUINT);
  }
}

static void
test_ties_keep_their_order (void)
{
  gfloat thresholds[2] = { 0 };
  const SppnetPlan plan = { .max_detections = 100, .nms_threshold = 0.3f, .thresholds = thresholds, .n_labels = 2 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_auto (SppnetSelection) selection = { 0 };
  const SppnetDetection *found;
  gsize n;

  for (gint32 i = 0; i < 40; i++) {
    const SppnetCandidate candidate = { { 10.0f * i, 0, 9, 9 }, 0.75f, i % 2, i };

    g_assert_true (sppnet_selection_add (&selection, &candidate, NULL));
  }
  g_assert_true (
      sppnet_selection_run (&selection, &plan, plan.thresholds, NULL, plan.max_detections, model, &found, &n, NULL));
  g_assert_cmpuint (n, ==, 40);
  for (gint i = 0; i < 40; i++)
    g_assert_cmpint (found[i].region, ==, i < 20 ? 2 * i : 2 * (i - 20) + 1);
}

/* What is left of the detections, best first: nothing overlaps anything better, and nothing more was dropped. */
static void
test_suppress_across (void)
{
  gfloat thresholds[2] = { 0 };
  const SppnetPlan plan = { .max_detections = 300, .nms_threshold = 1.0f, .thresholds = thresholds, .n_labels = 2 };
  g_autoptr (SppnetModel) model = scene_model ();
  SppnetRandom random = { 6 };
  guint dropped = 0;

  for (guint round = 0; round < 20; round++) {
    g_auto (SppnetSelection) selection = { 0 };
    g_autofree SppnetDetection *before = NULL;
    const SppnetDetection *found;
    gsize n, left, at = 0;

    for (gint32 i = 0; i < 200; i++) {
      const SppnetCandidate candidate = { random_box (&random, 320, 200), (gfloat) sppnet_random_uniform (&random),
                                          sppnet_random_below (&random, 2), i };

      g_assert_true (sppnet_selection_add (&selection, &candidate, NULL));
    }
    g_assert_true (sppnet_selection_run (&selection, &plan, thresholds, NULL, 300, model, &found, &n, NULL));
    g_assert_cmpuint (n, ==, 200);
    before = g_memdup2 (found, n * sizeof *found);
    left = sppnet_selection_suppress_across (&selection, 0.4f, 300);
    for (gsize i = 0; i < n; i++) {
      gfloat highest = 0.0f;

      for (gsize k = 0; k < at; k++)
        highest = MAX (highest, sppnet_box_iou (&found[k].box, &before[i].box));
      if (highest > 0.4f) {
        dropped++;
        continue;
      }
      g_assert_cmpuint (at, <, left);
      scene_assert_same (&found[at++], 1, &before[i], 1);
    }
    g_assert_cmpuint (at, ==, left);
    g_assert_cmpuint (sppnet_selection_suppress_across (&selection, 0.4f, 3), ==, MIN (left, 3));
  }
  g_assert_cmpuint (dropped, >, 100);
}

/* Votes of boxes that end at the frame's edge end there, too, in double precision. */
static void
test_votes_stay_inside (void)
{
  gfloat thresholds[2] = { 0 };
  const SppnetPlan plan = { .max_detections = 300, .nms_threshold = 0.3f, .thresholds = thresholds, .n_labels = 2 };
  g_autoptr (SppnetModel) model = scene_model ();
  SppnetRandom random = { 8 };
  guint moved = 0;

  for (guint round = 0; round < 200; round++) {
    g_auto (SppnetSelection) selection = { 0 };
    const SppnetDetection *found;
    gsize n;

    for (gint32 i = 0; i < 8; i++) {
      gfloat x = (gfloat) (200 + 40 * sppnet_random_uniform (&random)),
             y = (gfloat) (10 * sppnet_random_uniform (&random));
      const SppnetBox box = { x, y, 320 - x, 200 - y };
      const SppnetCandidate candidate
          = { sppnet_box_clip (&box, 320, 200), (gfloat) (0.1 + 0.9 * sppnet_random_uniform (&random)), 1, i };

      g_assert_true (sppnet_selection_add (&selection, &candidate, NULL));
    }
    g_assert_true (sppnet_selection_run (&selection, &plan, thresholds, NULL, 300, model, &found, &n, NULL));
    for (gsize i = 0; i < n; i++) {
      const SppnetBox before = found[i].box;

      sppnet_selection_vote (&selection, 320, 200);
      moved += before.x != found[i].box.x;
      g_assert_cmpfloat ((gdouble) found[i].box.x + (gdouble) found[i].box.width, <=, 320);
      g_assert_cmpfloat ((gdouble) found[i].box.y + (gdouble) found[i].box.height, <=, 200);
    }
  }
  g_assert_cmpuint (moved, >, 150);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/selection/votes-stay-inside", test_votes_stay_inside);
  g_test_add_func ("/regions/one-per-window", test_one_proposal_per_window);
  g_test_add_func ("/regions/margin", test_margin);
  g_test_add_func ("/regions/large-map", test_large_map);
  g_test_add_func ("/regions/without-map", test_without_map_all_stay);
  g_test_add_func ("/selection/naive", test_selection);
  g_test_add_func ("/selection/ties", test_ties_keep_their_order);
  g_test_add_func ("/selection/suppress-across", test_suppress_across);
  return g_test_run ();
}
