/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box/box.h"

#include <math.h>

gboolean
sppnet_box_is_finite (const SppnetBox *box)
{
  return isfinite (box->x) && isfinite (box->y) && isfinite (box->width) && isfinite (box->height);
}

/* In double precision the edges of boxes of this size are exact and areas cannot overflow. The sides are taken from the
 * edges, so that the intersection is never larger than either area. */
gfloat
sppnet_box_iou (const SppnetBox *a, const SppnetBox *b)
{
  gdouble a_right = (gdouble) a->x + a->width, a_bottom = (gdouble) a->y + a->height;
  gdouble b_right = (gdouble) b->x + b->width, b_bottom = (gdouble) b->y + b->height;
  gdouble width = MIN (a_right, b_right) - MAX (a->x, b->x);
  gdouble height = MIN (a_bottom, b_bottom) - MAX (a->y, b->y);
  gdouble both, either;

  if (!(width > 0.0 && height > 0.0) || !sppnet_box_is_finite (a) || !sppnet_box_is_finite (b))
    return 0.0f;
  both = width * height;
  either = (a_right - a->x) * (a_bottom - a->y) + (b_right - b->x) * (b_bottom - b->y) - both;
  return either > 0.0 ? (gfloat) (both / either) : 0.0f;
}
