/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw.h"

#include <math.h>
#include <pango/pangocairo.h>

/* Sizes resolved for one frame, in pixels. */
typedef struct
{
  gdouble line, font, pad;
  gint width, height;
} Sizes;

void
sppnet_draw_color (guint label_id, gdouble rgb[3])
{
  /* Steps of the golden ratio around the hue circle: no two of the first hundreds fall together, and neighbours are far
   * apart. Three strengths tell hues apart that come close to each other after some rounds. */
  static const gdouble saturation[] = { 0.85, 0.60, 0.95 }, value[] = { 1.0, 0.95, 0.75 };
  gdouble hue = fmod (0.33 + (label_id % 100000) * 0.6180339887498949, 1.0) * 6;
  gdouble s = saturation[label_id % 3], v = value[label_id % 3];

  for (gint c = 0; c < 3; c++) {
    gdouble k = fmod ((c == 0 ? 5 : c == 1 ? 3 : 1) + hue, 6);

    rgb[c] = v - v * s * CLAMP (MIN (k, 4 - k), 0, 1);
  }
}

/* TRUE when black text reads better than white on this colour (relative luminance, Rec. 709). */
static gboolean
is_light (const gdouble rgb[3])
{
  return 0.2126 * pow (rgb[0], 2.2) + 0.7152 * pow (rgb[1], 2.2) + 0.0722 * pow (rgb[2], 2.2) > 0.18;
}

static Sizes
resolve_sizes (gint width, gint height, const SppnetDrawStyle *style)
{
  /* The shorter side, so that tall frames do not get huge letters. A line of one pixel would lose its colour where two
   * pixels share theirs. */
  gdouble scale = MIN (width, height) / 480.0;
  Sizes sizes = { MAX (2.0, round (2 * scale)), MAX (9.0, 15 * scale), 0, width, height };

  if (style && isfinite (style->line_width) && style->line_width > 0)
    sizes.line = style->line_width;
  if (style && isfinite (style->font_size) && style->font_size > 0)
    sizes.font = style->font_size;
  sizes.pad = ceil (sizes.font / 6);
  return sizes;
}

/* The part of a box inside the frame; FALSE when there is none. */
static gboolean
clip (const SppnetBox *box, const Sizes *sizes, gdouble *x0, gdouble *y0, gdouble *x1, gdouble *y1)
{
  if (!isfinite (box->x) || !isfinite (box->y) || !isfinite (box->width) || !isfinite (box->height))
    return FALSE;
  *x0 = CLAMP (box->x, 0, sizes->width);
  *y0 = CLAMP (box->y, 0, sizes->height);
  *x1 = CLAMP ((gdouble) box->x + box->width, 0, sizes->width);
  *y1 = CLAMP ((gdouble) box->y + box->height, 0, sizes->height);
  return *x1 > *x0 && *y1 > *y0;
}

/* A line inside the box on a dark one that sets it off from a bright picture; a box no wider than two lines is filled.
 */
static void
draw_box (cairo_t *cr, const SppnetDrawBox *box, const Sizes *sizes)
{
  gdouble x0, y0, x1, y1, rgb[3], inset = sizes->line / 2;

  if (!clip (&box->box, sizes, &x0, &y0, &x1, &y1))
    return;
  sppnet_draw_color (box->label_id, rgb);
  if (MIN (x1 - x0, y1 - y0) <= 2 * sizes->line) {
    cairo_rectangle (cr, x0, y0, x1 - x0, y1 - y0);
    cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
    cairo_fill (cr);
    return;
  }
  cairo_rectangle (cr, x0 + inset, y0 + inset, x1 - x0 - sizes->line, y1 - y0 - sizes->line);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_MITER);
  cairo_set_source_rgba (cr, 0, 0, 0, 0.5);
  cairo_set_line_width (cr, sizes->line + MAX (1, sizes->line / 2));
  cairo_stroke_preserve (cr);
  cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
  cairo_set_line_width (cr, sizes->line);
  cairo_stroke (cr);
}

static gchar *
label_text (const SppnetDrawBox *box, const SppnetDrawStyle *style)
{
  g_autofree gchar *label = g_utf8_make_valid (box->label ? box->label : "", -1);
  gchar score[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (box->confidence) || box->confidence < 0 || (style && style->no_scores))
    return g_steal_pointer (&label);
  g_ascii_formatd (score, sizeof score, "%.2f", MIN (box->confidence, 1));
  return *label ? g_strdup_printf ("%s %s", label, score) : g_strdup (score);
}

