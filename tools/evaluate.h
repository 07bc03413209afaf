/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "arguments.h"
#include "evaluate/voc.h"
#include "frame/picture.h"

/* Precision falls with the last objects found, so the list must be long: nearly all confidences, many boxes. */
#define SPPNET_EVALUATION_THRESHOLD 0.001f
#define SPPNET_EVALUATION_DETECTIONS 1000

/* What both kinds of evaluation work on. */
typedef struct
{
  GPtrArray *annotations; /* (element-type SppnetAnnotation) */
  gboolean json;
  gboolean terminal;     /* stderr is one: show progress */
  gint64 start;          /* microseconds */
  const gchar *mistakes; /* (nullable): PNG file to write with a model's worst mistakes */
} SppnetEvaluation;

/* The annotations of all sets in one list, at most limit of them (0: all). */
GPtrArray *sppnet_evaluation_annotations (const SppnetPictureArguments *pictures, gint limit, GError **error);

/* Loads picture number i, shows progress, and checks that the picture has the size that its annotation says. */
gboolean sppnet_evaluation_load (const SppnetEvaluation *evaluation, guint i, SppnetPicture *picture, GError **error);
/* Removes the progress line. */
void sppnet_evaluation_end (const SppnetEvaluation *evaluation);
/* Sets the error where there is nothing to measure with: any is FALSE. */
gboolean sppnet_evaluation_has_objects (gboolean any, GError **error);

/* Objects that the model cannot find because it has no such label do not count; says so. */
void sppnet_evaluation_note_unknown_labels (const SppnetEvaluation *evaluation, SppnetModel *model);

/* What a model finds in all pictures: per label a GArray of SppnetScoredBox. (element-type GArray) (transfer full) */
GPtrArray *sppnet_evaluation_detect (const SppnetEvaluation *evaluation, SppnetModel *model,
                                     const SppnetSettings *settings, GError **error);

/* Average precision of a model's detections; mean_of: (nullable) labels of one further mean. */
gboolean sppnet_evaluate_detections (const SppnetEvaluation *evaluation, SppnetModel *model,
                                     const SppnetSettings *settings, const gchar *const *mean_of, GError **error);
/* Recall of proposals; of settings' labels only, where there are any. */
gboolean sppnet_evaluate_proposals (const SppnetEvaluation *evaluation, SppnetProposals method,
                                    const SppnetDetectorArguments *arguments, const SppnetSettings *settings,
                                    GError **error);
