/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_boxes.h"

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/threads.h"
#include "box/nms.h"
#include "kernel/kernel.h"
#include "region/edge_score.h"
#include "region/edge_window.h"

/* Of two boxes that overlap (IoU) by more, the one of lower score is dropped; the paper's beta is .75. */
#define BETA 0.7f
/* For each box wanted, so many windows are scored, those of the highest bounds; of the best of these, those that
 * overlap a better one by more than WINDOW_BETA are dropped, and so many are refined. */
#define SCORED 20
#define BEST 6
#define WINDOW_BETA 0.65f
#define REFINED 1.8

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
  SppnetBuffer found;   /* SppnetRanked [windows]: rank is the score */
  SppnetBuffer columns; /* gfloat [SPPNET_NMS_COLUMNS][boxes]: of those kept so far */
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
  sppnet_buffer_clear (&boxes->columns);
  g_free (boxes);
}

static inline guint
bin_of (gfloat score)
{
  return sppnet_float_bits (score) >> BIN_SHIFT;
}

/* The bin of the last of the `most` best; 1 where there are fewer: bin 0 has the scores of 0. */
static guint
last_bin (SppnetEdgeBoxes *b, const SppnetRanked *found, gsize n, gsize most)
{
  gsize above = 0;
  guint bin = BINS;

  memset (b->bins, 0, sizeof b->bins);
  for (gsize i = 0; i < n; i++)
    b->bins[bin_of (found[i].rank)]++;
  while (bin > 1 && above < most)
    above += b->bins[--bin];
  return bin;
}

/* Moves the best to the front, `most` and those that are about as good as the last; returns how many they are. What is
 * behind them is in another order then. */
static gsize
take_best (SppnetEdgeBoxes *b, SppnetRanked *found, gsize n, gsize most)
{
  guint bin = last_bin (b, found, n, most);
  gsize kept = 0;

  for (gsize i = 0; i < n; i++)
    if (bin_of (found[i].rank) >= bin) {
      SppnetRanked swap = found[kept];

      found[kept++] = found[i];
      found[i] = swap;
    }
  return kept;
}

/* A score that all of the `most` best exceed. */
static gfloat
floor_of (SppnetEdgeBoxes *b, const SppnetRanked *found, gsize n, gsize most)
{
  gfloat least = sppnet_bits_float (last_bin (b, found, n, most) << BIN_SHIFT);

  return n < most ? 0.0f : nextafterf (least, 0.0f);
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

/* Moves one side by step pixels where that gives a higher score. */
static gboolean
move_side (const SppnetEdgeBoxes *b, guint thread, guint side, gint step, SppnetRanked *best)
{
  gint e[4] = { best->extent.x0, best->extent.y0, best->extent.x1, best->extent.y1 };
  SppnetExtent box;
  gfloat score;

  e[side] += step;
  if (e[0] < 0 || e[1] < 0 || e[2] >= b->map.width || e[3] >= b->map.height || e[2] - e[0] < SMALLEST_SIDE - 1
      || e[3] - e[1] < SMALLEST_SIDE - 1)
    return FALSE;
  box = (SppnetExtent) { (guint16) e[0], (guint16) e[1], (guint16) e[2], (guint16) e[3] };
  score = sppnet_edge_score_box (&b->score, thread, box, best->rank);
  if (score <= best->rank)
    return FALSE;
  *best = (SppnetRanked) { score, box };
  return TRUE;
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
    for (guint side = 0; side < 4; side++)
      if (!move_side (b, thread, side, -step[side % 2], best))
        move_side (b, thread, side, step[side % 2], best);
  } while (step[0] > 2 || step[1] > 2);
}

