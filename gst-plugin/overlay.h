/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

#define GST_TYPE_SPPNET_OVERLAY (gst_sppnet_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstSppnetOverlay, gst_sppnet_overlay, GST, SPPNET_OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (sppnetoverlay)
