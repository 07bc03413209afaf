/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_window.h"

#include <math.h>

#include "region/spread.h"

/* Overlap (IoU) of windows that are neighbours in place, size or shape. The paper has .65; refinement makes up for
 * less. */
#define ALPHA 0.6f
/* Side of the smallest windows, pixels; that of the picture where it is smaller. An area of 1,000 in the paper; VOC
 * has many smaller objects, of which larger windows find none. */
#define SMALLEST_SIDE 12.4f
/* Of the longer side to the shorter one. */
#define MOST_ASPECT 3.0f

gfloat
sppnet_edge_window_step (gint side)
{
  return MAX (1.0f, (gfloat) side * (1.0f - ALPHA) / (1.0f + ALPHA));
}

static gboolean
known (const SppnetEdgeWindows *windows, gint width, gint height)
{
  for (guint i = 0; i < windows->n_shapes; i++)
    if (windows->shapes[i].width == width && windows->shapes[i].height == height)
      return TRUE;
  return FALSE;
}

/* Shapes that are a little too large for the picture are cut to it. */
static void
add_shape (SppnetEdgeWindows *windows, gfloat shape_width, gfloat shape_height, gfloat slack, gint width, gint height)
{
  SppnetEdgeShape shape = { .first = windows->n };

  if (shape_width > (gfloat) width * slack || shape_height > (gfloat) height * slack)
    return;
  shape.width = CLAMP ((gint) lroundf (shape_width), 1, width);
  shape.height = CLAMP ((gint) lroundf (shape_height), 1, height);
  if (known (windows, shape.width, shape.height) || windows->n_shapes == SPPNET_MOST_EDGE_SHAPES)
    return;
  shape.columns = 1 + (gint) ceilf ((gfloat) (width - shape.width) / sppnet_edge_window_step (shape.width));
  shape.rows = 1 + (gint) ceilf ((gfloat) (height - shape.height) / sppnet_edge_window_step (shape.height));
  windows->shapes[windows->n_shapes++] = shape;
  windows->n += (gsize) shape.columns * shape.rows;
}

void
sppnet_edge_windows_init (SppnetEdgeWindows *windows, gint width, gint height)
{
  gfloat size_step = sqrtf (1.0f / ALPHA), aspect_step = (1.0f + ALPHA) / (2.0f * ALPHA);
  gint aspects = (gint) (logf (MOST_ASPECT) / (2.0f * logf (aspect_step)));
  gfloat side = MIN (SMALLEST_SIDE, (gfloat) MIN (width, height));

  windows->n = windows->n_shapes = 0;
  for (; side < (gfloat) MAX (width, height) * size_step; side *= size_step)
    for (gint a = -aspects; a <= aspects; a++) {
      gfloat ratio = powf (aspect_step, (gfloat) a);

      add_shape (windows, side * ratio, side / ratio, size_step, width, height);
    }
}

SppnetExtent
sppnet_edge_window (const SppnetEdgeShape *shape, gint column, gint row, gint width, gint height)
{
  gint x = sppnet_spread (column, shape->columns, width, shape->width),
       y = sppnet_spread (row, shape->rows, height, shape->height);

  return (SppnetExtent) { (guint16) x, (guint16) y, (guint16) (x + shape->width - 1),
                          (guint16) (y + shape->height - 1) };
}
