/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/hierarchy.h"

#include <string.h>

#include "region/union_find.h"

#define NONE G_MAXUINT32

/* One entry of a list of neighbours. The region may have been merged since: sppnet_union_find() names what it is part
 * of now. */
typedef struct
{
  guint32 region, next;
} Node;

typedef struct
{
  gfloat similarity;
  guint32 a, b; /* a < b */
} Pair;

typedef struct
{
  guint measures;
  const SppnetHistogramLayout *layout;
  guint32 pixels;
  SppnetRegion *regions; /* [2 n - 1] */
  gfloat *histograms;
  Node *nodes;           /* [2 n_pairs] */
  guint32 *first, *last; /* [2 n - 1]: a region's list of neighbours */
  guint32 *parent;       /* [2 n - 1]: itself while it is alive */
  guint32 *row;          /* [2 n - 1]: of its histogram */
  guint32 *seen;         /* [2 n - 1]: last region whose list had it */
  Pair *heap;            /* [heap_room] */
  gsize n_heap, heap_room;
} Grouping;

static inline gboolean
goes_before (const Pair *p, const Pair *q)
{
  if (p->similarity != q->similarity)
    return p->similarity > q->similarity;
  return p->a != q->a ? p->a < q->a : p->b < q->b;
}

static void
sift_down (Pair *heap, gsize n, gsize at)
{
  Pair pair = heap[at];

  for (gsize child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && goes_before (&heap[child + 1], &heap[child]))
      child++;
    if (!goes_before (&heap[child], &pair))
      break;
    heap[at] = heap[child];
  }
  heap[at] = pair;
}

static gboolean
alive (const Grouping *g, const Pair *pair)
{
  return g->parent[pair->a] == pair->a && g->parent[pair->b] == pair->b;
}

/* Drops pairs whose regions are gone: at most as many as the label image had remain. */
static void
compact (Grouping *g)
{
  gsize n = 0;

  for (gsize i = 0; i < g->n_heap; i++)
    if (alive (g, &g->heap[i]))
      g->heap[n++] = g->heap[i];
  g->n_heap = n;
  for (gsize i = n / 2; i-- > 0;)
    sift_down (g->heap, n, i);
}

static void
push (Grouping *g, guint32 a, guint32 b)
{
  guint length = g->layout->length;
  Pair pair = { 0.0f, MIN (a, b), MAX (a, b) };
  gsize at;

  if (g->n_heap == g->heap_room)
    compact (g);
  pair.similarity
      = sppnet_similarity (g->measures, g->layout, &g->regions[a], g->histograms + (gsize) g->row[a] * length,
                           &g->regions[b], g->histograms + (gsize) g->row[b] * length, g->pixels);
  for (at = g->n_heap++; at > 0 && goes_before (&pair, &g->heap[(at - 1) / 2]); at = (at - 1) / 2)
    g->heap[at] = g->heap[(at - 1) / 2];
  g->heap[at] = pair;
}

/* The most similar pair of which both are alive. There is one as long as two regions are: the picture is connected. */
static Pair
pop (Grouping *g)
{
  for (;;) {
    Pair pair;

    g_assert (g->n_heap > 0);
    pair = g->heap[0];
    g->heap[0] = g->heap[--g->n_heap];
    if (g->n_heap > 0)
      sift_down (g->heap, g->n_heap, 0);
    if (alive (g, &pair))
      return pair;
  }
}

/* Joins the lists of a and b into c's, each neighbour once, and enters the new similarities. */
static void
join_neighbours (Grouping *g, guint32 a, guint32 b, guint32 c)
{
  guint32 *link = &g->first[c];

  g->nodes[g->last[a]].next = g->first[b];
  *link = g->first[a];
  g->last[c] = NONE;
  while (*link != NONE) {
    Node *node = &g->nodes[*link];
    guint32 neighbour = sppnet_union_find (g->parent, node->region);

    if (neighbour == c || g->seen[neighbour] == c) {
      *link = node->next;
      continue;
    }
    g->seen[neighbour] = c;
    node->region = neighbour;
    g->last[c] = *link;
    link = &node->next;
    push (g, c, neighbour);
  }
}

