/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box/regression.h"

#include <math.h>

/* Farther than any box within a frame moves: a hundredth of a pixel wide, over 8192 pixels. */
#define MAX_SHIFT 1e6

void
sppnet_box_encode (const SppnetBox *from, const SppnetBox *to, gfloat t[4])
{
  gdouble dx = ((gdouble) to->x + to->width * 0.5) - ((gdouble) from->x + from->width * 0.5);
  gdouble dy = ((gdouble) to->y + to->height * 0.5) - ((gdouble) from->y + from->height * 0.5);

  t[0] = t[1] = t[2] = t[3] = 0.0f;
  g_return_if_fail (from->width > 0.0f && from->height > 0.0f && to->width > 0.0f && to->height > 0.0f);
  t[0] = (gfloat) (dx / from->width);
  t[1] = (gfloat) (dy / from->height);
  t[2] = (gfloat) log ((gdouble) to->width / from->width);
  t[3] = (gfloat) log ((gdouble) to->height / from->height);
}

/* NaN counts as "no change". */
static gdouble
limited (gfloat value, gdouble limit)
{
  return isnan (value) ? 0.0 : CLAMP ((gdouble) value, -limit, limit);
}

SppnetBox
sppnet_box_decode (const SppnetBox *from, const gfloat t[4])
{
  const gdouble max_log = log (1000.0 / 16.0);
  gdouble x = from->x + from->width * (0.5 + limited (t[0], MAX_SHIFT));
  gdouble y = from->y + from->height * (0.5 + limited (t[1], MAX_SHIFT));
  gdouble width = from->width * exp (limited (t[2], max_log));
  gdouble height = from->height * exp (limited (t[3], max_log));

  return (SppnetBox) { (gfloat) (x - width * 0.5), (gfloat) (y - height * 0.5), (gfloat) width, (gfloat) height };
}

/* fmin and fmax take the number where the other is NaN, which makes such a box empty. */
static void
clip_side (gfloat start, gfloat extent, gint size, gfloat *out_start, gfloat *out_extent)
{
  gdouble first = fmin (fmax (start, 0.0), size);
  gdouble end = fmin (fmax ((gdouble) start + extent, 0.0), size);

  *out_start = (gfloat) first;
  *out_extent = end > first ? (gfloat) (end - first) : 0.0f;
  if (first + *out_extent > size) /* rounded up */
    *out_extent = nextafterf (*out_extent, 0.0f);
}

SppnetBox
sppnet_box_scale (const SppnetBox *box, gfloat scale)
{
  return (SppnetBox) { box->x * scale, box->y * scale, box->width * scale, box->height * scale };
}

SppnetBox
sppnet_box_clip (const SppnetBox *box, gint width, gint height)
{
  SppnetBox clipped;

  clip_side (box->x, box->width, width, &clipped.x, &clipped.width);
  clip_side (box->y, box->height, height, &clipped.y, &clipped.height);
  return clipped;
}
