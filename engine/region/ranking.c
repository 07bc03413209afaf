/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/ranking.h"

#include <string.h>

#include "base/key_set.h"

/* The sort looks at eight bits at a time. */
#define DIGITS 256

gboolean
sppnet_ranking_start (SppnetRanking *ranking, gsize room, GError **error)
{
  ranking->n_ranked = ranking->n_boxes = 0;
  ranking->room = room;
  return sppnet_buffer_reserve (&ranking->ranked, room, 2 * sizeof (SppnetRanked), error) != NULL;
}

void
sppnet_ranking_add (SppnetRanking *ranking, gfloat rank, SppnetExtent extent)
{
  ((SppnetRanked *) ranking->ranked.data)[ranking->n_ranked++] = (SppnetRanked) { rank, extent };
}

/* No corner is above 8191, so 0 stays free for "no box" once 1 is added. */
static guint64
key_of (SppnetExtent e)
{
  return ((guint64) e.x0 << 48 | (guint64) e.y0 << 32 | (guint64) e.x1 << 16 | e.y1) + 1;
}

/* Order of floats as order of whole numbers. */
static inline guint32
digits_of (gfloat rank)
{
  union {
    gfloat value;
    guint32 bits;
  } f = { rank };

  return f.bits ^ (f.bits >> 31 ? G_MAXUINT32 : 1u << 31);
}

/* One pass of a radix sort; from and to do not overlap. */
static void
sort_by_digit (const SppnetRanked *from, SppnetRanked *to, gsize n, guint shift)
{
  gsize start[DIGITS + 1] = { 0 };

  for (gsize i = 0; i < n; i++)
    start[(digits_of (from[i].rank) >> shift) % DIGITS + 1]++;
  for (guint d = 0; d < DIGITS; d++)
    start[d + 1] += start[d];
  for (gsize i = 0; i < n; i++)
    to[start[(digits_of (from[i].rank) >> shift) % DIGITS]++] = from[i];
}

void
sppnet_ranking_sort (SppnetRanking *ranking)
{
  SppnetRanked *ranked = ranking->ranked.data, *other = ranked + ranking->room;

  for (guint shift = 0; shift < 32; shift += 16) {
    sort_by_digit (ranked, other, ranking->n_ranked, shift);
    sort_by_digit (other, ranked, ranking->n_ranked, shift + 8);
  }
}

gboolean
sppnet_ranking_finish (SppnetRanking *ranking, gsize max_boxes, GError **error)
{
  SppnetRanked *ranked = ranking->ranked.data;
  gsize most = MIN (max_boxes, ranking->n_ranked), n_slots = 16;
  guint64 *slots;
  SppnetBox *boxes;

  while (n_slots < 2 * most)
    n_slots *= 2;
  slots = sppnet_buffer_reserve (&ranking->slots, n_slots, sizeof *slots, error);
  boxes = slots ? sppnet_buffer_reserve (&ranking->boxes, most, sizeof *boxes, error) : NULL;
  if (!boxes)
    return FALSE;
  memset (slots, 0, n_slots * sizeof *slots);
  sppnet_ranking_sort (ranking);
  for (gsize i = 0; i < ranking->n_ranked && ranking->n_boxes < most; i++) {
    SppnetExtent e = ranked[i].extent;

    if (sppnet_key_set_add (slots, n_slots - 1, key_of (e)))
      boxes[ranking->n_boxes++] = (SppnetBox) { e.x0, e.y0, (gfloat) (e.x1 - e.x0 + 1), (gfloat) (e.y1 - e.y0 + 1) };
  }
  return TRUE;
}

void
sppnet_ranking_clear (SppnetRanking *ranking)
{
  sppnet_buffer_clear (&ranking->ranked);
  sppnet_buffer_clear (&ranking->slots);
  sppnet_buffer_clear (&ranking->boxes);
}
