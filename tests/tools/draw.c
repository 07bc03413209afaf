/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw.h"

#include <float.h>
#include <math.h>

/* A transparent surface with a border of some pixels around the frame, so that drawing outside shows. */
#define BORDER 20

typedef struct
{
  cairo_surface_t *surface;
  gint width, height;
} Canvas;

static Canvas
draw (gint width, gint height, const SppnetDrawBox *boxes, gsize n, const SppnetDrawStyle *style)
{
  Canvas canvas
      = { cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width + 2 * BORDER, height + 2 * BORDER), width, height };
  cairo_t *cr = cairo_create (canvas.surface);

  cairo_translate (cr, BORDER, BORDER);
  sppnet_draw_detections (cr, width, height, boxes, n, style);
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (canvas.surface);
  return canvas;
}

static guint32
pixel (const Canvas *canvas, gint x, gint y)
{
  const guint8 *data = cairo_image_surface_get_data (canvas->surface);
  gint stride = cairo_image_surface_get_stride (canvas->surface);

  return ((const guint32 *) (gconstpointer) (data + (y + BORDER) * stride))[x + BORDER];
}

/* Pixels with anything on them, inside the frame or around it. */
static guint
count (const Canvas *canvas, gboolean inside)
{
  guint n = 0;

  for (gint y = -BORDER; y < canvas->height + BORDER; y++)
    for (gint x = -BORDER; x < canvas->width + BORDER; x++)
      if ((x >= 0 && y >= 0 && x < canvas->width && y < canvas->height) == inside)
        n += pixel (canvas, x, y) >> 24 != 0;
  return n;
}

/* Opaque, and the colour of the label but for rounding. */
static void
assert_color (const Canvas *canvas, gint x, gint y, guint label_id)
{
  guint32 word = pixel (canvas, x, y);
  gdouble rgb[3];

  sppnet_draw_color (label_id, rgb);
  g_assert_cmphex (word >> 24, ==, 0xff);
  for (gint c = 0; c < 3; c++)
    g_assert_cmpfloat_with_epsilon (rgb[c] * 255, word >> (16 - 8 * c) & 0xff, 1.5);
}

static void
test_box (void)
{
  const SppnetDrawStyle style = { .line_width = 4, .no_labels = TRUE };
  const SppnetDrawBox box = { { 40, 30, 60, 50 }, "dog", 0.5f, 7 };
  Canvas canvas = draw (200, 150, &box, 1, &style);

  assert_color (&canvas, 41, 60, 7);                /* left edge */
  assert_color (&canvas, 98, 60, 7);                /* right edge */
  assert_color (&canvas, 70, 31, 7);                /* top edge */
  assert_color (&canvas, 70, 78, 7);                /* bottom edge */
  g_assert_cmphex (pixel (&canvas, 70, 60), ==, 0); /* the object stays visible */
  g_assert_cmphex (pixel (&canvas, 30, 60), ==, 0);
  cairo_surface_destroy (canvas.surface);
}

/* The first is on top. */
static void
test_order (void)
{
  const SppnetDrawStyle style = { .line_width = 4, .no_labels = TRUE };
  const SppnetDrawBox boxes[] = { { { 40, 30, 60, 50 }, "dog", 0.5f, 1 }, { { 40, 30, 60, 50 }, "dog", 0.5f, 2 } };
  Canvas canvas = draw (200, 150, boxes, 2, &style);

  assert_color (&canvas, 41, 60, 1);
  cairo_surface_destroy (canvas.surface);
}

