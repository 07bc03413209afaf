/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "backbone/map.h"
#include "model/config.h"

/* Where the cells of a region proposal network lie: cell (x, y) has its centre at x0 + step * x, y0 + step * y, in the
 * coordinates of boxes, where pixel i covers i .. i + 1. Anchor number (y * width + x) * n_anchors + a is anchor a
 * there. */
typedef struct
{
  gint width, height; /* cells */
  gfloat x0, y0, step;
} SppnetAnchorGrid;

SppnetAnchorGrid sppnet_anchor_grid (const SppnetConfig *config, const SppnetMap *map);

static inline SppnetBox
sppnet_anchor_box (const SppnetAnchorGrid *grid, const SppnetRpnConfig *rpn, gsize number)
{
  const gfloat *size = rpn->anchors[number % rpn->n_anchors];
  gsize cell = number / rpn->n_anchors;
  gfloat x = grid->x0 + grid->step * (gfloat) (cell % (gsize) grid->width);
  gfloat y = grid->y0 + grid->step * (gfloat) (cell / (gsize) grid->width);

  return (SppnetBox) { x - size[0] * 0.5f, y - size[1] * 0.5f, size[0], size[1] };
}
