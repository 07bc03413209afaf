/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "detect/settings.h"

/* A box of one class that passed the class's threshold. */
typedef struct
{
  SppnetBox box;
  gfloat confidence;
  guint32 label;
  gint32 region; /* as in SppnetDetection */
} SppnetCandidate;

/* Collects the candidates of a frame and selects the detections among them. The memory only grows. */
typedef struct
{
  SppnetCandidate *candidates; /* [capacity] */
  gsize n, capacity;

  SppnetBuffer starts;      /* guint32 [n_labels + 1]: where each label begins in the next three */
  SppnetBuffer boxes;       /* SppnetBox [capacity], by label */
  SppnetBuffer scores;      /* gfloat [capacity], by label */
  SppnetBuffer sources;     /* guint32 [capacity], by label: index of the candidate */
  SppnetBuffer order;       /* guint32 [capacity] */
  SppnetBuffer kept;        /* guint32 [capacity]: candidates that survive */
  SppnetBuffer kept_scores; /* gfloat [capacity] */
  SppnetBuffer kept_starts; /* guint32 [n_labels + 1]: where each label begins among them */
  SppnetBuffer kept_boxes;  /* SppnetBox [capacity], in a context */
  SppnetBuffer rescored;    /* gfloat [capacity], in a context */
  SppnetBuffer detections;  /* SppnetDetection [capacity] */
  gsize n_detections;
} SppnetSelection;

/* Forgets the candidates of the last frame. */
void sppnet_selection_reset (SppnetSelection *selection);
gboolean sppnet_selection_add (SppnetSelection *selection, const SppnetCandidate *candidate, GError **error);

/* Non-maximum suppression per class, then the best of all classes that reach their threshold, at most max. Equal
 * confidences keep the order label, candidate. context: (nullable) what gives those that survive and reach the plan's
 * floor their confidence before that, see sppnet_context_score().
 */
gboolean sppnet_selection_run (SppnetSelection *selection, const SppnetPlan *plan, const gfloat *thresholds,
                               const gfloat *context, gsize max, SppnetModel *model, const SppnetDetection **detections,
                               gsize *n_detections, GError **error);
/* Moves each detection of the last run to where the candidates of its class vote for (sppnet_box_vote()), inside a
 * frame of this size. */
void sppnet_selection_vote (const SppnetSelection *selection, gint width, gint height);
/* Brings the detections of the last run to a frame that is so many times as large, width and height its size. */
void sppnet_selection_scale (const SppnetSelection *selection, gfloat scale, gint width, gint height);
/* Drops the weaker of any two detections of the last run, whatever their labels, that overlap by more than threshold.
 * Returns how many of them are left, at most max. The last step: the candidates' boxes are gone then. */
gsize sppnet_selection_suppress_across (SppnetSelection *selection, gfloat threshold, gsize max);
void sppnet_selection_clear (SppnetSelection *selection);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetSelection, sppnet_selection_clear)
