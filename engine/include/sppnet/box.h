/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

G_BEGIN_DECLS

/**
 * SppnetBox:
 * @x: left edge, pixels of the frame
 * @y: top edge, pixels of the frame
 * @width: horizontal extent, pixels
 * @height: vertical extent, pixels
 *
 * A rectangle that covers the pixels from @x up to, not including, @x + @width.
 * A VOC annotation (1-based, inclusive) is x = xmin - 1, width = xmax - xmin + 1; the "+ 1" of the
 * VOC overlap formula is then part of the type.
 */
typedef struct
{
  gfloat x, y, width, height;
} SppnetBox;

/**
 * sppnet_box_iou:
 *
 * Intersection over union, 0..1; 0 when either box is empty or not finite.
 */
SPPNET_API gfloat sppnet_box_iou (const SppnetBox *a, const SppnetBox *b);

G_END_DECLS
