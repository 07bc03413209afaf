/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/similarity.h"

#define SPPNET_MOST_EDGE_SHAPES 256

/* Windows of one width and height, evenly spread from edge to edge. */
typedef struct
{
  gint width, height;
  gint columns, rows;
  gsize first; /* number of windows before this shape's */
} SppnetEdgeShape;

/* The sliding windows of Edge Boxes: each overlaps its neighbours in place, size and shape by about ALPHA. */
typedef struct
{
  SppnetEdgeShape shapes[SPPNET_MOST_EDGE_SHAPES];
  guint n_shapes;
  gsize n; /* windows */
} SppnetEdgeWindows;

void sppnet_edge_windows_init (SppnetEdgeWindows *windows, gint width, gint height);
/* Pixels by which windows of this side lie apart, at most. */
gfloat sppnet_edge_window_step (gint side);
/* column, row: 0 .. columns - 1, 0 .. rows - 1; width, height: of the picture */
SppnetExtent sppnet_edge_window (const SppnetEdgeShape *shape, gint column, gint row, gint width, gint height);
