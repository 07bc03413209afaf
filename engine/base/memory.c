/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/memory.h"

#include <stdlib.h>

#include <sppnet/error.h>

static guint64 alloc_count; /* (atomic) */

gpointer
sppnet_aligned_alloc (gsize bytes)
{
  void *memory = NULL;

  __atomic_add_fetch (&alloc_count, 1, __ATOMIC_RELAXED);
  if (bytes > G_MAXSSIZE - 2 * SPPNET_ALIGNMENT)
    return NULL;
  if (posix_memalign (&memory, SPPNET_ALIGNMENT, bytes + SPPNET_ALIGNMENT) != 0)
    return NULL;
  return memory;
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
  buffer->data = sppnet_aligned_alloc (bytes);
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
