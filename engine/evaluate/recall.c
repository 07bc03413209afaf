/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/recall.h"

void
sppnet_recall_add (SppnetRecall *recall, const SppnetAnnotation *annotation, const gchar *const *labels,
                   const SppnetBox *boxes, gsize n)
{
  recall->pictures++;
  recall->boxes += n;
  for (guint i = 0; i < annotation->objects->len; i++) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, i);
    gfloat best = 0;

    if (object->difficult || (labels && !g_strv_contains (labels, object->label)))
      continue;
    for (gsize j = 0; j < n; j++) {
      gfloat iou = sppnet_box_iou (&boxes[j], &object->box);

      best = MAX (best, iou);
    }
    recall->objects++;
    recall->found50 += best >= 0.5f;
    recall->found70 += best >= 0.7f;
    recall->overlap += best;
  }
}
