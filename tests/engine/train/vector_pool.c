/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/vector_pool.h"

static void
test_vector_pool (void)
{
  SppnetVectorPool pool;
  gfloat vector[3];
  guint32 id;

  sppnet_vector_pool_init (&pool, 3);
  for (guint i = 0; i < 1000; i++) {
    for (guint k = 0; k < 3; k++)
      vector[k] = (gfloat) (i * 3 + k);
    g_assert_true (sppnet_vector_pool_add (&pool, i / 10, i % 10, vector, &id, NULL));
    g_assert_cmpuint (id, ==, i);
    sppnet_vector_pool_hold (&pool, id);
  }
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpfloat (sppnet_vector_pool_get (&pool, i)[2], ==, i * 3 + 2);

  sppnet_vector_pool_hold (&pool, 500);
  sppnet_vector_pool_release (&pool, 500);
  g_assert_cmpuint (pool.unused->len, ==, 0);
  sppnet_vector_pool_release (&pool, 500);
  vector[2] = -1;
  g_assert_true (sppnet_vector_pool_add (&pool, 7, 8, vector, &id, NULL));
  g_assert_cmpuint (id, ==, 500);
  g_assert_cmpfloat (sppnet_vector_pool_get (&pool, id)[2], ==, -1);
  g_assert_cmpuint (sppnet_vector_pool_info (&pool, id)->picture, ==, 7);
  sppnet_vector_pool_clear (&pool);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/vector-pool/hold-and-release", test_vector_pool);
  return g_test_run ();
}
