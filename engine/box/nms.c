/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box/nms.h"

#include <math.h>

#include "kernel/kernel.h"

static gboolean
falls (const SppnetBox *boxes, const guint32 *kept, gsize n_kept, guint32 candidate, gfloat threshold)
{
  for (gsize i = 0; i < n_kept; i++)
    if (sppnet_box_iou (&boxes[kept[i]], &boxes[candidate]) > threshold)
      return TRUE;
  return FALSE;
}

gsize
sppnet_nms (const SppnetBox *boxes, guint32 *order, gsize n, gfloat threshold, gsize max_keep)
{
  gsize kept = 0;

  for (gsize i = 0; i < n && kept < max_keep; i++)
    if (!falls (boxes, order, kept, order[i], threshold))
      order[kept++] = order[i];
  return kept;
}

gsize
sppnet_nms_sorted (SppnetBox *boxes, gfloat *scores, gsize n, gfloat threshold, gsize max_keep, gfloat *columns)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  /* IoU > t where the intersection exceeds t / (1 + t) of the sum of both areas. */
  gfloat share = threshold / (1.0f + threshold);
  gsize stride = MIN (n, max_keep), kept = 0;

  for (gsize i = 0; i < n && kept < max_keep; i++) {
    const SppnetBox *b = &boxes[i];
    gfloat box[SPPNET_NMS_COLUMNS] = { b->x, b->y, b->x + b->width, b->y + b->height, b->width * b->height };

    if (kernels->overlaps (columns, stride, kept, box, share))
      continue;
    for (gsize c = 0; c < SPPNET_NMS_COLUMNS; c++)
      columns[c * stride + kept] = box[c];
    boxes[kept] = *b;
    scores[kept++] = scores[i];
  }
  return kept;
}

static gboolean
is_before (const gfloat *scores, guint32 a, guint32 b)
{
  if (scores[a] > scores[b])
    return TRUE;
  if (scores[a] == scores[b])
    return a < b;
  if (isnan (scores[a]) || isnan (scores[b]))
    return isnan (scores[a]) && isnan (scores[b]) ? a < b : isnan (scores[b]);
  return FALSE;
}

/* Sinks the entry at root until neither child comes after it. */
static void
sift (const gfloat *scores, guint32 *heap, gsize root, gsize n)
{
  guint32 entry = heap[root];

  for (gsize child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && is_before (scores, heap[child], heap[child + 1]))
      child++;
    if (!is_before (scores, entry, heap[child]))
      break;
    heap[root] = heap[child];
  }
  heap[root] = entry;
}

/* Heap sort, as it needs no memory: qsort() allocates, and a detector in its steady state must not. */
void
sppnet_sort_by_score (const gfloat *scores, guint32 *order, gsize n)
{
  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  for (gsize i = n / 2; i-- > 0;)
    sift (scores, order, i, n);
  for (gsize last = n; last-- > 1;) {
    guint32 worst = order[0];

    order[0] = order[last];
    order[last] = worst;
    sift (scores, order, 0, last);
  }
}
