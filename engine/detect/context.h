/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "model/config.h"

/* What else is in the picture speaks for or against a detection: cows stand among cows. Contextual rescoring after
 * Felzenszwalb, Girshick, McAllester and Ramanan, PAMI 2010, section 7.3, with the confidences elsewhere in the picture
 * alone. */

/* The detections of a picture, without duplicates. */
typedef struct
{
  guint n_labels;
  const guint32 *starts; /* [n_labels + 1]: where each label begins in the next two, and their number */
  const SppnetBox *boxes;
  const gfloat *confidence; /* falling within a label */
} SppnetContextBoxes;

/* The highest confidence of each label in boxes that overlap box i by less than an IoU of .5; 0 where there is none of
 * .05. out: [n_labels] */
void sppnet_context_elsewhere (const SppnetContextBoxes *boxes, gsize i, gfloat *out);

/* The confidence that the boxes have in their context. context: [n_labels][SPPNET_CONTEXT_COLUMNS]; out: one per box.
 */
void sppnet_context_score (const SppnetContextBoxes *boxes, const gfloat *context, gfloat *out);
