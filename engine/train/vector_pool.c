/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/vector_pool.h"

#include <string.h>

#include "base/memory.h"

void
sppnet_vector_pool_init (SppnetVectorPool *pool, gsize length)
{
  pool->length = length;
  pool->blocks = g_ptr_array_new_with_free_func (sppnet_aligned_free);
  pool->vectors = g_array_new (FALSE, FALSE, sizeof (SppnetPooledVector));
  pool->unused = g_array_new (FALSE, FALSE, sizeof (guint32));
}

void
sppnet_vector_pool_clear (SppnetVectorPool *pool)
{
  g_clear_pointer (&pool->blocks, g_ptr_array_unref);
  g_clear_pointer (&pool->vectors, g_array_unref);
  g_clear_pointer (&pool->unused, g_array_unref);
}

static gboolean
add_block (SppnetVectorPool *pool, GError **error)
{
  gsize bytes;
  gpointer block = NULL;

  if (g_size_checked_mul (&bytes, pool->length, SPPNET_POOL_BLOCK * sizeof (gfloat)))
    block = sppnet_aligned_alloc (bytes);
  if (!block) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY,
                 "cannot allocate memory for %d training vectors of %" G_GSIZE_FORMAT " numbers", SPPNET_POOL_BLOCK,
                 pool->length);
    return FALSE;
  }
  g_ptr_array_add (pool->blocks, block);
  return TRUE;
}

gboolean
sppnet_vector_pool_add (SppnetVectorPool *pool, guint picture, guint32 row, const gfloat *vector, guint32 *id,
                        GError **error)
{
  SppnetPooledVector info = { .picture = picture, .row = row };

  if (pool->unused->len > 0) {
    *id = g_array_index (pool->unused, guint32, pool->unused->len - 1);
    g_array_set_size (pool->unused, pool->unused->len - 1);
    g_array_index (pool->vectors, SppnetPooledVector, *id) = info;
  } else {
    if (pool->vectors->len == pool->blocks->len * SPPNET_POOL_BLOCK && !add_block (pool, error))
      return FALSE;
    *id = pool->vectors->len;
    g_array_append_val (pool->vectors, info);
  }
  memcpy ((gfloat *) sppnet_vector_pool_get (pool, *id), vector, pool->length * sizeof (gfloat));
  return TRUE;
}

void
sppnet_vector_pool_hold (SppnetVectorPool *pool, guint32 id)
{
  g_array_index (pool->vectors, SppnetPooledVector, id).users++;
}

void
sppnet_vector_pool_release (SppnetVectorPool *pool, guint32 id)
{
  SppnetPooledVector *info = &g_array_index (pool->vectors, SppnetPooledVector, id);

  g_assert (info->users > 0);
  if (--info->users == 0)
    g_array_append_val (pool->unused, id);
}
