/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_group.h"

#include <math.h>
#include <string.h>

/* Weaker pixels are no edge. */
#define WEAKEST 50
/* A group ends where it has turned by a right angle in all: orientations count 256 to half a turn. */
#define MOST_TURN 128
/* Groups whose magnitudes add up to less join a neighbour: half a pixel of full strength. */
#define SMALL 127
/* Affinities below this are taken as none. */
#define LEAST_AFFINITY 0.05f
/* Room for links, per group: more are left out. */
#define MOST_LINKS 16

/* Over the pixels of a group, weighted by their magnitudes. */
typedef struct
{
  gfloat weight, x, y, cosine, sine;
} Sum;

typedef struct
{
  guint32 next; /* 0: the last one */
  guint32 group;
} Link;

typedef struct
{
  gint width, height;
  const guint8 *magnitude, *orientation;
  guint16 *labels;
  gint step[8]; /* to the eight neighbours */
  guint n;
  Sum *sums;
  guint32 *first; /* [n]: of a group's links */
  Link *links;
  guint n_links, link_room;
} Grouping;

static inline gint
turn (guint8 a, guint8 b)
{
  gint d = (guint8) (a - b);

  return MIN (d, 256 - d);
}

/* From one pixel on to the free neighbour of nearest orientation. */
static void
follow (Grouping *g, gsize at, guint16 label)
{
  gint turned = 0;

  for (;;) {
    gint best = G_MAXINT;
    gsize next = at;

    g->labels[at] = label;
    for (gint i = 0; i < 8; i++) {
      gsize to = at + (gsize) (gssize) g->step[i];
      gint d = turn (g->orientation[at], g->orientation[to]);

      if (g->magnitude[to] >= WEAKEST && !g->labels[to] && d < best) {
        best = d;
        next = to;
      }
    }
    if (next == at || (turned += best) > MOST_TURN)
      return;
    at = next;
  }
}

static void
add_up (Grouping *g)
{
  gfloat cosine[256];

  for (gint i = 0; i < 256; i++)
    cosine[i] = (gfloat) cos (2.0 * G_PI * i / 256.0);
  memset (g->sums, 0, g->n * sizeof *g->sums);
  for (gint y = 0; y < g->height; y++)
    for (gint x = 0; x < g->width; x++) {
      gsize at = (gsize) y * g->width + x;
      gfloat weight = g->magnitude[at];
      guint8 orientation = g->orientation[at];
      Sum *sum = &g->sums[g->labels[at]];

      if (!g->labels[at])
        continue;
      sum->weight += weight;
      sum->x += weight * (gfloat) x;
      sum->y += weight * (gfloat) y;
      /* of twice the angle: an edge has no front and back */
      sum->cosine += weight * cosine[orientation];
      sum->sine += weight * cosine[(guint8) (orientation - 64)];
    }
}

static guint16
nearest_large (const Grouping *g, gsize at)
{
  gint best = G_MAXINT;
  guint16 label = 0;

  for (gint i = 0; i < 8; i++) {
    gsize to = at + (gsize) (gssize) g->step[i];
    gint d = turn (g->orientation[at], g->orientation[to]);

    if (g->labels[to] && g->sums[g->labels[to]].weight > SMALL && d < best) {
      best = d;
      label = g->labels[to];
    }
  }
  return label;
}

static void
join_small (Grouping *g)
{
  for (gint y = 1; y < g->height - 1; y++)
    for (gint x = 1; x < g->width - 1; x++) {
      gsize at = (gsize) y * g->width + x;

      if (g->labels[at] && g->sums[g->labels[at]].weight <= SMALL)
        g->labels[at] = nearest_large (g, at);
    }
}

static gboolean
linked (const Grouping *g, guint a, guint b)
{
  for (guint32 i = g->first[a]; i; i = g->links[i].next)
    if (g->links[i].group == b)
      return TRUE;
  return FALSE;
}

static void
link (Grouping *g, guint a, guint b)
{
  g->links[g->n_links] = (Link) { g->first[a], b };
  g->first[a] = g->n_links++;
}

