/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

#define GST_TYPE_SPPNET_DETECT (gst_sppnet_detect_get_type ())
G_DECLARE_FINAL_TYPE (GstSppnetDetect, gst_sppnet_detect, GST, SPPNET_DETECT, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (sppnetdetect)
