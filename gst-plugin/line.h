/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "meta.h"

/* The line of JSON that sppnetpublish writes for a frame. */
typedef struct
{
  GstClockTime timestamp;    /* of the buffer, or NONE */
  GstClockTime running_time; /* of the buffer, or NONE */
  gint64 wall_clock;         /* microseconds since 1970, UTC */
  gint width, height;
} GstSppnetFrameTimes;

/* Appends one JSON object, without a line end. The same in every locale. */
void gst_sppnet_line_append (GString *line, const GstSppnetFrameTimes *frame, const GstSppnetDetection *detections,
                             gsize n);
/* ISO 8601 in UTC with microseconds. (transfer full) */
gchar *gst_sppnet_line_format_time (gint64 wall_clock);
