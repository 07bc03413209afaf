/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/window.h"

#include <math.h>

/* Beyond any map; keeps what follows within an int whatever the box holds. */
#define FAR_AWAY 1e8

static gint
to_cell (gdouble cell)
{
  return isnan (cell) ? 0 : (gint) CLAMP (cell, -FAR_AWAY, FAR_AWAY);
}

static void
axis_from_pixels (gdouble first, gdouble last, gint stride, gint cells, gint *out0, gint *out1)
{
  gint left = to_cell (floor (first / stride) + 1.0);
  gint right = to_cell (ceil (last / stride) - 1.0);

  if (left > right)
    left = right = to_cell (floor ((left + right) / 2.0));
  *out0 = CLAMP (left, 0, cells - 1);
  *out1 = CLAMP (right, 0, cells - 1);
}

SppnetWindow
sppnet_window_from_box (const SppnetBox *box, const SppnetGeometry *geometry, gint map_width, gint map_height)
{
  SppnetWindow window;
  gdouble x = (gdouble) box->x - geometry->offset_x;
  gdouble y = (gdouble) box->y - geometry->offset_y;

  axis_from_pixels (x, x + box->width - 1.0, geometry->stride, map_width, &window.x0, &window.x1);
  axis_from_pixels (y, y + box->height - 1.0, geometry->stride, map_height, &window.y0, &window.y1);
  return window;
}

SppnetBox
sppnet_window_to_box (const SppnetWindow *window, const SppnetGeometry *geometry)
{
  gint stride = geometry->stride;
  SppnetBox box = {
    .x = (gfloat) stride * (window->x0 - 1) + geometry->offset_x,
    .y = (gfloat) stride * (window->y0 - 1) + geometry->offset_y,
    .width = (gfloat) stride * (window->x1 - window->x0 + 2) + 1.0f,
    .height = (gfloat) stride * (window->y1 - window->y0 + 2) + 1.0f,
  };

  return box;
}

SppnetBox
sppnet_window_area (const SppnetWindow *window, const SppnetGeometry *geometry)
{
  gfloat stride = (gfloat) geometry->stride;

  /* Pixel i covers i .. i + 1 of a box. */
  return (SppnetBox) { stride * ((gfloat) window->x0 - 0.5f) + geometry->offset_x + 0.5f,
                       stride * ((gfloat) window->y0 - 0.5f) + geometry->offset_y + 0.5f,
                       stride * (gfloat) (window->x1 - window->x0 + 1),
                       stride * (gfloat) (window->y1 - window->y0 + 1) };
}
