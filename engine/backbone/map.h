/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where the cells of a feature map lie in the frame: the centre of cell i is stride * i + offset (0-based pixel
 * coordinate), the same on both axes unless the kernels are not square. */
typedef struct
{
  gint stride;               /* pixels per cell */
  gfloat offset_x, offset_y; /* 0 where every layer pads floor (k / 2) with odd k (paper, appendix) */
} SppnetGeometry;

/* A feature map: a view, [height][width][channels]. */
typedef struct
{
  const gfloat *data;
  gint width, height, channels;
  SppnetGeometry geometry;
} SppnetMap;
