/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "evaluate/voc.h"
#include "frame/picture.h"

/* What both kinds of evaluation work on. */
typedef struct
{
  GPtrArray *annotations; /* (element-type SppnetAnnotation) */
  gboolean json;
  gboolean terminal; /* stderr is one: show progress */
  gint64 start;      /* microseconds */
} SppnetEvaluation;

/* The annotations of all sets in one list, at most limit of them (0: all). dirs, sets: pairs,
 * NULL-terminated. */
GPtrArray *sppnet_evaluation_annotations (gchar **dirs, gchar **sets, gint limit, GError **error);

/* Loads picture number i, shows progress, and checks that the picture has the size that its annotation says. */
gboolean sppnet_evaluation_load (const SppnetEvaluation *evaluation, guint i, SppnetPicture *picture, GError **error);
/* Removes the progress line. */
void sppnet_evaluation_end (const SppnetEvaluation *evaluation);

/* What a model finds in all pictures: per label a GArray of SppnetScoredBox. (element-type GArray) (transfer full) */
GPtrArray *sppnet_evaluation_detect (const SppnetEvaluation *evaluation, SppnetModel *model,
                                     const SppnetSettings *settings, GError **error);

/* Average precision of a model's detections; mean_of: (nullable) labels of one further mean. */
gboolean sppnet_evaluate_detections (const SppnetEvaluation *evaluation, SppnetModel *model,
                                     const SppnetSettings *settings, const gchar *const *mean_of, GError **error);
/* Recall of proposals. */
gboolean sppnet_evaluate_proposals (const SppnetEvaluation *evaluation, SppnetProposals method,
                                    const SppnetSettings *settings, GError **error);
