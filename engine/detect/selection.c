/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/selection.h"

#include <string.h>

#include "box/nms.h"
#include "box/regression.h"
#include "box/voting.h"
#include "detect/context.h"

#define FIRST_CAPACITY 4096
/* More boxes in a frame than any sensible model and threshold make: a model file may ask for any number. */
#define MOST_CANDIDATES (4u << 20)
/* Of each label, that have a part in a context, however few are wanted. */
#define MOST_IN_CONTEXT 1000

void
sppnet_selection_reset (SppnetSelection *selection)
{
  selection->n = 0;
}

static gboolean
grow (SppnetSelection *selection, GError **error)
{
  gsize capacity = MAX (selection->capacity * 2, FIRST_CAPACITY);
  SppnetCandidate *candidates;

  if (capacity > MOST_CANDIDATES) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "more than %u boxes reach the threshold of their label, or .05: too many to choose from",
                 MOST_CANDIDATES);
    return FALSE;
  }
  candidates = sppnet_aligned_alloc (capacity * sizeof *candidates);
  if (!candidates) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot hold %" G_GSIZE_FORMAT " candidate boxes", capacity);
    return FALSE;
  }
  if (selection->n > 0)
    memcpy (candidates, selection->candidates, selection->n * sizeof *candidates);
  sppnet_aligned_free (selection->candidates);
  selection->candidates = candidates;
  selection->capacity = capacity;
  return TRUE;
}

gboolean
sppnet_selection_add (SppnetSelection *selection, const SppnetCandidate *candidate, GError **error)
{
  if (selection->n == selection->capacity && !grow (selection, error))
    return FALSE;
  selection->candidates[selection->n++] = *candidate;
  return TRUE;
}

static gboolean
reserve (SppnetSelection *selection, guint n_labels, GError **error)
{
  gsize capacity = selection->capacity;

  return sppnet_buffer_reserve (&selection->starts, (gsize) n_labels + 1, sizeof (guint32), error)
         && sppnet_buffer_reserve (&selection->boxes, capacity, sizeof (SppnetBox), error)
         && sppnet_buffer_reserve (&selection->scores, capacity, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&selection->sources, capacity, sizeof (guint32), error)
         && sppnet_buffer_reserve (&selection->order, capacity, sizeof (guint32), error)
         && sppnet_buffer_reserve (&selection->kept, capacity, sizeof (guint32), error)
         && sppnet_buffer_reserve (&selection->kept_scores, capacity, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&selection->kept_starts, (gsize) n_labels + 1, sizeof (guint32), error)
         && sppnet_buffer_reserve (&selection->detections, capacity, sizeof (SppnetDetection), error);
}

/* Counting sort, stable. */
static void
group_by_label (SppnetSelection *selection, guint n_labels)
{
  guint32 *starts = selection->starts.data, *sources = selection->sources.data;
  SppnetBox *boxes = selection->boxes.data;
  gfloat *scores = selection->scores.data;

  memset (starts, 0, ((gsize) n_labels + 1) * sizeof *starts);
  for (gsize i = 0; i < selection->n; i++)
    starts[selection->candidates[i].label]++;
  for (guint label = 0, sum = 0; label <= n_labels; label++) {
    sum += starts[label];
    starts[label] = sum;
  }
  /* From the back, each start moves from the end of its label to the beginning. */
  for (gsize i = selection->n; i-- > 0;) {
    const SppnetCandidate *candidate = &selection->candidates[i];
    guint32 place = --starts[candidate->label];

    boxes[place] = candidate->box;
    scores[place] = candidate->confidence;
    sources[place] = (guint32) i;
  }
}

/* Returns the number of survivors. */
static gsize
suppress (SppnetSelection *selection, const SppnetPlan *plan, const gfloat *thresholds, gsize max)
{
  const guint32 *starts = selection->starts.data;
  guint32 *order = selection->order.data, *kept = selection->kept.data, *kept_starts = selection->kept_starts.data;
  gfloat *kept_scores = selection->kept_scores.data;
  gsize n_kept = 0;

  for (guint label = 0; label < plan->n_labels; label++) {
    gsize start = starts[label], n = starts[label + 1] - start;
    const guint32 *sources = (const guint32 *) selection->sources.data + start;
    const gfloat *scores = (const gfloat *) selection->scores.data + start;

    kept_starts[label] = (guint32) n_kept;
    if (n == 0)
      continue;
    sppnet_sort_by_score (scores, order, n);
    n = sppnet_nms ((const SppnetBox *) selection->boxes.data + start, order, n, plan->nms_threshold, max);
    for (gsize i = 0; i < n && scores[order[i]] >= thresholds[label]; i++, n_kept++) {
      kept[n_kept] = sources[order[i]];
      kept_scores[n_kept] = scores[order[i]];
    }
  }
  kept_starts[plan->n_labels] = (guint32) n_kept;
  return n_kept;
}

