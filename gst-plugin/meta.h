/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>
#include <sppnet/detector.h>

/* Detections on a buffer. The only place that knows how they are written there:
 *
 * - one GstVideoRegionOfInterestMeta per detection: roi_type is the label, id is unique in the process, parent_id is
 * the id of the upstream region it was scored from (0: none), and its parameter "detection" is a structure with x_min,
 * x_max, y_min, y_max (double, 0..1 of the frame), confidence (double), label_id (int), label (string). Elements that
 * scale video scale these boxes;
 * - one untagged custom meta "SppnetDetections" per detecting element: the field "detections" is a GstValueArray of
 *   structures "detection" with id (int, of the region), label (string), label_id (int), confidence (double). Elements
 * that convert or scale video drop the parameters of regions, but keep this;
 * - with GStreamer >= 1.24 at build time, one GstAnalyticsODMtd per detection as well. */

#define GST_SPPNET_META_NAME "SppnetDetections"

/* A detection as read from a buffer, in pixels of that buffer's frame. */
typedef struct
{
  gint x, y, width, height;
  const gchar *label; /* lives as long as the process */
  gint label_id;      /* -1: not known */
  gdouble confidence; /* 0..1 */
} GstSppnetDetection;

/* Call once before the others; further calls do nothing. */
void gst_sppnet_meta_register (void);

/* regions: ids of the upstream regions that SppnetDetection.region counts, or NULL. buffer is writable. */
void gst_sppnet_meta_attach (GstBuffer *buffer, const GstVideoInfo *info, const SppnetDetection *detections, gsize n,
                             const gint *regions);

/* Adds what is on buffer to detections (element-type GstSppnetDetection), ours and any region with a "detection"
 * parameter: other elements write that too. */
void gst_sppnet_meta_read (GstBuffer *buffer, GArray *detections);

/* Posts a warning, once, where a frame has an element's detections, but none of their places: another element on the
 * way has left them out. */
void gst_sppnet_meta_warn_lost (GstElement *element, GstBuffer *buffer, gboolean *said);

/* Adds the regions that others attached, and that are not detections, to boxes (element-type SppnetBox) and their ids
 * to ids (element-type gint). type: 0 for all, or the roi_type wanted. */
void gst_sppnet_meta_read_regions (GstBuffer *buffer, GQuark type, GArray *boxes, GArray *ids);
