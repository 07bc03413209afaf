/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <sppnet/box.h>

/* Boxes with labels, drawn over a frame: what `sppnet detect --overlay` and sppnetoverlay share. Cairo and Pango only.
 */

/* One thing to draw, in pixels of the frame. */
typedef struct
{
  SppnetBox box;
  const gchar *label; /* UTF-8; NULL or "": no text before the score */
  gfloat confidence;  /* 0..1; below 0 or not finite: no score is written */
  guint label_id;     /* picks the colour */
} SppnetDrawBox;

/* { 0 } is a complete choice. */
typedef struct
{
  gfloat line_width;  /* pixels of the frame; 0: with the frame's shorter side, 2 at 480 pixels, at least 1 */
  gfloat font_size;   /* pixels of the frame; 0: likewise, 15 at 480 pixels, at least 9 */
  gboolean no_labels; /* boxes only */
  gboolean no_scores; /* labels without the score */
} SppnetDrawStyle;

/**
 * sppnet_draw_detections:
 * @cr: context whose user space is the frame's pixels, (0, 0) at the top left; its state is kept, its path cleared
 * @width: of the frame, pixels
 * @height: of the frame, pixels
 * @boxes: [n] drawn from the last to the first, so that the best, when first, is on top
 * @style: (nullable): %NULL for the defaults
 *
 * Boxes are clipped to the frame and labels are moved inside it, and apart from each other where there is room. Empty
 * boxes, boxes outside and boxes that are not finite are left out. The same label_id has the same colour in every
 * frame.
 */
void sppnet_draw_detections (cairo_t *cr, gint width, gint height, const SppnetDrawBox *boxes, gsize n,
                             const SppnetDrawStyle *style);

/* The colour of a label, components 0..1: neighbouring ids differ clearly, all are readable under black or white text.
 */
void sppnet_draw_color (guint label_id, gdouble rgb[3]);
