/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box/voting.h"

static void
assert_box (SppnetBox box, gfloat x, gfloat y, gfloat width, gfloat height)
{
  g_assert_cmpfloat_with_epsilon (box.x, x, 1e-4f);
  g_assert_cmpfloat_with_epsilon (box.y, y, 1e-4f);
  g_assert_cmpfloat_with_epsilon (box.width, width, 1e-4f);
  g_assert_cmpfloat_with_epsilon (box.height, height, 1e-4f);
}

static void
test_weighted_mean (void)
{
  /* The third overlaps the first by 40 of 160. */
  static const SppnetBox boxes[] = { { 0, 0, 100, 100 }, { 20, 0, 100, 90 }, { 60, 0, 100, 100 } };
  static const gfloat scores[] = { 0.8f, 0.4f, 0.9f };

  /* Weights .64 and .16: four fifths of the first and one of the second. */
  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 3, 0.05f), 4, 0, 100, 98);
  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 1, 0.05f), 0, 0, 100, 100);
  assert_box (sppnet_box_vote (&boxes[2], boxes, scores, 3, 0.05f), 60, 0, 100, 100);
}

static void
test_floor (void)
{
  static const SppnetBox boxes[] = { { 0, 0, 100, 100 }, { 20, 0, 100, 100 } };
  static const gfloat scores[] = { 0.04f, 0.04f };

  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 2, 0.05f), 0, 0, 100, 100);
  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 2, 0.04f), 10, 0, 100, 100);
  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 0, 0.0f), 0, 0, 100, 100);
}

/* IoU of .5 takes part. */
static void
test_limit (void)
{
  static const SppnetBox boxes[] = { { 0, 0, 100, 100 }, { 0, 0, 100, 50 }, { 0, 0, 100, 49 } };
  static const gfloat scores[] = { 0.5f, 0.5f, 0.5f };

  assert_box (sppnet_box_vote (&boxes[0], boxes, scores, 3, 0.05f), 0, 0, 100, 75);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/box/voting/weighted-mean", test_weighted_mean);
  g_test_add_func ("/box/voting/floor", test_floor);
  g_test_add_func ("/box/voting/limit", test_limit);
  return g_test_run ();
}
