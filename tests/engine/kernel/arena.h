/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>
#include <sys/mman.h>

#include "base/random.h"

/* Buffers that end at a page which nobody may touch: one byte read or written beyond the end ends the program. The
 * bytes before them have a pattern. Lengths are random, and with them the alignment of the start. */
#define ARENA_BYTES (1 << 20)
#define ARENA_GUARD 64
#define ARENA_PATTERN 0xa5

typedef struct
{
  guint8 *end; /* start of the forbidden page */
  guint8 *data;
} Arena;

static inline gpointer
arena_take (Arena *arena, gsize bytes)
{
  g_assert_cmpuint (bytes + ARENA_GUARD, <=, ARENA_BYTES);
  arena->data = arena->end - bytes;
  memset (arena->data - ARENA_GUARD, ARENA_PATTERN, ARENA_GUARD);
  return arena->data;
}

static inline void
arena_init (Arena *arena)
{
  guint8 *memory = mmap (NULL, 2 * ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  arena->end = memory + ARENA_BYTES;
  g_assert_cmpint (mprotect (arena->end, ARENA_BYTES, PROT_NONE), ==, 0);
  arena_take (arena, 0);
}

static inline gpointer
arena_copy (Arena *arena, gconstpointer from, gsize bytes)
{
  return memcpy (arena_take (arena, bytes), from, bytes);
}

static inline void
arena_check (const Arena *arena)
{
  for (gsize i = 1; i <= ARENA_GUARD; i++)
    g_assert_cmpuint (*(arena->data - i), ==, ARENA_PATTERN);
}

/* One in eight a number at an edge, one in eight any bits at all, else -8 .. 8. */
static inline gfloat
arena_random_float (SppnetRandom *random)
{
  static const guint32 edges[] = { 0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x00000001,
                                   0x807fffff, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0x33000000, 0x477fefff, 0x477ff000 };
  guint32 choice = sppnet_random_below (random, 8);
  guint32 bits
      = choice == 0 ? edges[sppnet_random_below (random, G_N_ELEMENTS (edges))] : (guint32) sppnet_random_next (random);
  gfloat value;

  if (choice > 1)
    return (gfloat) (sppnet_random_uniform (random) * 16.0 - 8.0);
  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline gfloat *
arena_floats (Arena *arena, gsize n, SppnetRandom *random)
{
  gfloat *values = arena_take (arena, n * sizeof *values);

  for (gsize i = 0; i < n; i++)
    values[i] = arena_random_float (random);
  return values;
}

/* Nothing, one, a few (tails of vectors), or many. */
static inline gsize
arena_random_size (SppnetRandom *random, gsize most)
{
  switch (sppnet_random_below (random, 8)) {
  case 0:
    return 0;
  case 1:
    return 1;
  case 2:
    return sppnet_random_below (random, (guint32) most + 1);
  default:
    return sppnet_random_below (random, (guint32) MIN (most, 70) + 1);
  }
}
