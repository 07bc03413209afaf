/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

#define GST_TYPE_SPPNET_PUBLISH (gst_sppnet_publish_get_type ())
G_DECLARE_FINAL_TYPE (GstSppnetPublish, gst_sppnet_publish, GST, SPPNET_PUBLISH, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (sppnetpublish)
