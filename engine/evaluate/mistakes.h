/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/average_precision.h"

/* What is wrong with a box, or that an object was missed. */
typedef enum
{
  SPPNET_MISTAKE_BACKGROUND, /* no object of any label */
  SPPNET_MISTAKE_PLACE,      /* an object of the label, overlapped by less than .5 */
  SPPNET_MISTAKE_TWICE,      /* an object that a better box has found already */
  SPPNET_MISTAKE_LABEL,      /* an object of another label */
  SPPNET_MISTAKE_MISSED,     /* an object that no box, or only one of low confidence, has found */
} SppnetMistakeKind;

typedef struct
{
  SppnetMistakeKind kind;
  guint picture;
  const gchar *label; /* of the box; MISSED: of the object */
  const gchar *other; /* LABEL: of the object */
  SppnetBox box;      /* MISSED: the object's */
  gfloat confidence;  /* of the box; MISSED: of the box that found the object, or 0 */
} SppnetMistake;

/* The worst mistakes: at most most wrong boxes, the most confident first, then at most most missed objects, those with
 * the least confident box first; wrong boxes below lowest and objects found with more than .5 are no mistakes. labels,
 * boxes: of each label that is looked at, NULL-terminated; (element-type SppnetScoredBox), sorted in place.
 * (element-type SppnetMistake), valid as long as annotations and labels are */
GArray *sppnet_mistakes_find (const GPtrArray *annotations, const gchar *const *labels, GArray *const *boxes,
                              gfloat lowest, guint most);
