/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "train/anchors.h"

#define MOST 600

/* Objects of three sizes, varied by up to a tenth: the anchors are their means. */
static void
test_clusters (void)
{
  static const gfloat centres[3][2] = { { 20, 30 }, { 100, 60 }, { 250, 300 } };
  SppnetRandom random = { 1 };
  gfloat sizes[MOST][2], anchors[SPPNET_MAX_ANCHORS][2];

  for (guint i = 0; i < MOST; i++)
    for (guint c = 0; c < 2; c++)
      sizes[i][c] = centres[i % 3][c] * (gfloat) (0.9 + 0.2 * sppnet_random_uniform (&random));
  g_assert_cmpuint (sppnet_anchors_fit ((const gfloat (*)[2]) sizes, MOST, 3, &random, anchors), ==, 3);
  for (guint a = 0; a < 3; a++)
    for (guint c = 0; c < 2; c++)
      g_assert_cmpfloat_with_epsilon (anchors[a][c], centres[a][c], 0.02 * centres[a][c]);
}

static void
test_few_sizes (void)
{
  static const gfloat sizes[][2] = { { 30, 30 }, { 10, 20 }, { 30, 30 }, { 10, 20 }, { 10, 20 } };
  SppnetRandom random = { 1 };
  gfloat anchors[SPPNET_MAX_ANCHORS][2];

  g_assert_cmpuint (sppnet_anchors_fit (sizes, 5, 9, &random, anchors), ==, 2);
  g_assert_cmpfloat (anchors[0][0], ==, 10);
  g_assert_cmpfloat (anchors[0][1], ==, 20);
  g_assert_cmpfloat (anchors[1][0], ==, 30);
  g_assert_cmpuint (sppnet_anchors_fit (sizes, 1, 1, &random, anchors), ==, 1);
  g_assert_cmpuint (sppnet_anchors_fit (sizes, 0, 3, &random, anchors), ==, 0);
}

/* More anchors fit better, the same seed gives the same, and they are sorted by area. */
static void
test_many (void)
{
  SppnetRandom random = { 5 };
  gfloat sizes[MOST][2], anchors[SPPNET_MAX_ANCHORS][2], again[SPPNET_MAX_ANCHORS][2];
  gdouble last = 0.0;

  for (guint i = 0; i < MOST; i++)
    for (guint c = 0; c < 2; c++)
      sizes[i][c] = (gfloat) (10.0 * pow (40.0, sppnet_random_uniform (&random)));
  for (guint wanted = 2; wanted <= 32; wanted *= 4) {
    SppnetRandom one = { 9 }, two = { 9 };
    guint n = sppnet_anchors_fit ((const gfloat (*)[2]) sizes, MOST, wanted, &one, anchors);
    gdouble sum = 0.0;

    g_assert_cmpuint (n, ==, wanted);
    sppnet_anchors_fit ((const gfloat (*)[2]) sizes, MOST, wanted, &two, again);
    g_assert_cmpmem (anchors, n * sizeof *anchors, again, n * sizeof *again);
    for (guint i = 0; i < MOST; i++) {
      gfloat best = 0.0f;

      for (guint a = 0; a < n; a++) {
        gfloat both = MIN (sizes[i][0], anchors[a][0]) * MIN (sizes[i][1], anchors[a][1]);

        best = MAX (best, both / (sizes[i][0] * sizes[i][1] + anchors[a][0] * anchors[a][1] - both));
      }
      sum += best;
    }
    for (guint a = 1; a < n; a++)
      g_assert_cmpfloat (anchors[a][0] * anchors[a][1], >=, anchors[a - 1][0] * anchors[a - 1][1]);
    g_assert_cmpfloat (sum / MOST, >, last);
    last = sum / MOST;
  }
  g_assert_cmpfloat (last, >, 0.7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/anchors/clusters", test_clusters);
  g_test_add_func ("/train/anchors/few-sizes", test_few_sizes);
  g_test_add_func ("/train/anchors/many", test_many);
  return g_test_run ();
}
