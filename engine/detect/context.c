/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/context.h"

#include <math.h>

#include "base/logistic.h"
#include "detect/settings.h"

#define SAME_PLACE 0.5f

/* Boxes of one label hardly overlap each other, so that the first or second one is the answer. */
static gfloat
label_elsewhere (const SppnetContextBoxes *boxes, const SppnetBox *box, guint label)
{
  for (guint32 k = boxes->starts[label]; k < boxes->starts[label + 1]; k++)
    if (!(boxes->confidence[k] >= SPPNET_REFINE_FLOOR))
      return 0.0f;
    else if (sppnet_box_iou (box, &boxes->boxes[k]) < SAME_PLACE)
      return boxes->confidence[k];
  return 0.0f;
}

void
sppnet_context_elsewhere (const SppnetContextBoxes *boxes, gsize i, gfloat *out)
{
  for (guint label = 0; label < boxes->n_labels; label++)
    out[label] = label_elsewhere (boxes, &boxes->boxes[i], label);
}

void
sppnet_context_score (const SppnetContextBoxes *boxes, const gfloat *context, gfloat *out)
{
  for (guint label = 0; label < boxes->n_labels; label++, context += SPPNET_CONTEXT_COLUMNS (boxes->n_labels))
    for (guint32 i = boxes->starts[label]; i < boxes->starts[label + 1]; i++) {
      gfloat sum = context[0] * sppnet_log_odds (boxes->confidence[i]) + context[1];

      for (guint other = 0; other < boxes->n_labels; other++)
        if (context[2 + other] != 0.0f)
          sum += context[2 + other] * label_elsewhere (boxes, &boxes->boxes[i], other);
      out[i] = sppnet_logistic (sum);
      /* With a higher threshold it would not be here: it must not become what that threshold shows. */
      if (!(boxes->confidence[i] >= SPPNET_REFINE_FLOOR))
        out[i] = MIN (out[i], nextafterf (SPPNET_REFINE_FLOOR, 0.0f));
    }
}
