/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "draw.h"
#include "meta.h"

/**
 * gst_sppnet_picture_new:
 *
 * The drawing of n > 0 detections on a frame of width x height, as one rectangle that holds what is drawn and no more.
 *
 * Returns: (transfer full) (nullable): %NULL when nothing is visible, or there is no memory for it
 */
GstVideoOverlayComposition *gst_sppnet_picture_new (const GstSppnetDetection *detections, guint n, gint width,
                                                    gint height, const SppnetDrawStyle *style);

/* The same drawing, so much further to the right and down. (transfer full) */
GstVideoOverlayComposition *gst_sppnet_picture_moved (GstVideoOverlayComposition *picture, gint right, gint down);
