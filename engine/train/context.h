/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/calibration.h"

/* On how many boxes the context of a label rests. */
typedef struct
{
  guint n_boxes, n_correct;
  gboolean fitted; /* FALSE: there were too few of either kind, and its confidences stay what they are */
} SppnetContextFit;

/**
 * sppnet_context_fit:
 * @labels: [n] what a model finds in pictures, at best those that it was trained on, where there are many; boxes of a
 *   label in one picture by falling score
 * @context: (out): [n][SPPNET_CONTEXT_COLUMNS (n)]
 * @results: (out): [n]
 *
 * Logistic regression, per label, of whether a box is correct, from its log-odds and the highest confidence of each
 * label elsewhere in the picture.
 *
 * FALSE where no label has boxes enough, or memory is short.
 */
gboolean sppnet_context_fit (const SppnetJudgedLabel *labels, guint n, gfloat *context, SppnetContextFit *results,
                             GError **error);
