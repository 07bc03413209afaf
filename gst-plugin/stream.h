/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>
#include <sppnet/detector.h>

#include "settings.h"

/* What sppnetdetect keeps for its stream: the detector and what it found last. One thread at a time. { 0 } is closed.
 */
typedef struct
{
  SppnetDetector *detector;
  GstSppnetSettings settings;                    /* in use: those of this generation, but for what was refused */
  gchar *refused[GST_SPPNET_SETTINGS_REFUSABLE]; /* (nullable): why each of these was */
  GArray *last;                                  /* (element-type SppnetDetection) of the last frame searched */
  GArray *boxes;                                 /* (element-type SppnetBox) regions attached to the frame by others */
  GArray *ids;                                   /* (element-type gint) of these */
  GArray *new_boxes, *new_ids;                   /* the same of a frame that is not searched */
} GstSppnetStream;

/* model: file name, NULL or "" for the default model. */
gboolean gst_sppnet_stream_open (GstSppnetStream *stream, const gchar *model, const GstSppnetSettings *settings,
                                 GError **error);
void gst_sppnet_stream_close (GstSppnetStream *stream);

/* What is refused keeps its old value, and everything else takes its new one. An error is set for what was not refused
 * for the same reason before. */
gboolean gst_sppnet_stream_configure (GstSppnetStream *stream, const GstSppnetSettings *settings, GError **error);
/* Whether stream->settings, which are in use, are not all as they were given last. */
gboolean gst_sppnet_stream_refuses (const GstSppnetStream *stream);

/* Searches the frame in buffer and attaches what is found. type: of the regions to score, 0: all. */
gboolean gst_sppnet_stream_search (GstSppnetStream *stream, GstBuffer *buffer, const GstVideoInfo *info, GQuark type,
                                   GError **error);
/* Attaches what was found last. What was found in a region of others has the id of the one in its place, if there is
 * one. */
void gst_sppnet_stream_repeat (GstSppnetStream *stream, GstBuffer *buffer, const GstVideoInfo *info, GQuark type);
/* What was found last is of another scene, or size. */
void gst_sppnet_stream_forget (GstSppnetStream *stream);
