/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <sppnet/error.h>

#include "base/memory.h"

/* AddressSanitizer ends the process when memory cannot be had, unless it is told that this is tested here. */
const char *__asan_default_options (void);
const char *
__asan_default_options (void)
{
  return "allocator_may_return_null=1";
}

static void
test_alloc (void)
{
  static const gsize sizes[] = { 0, 1, 63, 64, 65, 4095, 100000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint64 count = sppnet_aligned_alloc_count ();
    guint8 *memory = sppnet_aligned_alloc (sizes[i]);
    volatile guint8 last;

    g_assert_nonnull (memory);
    g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, count + 1);
    g_assert_cmpuint ((gsize) memory % SPPNET_ALIGNMENT, ==, 0);
    memset (memory, 0xff, sizes[i]);
    last = memory[sizes[i] + SPPNET_ALIGNMENT - 1]; /* one vector past the end belongs to it */
    (void) last;
    sppnet_aligned_free (memory);
  }
  sppnet_aligned_free (NULL);
}

static void
test_alloc_impossible (void)
{
  static const gsize sizes[]
      = { G_MAXSIZE, G_MAXSIZE - SPPNET_ALIGNMENT, (gsize) G_MAXSSIZE, (gsize) G_MAXSSIZE - 4096 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    g_assert_null (sppnet_aligned_alloc (sizes[i]));
}

static void
test_buffer (void)
{
  g_auto (SppnetBuffer) buffer = { 0 };
  g_autoptr (GError) error = NULL;
  gpointer first = sppnet_buffer_reserve (&buffer, 1000, sizeof (gfloat), &error);
  guint64 count = sppnet_aligned_alloc_count ();

  g_assert_no_error (error);
  g_assert_cmpuint (buffer.bytes, ==, 4000);
  g_assert_true (sppnet_buffer_reserve (&buffer, 500, 8, &error) == first);
  g_assert_true (sppnet_buffer_reserve (&buffer, 1, 1, &error) == first);
  g_assert_true (sppnet_buffer_reserve (&buffer, 0, 8, &error) == first);
  g_assert_cmpuint (buffer.bytes, ==, 4000);
  g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, count);

  memset (sppnet_buffer_reserve (&buffer, 4001, 1, &error), 1, 4001);
  g_assert_no_error (error);
  g_assert_cmpuint (buffer.bytes, ==, 4001);
  g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, count + 1);
}

/* Nothing asked for is not a failure: NULL means an error only. */
static void
test_buffer_empty (void)
{
  g_auto (SppnetBuffer) buffer = { 0 };

  g_assert_nonnull (sppnet_buffer_reserve (&buffer, 0, 4, NULL));
  sppnet_buffer_clear (&buffer);
  sppnet_buffer_clear (&buffer);
  g_assert_true (buffer.data == NULL && buffer.bytes == 0);
}

static void
test_buffer_impossible (void)
{
  static const gsize requests[][2] = { { G_MAXSIZE, 2 },
                                       { G_MAXSIZE / 2, 3 },
                                       { (gsize) 1 << 33, (gsize) 1 << 33 },
                                       { G_MAXSIZE, 1 },
                                       { (gsize) G_MAXSSIZE, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_auto (SppnetBuffer) buffer = { 0 };
    g_autoptr (GError) error = NULL;

    g_assert_nonnull (sppnet_buffer_reserve (&buffer, 10, 1, NULL));
    g_assert_null (sppnet_buffer_reserve (&buffer, requests[i][0], requests[i][1], &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY);
    g_assert_true ((buffer.data == NULL) == (buffer.bytes == 0));
    memset (sppnet_buffer_reserve (&buffer, 10, 1, NULL), 0, 10); /* usable again */
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/memory/alloc", test_alloc);
  g_test_add_func ("/base/memory/impossible", test_alloc_impossible);
  g_test_add_func ("/base/buffer/grows", test_buffer);
  g_test_add_func ("/base/buffer/empty", test_buffer_empty);
  g_test_add_func ("/base/buffer/impossible", test_buffer_impossible);
  return g_test_run ();
}