/* The survivors with their confidence in context, those that reach their threshold; *n is their number. */
static gboolean
rescore (SppnetSelection *selection, const SppnetPlan *plan, const gfloat *thresholds, const gfloat *context, gsize *n,
         GError **error)
{
  guint32 *kept = selection->kept.data;
  gfloat *scores = selection->kept_scores.data;
  SppnetBox *boxes = sppnet_buffer_reserve (&selection->kept_boxes, selection->capacity, sizeof *boxes, error);
  gfloat *rescored
      = boxes ? sppnet_buffer_reserve (&selection->rescored, selection->capacity, sizeof *rescored, error) : NULL;
  SppnetContextBoxes all = { plan->n_labels, selection->kept_starts.data, boxes, scores };
  gsize n_left = 0;

  if (!rescored)
    return FALSE;
  for (gsize i = 0; i < *n; i++)
    boxes[i] = selection->candidates[kept[i]].box;
  sppnet_context_score (&all, context, rescored);
  for (gsize i = 0; i < *n; i++)
    if (rescored[i] > 0.0f && rescored[i] >= thresholds[selection->candidates[kept[i]].label]) {
      kept[n_left] = kept[i];
      scores[n_left++] = rescored[i];
    }
  *n = n_left;
  return TRUE;
}

void
sppnet_selection_vote (const SppnetSelection *selection, gint width, gint height)
{
  const guint32 *starts = selection->starts.data;
  SppnetDetection *detections = selection->detections.data;

  for (gsize i = 0; i < selection->n_detections; i++) {
    gsize start = starts[detections[i].label_id], n = starts[detections[i].label_id + 1] - start;
    SppnetBox box = sppnet_box_vote (&detections[i].box, (const SppnetBox *) selection->boxes.data + start,
                                     (const gfloat *) selection->scores.data + start, n, SPPNET_REFINE_FLOOR);

    detections[i].box = sppnet_box_clip (&box, width, height); /* what rounding has moved out of the frame */
  }
}

void
sppnet_selection_scale (const SppnetSelection *selection, gfloat scale, gint width, gint height)
{
  SppnetDetection *detections = selection->detections.data;

  for (gsize i = 0; i < selection->n_detections; i++) {
    SppnetBox box = sppnet_box_scale (&detections[i].box, scale);

    detections[i].box = sppnet_box_clip (&box, width, height);
  }
}

gsize
sppnet_selection_suppress_across (SppnetSelection *selection, gfloat threshold, gsize max)
{
  SppnetDetection *detections = selection->detections.data;
  SppnetBox *boxes = selection->boxes.data;
  guint32 *order = selection->order.data;

  for (gsize i = 0; i < selection->n_detections; i++) {
    boxes[i] = detections[i].box;
    order[i] = (guint32) i;
  }
  selection->n_detections = sppnet_nms (boxes, order, selection->n_detections, threshold, max);
  /* The survivors keep their order, so each comes from its own place or from one behind it. */
  for (gsize i = 0; i < selection->n_detections; i++)
    detections[i] = detections[order[i]];
  return selection->n_detections;
}

gboolean
sppnet_selection_run (SppnetSelection *selection, const SppnetPlan *plan, const gfloat *thresholds,
                      const gfloat *context, gsize max, SppnetModel *model, const SppnetDetection **detections,
                      gsize *n_detections, GError **error)
{
  const guint32 *kept;
  const gfloat *scores;
  guint32 *order;
  SppnetDetection *out;
  gsize n;

  *detections = NULL;
  *n_detections = selection->n_detections = 0;
  if (selection->n == 0)
    return TRUE;
  if (!reserve (selection, plan->n_labels, error))
    return FALSE;
  group_by_label (selection, plan->n_labels);
  if (!context) {
    n = suppress (selection, plan, thresholds, max);
  } else {
    n = suppress (selection, plan, plan->floors, MAX (max, MOST_IN_CONTEXT));
    if (!rescore (selection, plan, thresholds, context, &n, error))
      return FALSE;
  }

  kept = selection->kept.data;
  scores = selection->kept_scores.data;
  order = selection->order.data;
  out = selection->detections.data;
  sppnet_sort_by_score (scores, order, n);
  n = MIN (n, max);
  for (gsize i = 0; i < n; i++) {
    const SppnetCandidate *candidate = &selection->candidates[kept[order[i]]];

    out[i] = (SppnetDetection) {
      .box = candidate->box,
      .label = sppnet_model_get_label (model, candidate->label),
      .label_id = candidate->label,
      .confidence = scores[order[i]],
      .region = candidate->region,
    };
  }
  *detections = out;
  *n_detections = selection->n_detections = n;
  return TRUE;
}

void
sppnet_selection_clear (SppnetSelection *selection)
{
  SppnetBuffer *buffers[]
      = { &selection->starts,     &selection->boxes,    &selection->scores,      &selection->sources,
          &selection->order,      &selection->kept,     &selection->kept_scores, &selection->kept_starts,
          &selection->kept_boxes, &selection->rescored, &selection->detections };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    sppnet_buffer_clear (buffers[i]);
  g_clear_pointer (&selection->candidates, sppnet_aligned_free);
  selection->n = selection->capacity = 0;
}
