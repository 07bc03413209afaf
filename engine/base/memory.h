/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Every buffer of numbers starts on a cache line and may be read up to one vector past its end. */
#define SPPNET_ALIGNMENT 64

/* Uninitialised, aligned, or NULL when the memory cannot be had. Free with sppnet_aligned_free(). */
gpointer sppnet_aligned_alloc (gsize bytes);
/* The same, of huge pages where it is large and the system gives them on request: for what is read from start to end
 * again and again and does not stay in the cache, such as weights, and for what is read here and there. */
gpointer sppnet_aligned_alloc_huge (gsize bytes);
/* The same, all 0. */
gpointer sppnet_aligned_zeros (gsize bytes);
void sppnet_aligned_free (gpointer memory);

/**
 * SppnetBuffer:
 *
 * Scratch memory that only grows: sized in the first run, reused in the following ones. { 0 } is empty.
 */
typedef struct
{
  gpointer data;
  gsize bytes;
} SppnetBuffer;

/* Makes room for count elements of size bytes; the content is lost when it moves. SPPNET_ERROR_MEMORY on failure or
 * overflow. Returns the memory, of huge pages like sppnet_aligned_alloc_huge(). */
gpointer sppnet_buffer_reserve (SppnetBuffer *buffer, gsize count, gsize size, GError **error);
void sppnet_buffer_clear (SppnetBuffer *buffer);

/* How often sppnet_aligned_alloc() was called in this process: tests prove a steady state with it. */
guint64 sppnet_aligned_alloc_count (void);

typedef gfloat SppnetFloats;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetFloats, sppnet_aligned_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetBuffer, sppnet_buffer_clear)
