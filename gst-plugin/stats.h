/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <sppnet/detector.h>

/* The property "stats" of sppnetdetect. { 0 } is the start of a stream. */
typedef struct
{
  guint64 frames, searched, late, detections;
  SppnetTimings last;  /* of the last frame searched, milliseconds */
  gdouble total_ms;    /* of all frames searched */
  gdouble fps;         /* frames that came through, per second, over about the last second */
  gint64 window_start; /* microseconds, monotonic; 0: no frame yet */
  guint window_frames;
} GstSppnetStats;

void gst_sppnet_stats_add_frame (GstSppnetStats *stats, gint64 now);
void gst_sppnet_stats_add_search (GstSppnetStats *stats, const SppnetTimings *timings, guint detections);
/* (transfer full) */
GstStructure *gst_sppnet_stats_to_structure (const GstSppnetStats *stats);
