/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

#include <math.h>

/* Cairo's ARGB32 is premultiplied and in the machine's byte order, which is what GStreamer calls this. */
#define RECTANGLE_FORMAT GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB

static void
draw (cairo_t *cr, const GstSppnetDetection *detections, guint n, gint width, gint height, const SppnetDrawStyle *style)
{
  g_autofree SppnetDrawBox *boxes = g_new (SppnetDrawBox, n);

  for (guint i = 0; i < n; i++) {
    const GstSppnetDetection *d = &detections[i];

    /* Labels of other elements may be any bytes; theirs without a number share the first colour. */
    boxes[i] = (SppnetDrawBox) { .box = { d->x, d->y, d->width, d->height },
                                 .label = g_utf8_validate (d->label, -1, NULL) ? d->label : NULL,
                                 .confidence = (gfloat) d->confidence,
                                 .label_id = (guint) MAX (d->label_id, 0) };
  }
  sppnet_draw_detections (cr, width, height, boxes, n, style);
}

/* What a recording drew, in whole pixels of the frame. FALSE when that is nothing. */
static gboolean
ink_extents (cairo_surface_t *recording, gint width, gint height, GstVideoRectangle *ink)
{
  gdouble x, y, w, h;
  gint right, bottom;

  cairo_recording_surface_ink_extents (recording, &x, &y, &w, &h);
  ink->x = (gint) CLAMP (floor (x), 0, width);
  ink->y = (gint) CLAMP (floor (y), 0, height);
  right = (gint) CLAMP (ceil (x + w), 0, width);
  bottom = (gint) CLAMP (ceil (y + h), 0, height);
  ink->w = right - ink->x;
  ink->h = bottom - ink->y;
  return w > 0 && h > 0 && ink->w > 0 && ink->h > 0;
}

/* (transfer full) (nullable) */
static GstVideoOverlayRectangle *
paint (cairo_surface_t *recording, const GstVideoRectangle *ink)
{
  GstVideoOverlayRectangle *rectangle = NULL;
  gint stride = cairo_format_stride_for_width (CAIRO_FORMAT_ARGB32, ink->w);
  g_autoptr (GstBuffer) pixels = gst_buffer_new_allocate (NULL, (gsize) stride * (gsize) ink->h, NULL);
  cairo_surface_t *image;
  GstMapInfo map;
  cairo_t *cr;

  if (!pixels || !gst_buffer_map (pixels, &map, GST_MAP_READWRITE))
    return NULL;
  memset (map.data, 0, map.size);
  image = cairo_image_surface_create_for_data (map.data, CAIRO_FORMAT_ARGB32, ink->w, ink->h, stride);
  cr = cairo_create (image);
  cairo_set_source_surface (cr, recording, -ink->x, -ink->y);
  cairo_paint (cr);
  cairo_destroy (cr);
  cairo_surface_finish (image);
  cairo_surface_destroy (image);
  gst_buffer_unmap (pixels, &map);

  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE, RECTANGLE_FORMAT, (guint) ink->w, (guint) ink->h);
  rectangle = gst_video_overlay_rectangle_new_raw (pixels, ink->x, ink->y, (guint) ink->w, (guint) ink->h,
                                                   GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  return rectangle;
}

GstVideoOverlayComposition *
gst_sppnet_picture_new (const GstSppnetDetection *detections, guint n, gint width, gint height,
                        const SppnetDrawStyle *style)
{
  /* Recorded first, because only Cairo knows how far lines and letters reach. */
  const cairo_rectangle_t bounds = { 0, 0, width, height };
  cairo_surface_t *recording = cairo_recording_surface_create (CAIRO_CONTENT_COLOR_ALPHA, &bounds);
  cairo_t *cr = cairo_create (recording);
  GstVideoOverlayComposition *composition = NULL;
  GstVideoRectangle ink;

  draw (cr, detections, n, width, height, style);
  cairo_destroy (cr);
  if (ink_extents (recording, width, height, &ink)) {
    GstVideoOverlayRectangle *rectangle = paint (recording, &ink);

    if (rectangle) {
      composition = gst_video_overlay_composition_new (rectangle);
      gst_video_overlay_rectangle_unref (rectangle);
    }
  }
  cairo_surface_destroy (recording);
  return composition;
}

GstVideoOverlayComposition *
gst_sppnet_picture_moved (GstVideoOverlayComposition *picture, gint right, gint down)
{
  GstVideoOverlayComposition *moved = gst_video_overlay_composition_copy (picture);

  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (moved); i++) {
    GstVideoOverlayRectangle *rectangle = gst_video_overlay_composition_get_rectangle (moved, i);
    guint width, height;
    gint x, y;

    gst_video_overlay_rectangle_get_render_rectangle (rectangle, &x, &y, &width, &height);
    gst_video_overlay_rectangle_set_render_rectangle (rectangle, x + right, y + down, width, height);
  }
  return moved;
}