/* Wherever the box is, the label is drawn, and inside the frame. */
static void
test_label_inside (void)
{
  static const SppnetBox boxes[] = {
    { 0, 0, 300, 200 },    { 290, 0, 10, 200 },      { 0, 0, 5, 5 },         { 295, 195, 5, 5 },
    { -50, -50, 100, 90 }, { 250, 190, 1000, 1000 }, { 299.5f, 0, 0.5f, 1 }, { -1e6f, -1e6f, 2e6f, 2e6f },
  };
  const SppnetDrawStyle bare = { .no_labels = TRUE };

  for (gsize i = 0; i < G_N_ELEMENTS (boxes); i++) {
    const SppnetDrawBox box = { boxes[i], "pottedplant", 0.123f, 3 };
    Canvas with = draw (300, 200, &box, 1, NULL), without = draw (300, 200, &box, 1, &bare);

    g_assert_cmpuint (count (&with, FALSE), ==, 0);
    g_assert_cmpuint (count (&with, TRUE), >, count (&without, TRUE) + 400);
    cairo_surface_destroy (with.surface);
    cairo_surface_destroy (without.surface);
  }
}

/* Two labels of one object, and that of a box below it, are drawn beside each other. */
static void
test_labels_apart (void)
{
  static const SppnetDrawBox boxes[] = { { { 60, 60, 120, 90 }, "horse", 0.9f, 1 },
                                         { { 61, 60, 120, 90 }, "cow", 0.5f, 2 },
                                         { { 60, 62, 120, 90 }, "dog", 0.4f, 3 } };
  const SppnetDrawStyle bare = { .no_labels = TRUE };
  guint together = 0;
  Canvas canvas, no_labels;

  for (gsize i = 0; i < G_N_ELEMENTS (boxes); i++) {
    Canvas with = draw (300, 200, &boxes[i], 1, NULL), without = draw (300, 200, &boxes[i], 1, &bare);

    together += count (&with, TRUE) - count (&without, TRUE);
    cairo_surface_destroy (with.surface);
    cairo_surface_destroy (without.surface);
  }
  canvas = draw (300, 200, boxes, G_N_ELEMENTS (boxes), NULL);
  no_labels = draw (300, 200, boxes, G_N_ELEMENTS (boxes), &bare);
  /* Some lie over the line of a box; all in one place would be a third. */
  g_assert_cmpuint (count (&canvas, TRUE) - count (&no_labels, TRUE), >, together * 2 / 3);
  g_assert_cmpuint (count (&canvas, FALSE), ==, 0);
  cairo_surface_destroy (canvas.surface);
  cairo_surface_destroy (no_labels.surface);
}

static void
test_score (void)
{
  const SppnetDrawStyle no_scores = { .no_scores = TRUE };
  SppnetDrawBox box = { { 20, 50, 200, 100 }, "dog", 0.5f, 3 };
  Canvas with = draw (300, 200, &box, 1, NULL), without = draw (300, 200, &box, 1, &no_scores), negative;

  box.confidence = -1;
  negative = draw (300, 200, &box, 1, NULL);
  g_assert_cmpuint (count (&with, TRUE), >, count (&without, TRUE));
  g_assert_cmpuint (count (&negative, TRUE), ==, count (&without, TRUE));
  cairo_surface_destroy (with.surface);
  cairo_surface_destroy (without.surface);
  cairo_surface_destroy (negative.surface);
}

/* Line and letters grow with the frame. */
static void
test_scale (void)
{
  const SppnetDrawBox small = { { 20, 60, 200, 100 }, "dog", 0.5f, 3 },
                      large = { { 80, 240, 800, 400 }, "dog", 0.5f, 3 };
  Canvas a = draw (640, 480, &small, 1, NULL), b = draw (2560, 1920, &large, 1, NULL);

  g_assert_cmpuint (count (&b, TRUE), >, 10 * count (&a, TRUE));
  g_assert_cmpuint (count (&b, TRUE), <, 20 * count (&a, TRUE));
  cairo_surface_destroy (a.surface);
  cairo_surface_destroy (b.surface);
}