typedef struct
{
  PangoLayout *layout; /* NULL: there is none */
  gdouble x, y, width, height;
} Label;

static gboolean
is_free (const Label *label, const Label *others, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (others[i].layout && label->x < others[i].x + others[i].width && others[i].x < label->x + label->width
        && label->y < others[i].y + others[i].height && others[i].y < label->y + label->height)
      return FALSE;
  return TRUE;
}

/* Above the box where there is room, else inside its top edge; where another label is already, above its bottom edge,
 * below it, or further down its side. Always inside the frame. */
static void
place_label (Label *label, PangoLayout *layout, const SppnetDrawBox *box, const Sizes *sizes,
             const SppnetDrawStyle *style, const Label *others, gsize n)
{
  g_autofree gchar *text = label_text (box, style);
  gdouble x0, y0, x1, y1, places[6];
  gint text_width, text_height;

  *label = (Label) { 0 };
  if (!*text || !clip (&box->box, sizes, &x0, &y0, &x1, &y1))
    return;
  label->layout = pango_layout_copy (layout);
  pango_layout_set_text (label->layout, text, -1);
  pango_layout_get_pixel_size (label->layout, &text_width, &text_height);
  label->width = text_width + 2 * sizes->pad;
  label->height = text_height;
  label->x = CLAMP (x0, 0, MAX (0, sizes->width - label->width));
  places[0] = y0 >= label->height ? y0 - label->height : y0;
  places[1] = y0;
  places[2] = y1 - label->height;
  places[3] = y1;
  places[4] = y0 + label->height;
  places[5] = y0 + 2 * label->height;
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    label->y = CLAMP (places[i], 0, MAX (0, sizes->height - label->height));
    if (is_free (label, others, n))
      return;
  }
  label->y = CLAMP (places[0], 0, MAX (0, sizes->height - label->height));
}

static void
draw_label (cairo_t *cr, const Label *label, guint label_id, const Sizes *sizes)
{
  gdouble rgb[3], ink;

  if (!label->layout)
    return;
  sppnet_draw_color (label_id, rgb);
  cairo_set_source_rgba (cr, rgb[0], rgb[1], rgb[2], 0.9);
  cairo_rectangle (cr, label->x, label->y, label->width, label->height);
  cairo_fill (cr);
  ink = is_light (rgb) ? 0 : 1;
  cairo_set_source_rgb (cr, ink, ink, ink);
  cairo_move_to (cr, label->x + sizes->pad, label->y);
  pango_cairo_show_layout (cr, label->layout);
}

static PangoLayout *
create_layout (cairo_t *cr, const Sizes *sizes)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Sans Bold");

  pango_font_description_set_absolute_size (font, MIN (sizes->font, 4096) * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_width (layout, (gint) (MAX (1, sizes->width - 2 * sizes->pad) * PANGO_SCALE));
  return layout;
}

/* The first boxes, which are the surest, choose their places first and are drawn last. */
static void
draw_labels (cairo_t *cr, const SppnetDrawBox *boxes, gsize n, const Sizes *sizes, const SppnetDrawStyle *style)
{
  g_autoptr (PangoLayout) layout = create_layout (cr, sizes);
  g_autofree Label *labels = g_new (Label, n);

  for (gsize i = 0; i < n; i++)
    place_label (&labels[i], layout, &boxes[i], sizes, style, labels, i);
  for (gsize i = n; i-- > 0;) {
    draw_label (cr, &labels[i], boxes[i].label_id, sizes);
    g_clear_object (&labels[i].layout);
  }
}

void
sppnet_draw_detections (cairo_t *cr, gint width, gint height, const SppnetDrawBox *boxes, gsize n,
                        const SppnetDrawStyle *style)
{
  Sizes sizes = resolve_sizes (width, height, style);

  g_return_if_fail (cr && width > 0 && height > 0 && (boxes || n == 0));

  cairo_save (cr);
  cairo_new_path (cr);
  cairo_rectangle (cr, 0, 0, width, height);
  cairo_clip (cr);
  for (gsize i = n; i-- > 0;)
    draw_box (cr, &boxes[i], &sizes);
  /* All labels after all boxes: no line runs across a text. */
  if (n > 0 && !(style && style->no_labels))
    draw_labels (cr, boxes, n, &sizes, style);
  cairo_new_path (cr);
  cairo_restore (cr);
}
