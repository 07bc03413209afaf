/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "region/window.h"

typedef struct
{
  gint stride;
  gfloat offset, first, last; /* pixels, both inclusive */
  gint cells, left, right;
} Case;

/* left = floor ((first - offset) / S) + 1, right = ceil ((last - offset) / S) - 1, worked out by hand. */
static const Case cases[] = {
  /* the paper's example: 224 pixels at stride 16 */
  { 16, 0, 0, 223, 15, 1, 13 },      { 16, 0, 0, 223, 14, 1, 13 },
  { 16, 0, 0, 224, 15, 1, 13 },      { 16, 0, 0, 225, 15, 1, 14 },
  { 16, 0, 15, 48, 15, 1, 2 },       { 16, 0, 16, 48, 15, 2, 2 },
  { 16, 0, 17, 49, 15, 2, 3 },       { 16, 0, 32, 33, 15, 2, 2 },   /* left 3, right 2: the middle 2.5, downwards */
  { 16, 0, 32, 32, 15, 2, 2 },                                      /* left 3, right 1 */
  { 16, 0, 33, 34, 15, 2, 2 },                                      /* left 3, right 2 */
  { 16, 0, 0, 0, 15, 0, 0 },                                        /* left 1, right -1 */
  { 16, 0, 239, 239, 15, 14, 14 },   { 16, 0, 0, 1000, 15, 1, 14 }, /* clamped */
  { 16, 0, -100, 1000, 15, 0, 14 },  { 16, 0, -100, -50, 15, 0, 0 },
  { 16, 0, 1000, 1100, 15, 14, 14 }, { 16, 0, 0, 15, 1, 0, 0 },
  { 16, 7.5f, 7, 24, 15, 0, 1 },     { 16, 7.5f, 8, 23, 15, 0, 0 }, /* left 1, right 0 */
  { 16, -8, 0, 223, 15, 1, 14 },     { 8, 0, 0, 223, 28, 1, 27 },
  { 1, 0, 3, 9, 20, 4, 8 },          { 12, 0, 10.5f, 30.5f, 20, 1, 2 },
};

static void
test_hand (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    SppnetGeometry horizontal = { c->stride, c->offset, 0.0f }, vertical = { c->stride, 0.0f, c->offset };
    SppnetBox wide = { c->first, 0.0f, c->last - c->first + 1.0f, 1.0f };
    SppnetBox tall = { 0.0f, c->first, 1.0f, c->last - c->first + 1.0f };
    SppnetWindow w = sppnet_window_from_box (&wide, &horizontal, c->cells, 1);
    SppnetWindow t = sppnet_window_from_box (&tall, &vertical, 1, c->cells);

    g_test_message ("case %u", i);
    g_assert_cmpint (w.x0, ==, c->left);
    g_assert_cmpint (w.x1, ==, c->right);
    g_assert_cmpint (w.y0, ==, 0);
    g_assert_cmpint (w.y1, ==, 0);
    g_assert_cmpint (t.y0, ==, c->left);
    g_assert_cmpint (t.y1, ==, c->right);
  }
}

/* Every window of the map comes back from the box that it stands for, and a box one pixel larger on any side reaches
 * beyond it. */
static void
check_inverse (const SppnetWindow *w, const SppnetGeometry *geometry, gint width, gint height)
{
  SppnetBox box = sppnet_window_to_box (w, geometry), larger = box;
  SppnetWindow back = sppnet_window_from_box (&box, geometry, width, height);

  g_assert_cmpmem (&back, sizeof back, w, sizeof *w);
  larger.x -= 1.0f;
  larger.y -= 1.0f;
  larger.width += 2.0f;
  larger.height += 2.0f;
  back = sppnet_window_from_box (&larger, geometry, width, height);
  g_assert_cmpint (back.x0, ==, MAX (w->x0 - 1, 0));
  g_assert_cmpint (back.y0, ==, MAX (w->y0 - 1, 0));
  g_assert_cmpint (back.x1, ==, MIN (w->x1 + 1, width - 1));
  g_assert_cmpint (back.y1, ==, MIN (w->y1 + 1, height - 1));
}

static void
test_inverse (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 1, 7 }, { 9, 1 }, { 5, 4 }, { 13, 13 }, { 18, 11 } };
  static const gint strides[] = { 1, 2, 4, 7, 8, 12, 16, 32 };
  static const gfloat offsets[] = { 0.0f, 0.5f, -3.0f, 7.5f, 23.5f };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint i = 0; i < G_N_ELEMENTS (strides); i++)
      for (guint o = 0; o < G_N_ELEMENTS (offsets); o++) {
        SppnetGeometry geometry = { strides[i], offsets[o], offsets[(o + 1) % G_N_ELEMENTS (offsets)] };
        gint width = sizes[s][0], height = sizes[s][1];
        SppnetWindow w;

        for (w.y0 = 0; w.y0 < height; w.y0++)
          for (w.y1 = w.y0; w.y1 < height; w.y1++)
            for (w.x0 = 0; w.x0 < width; w.x0++)
              for (w.x1 = w.x0; w.x1 < width; w.x1++)
                check_inverse (&w, &geometry, width, height);
      }
}

/* Whatever the box holds, the window is one of the map. */
static void
test_extremes (void)
{
  static const gfloat values[]
      = { 0.0f, -0.0f, 1e-30f, -1.0f, 0.5f, 8192.0f, 1e9f, -1e9f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN };
  const guint n = G_N_ELEMENTS (values);

  for (guint i = 0; i < n * n * n * n; i++) {
    SppnetBox box = { values[i % n], values[i / n % n], values[i / n / n % n], values[i / n / n / n] };
    SppnetGeometry geometry = { 16, values[i % 3], 0.0f };
    SppnetWindow w = sppnet_window_from_box (&box, &geometry, 5, 3);

    g_assert_true (0 <= w.x0 && w.x0 <= w.x1 && w.x1 < 5);
    g_assert_true (0 <= w.y0 && w.y0 <= w.y1 && w.y1 < 3);
  }
}

/* Cells of stride 8 around centres at 0.5, 8.5, ... of a box's coordinates. */
static void
test_area (void)
{
  const SppnetWindow window = { 1, 2, 3, 2 };
  const SppnetGeometry geometry = { 8, 0, 2 };
  SppnetBox box = sppnet_window_area (&window, &geometry);

  g_assert_cmpfloat (box.x, ==, 4.5f);
  g_assert_cmpfloat (box.y, ==, 14.5f);
  g_assert_cmpfloat (box.width, ==, 24);
  g_assert_cmpfloat (box.height, ==, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/window/hand", test_hand);
  g_test_add_func ("/region/window/inverse", test_inverse);
  g_test_add_func ("/region/window/extremes", test_extremes);
  g_test_add_func ("/region/window/area", test_area);
  return g_test_run ();
}