/* Nothing to draw, and nothing breaks. */
static void
test_bad_boxes (void)
{
  const SppnetDrawBox boxes[] = {
    { { NAN, 0, 10, 10 }, "a", 0.5f, 0 },      { { 0, 0, INFINITY, 10 }, "b", 0.5f, 1 },
    { { 10, 10, 0, 10 }, "c", 0.5f, 2 },       { { 10, 10, 10, -5 }, "d", 0.5f, 3 },
    { { 500, 500, 10, 10 }, "e", 0.5f, 4 },    { { -20, 5, 20, 10 }, "f", 0.5f, 5 },
    { { FLT_MAX, 0, FLT_MAX, 9 }, "g", 1, 6 },
  };
  Canvas canvas = draw (100, 100, boxes, G_N_ELEMENTS (boxes), NULL);

  g_assert_cmpuint (count (&canvas, TRUE) + count (&canvas, FALSE), ==, 0);
  cairo_surface_destroy (canvas.surface);
  canvas = draw (100, 100, NULL, 0, NULL);
  g_assert_cmpuint (count (&canvas, TRUE), ==, 0);
  cairo_surface_destroy (canvas.surface);
}

/* Labels as they come: none, broken UTF-8, several lines, very long; styles and frames that make no sense. */
static void
test_odd_labels (void)
{
  g_autofree gchar *endless = g_strnfill (5000, 'w');
  const gchar *labels[] = { NULL, "", "\xff\xfe dog", "two\nlines", "<b>&amp;", "犬", endless };
  static const gint sizes[][2] = { { 1, 1 }, { 1, 300 }, { 300, 1 }, { 7, 5 }, { 300, 200 } };
  const SppnetDrawStyle styles[] = { { 0 },
                                     { .line_width = -1, .font_size = NAN },
                                     { .line_width = 1000, .font_size = 1000 },
                                     { .line_width = INFINITY, .font_size = 1e-6f } };

  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (gsize l = 0; l < G_N_ELEMENTS (labels); l++)
      for (gsize i = 0; i < G_N_ELEMENTS (styles); i++) {
        const SppnetDrawBox box = { { 0, 0, 150, 100 }, labels[l], l % 2 ? NAN : 2.0f, G_MAXUINT - (guint) l };
        Canvas canvas = draw (sizes[s][0], sizes[s][1], &box, 1, &styles[i]);

        g_assert_cmpuint (count (&canvas, FALSE), ==, 0);
        g_assert_cmpuint (count (&canvas, TRUE), >, 0);
        cairo_surface_destroy (canvas.surface);
      }
}

/* The state of the context is left as it was. */
static void
test_state (void)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 64, 64);
  cairo_t *cr = cairo_create (surface);
  const SppnetDrawBox box = { { 5, 5, 20, 20 }, "dog", 0.5f, 0 };
  gdouble x0, y0, x1, y1;

  cairo_set_line_width (cr, 13);
  sppnet_draw_detections (cr, 32, 32, &box, 1, NULL);
  g_assert_cmpfloat (cairo_get_line_width (cr), ==, 13);
  cairo_clip_extents (cr, &x0, &y0, &x1, &y1);
  g_assert_cmpfloat (x1, ==, 64);
  g_assert_false (cairo_has_current_point (cr));
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* The first 20 colours, as many as the default model has labels, can be told apart. */
static void
test_colors (void)
{
  for (guint i = 0; i < 20; i++) {
    gdouble a[3];

    sppnet_draw_color (i, a);
    for (gint c = 0; c < 3; c++)
      g_assert_true (a[c] >= 0 && a[c] <= 1);
    for (guint j = 0; j < i; j++) {
      gdouble b[3];

      sppnet_draw_color (j, b);
      g_assert_cmpfloat (fabs (a[0] - b[0]) + fabs (a[1] - b[1]) + fabs (a[2] - b[2]), >, 0.2);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/box", test_box);
  g_test_add_func ("/draw/order", test_order);
  g_test_add_func ("/draw/label-inside", test_label_inside);
  g_test_add_func ("/draw/labels-apart", test_labels_apart);
  g_test_add_func ("/draw/score", test_score);
  g_test_add_func ("/draw/scale", test_scale);
  g_test_add_func ("/draw/bad-boxes", test_bad_boxes);
  g_test_add_func ("/draw/odd-labels", test_odd_labels);
  g_test_add_func ("/draw/state", test_state);
  g_test_add_func ("/draw/colors", test_colors);
  return g_test_run ();
}
