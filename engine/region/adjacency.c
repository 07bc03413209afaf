/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/hierarchy.h"

#include <string.h>

static gsize
hash (guint32 a, guint32 b)
{
  return (gsize) ((((guint64) a << 32 | b) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 32);
}

/* Room for twice as many pairs as there are slots' quarters; enters again those found so far. */
static gboolean
grow (SppnetAdjacency *adjacency, gsize *mask, GError **error)
{
  gsize n_slots = *mask ? 2 * (*mask + 1) : 1024;
  SppnetBuffer larger = { 0 };
  guint32 (*pairs)[2] = sppnet_buffer_reserve (&larger, n_slots / 2, sizeof *pairs, error);
  guint32 *slots = pairs ? sppnet_buffer_reserve (&adjacency->slots, n_slots, sizeof *slots, error) : NULL;

  if (!slots) {
    sppnet_buffer_clear (&larger);
    return FALSE;
  }
  if (adjacency->n_pairs)
    memcpy (pairs, adjacency->pairs.data, adjacency->n_pairs * sizeof *pairs);
  sppnet_buffer_clear (&adjacency->pairs);
  adjacency->pairs = larger;
  memset (slots, 0, n_slots * sizeof *slots);
  *mask = n_slots - 1;
  for (gsize i = 0; i < adjacency->n_pairs; i++) {
    gsize at = hash (pairs[i][0], pairs[i][1]) & *mask;

    while (slots[at])
      at = (at + 1) & *mask;
    slots[at] = (guint32) i + 1;
  }
  return TRUE;
}

/* Starts with what the last run had. */
static gboolean
prepare (SppnetAdjacency *adjacency, gsize *mask, GError **error)
{
  gsize n_slots = 1;

  adjacency->n_pairs = 0;
  *mask = 0;
  if (adjacency->slots.bytes < 1024 * sizeof (guint32))
    return grow (adjacency, mask, error);
  while (2 * n_slots * sizeof (guint32) <= adjacency->slots.bytes)
    n_slots *= 2;
  *mask = n_slots - 1;
  memset (adjacency->slots.data, 0, n_slots * sizeof (guint32));
  return TRUE;
}

static gboolean
add_pair (SppnetAdjacency *adjacency, gsize *mask, guint32 a, guint32 b, GError **error)
{
  guint32 (*pairs)[2] = adjacency->pairs.data;
  guint32 *slots = adjacency->slots.data;
  gsize at = hash (a, b) & *mask;

  for (; slots[at]; at = (at + 1) & *mask)
    if (pairs[slots[at] - 1][0] == a && pairs[slots[at] - 1][1] == b)
      return TRUE;
  pairs[adjacency->n_pairs][0] = a;
  pairs[adjacency->n_pairs][1] = b;
  slots[at] = (guint32) ++adjacency->n_pairs;
  return adjacency->n_pairs < (*mask + 1) / 2 || grow (adjacency, mask, error);
}

gboolean
sppnet_adjacency_find (SppnetAdjacency *adjacency, const guint32 *labels, gint width, gint height, GError **error)
{
  gsize mask;

  if (!prepare (adjacency, &mask, error))
    return FALSE;
  for (gint y = 0; y < height; y++, labels += width)
    for (gint x = 0; x < width; x++) {
      guint32 here = labels[x];
      guint32 right = x + 1 < width ? labels[x + 1] : here;
      guint32 below = y + 1 < height ? labels[x + width] : here;

      if (right != here && !add_pair (adjacency, &mask, MIN (here, right), MAX (here, right), error))
        return FALSE;
      if (below != here && !add_pair (adjacency, &mask, MIN (here, below), MAX (here, below), error))
        return FALSE;
    }
  return TRUE;
}

void
sppnet_adjacency_clear (SppnetAdjacency *adjacency)
{
  sppnet_buffer_clear (&adjacency->pairs);
  sppnet_buffer_clear (&adjacency->slots);
}
