/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Confidences that mean the same for every label, from boxes that a model found on pictures it was not trained on. */

/* A box that was found. */
typedef struct
{
  guint picture;
  SppnetBox box;
  gfloat score; /* log-odds of the confidence that the model gives it now */
  gboolean correct;
  gboolean ignored; /* neither correct nor wrong: on an object that does not count */
} SppnetJudgedBox;

/* What was found of one label. */
typedef struct
{
  GArray *boxes; /* (element-type SppnetJudgedBox) */
  guint objects; /* that there are in all pictures */
} SppnetJudgedLabel;

/* What is to be done with the scores of one label. */
typedef struct
{
  gfloat a, b;              /* confidence = 1 / (1 + exp (a * score + b)) */
  gfloat threshold;         /* with the best F1 on these boxes, from .2 to .6 */
  gdouble precision;        /* of the boxes that reach it */
  gdouble recall;           /* over all objects */
  gdouble error[2];         /* expected calibration error, see below: before and after */
  guint n_boxes, n_correct; /* on which it rests */
} SppnetCalibration;

/**
 * sppnet_calibrate:
 * @labels: [n]
 * @results: (out): [n + 1], the last for all labels together
 *
 * Fits Platt's sigmoid to every label, and finds its threshold. The boxes of all labels together count as 20 correct
 * ones more, with their share of wrong ones: hundreds of objects of its own outvote them, a label without any gets what
 * is usual.
 *
 * The expected calibration error is the mean over boxes of the difference between confidence and share of correct
 * boxes, in ten equal bins of confidence. It is measured on boxes that have a confidence of .1 or more before or after,
 * and after means: on one half of the pictures with a sigmoid that was fitted to the other half.
 *
 * FALSE where the boxes do not tell how confidence and correctness are related: all of them correct, or none, or the
 * wrong ones have the better scores.
 */
gboolean sppnet_calibrate (const SppnetJudgedLabel *labels, guint n, SppnetCalibration *results, GError **error);