/* Greedy non-maximum suppression of a sorted list. Returns how many are left, at most `most`. */
static gsize
suppress (const SppnetEdgeBoxes *b, SppnetRanked *ranked, gsize n, gfloat threshold, gsize most)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  /* IoU > t where the intersection exceeds t / (1 + t) of the sum of both areas. */
  gfloat share = threshold / (1.0f + threshold), *columns = b->columns.data;
  gsize kept = 0;

  for (gsize i = 0; i < n && kept < most; i++) {
    SppnetExtent e = ranked[i].extent;
    gfloat x1 = (gfloat) e.x1 + 1.0f, y1 = (gfloat) e.y1 + 1.0f;
    const gfloat box[SPPNET_NMS_COLUMNS] = { e.x0, e.y0, x1, y1, (x1 - e.x0) * (y1 - e.y0) };

    if (kernels->overlaps (columns, most, kept, box, share))
      continue;
    for (gsize c = 0; c < SPPNET_NMS_COLUMNS; c++)
      columns[c * most + kept] = box[c];
    ranked[kept++] = ranked[i];
  }
  return kept;
}

static void
score_windows (SppnetEdgeBoxes *b, SppnetRanked *found, gsize n, gfloat floor, guint threads)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 64)
  for (gsize i = 0; i < n; i++)
    found[i].rank = sppnet_edge_score_box (&b->score, sppnet_thread_index (), found[i].extent, floor);
}

/* Scores the windows and moves the best to the front of found; returns how many they are. */
static gsize
search (SppnetEdgeBoxes *b, SppnetRanked *found, gsize max_boxes, guint threads)
{
  gsize n = b->windows.n, first;
  gfloat floor;

#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (guint i = 0; i < b->windows.n_shapes; i++)
    bound_shape (b, &b->windows.shapes[i], found + b->windows.shapes[i].first);
  n = take_best (b, found, n, max_boxes * SCORED);
  /* A window of the others counts only where it is as good as the best of those whose bounds are highest, which ends
   * most of their scoring early. */
  first = take_best (b, found, n, max_boxes * BEST * 3 / 2);
  score_windows (b, found, first, 0.0f, threads);
  floor = floor_of (b, found, first, max_boxes * BEST);
  score_windows (b, found + first, n - first, floor, threads);
  return take_best (b, found, n, max_boxes * BEST);
}

/* Puts boxes into the ranking, sorted. */
static gboolean
rank (SppnetRanking *ranking, const SppnetRanked *found, gsize n, GError **error)
{
  if (!sppnet_ranking_start (ranking, n + 1, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    sppnet_ranking_add (ranking, -found[i].rank, found[i].extent);
  sppnet_ranking_sort (ranking);
  return TRUE;
}

gboolean
sppnet_edge_boxes_run (SppnetEdgeBoxes *b, const guint8 *rgb, gint width, gint height, guint max_boxes, guint threads,
                       SppnetRanking *ranking, GError **error)
{
  SppnetRanked *found;
  gsize n, most;

  if (!sppnet_edge_map_run (&b->map, rgb, width, height, threads, error)
      || !sppnet_edge_groups_run (&b->groups, &b->map, error)
      || !sppnet_edge_score_prepare (&b->score, &b->map, &b->groups, threads, error))
    return FALSE;
  sppnet_edge_windows_init (&b->windows, width, height);
  found = sppnet_buffer_reserve (&b->found, b->windows.n + 1, sizeof *found, error);
  if (!found)
    return FALSE;
  most = (gsize) ceil (REFINED * max_boxes);
  if (!sppnet_buffer_reserve (&b->columns, most, SPPNET_NMS_COLUMNS * sizeof (gfloat), error))
    return FALSE;
  n = search (b, found, max_boxes, threads);
  if (!rank (ranking, found, n, error))
    return FALSE;
  n = suppress (b, ranking->ranked.data, n, WINDOW_BETA, most);
  for (gsize i = 0; i < n; i++) {
    found[i] = ((const SppnetRanked *) ranking->ranked.data)[i];
    found[i].rank = -found[i].rank;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
  for (gsize i = 0; i < n; i++)
    refine (b, sppnet_thread_index (), &found[i]);
  if (!rank (ranking, found, n, error))
    return FALSE;
  ranking->n_ranked = suppress (b, ranking->ranked.data, n, BETA, max_boxes);
  sppnet_ranking_add (ranking, 0.0f, (SppnetExtent) { 0, 0, (guint16) (width - 1), (guint16) (height - 1) });
  return TRUE;
}
