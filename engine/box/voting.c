/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box/voting.h"

#define MIN_IOU 0.5f

SppnetBox
sppnet_box_vote (const SppnetBox *box, const SppnetBox *boxes, const gfloat *scores, gsize n, gfloat floor)
{
  gdouble left = 0.0, top = 0.0, right = 0.0, bottom = 0.0, sum = 0.0;

  for (gsize i = 0; i < n; i++) {
    gdouble weight = (gdouble) scores[i] * scores[i];

    if (!(scores[i] >= floor && weight > 0.0) || sppnet_box_iou (box, &boxes[i]) < MIN_IOU)
      continue;
    left += weight * boxes[i].x;
    top += weight * boxes[i].y;
    right += weight * (boxes[i].x + boxes[i].width);
    bottom += weight * (boxes[i].y + boxes[i].height);
    sum += weight;
  }
  if (sum == 0.0)
    return *box;
  return (SppnetBox) { (gfloat) (left / sum), (gfloat) (top / sum), (gfloat) ((right - left) / sum),
                       (gfloat) ((bottom - top) / sum) };
}
