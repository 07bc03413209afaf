/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_score.h"

#include <math.h>
#include <string.h>

/* Larger boxes hold more edges by chance; the paper's kappa. */
#define KAPPA 1.5f
/* Contours are not followed further once they are this little likely to be one. */
#define LEAST_WEIGHT 0.05f

/* One thread's scratch: the groups that the border crosses and those connected to them. */
typedef struct
{
  guint32 *now;   /* number of the walk */
  guint32 *stamp; /* [n_groups]: last walk that came to a group */
  gfloat *weight; /* [n_groups]: by place in the queue: of the best path from the border */
  guint16 *place; /* [n_groups]: in the queue */
  guint16 *queue; /* [n_groups] */
} Walk;

static Walk
walk_of (const SppnetEdgeScore *score, guint thread)
{
  Walk w = { .now = (guint32 *) ((guint8 *) score->walks.data + thread * score->walk_bytes) };

  w.stamp = w.now + 1;
  w.weight = (gfloat *) (w.stamp + score->n_groups);
  w.place = (guint16 *) (w.weight + score->n_groups);
  w.queue = w.place + score->n_groups;
  return w;
}

static void
index_line (const guint16 *labels, gint length, guint16 *list, guint16 *index)
{
  guint n = 0;

  list[0] = labels[0];
  for (gint i = 0; i < length; i++) {
    if (labels[i] != list[n])
      list[++n] = labels[i];
    index[i] = (guint16) n;
  }
}

/* Columns first .. last - 1 of the labels. */
static void
index_columns (SppnetEdgeScore *score, const guint16 *labels, gint first, gint last)
{
  guint16 *columns = score->columns.data, *lists = score->column_lists.data, *index = score->column_index.data;
  gsize height = (gsize) score->height;

  for (gsize y = 0; y < height; y++)
    for (gint x = first; x < last; x++)
      columns[x * height + y] = labels[y * score->width + x];
  for (gint x = first; x < last; x++)
    index_line (columns + x * height, score->height, lists + x * height, index + x * height);
}

static void
integrate (guint32 *sums, gint width, gint height)
{
  gsize pitch = (gsize) width + 1;

  for (gint y = 1; y <= height; y++) {
    guint32 *row = sums + y * pitch, sum = 0;
    const guint32 *above = row - pitch;

    for (gint x = 1; x <= width; x++) {
      sum += row[x];
      row[x] = sum + above[x];
    }
  }
}

static void
fill_sums (SppnetEdgeScore *score, const guint8 *magnitude, const guint16 *labels)
{
  guint32 *groups = score->group_sums.data, *pixels = score->pixel_sums.data, *magnitudes = score->magnitudes.data;
  gsize pitch = (gsize) score->width + 1;

  memset (groups, 0, pitch * (score->height + 1) * sizeof *groups);
  memset (pixels, 0, pitch * (score->height + 1) * sizeof *pixels);
  memset (magnitudes, 0, score->n_groups * sizeof *magnitudes);
  for (gint y = 0; y < score->height; y++)
    for (gint x = 0; x < score->width; x++) {
      gsize at = (gsize) y * score->width + x;

      if (labels[at]) {
        pixels[(y + 1) * pitch + x + 1] = magnitude[at];
        magnitudes[labels[at]] += magnitude[at];
      }
    }
  for (guint i = 1; i < score->n_groups; i++)
    groups[(score->groups[i].y + 1) * pitch + score->groups[i].x + 1] += magnitudes[i];
  integrate (groups, score->width, score->height);
  integrate (pixels, score->width, score->height);
}

