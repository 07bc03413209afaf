/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-sppnetpublish
 * @title: sppnetpublish
 *
 * Writes the detections on each frame as one line of JSON to a file, to the standard output, or posts them as messages
 * on the bus. Frames pass through untouched. A line reads
 *
 * |[
 * {"timestamp":40000000,"running_time":40000000,"wall_clock":"2024-05-17T09:30:00.123456Z","width":768,"height":576,
 *  "detections":[{"label":"dog","label_id":11,"confidence":0.9312,"box":[131,219,180,324]}]}
 * ]|
 *
 * without the line break inside. Times are in nanoseconds, null where a buffer has none; wall_clock is when the frame
 * came through this element, in UTC; box is x, y, width and height in pixels of the frame as this element sees it, so
 * it follows a videoscale before it. Frames without detections give a line too, with an empty list.
 *
 * With post-messages=true each frame posts an element message "sppnetpublish" with the fields timestamp, running-time
 * (guint64, nanoseconds; GST_CLOCK_TIME_NONE where a buffer has none), width, height (int), detections (GstValueArray
 * of structures "detection" with label, label_id, confidence, x, y, width, height) and json (the line).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -q filesrc location=dog.jpg ! jpegdec ! sppnetdetect ! sppnetpublish ! fakesink
 * ]| Lines on the standard output.
 * |[
 * gst-launch-1.0 filesrc location=clip.webm ! decodebin ! sppnetdetect ! sppnetpublish location=clip.jsonl ! fakesink
 * ]| A file.
 * |[
 * gst-launch-1.0 -m filesrc location=clip.webm ! decodebin ! sppnetdetect ! sppnetpublish \
 *     post-messages=true location='""' ! fakesink
 * ]| Messages.
 *
 * Since: 0.1
 */
#include "publish.h"

#include <errno.h>
#include <gst/video/video.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "line.h"
#include "meta.h"
#include "times.h"
#include "writer.h"

GST_DEBUG_CATEGORY_STATIC (sppnet_publish_debug);
#define GST_CAT_DEFAULT sppnet_publish_debug

enum
{
  PROP_LOCATION = 1,
  PROP_APPEND,
  PROP_FLUSH_INTERVAL,
  PROP_POST_MESSAGES,
};

#define DEFAULT_LOCATION "-"
#define DEFAULT_FLUSH_INTERVAL 1

/* Lines are handed over when so many bytes wait, however many they are to be. */
#define MOST_WAITING (1u << 16)

/* At the stop, a reader that takes nothing for so long, or not all in five times that, gets no more. */
#define LAST_PATIENCE GST_SECOND

struct _GstSppnetPublish
{
  GstBaseTransform parent;

  /* Under the object lock. */
  gchar *location;
  gboolean append, post_messages;
  guint flush_interval;
  gchar *opened; /* the location that is in use, NULL: none; */
  gboolean opened_append;
  gboolean stopping;

  GstSppnetWriter writer; /* of the streaming thread, as are these */
  GstVideoInfo info;
  guint pending; /* lines that wait */
  gboolean failed;
  gboolean said_lost; /* that detections have lost their places */
  GArray *detections;
  GString *line;
};

static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));

G_DEFINE_FINAL_TYPE (GstSppnetPublish, gst_sppnet_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (sppnetpublish, "sppnetpublish", GST_RANK_NONE, GST_TYPE_SPPNET_PUBLISH,
                                       GST_DEBUG_CATEGORY_INIT (sppnet_publish_debug, "sppnetpublish", 0,
                                                                "Detections as JSON lines"))

static void
gst_sppnet_publish_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (object);
  gboolean running, too_late = FALSE;
  const gchar *location;

  GST_OBJECT_LOCK (self);
  running = GST_STATE (self) > GST_STATE_READY;
  switch (id) {
  case PROP_LOCATION:
    location = g_value_get_string (value);
    too_late = running && g_strcmp0 (location, self->location) != 0
               && g_strcmp0 (location && *location ? location : NULL, self->opened) != 0;
    g_free (self->location);
    self->location = g_strdup (location);
    break;
  case PROP_APPEND:
    too_late
        = running && g_value_get_boolean (value) != self->append && g_value_get_boolean (value) != self->opened_append;
    self->append = g_value_get_boolean (value);
    break;
  case PROP_FLUSH_INTERVAL:
    self->flush_interval = g_value_get_uint (value);
    break;
  case PROP_POST_MESSAGES:
    self->post_messages = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
  if (too_late)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s: the new value is used from the next start on", pspec->name),
                         (NULL));
}

