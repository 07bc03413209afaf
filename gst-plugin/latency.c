/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "latency.h"

#include <string.h>

/* Reported = median * HEADROOM / 2: half as much again covers the spread between frames. */
#define HEADROOM 3

static gint
compare (gconstpointer a, gconstpointer b)
{
  GstClockTime x = *(const GstClockTime *) a, y = *(const GstClockTime *) b;

  return x < y ? -1 : x > y;
}

gboolean
gst_sppnet_latency_add (GstSppnetLatency *latency, GstClockTime took)
{
  GstClockTime sorted[GST_SPPNET_LATENCY_FRAMES], wanted, moved;
  guint n;

  latency->last[latency->n++ % GST_SPPNET_LATENCY_FRAMES] = took;
  n = MIN (latency->n, GST_SPPNET_LATENCY_FRAMES);
  memcpy (sorted, latency->last, n * sizeof sorted[0]);
  qsort (sorted, n, sizeof sorted[0], compare);
  wanted = sorted[n / 2] * HEADROOM / 2;
  moved = wanted > latency->reported ? wanted - latency->reported : latency->reported - wanted;
  if (moved <= latency->reported / 4)
    return FALSE;
  latency->reported = wanted;
  return TRUE;
}
