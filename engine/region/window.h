/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "backbone/map.h"

/* Cells of a feature map, both ends inclusive: 0 <= x0 <= x1 < width. */
typedef struct
{
  gint x0, y0, x1, y1;
} SppnetWindow;

/* The cells of a box as in the paper's appendix: left = floor (x / S) + 1, right = ceil (x / S) - 1 of its first and
 * last pixel, with the geometry's offset taken off; where left > right both become the middle; then clamped to the map.
 */
SppnetWindow sppnet_window_from_box (const SppnetBox *box, const SppnetGeometry *geometry, gint map_width,
                                     gint map_height);

/* The largest box that maps to this window (before clamping): the inverse of the above. */
SppnetBox sppnet_window_to_box (const SppnetWindow *window, const SppnetGeometry *geometry);

/* The pixels that are nearer to the centres of the window's cells than to others: stride x stride for each. */
SppnetBox sppnet_window_area (const SppnetWindow *window, const SppnetGeometry *geometry);