static gboolean
reserve (SppnetEdgeScore *score, guint threads, GError **error)
{
  gsize pixels = (gsize) score->width * score->height, corners = ((gsize) score->width + 1) * (score->height + 1);

  /* whole cache lines */
  score->walk_bytes = (sizeof (guint32) + score->n_groups * (sizeof (guint32) + sizeof (gfloat) + 2 * sizeof (guint16))
                       + SPPNET_ALIGNMENT - 1)
                      / SPPNET_ALIGNMENT * SPPNET_ALIGNMENT;
  return sppnet_buffer_reserve (&score->magnitudes, score->n_groups, sizeof (guint32), error)
         && sppnet_buffer_reserve (&score->group_sums, corners, sizeof (guint32), error)
         && sppnet_buffer_reserve (&score->pixel_sums, corners, sizeof (guint32), error)
         && sppnet_buffer_reserve (&score->row_lists, pixels, sizeof (guint16), error)
         && sppnet_buffer_reserve (&score->row_index, pixels, sizeof (guint16), error)
         && sppnet_buffer_reserve (&score->columns, pixels, sizeof (guint16), error)
         && sppnet_buffer_reserve (&score->column_lists, pixels, sizeof (guint16), error)
         && sppnet_buffer_reserve (&score->column_index, pixels, sizeof (guint16), error)
         && sppnet_buffer_reserve (&score->scales, (gsize) score->width + score->height + 1, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&score->walks, threads, score->walk_bytes, error);
}

gboolean
sppnet_edge_score_prepare (SppnetEdgeScore *score, const SppnetEdgeMap *map, const SppnetEdgeGroups *groups,
                           guint threads, GError **error)
{
  const guint16 *labels = groups->labels.data;
  const gint band = 32; /* of columns: a cache line of labels */
  gfloat *scales;

  score->width = map->width;
  score->height = map->height;
  score->n_groups = groups->n_groups;
  score->groups = groups->groups.data;
  score->neighbours = groups->neighbours.data;
  if (!reserve (score, threads, error))
    return FALSE;
  memset (score->walks.data, 0, threads * score->walk_bytes);
  scales = score->scales.data;
  scales[0] = 0.0f;
  for (gint i = 1; i <= map->width + map->height; i++)
    scales[i] = powf (2.0f * (gfloat) i, -KAPPA) / 255.0f;
#pragma omp parallel num_threads(threads)
  {
#pragma omp single nowait
    fill_sums (score, map->magnitude.data, labels);
#pragma omp for nowait
    for (gint y = 0; y < map->height; y++) {
      gsize row = (gsize) y * map->width;

      index_line (labels + row, map->width, (guint16 *) score->row_lists.data + row,
                  (guint16 *) score->row_index.data + row);
    }
#pragma omp for
    for (gint x = 0; x < map->width; x += band)
      index_columns (score, labels, x, MIN (x + band, map->width));
  }
  return TRUE;
}

static inline gfloat
rectangle (const SppnetEdgeScore *score, const SppnetBuffer *buffer, gint x0, gint y0, gint x1, gint y1)
{
  gsize pitch = (gsize) score->width + 1;
  const guint32 *top = (const guint32 *) buffer->data + y0 * pitch, *bottom = top + (y1 - y0) * pitch;

  return (gfloat) (bottom[x1] - bottom[x0] - (top[x1] - top[x0]));
}

/* All groups within, less the middle. */
static inline gfloat
unconnected (const SppnetEdgeScore *score, SppnetExtent box)
{
  gint w = box.x1 - box.x0 + 1, h = box.y1 - box.y0 + 1, x = box.x0 + w / 4, y = box.y0 + h / 4;

  return rectangle (score, &score->group_sums, box.x0, box.y0, box.x1 + 1, box.y1 + 1)
         - rectangle (score, &score->pixel_sums, x, y, x + w / 2, y + h / 2);
}

static inline gfloat
scale_of (const SppnetEdgeScore *score, SppnetExtent box)
{
  return ((const gfloat *) score->scales.data)[box.x1 - box.x0 + 1 + box.y1 - box.y0 + 1];
}

gfloat
sppnet_edge_score_bound (const SppnetEdgeScore *score, SppnetExtent box)
{
  return MAX (unconnected (score, box), 0.0f) * scale_of (score, box);
}

/* Adds the groups from one place to another of a list. */
static inline guint
cross (Walk *w, const guint16 *list, guint from, guint to, guint n)
{
  for (guint i = from; i <= to; i++) {
    guint group = list[i];

    if (group && w->stamp[group] != *w->now) {
      w->stamp[group] = *w->now;
      w->place[group] = (guint16) n;
      w->weight[n] = 1.0f;
      w->queue[n++] = (guint16) group;
    }
  }
  return n;
}

