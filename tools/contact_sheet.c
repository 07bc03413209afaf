/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contact_sheet.h"

#include <math.h>
#include <pango/pangocairo.h>

#include "frame/picture.h"
#include "overlay.h"

#define COLUMNS 6
#define TILE 200   /* pixels, width and height of the picture's part */
#define CAPTION 36 /* two lines of text below */
#define GAP 6
#define SURROUND 2.0  /* side of the part, as a multiple of the box's longer side */
#define SMALLEST 48.0 /* side of the part, pixels of the picture */

typedef struct
{
  gdouble red, green, blue;
} Colour;

static const Colour wrong = { 1, .15, .1 }, truth = { .1, .9, .2 }, missed = { 1, .85, 0 };

static gchar *
describe (const SppnetMistake *mistake, const SppnetAnnotation *annotation)
{
  g_autofree gchar *base = g_path_get_basename (annotation->picture), *what = NULL;
  gint percent = (gint) lroundf (100 * mistake->confidence);

  switch (mistake->kind) {
  case SPPNET_MISTAKE_BACKGROUND:
    what = g_strdup_printf ("%s %d %%, is nothing", mistake->label, percent);
    break;
  case SPPNET_MISTAKE_PLACE:
    what = g_strdup_printf ("%s %d %%, out of place", mistake->label, percent);
    break;
  case SPPNET_MISTAKE_TWICE:
    what = g_strdup_printf ("%s %d %%, found twice", mistake->label, percent);
    break;
  case SPPNET_MISTAKE_LABEL:
    what = g_strdup_printf ("%s %d %%, is %s", mistake->label, percent, mistake->other);
    break;
  default:
    what = mistake->confidence > 0 ? g_strdup_printf ("%s, found with %d %%", mistake->label, percent)
                                   : g_strdup_printf ("%s, missed", mistake->label);
  }
  return g_strdup_printf ("%s\n%s", what, base);
}

static void
draw_box (cairo_t *cr, const SppnetBox *box, const Colour *colour, gdouble width)
{
  cairo_set_source_rgb (cr, colour->red, colour->green, colour->blue);
  cairo_set_line_width (cr, width);
  cairo_rectangle (cr, box->x, box->y, box->width, box->height);
  cairo_stroke (cr);
}

/* The part around the box, as large as the tile; user space is that of the picture. */
static void
draw_part (cairo_t *cr, cairo_surface_t *picture, const SppnetMistake *mistake, const SppnetAnnotation *annotation)
{
  const SppnetBox *box = &mistake->box;
  gdouble side = MAX (SMALLEST, SURROUND * MAX (box->width, box->height)), scale = TILE / side;

  cairo_save (cr);
  cairo_rectangle (cr, 0, 0, TILE, TILE);
  cairo_clip (cr);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, side / 2 - box->x - box->width / 2, side / 2 - box->y - box->height / 2);
  cairo_set_source_surface (cr, picture, 0, 0);
  cairo_paint (cr);
  for (guint i = 0; i < annotation->objects->len; i++)
    draw_box (cr, &g_array_index (annotation->objects, SppnetObject, i).box, &truth, 1.5 / scale);
  draw_box (cr, box, mistake->kind == SPPNET_MISTAKE_MISSED ? &missed : &wrong, 3 / scale);
  cairo_restore (cr);
}

static void
draw_caption (cairo_t *cr, const gchar *text)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Sans");

  pango_font_description_set_absolute_size (font, 12 * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_width (layout, TILE * PANGO_SCALE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_text (layout, text, -1);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_move_to (cr, 0, TILE + 2);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
}

static gboolean
draw_tile (cairo_t *cr, guint place, const GPtrArray *annotations, const SppnetMistake *mistake, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (annotations, mistake->picture);
  g_auto (SppnetPicture) picture = { 0 };
  g_autofree gchar *caption = describe (mistake, annotation);
  cairo_surface_t *surface;

  if (!sppnet_picture_load_sized (&picture, annotation->picture, annotation->width, annotation->height, error))
    return FALSE;
  surface = sppnet_overlay_surface (&picture);
  cairo_save (cr);
  cairo_translate (cr, GAP + place % COLUMNS * (TILE + GAP), GAP + place / COLUMNS * (TILE + CAPTION + GAP));
  draw_part (cr, surface, mistake, annotation);
  draw_caption (cr, caption);
  cairo_restore (cr);
  cairo_surface_destroy (surface);
  return TRUE;
}

gboolean
sppnet_contact_sheet_write (const gchar *path, const GPtrArray *annotations, const GArray *mistakes, GError **error)
{
  guint rows = MAX (1, (mistakes->len + COLUMNS - 1) / COLUMNS);
  cairo_surface_t *sheet = cairo_image_surface_create (CAIRO_FORMAT_RGB24, GAP + COLUMNS * (TILE + GAP),
                                                       (gint) (GAP + rows * (TILE + CAPTION + GAP)));
  cairo_t *cr = cairo_create (sheet);
  gboolean ok = TRUE;

  cairo_set_source_rgb (cr, .12, .12, .12);
  cairo_paint (cr);
  for (guint i = 0; ok && i < mistakes->len; i++)
    ok = draw_tile (cr, i, annotations, &g_array_index (mistakes, SppnetMistake, i), error);
  if (ok && cairo_status (cr) != CAIRO_STATUS_SUCCESS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: %s", path, cairo_status_to_string (cairo_status (cr)));
    ok = FALSE;
  }
  cairo_destroy (cr);
  ok = ok && sppnet_surface_write_png (sheet, path, error);
  cairo_surface_destroy (sheet);
  return ok;
}