static void
merge (Grouping *g, guint32 a, guint32 b, guint32 c)
{
  gsize length = g->layout->length;

  g->regions[c].extent = sppnet_extent_union (g->regions[a].extent, g->regions[b].extent);
  g->regions[c].size = g->regions[a].size + g->regions[b].size;
  g->row[c] = g->row[a];
  if (g->measures & (SPPNET_SIMILARITY_COLOUR | SPPNET_SIMILARITY_TEXTURE))
    sppnet_histogram_merge (g->histograms + g->row[a] * length, g->regions[a].size, g->histograms + g->row[b] * length,
                            g->regions[b].size, (guint) length, g->histograms + g->row[c] * length);
  g->parent[a] = g->parent[b] = c;
  join_neighbours (g, a, b, c);
}

static void
append (Grouping *g, guint32 node, guint32 to, guint32 neighbour)
{
  g->nodes[node] = (Node) { neighbour, NONE };
  if (g->first[to] == NONE)
    g->first[to] = node;
  else
    g->nodes[g->last[to]].next = node;
  g->last[to] = node;
}

static gboolean
reserve (SppnetHierarchy *hierarchy, Grouping *g, guint n, gsize n_pairs, GError **error)
{
  gsize n_all = 2 * (gsize) n - 1;
  guint32 *words;

  g->heap_room = 2 * n_pairs + 16;
  hierarchy->n_regions = n_all;
  g->regions = sppnet_buffer_reserve (&hierarchy->regions, n_all, sizeof *g->regions, error);
  if (!g->regions)
    return FALSE;
  g->histograms = sppnet_buffer_reserve (&hierarchy->histograms, n, g->layout->length * sizeof (gfloat), error);
  if (!g->histograms)
    return FALSE;
  g->heap = sppnet_buffer_reserve (&hierarchy->heap, g->heap_room, sizeof *g->heap, error);
  if (!g->heap)
    return FALSE;
  words = sppnet_buffer_reserve (&hierarchy->nodes, 4 * n_pairs + 5 * n_all, sizeof *words, error);
  if (!words)
    return FALSE;
  g->nodes = (Node *) words;
  g->first = words + 4 * n_pairs;
  g->last = g->first + n_all;
  g->parent = g->last + n_all;
  g->row = g->parent + n_all;
  g->seen = g->row + n_all;
  return TRUE;
}

static void
start (Grouping *g, const SppnetRegion *regions, const gfloat *histograms, guint n, const SppnetAdjacency *adjacency)
{
  const guint32 (*pairs)[2] = adjacency->pairs.data;

  memcpy (g->regions, regions, n * sizeof *regions);
  if (g->measures & (SPPNET_SIMILARITY_COLOUR | SPPNET_SIMILARITY_TEXTURE))
    memcpy (g->histograms, histograms, (gsize) n * g->layout->length * sizeof *histograms);
  for (guint32 i = 0; i < 2 * n - 1; i++) {
    g->first[i] = g->last[i] = g->seen[i] = NONE;
    g->parent[i] = g->row[i] = i;
  }
  for (gsize i = 0; i < adjacency->n_pairs; i++) {
    append (g, (guint32) (2 * i), pairs[i][0], pairs[i][1]);
    append (g, (guint32) (2 * i + 1), pairs[i][1], pairs[i][0]);
    push (g, pairs[i][0], pairs[i][1]);
  }
}

gboolean
sppnet_hierarchy_run (SppnetHierarchy *hierarchy, guint measures, const SppnetHistogramLayout *layout,
                      const SppnetRegion *regions, const gfloat *histograms, guint n, const SppnetAdjacency *adjacency,
                      guint32 pixels, GError **error)
{
  Grouping g = { .measures = measures, .layout = layout, .pixels = pixels };

  if (!reserve (hierarchy, &g, n, adjacency->n_pairs, error))
    return FALSE;
  start (&g, regions, histograms, n, adjacency);
  for (guint32 c = n; c < 2 * n - 1; c++) {
    Pair pair = pop (&g);

    merge (&g, pair.a, pair.b, c);
  }
  return TRUE;
}

void
sppnet_hierarchy_clear (SppnetHierarchy *hierarchy)
{
  sppnet_buffer_clear (&hierarchy->regions);
  sppnet_buffer_clear (&hierarchy->histograms);
  sppnet_buffer_clear (&hierarchy->nodes);
  sppnet_buffer_clear (&hierarchy->heap);
}
