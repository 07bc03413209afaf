/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

/* Where a buffer is in its segment; NONE in a segment of bytes or frames, such as appsrc makes by default. */

static inline GstClockTime
gst_sppnet_stream_time (GstBaseTransform *base, GstBuffer *buffer)
{
  if (base->segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_stream_time (&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

static inline GstClockTime
gst_sppnet_running_time (GstBaseTransform *base, GstBuffer *buffer)
{
  if (base->segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}
