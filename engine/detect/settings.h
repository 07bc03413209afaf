/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* Boxes of this confidence and more are scored twice, and vote: the same for any threshold above it, so that a
 * threshold only hides detections. */
#define SPPNET_REFINE_FLOOR 0.05f

/* Settings checked against a model, with every default filled in. */
typedef struct
{
  SppnetProposals proposals; /* neither DEFAULT nor AUTO */
  guint max_proposals, max_detections, threads;
  guint32 seed;
  gfloat min_objectness;
  gfloat nms_threshold;
  gfloat agnostic_nms_threshold; /* 0: boxes of different labels do not suppress each other */
  gfloat *thresholds;            /* [n_labels]: lowest confidence reported; above 1 for labels that are not wanted */
  gfloat
      *floors; /* [n_labels]: lowest confidence of a box that is refined or part of a context, at most the threshold */
  gboolean
      refine; /* found boxes are scored once more where box regression has moved them, and the result is voted on */
  gfloat region_margin;
  gboolean follow;
  guint reduction;           /* at least 1 */
  SppnetPrecision precision; /* not DEFAULT */
  guint n_labels;
} SppnetPlan;

/* settings: (nullable). SETTINGS with the field, its value and its range; plan is only written on success. */
gboolean sppnet_plan_init (SppnetPlan *plan, const SppnetSettings *settings, SppnetModel *model, GError **error);
void sppnet_plan_clear (SppnetPlan *plan);

/* SETTINGS, with the reason, where this processor, build or process cannot compute with it. */
gboolean sppnet_check_precision (SppnetPrecision precision, GError **error);

/* What DEFAULT and AUTO mean for a model; other methods as they are. */
SppnetProposals sppnet_proposals_resolve (SppnetProposals method, const SppnetConfig *config);
/* How many proposals of a method when the settings do not say: the model's number is for the method that it recommends.
 * config: NULL for a method that needs no model. */
guint sppnet_proposals_number (SppnetProposals method, const SppnetConfig *config);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetPlan, sppnet_plan_clear)
