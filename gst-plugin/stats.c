/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

void
gst_sppnet_stats_add_frame (GstSppnetStats *stats, gint64 now)
{
  gint64 elapsed = now - stats->window_start;

  stats->frames++;
  if (stats->window_start == 0) {
    stats->window_start = now;
    return;
  }
  stats->window_frames++;
  /* The first window counts from its first frames on, so that a short stream has a rate too. */
  if (elapsed > 0 && (elapsed >= G_USEC_PER_SEC || stats->frames == stats->window_frames + 1))
    stats->fps = (gdouble) stats->window_frames * G_USEC_PER_SEC / (gdouble) elapsed;
  if (elapsed >= G_USEC_PER_SEC) {
    stats->window_start = now;
    stats->window_frames = 0;
  }
}

void
gst_sppnet_stats_add_search (GstSppnetStats *stats, const SppnetTimings *timings, guint detections)
{
  stats->searched++;
  stats->detections += detections;
  stats->total_ms += timings->total_ms;
  stats->last = *timings;
}

GstStructure *
gst_sppnet_stats_to_structure (const GstSppnetStats *stats)
{
  const SppnetTimings *t = &stats->last;
  gdouble average = stats->searched ? stats->total_ms / (gdouble) stats->searched : 0;

  return gst_structure_new (
      "sppnetdetect-stats", "frames", G_TYPE_UINT64, stats->frames, "searched", G_TYPE_UINT64, stats->searched, "late",
      G_TYPE_UINT64, stats->late, "detections", G_TYPE_UINT64, stats->detections, "fps", G_TYPE_DOUBLE, stats->fps,
      "average-ms", G_TYPE_DOUBLE, average, "regions", G_TYPE_UINT, t->regions, "duplicates", G_TYPE_UINT,
      t->duplicates, "frame-ms", G_TYPE_DOUBLE, t->frame_ms, "backbone-ms", G_TYPE_DOUBLE, t->backbone_ms,
      "proposals-ms", G_TYPE_DOUBLE, t->proposals_ms, "pooling-ms", G_TYPE_DOUBLE, t->pooling_ms, "head-ms",
      G_TYPE_DOUBLE, t->head_ms, "box-ms", G_TYPE_DOUBLE, t->box_ms, "total-ms", G_TYPE_DOUBLE, t->total_ms, NULL);
}
