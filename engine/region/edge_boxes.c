/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_boxes.h"

#include <string.h>

#include "base/threads.h"
#include "region/edge_score.h"
#include "region/edge_window.h"

/* Of two boxes that overlap (IoU) by more, the one of lower score is dropped; the paper's beta. */
#define BETA 0.75f
/* For each box wanted, so many windows are scored, those of the highest bounds, and so many of these are refined. */
#define SCORED 20
#define REFINED 2

/* Sides that refinement does not go below, pixels. */
#define SMALLEST_SIDE 8
/* Bins of scores: 32 per octave. */
#define BIN_SHIFT 18
#define BINS (1 << (31 - BIN_SHIFT))

struct _SppnetEdgeBoxes
{
  SppnetEdgeMap map;
  SppnetEdgeGroups groups;
  SppnetEdgeScore score;
  SppnetEdgeWindows windows;
  SppnetBuffer found; /* SppnetRanked [windows]: rank is the score */
  SppnetBuffer kept;  /* gfloat [5][boxes]: corners and area */
  guint32 bins[BINS];
};

SppnetEdgeBoxes *
sppnet_edge_boxes_new (void)
{
  return g_new0 (SppnetEdgeBoxes, 1);
}

void
sppnet_edge_boxes_free (SppnetEdgeBoxes *boxes)
{
  if (!boxes)
    return;
  sppnet_edge_map_clear (&boxes->map);
  sppnet_edge_groups_clear (&boxes->groups);
  sppnet_edge_score_clear (&boxes->score);
  sppnet_buffer_clear (&boxes->found);
  sppnet_buffer_clear (&boxes->kept);
  g_free (boxes);
}

static inline guint
bin_of (gfloat score)
{
  union {
    gfloat value;
    guint32 bits;
  } f = { score };

  return f.bits >> BIN_SHIFT;
}

/* Keeps the best in their order, `most` and those that are about as good as the last; scores of 0 are dropped. */
static gsize
keep_best (SppnetEdgeBoxes *b, SppnetRanked *found, gsize n, gsize most)
{
  gsize kept = 0, above = 0;
  guint bin = BINS;

  memset (b->bins, 0, sizeof b->bins);
  for (gsize i = 0; i < n; i++)
    b->bins[bin_of (found[i].rank)]++;
  while (bin > 1 && above < most)
    above += b->bins[--bin];
  for (gsize i = 0; i < n; i++)
    if (bin_of (found[i].rank) >= bin)
      found[kept++] = found[i];
  return kept;
}

static void
bound_shape (const SppnetEdgeBoxes *b, const SppnetEdgeShape *shape, SppnetRanked *found)
{
  for (gint row = 0; row < shape->rows; row++)
    for (gint column = 0; column < shape->columns; column++) {
      SppnetExtent box = sppnet_edge_window (shape, column, row, b->map.width, b->map.height);

      *found++ = (SppnetRanked) { sppnet_edge_score_bound (&b->score, box), box };
    }
}

/* Moves one side at a time, by ever smaller steps, as long as the score rises. */
static void
refine (const SppnetEdgeBoxes *b, guint thread, SppnetRanked *best)
{
  gint step[2] = { (gint) sppnet_edge_window_step (best->extent.x1 - best->extent.x0 + 1),
                   (gint) sppnet_edge_window_step (best->extent.y1 - best->extent.y0 + 1) };

  do {
    step[0] = MAX (1, step[0] / 2);
    step[1] = MAX (1, step[1] / 2);
    for (gint i = 0; i < 8; i++) {
      gint e[4] = { best->extent.x0, best->extent.y0, best->extent.x1, best->extent.y1 };
      SppnetExtent box;
      gfloat score;

      e[i / 2] += i % 2 ? step[i / 2 % 2] : -step[i / 2 % 2];
      if (e[0] < 0 || e[1] < 0 || e[2] >= b->map.width || e[3] >= b->map.height || e[2] - e[0] < SMALLEST_SIDE - 1
          || e[3] - e[1] < SMALLEST_SIDE - 1)
        continue;
      box = (SppnetExtent) { (guint16) e[0], (guint16) e[1], (guint16) e[2], (guint16) e[3] };
      score = sppnet_edge_score_box (&b->score, thread, box, best->rank);
      if (score > best->rank)
        *best = (SppnetRanked) { score, box };
    }
  } while (step[0] > 2 || step[1] > 2);
}

