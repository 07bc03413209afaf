/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

/* How long a frame takes, as a live pipeline wants to know it: the median of the last frames, which a single slow
 * frame does not move, with headroom. { 0 } is empty. */
#define GST_SPPNET_LATENCY_FRAMES 15

typedef struct
{
  GstClockTime last[GST_SPPNET_LATENCY_FRAMES]; /* a ring */
  guint n;                                      /* frames ever measured */
  GstClockTime reported;
} GstSppnetLatency;

/* TRUE when the value to report has moved by more than a quarter. */
gboolean gst_sppnet_latency_add (GstSppnetLatency *latency, GstClockTime took);
