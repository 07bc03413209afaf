/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Vectors that several SVMs hold at once: a region that is a hard negative of one label often is one of others too, and
 * is kept once. Vectors lie in blocks, so that growing never moves them. */
typedef struct
{
  guint picture;
  guint32 row; /* of the region in its picture */
  guint users; /* 0: free */
} SppnetPooledVector;

typedef struct
{
  gsize length;      /* of one vector */
  GPtrArray *blocks; /* of gfloat [SPPNET_POOL_BLOCK][length] */
  GArray *vectors;   /* of SppnetPooledVector; the index is the vector's id */
  GArray *unused;    /* of guint32: ids to be used again */
} SppnetVectorPool;

#define SPPNET_POOL_BLOCK 256

void sppnet_vector_pool_init (SppnetVectorPool *pool, gsize length);
void sppnet_vector_pool_clear (SppnetVectorPool *pool);

/* Copies vector; it has no user yet. SPPNET_ERROR_MEMORY */
gboolean sppnet_vector_pool_add (SppnetVectorPool *pool, guint picture, guint32 row, const gfloat *vector, guint32 *id,
                                 GError **error);
void sppnet_vector_pool_hold (SppnetVectorPool *pool, guint32 id);
/* The last one to release frees the place. */
void sppnet_vector_pool_release (SppnetVectorPool *pool, guint32 id);

static inline const SppnetPooledVector *
sppnet_vector_pool_info (const SppnetVectorPool *pool, guint32 id)
{
  return &g_array_index (pool->vectors, SppnetPooledVector, id);
}

/* [length] */
static inline const gfloat *
sppnet_vector_pool_get (const SppnetVectorPool *pool, guint32 id)
{
  return (const gfloat *) pool->blocks->pdata[id / SPPNET_POOL_BLOCK] + id % SPPNET_POOL_BLOCK * pool->length;
}
