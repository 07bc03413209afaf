/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "line.h"

#include <json-glib/json-glib.h>

gchar *
gst_sppnet_line_format_time (gint64 wall_clock)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (wall_clock / G_USEC_PER_SEC);
  g_autofree gchar *text = g_date_time_format (second, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf ("%s.%06dZ", text, (gint) (wall_clock % G_USEC_PER_SEC));
}

/* json-glib knows what must be escaped; labels of foreign regions may be any bytes. */
static void
append_string (GString *line, const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), valid);
  g_autofree gchar *quoted = json_to_string (node, FALSE);

  g_string_append (line, quoted);
}

static void
append_time (GString *line, const gchar *key, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    g_string_append_printf (line, "\"%s\":%" G_GUINT64_FORMAT ",", key, time);
  else
    g_string_append_printf (line, "\"%s\":null,", key);
}

void
gst_sppnet_line_append (GString *line, const GstSppnetFrameTimes *frame, const GstSppnetDetection *detections, gsize n)
{
  g_autofree gchar *wall_clock = gst_sppnet_line_format_time (frame->wall_clock);

  g_string_append_c (line, '{');
  append_time (line, "timestamp", frame->timestamp);
  append_time (line, "running_time", frame->running_time);
  g_string_append_printf (line, "\"wall_clock\":\"%s\",\"width\":%d,\"height\":%d,\"detections\":[", wall_clock,
                          frame->width, frame->height);
  for (gsize i = 0; i < n; i++) {
    const GstSppnetDetection *d = &detections[i];
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append (line, i ? ",{\"label\":" : "{\"label\":");
    append_string (line, d->label);
    /* Four digits: the shortest exact form of a float written as a double has seventeen. */
    g_ascii_formatd (number, sizeof number, "%.4f", d->confidence);
    g_string_append_printf (line, ",\"label_id\":%d,\"confidence\":%s,\"box\":[%d,%d,%d,%d]}", d->label_id, number,
                            d->x, d->y, d->width, d->height);
  }
  g_string_append (line, "]}");
}