static guint
cross_border (const SppnetEdgeScore *score, Walk *w, SppnetExtent box)
{
  const guint16 *rows = score->row_lists.data, *row_index = score->row_index.data;
  const guint16 *columns = score->column_lists.data, *column_index = score->column_index.data;
  gsize top = (gsize) box.y0 * score->width, bottom = (gsize) box.y1 * score->width;
  gsize left = (gsize) box.x0 * score->height, right = (gsize) box.x1 * score->height;
  guint n = 0;

  n = cross (w, rows + top, row_index[top + box.x0], row_index[top + box.x1], n);
  n = cross (w, rows + bottom, row_index[bottom + box.x0], row_index[bottom + box.x1], n);
  n = cross (w, columns + left, column_index[left + box.y0], column_index[left + box.y1], n);
  return cross (w, columns + right, column_index[right + box.y0], column_index[right + box.y1], n);
}

static inline gboolean
within (const SppnetEdgeGroup *group, SppnetExtent box)
{
  return group->x >= box.x0 && group->x <= box.x1 && group->y >= box.y0 && group->y <= box.y1;
}

/* Follows one group of the queue to its neighbours within the box; takes what they lose from the sum. Returns the first
 * place in the queue whose weight has risen, or the one that follows. */
static inline guint
follow (const SppnetEdgeScore *score, Walk *w, SppnetExtent box, guint at, guint *n, gfloat *sum)
{
  const guint32 *magnitudes = score->magnitudes.data;
  const SppnetEdgeGroup *group = &score->groups[w->queue[at]];
  const SppnetEdgeNeighbour *next = score->neighbours + group->first, *end = next + group->n;
  guint go_on = at + 1;

  for (; next < end; next++) {
    gfloat weight = w->weight[at] * next->affinity;
    guint place = w->place[next->group];

    if (weight < LEAST_WEIGHT)
      break;
    if (w->stamp[next->group] != *w->now) {
      if (!within (&score->groups[next->group], box))
        continue;
      w->stamp[next->group] = *w->now;
      w->place[next->group] = (guint16) *n;
      w->weight[*n] = weight;
      w->queue[(*n)++] = next->group;
      *sum -= weight * (gfloat) magnitudes[next->group];
    } else if (weight > w->weight[place]) {
      *sum -= (weight - w->weight[place]) * (gfloat) magnitudes[next->group];
      w->weight[place] = weight;
      go_on = MIN (go_on, place);
    }
  }
  return go_on;
}

gfloat
sppnet_edge_score_box (const SppnetEdgeScore *score, guint thread, SppnetExtent box, gfloat floor)
{
  const guint32 *magnitudes = score->magnitudes.data;
  gfloat sum = unconnected (score, box), scale = scale_of (score, box), least = floor / scale;
  Walk w;
  guint n;

  if (sum <= least)
    return 0.0f;
  w = walk_of (score, thread);
  ++*w.now;
  n = cross_border (score, &w, box);
  for (guint i = 0; i < n; i++)
    if (within (&score->groups[w.queue[i]], box))
      sum -= (gfloat) magnitudes[w.queue[i]];
  for (guint i = 0; i < n && sum > least;)
    i = follow (score, &w, box, i, &n, &sum);
  return sum > least ? sum * scale : 0.0f;
}

void
sppnet_edge_score_clear (SppnetEdgeScore *score)
{
  sppnet_buffer_clear (&score->magnitudes);
  sppnet_buffer_clear (&score->group_sums);
  sppnet_buffer_clear (&score->pixel_sums);
  sppnet_buffer_clear (&score->row_lists);
  sppnet_buffer_clear (&score->row_index);
  sppnet_buffer_clear (&score->columns);
  sppnet_buffer_clear (&score->column_lists);
  sppnet_buffer_clear (&score->column_index);
  sppnet_buffer_clear (&score->scales);
  sppnet_buffer_clear (&score->walks);
}
