/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/schedule.h"

static void
test_rate (void)
{
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (0, 100, 9, TRUE), 0.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (8, 100, 9, TRUE), 0.9, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (9, 109, 9, TRUE), 1.0, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (59, 109, 9, TRUE), 0.505, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (109, 109, 9, TRUE), 0.01, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (5, 3, 5, TRUE), 1.0, 1e-12); /* shorter than its warm-up */
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (8, 100, 9, FALSE), 0.9, 1e-12);
  g_assert_cmpfloat_with_epsilon (sppnet_schedule_rate (99, 100, 9, FALSE), 1.0, 1e-12);
}

/* Every pass has every picture once, in another order; any place gives the same picture however it is reached. */
static void
test_shuffle (void)
{
  g_auto (SppnetShuffle) shuffle = { 37, 3, NULL, 0 };
  g_auto (SppnetShuffle) other = { 37, 3, NULL, 0 };
  guint orders[3][37], same = 0;

  for (guint64 epoch = 0; epoch < 3; epoch++) {
    guint64 seen = 0;

    for (guint64 i = 0; i < 37; i++) {
      guint picture = sppnet_shuffle_at (&shuffle, epoch * 37 + i);

      orders[epoch][i] = picture;
      g_assert_cmpuint (picture, <, 37);
      seen |= (guint64) 1 << picture;
      same += epoch > 0 && orders[epoch][i] == orders[epoch - 1][i];
    }
    g_assert_cmpuint (seen, ==, ((guint64) 1 << 37) - 1);
  }
  g_assert_cmpuint (same, <, 20);
  g_assert_cmpuint (sppnet_shuffle_at (&other, 2 * 37 + 5), ==, orders[2][5]);
  g_assert_cmpuint (sppnet_shuffle_at (&other, 6), ==, orders[0][6]);
}

static void
test_random (void)
{
  SppnetRandom a = sppnet_schedule_random (1, 5), b = sppnet_schedule_random (1, 5), c = sppnet_schedule_random (1, 6),
               d = sppnet_schedule_random (2, 5);
  guint64 first = sppnet_random_next (&a);

  g_assert_cmpuint (first, ==, sppnet_random_next (&b));
  g_assert_cmpuint (first, !=, sppnet_random_next (&c));
  g_assert_cmpuint (first, !=, sppnet_random_next (&d));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/schedule/rate", test_rate);
  g_test_add_func ("/train/schedule/shuffle", test_shuffle);
  g_test_add_func ("/train/schedule/random", test_random);
  return g_test_run ();
}