/* Links groups whose edges lie within two pixels of each other. */
static void
find_neighbours (Grouping *g)
{
  static const gint near[][2] = { { 1, 0 }, { 2, 0 },  { -2, 1 }, { -1, 1 }, { 0, 1 }, { 1, 1 },
                                  { 2, 1 }, { -2, 2 }, { -1, 2 }, { 0, 2 },  { 1, 2 }, { 2, 2 } };

  g->n_links = 1;
  memset (g->first, 0, g->n * sizeof *g->first);
  for (gint y = 2; y < g->height - 2; y++)
    for (gint x = 2; x < g->width - 2; x++) {
      const guint16 *label = g->labels + (gsize) y * g->width + x;

      for (guint i = 0; *label && i < G_N_ELEMENTS (near); i++) {
        guint other = label[near[i][1] * g->width + near[i][0]];

        if (!other || other == *label || linked (g, *label, other) || g->n_links + 2 > g->link_room)
          continue;
        link (g, *label, other);
        link (g, other, *label);
      }
    }
}

gfloat
sppnet_edge_affinity (const SppnetEdgeGroup *a, const SppnetEdgeGroup *b)
{
  gfloat between = atan2f ((gfloat) (b->y - a->y), (gfloat) (b->x - a->x));
  gfloat affinity = cosf (a->orientation - between) * cosf (b->orientation - between);

  return MIN (affinity * affinity, 1.0f);
}

static guint32
list_neighbours (const Grouping *g, const SppnetEdgeGroup *groups, guint a, SppnetEdgeNeighbour *out)
{
  guint32 n = 0;

  for (guint32 i = g->first[a]; i; i = g->links[i].next) {
    SppnetEdgeNeighbour next
        = { sppnet_edge_affinity (&groups[a], &groups[g->links[i].group]), (guint16) g->links[i].group };
    guint32 at;

    if (next.affinity < LEAST_AFFINITY)
      continue;
    for (at = n++; at > 0 && out[at - 1].affinity < next.affinity; at--)
      out[at] = out[at - 1];
    out[at] = next;
  }
  return n;
}

static void
describe (const Grouping *g, SppnetEdgeGroup *groups, SppnetEdgeNeighbour *neighbours)
{
  guint32 first = 0;

  for (guint i = 0; i < g->n; i++) {
    const Sum *sum = &g->sums[i];
    gfloat scale = sum->weight > 0.0f ? 1.0f / sum->weight : 0.0f;

    groups[i].x = (gint16) (sum->x * scale + 0.5f);
    groups[i].y = (gint16) (sum->y * scale + 0.5f);
    groups[i].orientation = 0.5f * atan2f (sum->sine, sum->cosine);
  }
  for (guint i = 0; i < g->n; i++) {
    groups[i].first = first;
    groups[i].n = list_neighbours (g, groups, i, neighbours + first);
    first += groups[i].n;
  }
}

gboolean
sppnet_edge_groups_run (SppnetEdgeGroups *groups, const SppnetEdgeMap *map, GError **error)
{
  gint width = map->width, height = map->height;
  gsize pixels = (gsize) width * height;
  Grouping g = { width,
                 height,
                 map->magnitude.data,
                 map->orientation.data,
                 sppnet_buffer_reserve (&groups->labels, pixels, sizeof (guint16), error),
                 { 1, -1, width, -width, width + 1, width - 1, -width + 1, -width - 1 },
                 1 };

  if (!g.labels)
    return FALSE;
  memset (g.labels, 0, pixels * sizeof *g.labels);
  for (gsize at = 0; at < pixels && g.n < SPPNET_MOST_EDGE_GROUPS; at++)
    if (g.magnitude[at] >= WEAKEST && !g.labels[at])
      follow (&g, at, (guint16) g.n++);
  g.link_room = MOST_LINKS * g.n;
  groups->n_groups = g.n;
  if (!(g.sums = sppnet_buffer_reserve (&groups->sums, g.n, sizeof *g.sums, error))
      || !(g.links = sppnet_buffer_reserve (&groups->links, g.n + g.link_room, sizeof *g.links, error))
      || !sppnet_buffer_reserve (&groups->groups, g.n, sizeof (SppnetEdgeGroup), error)
      || !sppnet_buffer_reserve (&groups->neighbours, g.link_room, sizeof (SppnetEdgeNeighbour), error))
    return FALSE;
  g.first = (guint32 *) (g.links + g.link_room);
  add_up (&g);
  join_small (&g);
  add_up (&g);
  find_neighbours (&g);
  describe (&g, groups->groups.data, groups->neighbours.data);
  return TRUE;
}

void
sppnet_edge_groups_clear (SppnetEdgeGroups *groups)
{
  sppnet_buffer_clear (&groups->labels);
  sppnet_buffer_clear (&groups->groups);
  sppnet_buffer_clear (&groups->neighbours);
  sppnet_buffer_clear (&groups->sums);
  sppnet_buffer_clear (&groups->links);
}
