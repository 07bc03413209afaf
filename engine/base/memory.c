/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sppnet/error.h>

#define HUGE_PAGE ((gsize) 2 << 20)

static guint64 alloc_count; /* (atomic) */

static gpointer
alloc (gsize alignment, gsize bytes)
{
  void *memory = NULL;

  __atomic_add_fetch (&alloc_count, 1, __ATOMIC_RELAXED);
  if (bytes > G_MAXSSIZE - 2 * alignment)
    return NULL;
  if (posix_memalign (&memory, alignment, bytes + SPPNET_ALIGNMENT) != 0)
    return NULL;
  return memory;
}

gpointer
sppnet_aligned_alloc (gsize bytes)
{
  return alloc (SPPNET_ALIGNMENT, bytes);
}

gpointer
sppnet_aligned_alloc_huge (gsize bytes)
{
  gpointer memory;

  if (bytes < HUGE_PAGE)
    return sppnet_aligned_alloc (bytes);
  memory = alloc (HUGE_PAGE, bytes);
#if defined(MADV_HUGEPAGE)
  /* Where it fails, pages stay small. */
  if (memory)
    (void) madvise (memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

gpointer
sppnet_aligned_zeros (gsize bytes)
{
  gpointer memory = sppnet_aligned_alloc_huge (bytes);

  return memory ? memset (memory, 0, bytes) : NULL;
}

void
sppnet_aligned_free (gpointer memory)
{
  free (memory);
}

guint64
sppnet_aligned_alloc_count (void)
{
  return __atomic_load_n (&alloc_count, __ATOMIC_RELAXED);
}

gpointer
sppnet_buffer_reserve (SppnetBuffer *buffer, gsize count, gsize size, GError **error)
{
  gsize bytes;

  if (!g_size_checked_mul (&bytes, count, size)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY,
                 "%" G_GSIZE_FORMAT " elements of %" G_GSIZE_FORMAT " bytes do not fit in memory", count, size);
    return NULL;
  }
  if (buffer->data && bytes <= buffer->bytes)
    return buffer->data;

  sppnet_buffer_clear (buffer);
  buffer->data = sppnet_aligned_alloc_huge (bytes);
  if (!buffer->data) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot allocate %" G_GSIZE_FORMAT " bytes", bytes);
    return NULL;
  }
  buffer->bytes = bytes;
  return buffer->data;
}

void
sppnet_buffer_clear (SppnetBuffer *buffer)
{
  sppnet_aligned_free (buffer->data);
  buffer->data = NULL;
  buffer->bytes = 0;
}
