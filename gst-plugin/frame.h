/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>
#include <sppnet/frame.h>

/* Formats that the engine reads as they are, for caps. */
#define GST_SPPNET_VIDEO_FORMATS                                                                                       \
  "{ I420, YV12, NV12, NV21, YUY2, UYVY, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8 }"

/* A view of a mapped frame, valid as long as the mapping. FALSE when the format is none of the above. */
gboolean gst_sppnet_frame_view (const GstVideoFrame *mapped, SppnetFrame *frame);
