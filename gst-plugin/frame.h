/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>
#include <sppnet/frame.h>

/* Formats that the engine reads as they are, for caps. */
#define GST_SPPNET_VIDEO_FORMATS                                                                                       \
  "{ I420, YV12, NV12, NV21, YUY2, UYVY, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8 }"

/* The place of the frame that caps describe in the memory: the crop metadata's, which may be any number, moved so that
 * no group of pixels that share their chroma is divided, and so that the frame ends within. */
void gst_sppnet_frame_find_origin (const GstVideoFrame *mapped, const GstVideoInfo *caps, gint *x, gint *y);

/* A view of a mapped frame, valid as long as the mapping. FALSE when the format is none of the above. The frame has the
 * size that the caps say; a larger one in memory starts where its crop metadata says. */
gboolean gst_sppnet_frame_view (const GstVideoFrame *mapped, const GstVideoInfo *caps, SppnetFrame *frame);

/* Takes cropping out of what downstream offers to do, so that upstream crops itself: boxes, and drawings, are of the
 * frame that the caps describe. */
void gst_sppnet_frame_refuse_cropping (GstQuery *query);
