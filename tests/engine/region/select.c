/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "region/select.h"

#define MOST 3000

static void
test_keys (void)
{
  static const gfloat falling[] = { INFINITY, 1e30f, 2.5f, 1e-40f, 0.0f, -1e-40f, -2.5f, -INFINITY, NAN };

  for (guint i = 0; i + 1 < G_N_ELEMENTS (falling); i++) {
    g_assert_cmpuint (sppnet_select_key (falling[i], 99), <, sppnet_select_key (falling[i + 1], 0));
    g_assert_cmpuint (sppnet_select_key (falling[i], 7), <, sppnet_select_key (falling[i], 8));
    g_assert_cmpuint (sppnet_select_index (sppnet_select_key (falling[i], 12345)), ==, 12345);
  }
  g_assert_cmpuint (sppnet_select_key (-0.0f, 3), ==, sppnet_select_key (0.0f, 3));
}

static int
compare (const void *a, const void *b)
{
  guint64 p = *(const guint64 *) a, q = *(const guint64 *) b;

  return (p > q) - (p < q);
}

static void
check (guint64 *keys, gsize n, gsize k)
{
  g_autofree guint64 *sorted = g_memdup2 (keys, sizeof *keys * n);
  guint64 before = 0, after = 0;

  if (n > 0)
    qsort (sorted, n, sizeof *sorted, compare);
  for (gsize i = 0; i < n; i++)
    before ^= keys[i];
  sppnet_select_best (keys, n, k);
  for (gsize i = 0; i < n; i++)
    after ^= keys[i];
  if (k > 0)
    g_assert_cmpmem (keys, k * sizeof *keys, sorted, k * sizeof *sorted);
  g_assert_cmpuint (before, ==, after);
}

static void
test_random (void)
{
  SppnetRandom random = { 3 };
  g_autofree guint64 *keys = g_new (guint64, MOST);

  for (guint round = 0; round < 500; round++) {
    gsize n = sppnet_random_below (&random, round % 2 ? 40 : MOST), k = sppnet_random_below (&random, (guint32) n + 1);
    guint32 values = 1 + sppnet_random_below (&random, 2000);

    for (gsize i = 0; i < n; i++)
      keys[i] = sppnet_select_key ((gfloat) sppnet_random_below (&random, values), (guint32) i);
    check (keys, n, round % 5 ? k : n);
  }
}

/* Sorted, reversed, all equal, one after another from both ends. */
static void
test_patterns (void)
{
  g_autofree guint64 *keys = g_new (guint64, MOST);

  for (guint pattern = 0; pattern < 5; pattern++)
    for (gsize k = 0; k <= MOST; k += 750) {
      for (guint32 i = 0; i < MOST; i++)
        keys[i] = pattern == 0   ? i
                  : pattern == 1 ? MOST - i
                  : pattern == 2 ? 5
                  : pattern == 3 ? (i % 2 ? i : MOST - i)
                                 : MIN (i, MOST - i);
      check (keys, MOST, k);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/select/keys", test_keys);
  g_test_add_func ("/region/select/random", test_random);
  g_test_add_func ("/region/select/patterns", test_patterns);
  return g_test_run ();
}
