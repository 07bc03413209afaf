/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_window.h"

#include <sppnet/box.h>

static SppnetBox
box_of (SppnetExtent e)
{
  return (SppnetBox) { e.x0, e.y0, (gfloat) (e.x1 - e.x0 + 1), (gfloat) (e.y1 - e.y0 + 1) };
}

static gfloat
best_overlap (const SppnetEdgeWindows *windows, gint width, gint height, SppnetBox wanted)
{
  gfloat best = 0.0f;

  for (guint s = 0; s < windows->n_shapes; s++)
    for (gint row = 0; row < windows->shapes[s].rows; row++)
      for (gint column = 0; column < windows->shapes[s].columns; column++) {
        SppnetExtent window = sppnet_edge_window (&windows->shapes[s], column, row, width, height);
        SppnetBox box = box_of (window);
        gfloat iou = sppnet_box_iou (&box, &wanted);

        g_assert_cmpint (window.x1, <, width);
        g_assert_cmpint (window.y1, <, height);
        best = MAX (best, iou);
      }
  return best;
}

/* Whatever box there is in a picture, up to the greatest aspect ratio and down to the smallest size, one window is
 * near. */
static void
test_cover (void)
{
  static const SppnetBox boxes[]
      = { { 0, 0, 200, 150 }, { 10, 20, 16, 16 }, { 100, 50, 60, 25 },  { 170, 3, 20, 50 },
          { 1, 1, 150, 60 },  { 33, 77, 40, 40 }, { 180, 130, 20, 20 }, { 60, 10, 80, 140 } };
  SppnetEdgeWindows windows;

  sppnet_edge_windows_init (&windows, 200, 150);
  for (guint i = 0; i < G_N_ELEMENTS (boxes); i++)
    g_assert_cmpfloat (best_overlap (&windows, 200, 150, boxes[i]), >=, 0.6f);
}

/* Every size of picture has windows, all different and within it, counted as they are listed. */
static void
test_sizes (void)
{
  static const gint sizes[][2]
      = { { 1, 1 }, { 1, 200 }, { 7, 5 }, { 8192, 12 }, { 12, 8192 }, { 316, 316 }, { 365, 273 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    SppnetEdgeWindows windows;
    gsize n = 0;

    sppnet_edge_windows_init (&windows, sizes[i][0], sizes[i][1]);
    g_assert_cmpuint (windows.n_shapes, >=, 1);
    g_assert_cmpuint (windows.n_shapes, <, SPPNET_MOST_EDGE_SHAPES);
    for (guint s = 0; s < windows.n_shapes; s++) {
      const SppnetEdgeShape *shape = &windows.shapes[s];
      SppnetExtent first = sppnet_edge_window (shape, 0, 0, sizes[i][0], sizes[i][1]);
      SppnetExtent last = sppnet_edge_window (shape, shape->columns - 1, shape->rows - 1, sizes[i][0], sizes[i][1]);

      g_assert_cmpuint (shape->first, ==, n);
      n += (gsize) shape->columns * shape->rows;
      if (shape->columns > 1) {
        g_assert_cmpint (first.x0, ==, 0);
        g_assert_cmpint (last.x1, ==, sizes[i][0] - 1);
      }
      if (shape->rows > 1) {
        g_assert_cmpint (first.y0, ==, 0);
        g_assert_cmpint (last.y1, ==, sizes[i][1] - 1);
      }
      for (guint t = 0; t < s; t++)
        g_assert_false (windows.shapes[t].width == shape->width && windows.shapes[t].height == shape->height);
    }
    g_assert_cmpuint (windows.n, ==, n);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/edge_window/cover", test_cover);
  g_test_add_func ("/region/edge_window/sizes", test_sizes);
  return g_test_run ();
}