static void
gst_sppnet_publish_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_LOCATION:
    g_value_set_string (value, self->location);
    break;
  case PROP_APPEND:
    g_value_set_boolean (value, self->append);
    break;
  case PROP_FLUSH_INTERVAL:
    g_value_set_uint (value, self->flush_interval);
    break;
  case PROP_POST_MESSAGES:
    g_value_set_boolean (value, self->post_messages);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_sppnet_publish_start (GstBaseTransform *base)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (base);

  GST_OBJECT_LOCK (self);
  g_free (self->opened);
  self->opened = self->location && *self->location ? g_strdup (self->location) : NULL;
  self->opened_append = self->append;
  GST_OBJECT_UNLOCK (self);

  self->pending = 0;
  self->failed = self->said_lost = FALSE;
  if (!self->opened || gst_sppnet_writer_open (&self->writer, self->opened, self->opened_append))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
                     ("%s: the file cannot be opened for writing: %s", self->opened, g_strerror (errno)),
                     GST_ERROR_SYSTEM);
  return FALSE;
}

static GstFlowReturn
write_failed (GstSppnetPublish *self)
{
  /* Said once: the file's end would fail for the same reason. */
  if (self->failed)
    return GST_FLOW_ERROR;
  self->failed = TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
                     ("%s: the detections cannot be written: %s", self->opened, g_strerror (errno)), GST_ERROR_SYSTEM);
  return GST_FLOW_ERROR;
}

/* Lines that a flush has kept from being written go on waiting. */
static GstFlowReturn
flush (GstSppnetPublish *self)
{
  if (!gst_sppnet_writer_flush (&self->writer, GST_CLOCK_TIME_NONE)) {
    if (errno == EBUSY)
      return GST_FLOW_FLUSHING;
    g_string_truncate (self->writer.waiting, 0);
    self->pending = 0;
    return write_failed (self);
  }
  self->pending = 0;
  return GST_FLOW_OK;
}

/* What has waited for its number of lines, or for a reader. */
static gboolean
flush_last (GstSppnetPublish *self)
{
  gst_sppnet_writer_set_flushing (&self->writer, FALSE);
  return gst_sppnet_writer_flush (&self->writer, LAST_PATIENCE);
}

static gboolean
takes_messages (gint fd)
{
  struct pollfd state = { .fd = fd, .events = POLLOUT };

  return poll (&state, 1, 0) == 1;
}

/* Few applications read their bus when the pipeline has stopped: so this is said on the standard error, too, which may
 * be the pipe that nobody reads. */
static void
say_last_lost (GstSppnetPublish *self)
{
  gint number = errno;
  const gchar *reason = number == ETIMEDOUT ? "nobody reads them" : g_strerror (number);
  const gchar *place = self->writer.standard ? "standard output" : self->opened;

  if (takes_messages (STDERR_FILENO))
    g_message ("%s: %s: the last lines are lost: %s", GST_ELEMENT_NAME (self), place, reason);
  if (number == ETIMEDOUT) {
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE, ("%s: the last lines are lost: %s", place, reason),
                         ("%" G_GSIZE_FORMAT " bytes waited", self->writer.waiting->len));
  } else {
    errno = number;
    write_failed (self);
  }
}

static gboolean
gst_sppnet_publish_stop (GstBaseTransform *base)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (base);
  gboolean written = self->failed || flush_last (self);

  if (!written)
    say_last_lost (self);
  if (!gst_sppnet_writer_close (&self->writer) && written && !self->failed)
    say_last_lost (self);
  /* An element that does not stop would keep its whole pipeline from doing so. */
  return TRUE;
}

/* From any thread. No flush matters to an element that is about to stop. */
static void
set_flushing (GstSppnetPublish *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  if (!self->stopping)
    gst_sppnet_writer_set_flushing (&self->writer, flushing);
  GST_OBJECT_UNLOCK (self);
}

/* A reader that takes its time does not keep the pipeline from stopping: whoever waits for it returns. */
static GstStateChangeReturn
gst_sppnet_publish_change_state (GstElement *element, GstStateChange transition)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    GST_OBJECT_LOCK (self);
    self->stopping = transition == GST_STATE_CHANGE_PAUSED_TO_READY;
    gst_sppnet_writer_set_flushing (&self->writer, self->stopping);
    GST_OBJECT_UNLOCK (self);
  }
  return GST_ELEMENT_CLASS (gst_sppnet_publish_parent_class)->change_state (element, transition);
}

static gboolean
gst_sppnet_publish_set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (base);

  if (gst_video_info_from_caps (&self->info, in))
    return TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("Caps do not describe a video frame"), ("%" GST_PTR_FORMAT, in));
  return FALSE;
}

static gboolean
gst_sppnet_publish_sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (base);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_EOS:
    flush (self);
    break;
  case GST_EVENT_FLUSH_START:
  case GST_EVENT_FLUSH_STOP:
    set_flushing (self, GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sppnet_publish_parent_class)->sink_event (base, event);
}

static GstFlowReturn
write_line (GstSppnetPublish *self, guint flush_interval)
{
  GString *waiting = self->writer.waiting;

  g_string_append_len (waiting, self->line->str, (gssize) self->line->len);
  g_string_append_c (waiting, '\n');
  self->pending++;
  if (waiting->len < MOST_WAITING && (flush_interval == 0 || self->pending < flush_interval))
    return GST_FLOW_OK;
  return flush (self);
}

