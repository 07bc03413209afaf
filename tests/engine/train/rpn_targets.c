/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "box/regression.h"
#include "train/rpn_targets.h"

/* 12 x 9 cells of 16 pixels, two sizes of anchors. */
static const SppnetAnchorGrid grid = { 12, 9, 0.5f, 0.5f, 16 };

static SppnetRpnConfig
two_anchors (void)
{
  return (SppnetRpnConfig) { .n_anchors = 2, .anchors = { { 32, 32 }, { 80, 64 } } };
}

static gfloat
best_overlap (const SppnetRpnConfig *rpn, gsize anchor, const SppnetBox *boxes, gsize n)
{
  SppnetBox box = sppnet_anchor_box (&grid, rpn, anchor);
  gfloat best = 0.0f;

  for (gsize i = 0; i < n; i++)
    best = MAX (best, sppnet_box_iou (&box, &boxes[i]));
  return best;
}

/* Every anchor drawn has the overlap that its side asks for, or is the best of an object. */
static void
test_rules (void)
{
  SppnetRpnConfig rpn = two_anchors ();
  SppnetRandom random = { 3 };
  g_auto (SppnetRpnTargets) targets = { 0 };

  for (guint round = 0; round < 200; round++) {
    SppnetBox boxes[4];
    SppnetRpnObjects objects = { 1 + sppnet_random_below (&random, 3), 1, boxes };

    for (guint i = 0; i < 4; i++)
      boxes[i] = (SppnetBox) { sppnet_random_below (&random, 120), sppnet_random_below (&random, 90),
                               20 + sppnet_random_below (&random, 70), 20 + sppnet_random_below (&random, 50) };
    memmove (&boxes[objects.n], &boxes[3], sizeof boxes[0]);
    g_assert_true (sppnet_rpn_targets_draw (&targets, &grid, &rpn, &objects, 64, &random, NULL));
    g_assert_cmpuint (targets.n_positive, >, 0);
    g_assert_cmpuint (targets.n_positive, <=, 32);
    g_assert_cmpuint (targets.n, <=, 64);
    for (gsize i = 0; i < targets.n; i++) {
      gfloat overlap = best_overlap (&rpn, targets.anchor[i], boxes, objects.n);

      for (gsize j = 0; j < i; j++)
        g_assert_cmpuint (targets.anchor[i], !=, targets.anchor[j]);
      if (i >= targets.n_positive) {
        g_assert_cmpfloat (MAX (overlap, best_overlap (&rpn, targets.anchor[i], &boxes[objects.n], 1)), <, 0.3f);
      } else {
        SppnetBox anchor = sppnet_anchor_box (&grid, &rpn, targets.anchor[i]);
        SppnetBox wanted = sppnet_box_decode (&anchor, targets.box[i]);

        g_assert_cmpfloat (overlap, >, 0);
        g_assert_cmpfloat_with_epsilon (best_overlap (&rpn, targets.anchor[i], boxes, objects.n),
                                        sppnet_box_iou (&anchor, &wanted), 1e-3);
      }
    }
  }
}

/* An object that no anchor overlaps by .7 still teaches: the best one is its example. */
static void
test_best_anchor (void)
{
  SppnetRpnConfig rpn = two_anchors ();
  SppnetRandom random = { 3 };
  g_auto (SppnetRpnTargets) targets = { 0 };
  SppnetBox thin = { 0.5f + 3 * 16 - 4, 0.5f + 4 * 16 - 4, 8, 8 }; /* around cell (3, 4) */
  SppnetRpnObjects objects = { 1, 0, &thin };

  g_assert_true (sppnet_rpn_targets_draw (&targets, &grid, &rpn, &objects, 256, &random, NULL));
  g_assert_cmpuint (targets.n_positive, >=, 1);
  for (gsize i = 0; i < targets.n_positive; i++)
    g_assert_cmpuint (targets.anchor[i] % 2, ==, 0);
  g_assert_cmpuint (targets.n, >, 180); /* of 216 anchors, background all that are far away */
}

/* Of more objects than have room, all have their turn. */
static void
test_many_objects (void)
{
  SppnetRpnConfig rpn = two_anchors ();
  SppnetRandom random = { 3 };
  g_auto (SppnetRpnTargets) targets = { 0 };
  SppnetBox boxes[20];
  SppnetRpnObjects objects = { G_N_ELEMENTS (boxes), 0, boxes };
  guint turns[G_N_ELEMENTS (boxes)] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (boxes); i++) /* just where an anchor is */
    boxes[i] = sppnet_anchor_box (&grid, &rpn, 2 * (24 * (i / 5) + 2 * (i % 5)));
  for (guint round = 0; round < 200; round++) {
    g_assert_true (sppnet_rpn_targets_draw (&targets, &grid, &rpn, &objects, 16, &random, NULL));
    g_assert_cmpuint (targets.n_positive, ==, 8);
    for (gsize k = 0; k < targets.n_positive; k++)
      for (guint i = 0; i < G_N_ELEMENTS (boxes); i++)
        turns[i] += best_overlap (&rpn, targets.anchor[k], &boxes[i], 1) > 0.99f;
  }
  for (guint i = 0; i < G_N_ELEMENTS (boxes); i++)
    g_assert_cmpuint (turns[i], >, 20);
}

static void
test_no_objects (void)
{
  SppnetRpnConfig rpn = two_anchors ();
  SppnetRandom random = { 3 };
  g_auto (SppnetRpnTargets) targets = { 0 };
  SppnetRpnObjects none = { 0, 0, NULL };
  SppnetBox all = { 0, 0, 200, 150 };
  SppnetRpnObjects ignored = { 0, 1, &all };

  g_assert_true (sppnet_rpn_targets_draw (&targets, &grid, &rpn, &none, 32, &random, NULL));
  g_assert_cmpuint (targets.n, ==, 32);
  g_assert_cmpuint (targets.n_positive, ==, 0);
  rpn.anchors[0][0] = rpn.anchors[1][0] = 180;
  rpn.anchors[0][1] = rpn.anchors[1][1] = 140;
  g_assert_true (sppnet_rpn_targets_draw (&targets, &grid, &rpn, &ignored, 500, &random, NULL));
  g_assert_cmpuint (targets.n_positive, ==, 0);
  for (gsize i = 0; i < targets.n; i++)
    g_assert_cmpfloat (best_overlap (&rpn, targets.anchor[i], &all, 1), <, 0.3f);
  g_assert_cmpuint (targets.n, <, 216);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/rpn-targets/rules", test_rules);
  g_test_add_func ("/train/rpn-targets/best-anchor", test_best_anchor);
  g_test_add_func ("/train/rpn-targets/many-objects", test_many_objects);
  g_test_add_func ("/train/rpn-targets/no-objects", test_no_objects);
  return g_test_run ();
}