typedef struct
{
  gfloat *x0, *y0, *x1, *y1, *area;
} Kept;

/* Whether a kept box overlaps this one by more than BETA. */
static gboolean
covered (const Kept *kept, gsize n, gfloat x0, gfloat y0, gfloat x1, gfloat y1, gfloat area)
{
  const gfloat part = BETA / (1.0f + BETA); /* IoU > beta: intersection > part * (sum of areas) */

  for (gsize i = 0; i < n; i += 16) {
    gint found = 0;

    for (gsize j = i; j < i + 16; j++) {
      gfloat w = MIN (x1, kept->x1[j]) - MAX (x0, kept->x0[j]), h = MIN (y1, kept->y1[j]) - MAX (y0, kept->y0[j]);

      w = MAX (w, 0.0f);
      h = MAX (h, 0.0f);
      found |= w * h > part * (area + kept->area[j]);
    }
    if (found)
      return TRUE;
  }
  return FALSE;
}

/* Greedy non-maximum suppression of a sorted list. */
static gboolean
suppress (SppnetEdgeBoxes *b, SppnetRanking *ranking, gsize most, GError **error)
{
  SppnetRanked *ranked = ranking->ranked.data;
  gsize room = (MIN (most, ranking->n_ranked) + 31) & ~(gsize) 15, n = 0;
  gfloat *memory = sppnet_buffer_reserve (&b->kept, room, 5 * sizeof *memory, error);
  Kept kept = { memory, memory + room, memory + 2 * room, memory + 3 * room, memory + 4 * room };

  if (!memory)
    return FALSE;
  memset (memory, 0, room * 5 * sizeof *memory);
  for (gsize i = 0; i < ranking->n_ranked && n < most; i++) {
    SppnetExtent e = ranked[i].extent;
    gfloat x1 = (gfloat) e.x1 + 1.0f, y1 = (gfloat) e.y1 + 1.0f, area = (x1 - e.x0) * (y1 - e.y0);

    if (covered (&kept, n, e.x0, e.y0, x1, y1, area))
      continue;
    kept.x0[n] = e.x0;
    kept.y0[n] = e.y0;
    kept.x1[n] = x1;
    kept.y1[n] = y1;
    kept.area[n] = area;
    ranked[n++] = ranked[i];
  }
  ranking->n_ranked = n;
  return TRUE;
}

/* found: the windows; returns how many boxes are left at its start. */
static gsize
search (SppnetEdgeBoxes *b, SppnetRanked *found, gsize max_boxes, guint threads)
{
  gsize n = b->windows.n;

#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (guint i = 0; i < b->windows.n_shapes; i++)
    bound_shape (b, &b->windows.shapes[i], found + b->windows.shapes[i].first);
  n = keep_best (b, found, n, max_boxes * SCORED);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 64)
  for (gsize i = 0; i < n; i++)
    found[i].rank = sppnet_edge_score_box (&b->score, sppnet_thread_index (), found[i].extent, 0.0f);
  n = keep_best (b, found, n, max_boxes * REFINED);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
  for (gsize i = 0; i < n; i++)
    refine (b, sppnet_thread_index (), &found[i]);
  return n;
}

gboolean
sppnet_edge_boxes_run (SppnetEdgeBoxes *b, const guint8 *rgb, gint width, gint height, guint max_boxes, guint threads,
                       SppnetRanking *ranking, GError **error)
{
  SppnetRanked *found;
  gsize n;

  if (!sppnet_edge_map_run (&b->map, rgb, width, height, threads, error)
      || !sppnet_edge_groups_run (&b->groups, &b->map, error)
      || !sppnet_edge_score_prepare (&b->score, &b->map, &b->groups, threads, error))
    return FALSE;
  sppnet_edge_windows_init (&b->windows, width, height);
  found = sppnet_buffer_reserve (&b->found, b->windows.n + 1, sizeof *found, error);
  if (!found)
    return FALSE;
  n = search (b, found, max_boxes, threads);
  if (!sppnet_ranking_start (ranking, n + 1, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    sppnet_ranking_add (ranking, -found[i].rank, found[i].extent);
  sppnet_ranking_sort (ranking);
  if (!suppress (b, ranking, max_boxes, error))
    return FALSE;
  sppnet_ranking_add (ranking, 0.0f, (SppnetExtent) { 0, 0, (guint16) (width - 1), (guint16) (height - 1) });
  return TRUE;
}