static void
post_message (GstSppnetPublish *self, const GstSppnetFrameTimes *frame)
{
  GstStructure *structure
      = gst_structure_new ("sppnetpublish", "timestamp", G_TYPE_UINT64, frame->timestamp, "running-time", G_TYPE_UINT64,
                           frame->running_time, "width", G_TYPE_INT, frame->width, "height", G_TYPE_INT, frame->height,
                           "json", G_TYPE_STRING, self->line->str, NULL);
  GValue list = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_ARRAY);
  for (guint i = 0; i < self->detections->len; i++) {
    const GstSppnetDetection *d = &g_array_index (self->detections, GstSppnetDetection, i);
    /* A region's type by others may be any bytes. */
    g_autofree gchar *label = g_utf8_make_valid (d->label, -1);
    GValue value = G_VALUE_INIT;

    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, gst_structure_new ("detection", "label", G_TYPE_STRING, label, "label_id", G_TYPE_INT,
                                                   d->label_id, "confidence", G_TYPE_DOUBLE, d->confidence, "x",
                                                   G_TYPE_INT, d->x, "y", G_TYPE_INT, d->y, "width", G_TYPE_INT,
                                                   d->width, "height", G_TYPE_INT, d->height, NULL));
    gst_value_array_append_and_take_value (&list, &value);
  }
  gst_structure_take_value (structure, "detections", &list);
  gst_element_post_message (GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), structure));
}

static GstFlowReturn
gst_sppnet_publish_transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (base);
  GstSppnetFrameTimes frame = { .timestamp = GST_BUFFER_PTS (buffer),
                                .running_time = gst_sppnet_running_time (base, buffer),
                                .wall_clock = g_get_real_time (),
                                .width = GST_VIDEO_INFO_WIDTH (&self->info),
                                .height = GST_VIDEO_INFO_HEIGHT (&self->info) };
  gboolean post_messages;
  guint flush_interval;

  GST_OBJECT_LOCK (self);
  post_messages = self->post_messages;
  flush_interval = self->flush_interval;
  GST_OBJECT_UNLOCK (self);

  g_array_set_size (self->detections, 0);
  gst_sppnet_meta_read (buffer, self->detections);
  gst_sppnet_meta_warn_lost (GST_ELEMENT (self), buffer, &self->said_lost);
  g_string_truncate (self->line, 0);
  gst_sppnet_line_append (self->line, &frame, (const GstSppnetDetection *) self->detections->data,
                          self->detections->len);
  if (post_messages)
    post_message (self, &frame);
  return self->writer.fd >= 0 ? write_line (self, flush_interval) : GST_FLOW_OK;
}

static void
gst_sppnet_publish_finalize (GObject *object)
{
  GstSppnetPublish *self = GST_SPPNET_PUBLISH (object);

  g_free (self->location);
  g_array_unref (self->detections);
  g_string_free (self->line, TRUE);
  g_free (self->opened);
  gst_sppnet_writer_clear (&self->writer);
  G_OBJECT_CLASS (gst_sppnet_publish_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (
      klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
                           "File that the lines are written to; \"-\" or \"stdout\": the standard output; NULL or "
                           "empty: nothing is written",
                           DEFAULT_LOCATION, ready));
  g_object_class_install_property (klass, PROP_APPEND,
                                   g_param_spec_boolean ("append", "Append",
                                                         "Write behind what the file holds, instead of replacing it",
                                                         FALSE, ready));
  g_object_class_install_property (
      klass, PROP_FLUSH_INTERVAL,
      g_param_spec_uint ("flush-interval", "Flush interval",
                         "Hand the lines to the system after this many of them, whole, and when 64 KiB wait (0 = only "
                         "then); always at the end of the stream",
                         0, G_MAXUINT, DEFAULT_FLUSH_INTERVAL, playing));
  g_object_class_install_property (
      klass, PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
                            "Post an element message \"sppnetpublish\" on the bus for each frame", FALSE, playing));
}

static void
gst_sppnet_publish_class_init (GstSppnetPublishClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_sppnet_publish_set_property;
  object_class->get_property = gst_sppnet_publish_get_property;
  object_class->finalize = gst_sppnet_publish_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "SPPNet detection publisher", "Filter/Analyzer/Video",
                                         "Writes the detections on each frame as JSON lines, or posts them as messages",
                                         "The gst-sppnet developers");

  element_class->change_state = gst_sppnet_publish_change_state;
  base_class->start = gst_sppnet_publish_start;
  base_class->stop = gst_sppnet_publish_stop;
  base_class->set_caps = gst_sppnet_publish_set_caps;
  base_class->sink_event = gst_sppnet_publish_sink_event;
  base_class->transform_ip = gst_sppnet_publish_transform_ip;
  base_class->transform_ip_on_passthrough = TRUE;
}

static void
gst_sppnet_publish_init (GstSppnetPublish *self)
{
  self->location = g_strdup (DEFAULT_LOCATION);
  self->flush_interval = DEFAULT_FLUSH_INTERVAL;
  self->detections = g_array_new (FALSE, FALSE, sizeof (GstSppnetDetection));
  self->line = g_string_new (NULL);
  gst_sppnet_writer_init (&self->writer);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
