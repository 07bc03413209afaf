/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-sppnetdetect
 * @title: sppnetdetect
 *
 * Finds objects in video with spatial pyramid pooling (SPPNet): frames of any size are searched as they are, without
 * scaling, cropping or padding, and leave unchanged, with their detections as metadata:
 *
 * - a #GstVideoRegionOfInterestMeta per detection, whose roi_type is the label and whose parameter "detection" holds
 *   x_min, x_max, y_min, y_max (double, 0..1 of the frame), confidence (double), label_id (int) and label (string);
 * - one custom meta "SppnetDetections" per frame with detections, with id (of the region), label, label_id and
 * confidence of each, because videoconvert and videoscale drop the parameters of regions;
 * - where the plugin was built with GStreamer 1.24 or later, a GstAnalyticsODMtd per detection.
 *
 * Regions of interest that upstream elements attached (a motion or a face detector, the application) are scored
 * together with the element's own proposals, from the same feature map, and with proposals=regions they are all that is
 * scored. A detection made from such a region has its id as parent_id. Regions that are detections already are not
 * scored again, unless region-type, which picks regions by type, names their label: a second element then looks at what
 * the first one found.
 *
 * With interval=N only every Nth frame is searched; the frames between carry the detections of the last one that was.
 * The same is done with frames that downstream calls late (property qos): frames are never dropped, not by upstream
 * elements either, and at least one frame per second is searched. Changes of the frame's size in mid-stream, seeks and
 * flushes forget the last detections.
 *
 * In live pipelines the measured time of a frame, with headroom, is reported as latency, and again when it moves by
 * more than a quarter.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=clip.webm ! decodebin ! sppnetdetect ! sppnetoverlay ! videoconvert ! autovideosink
 * ]| The boxes over a clip.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! queue leaky=downstream max-size-buffers=1 ! sppnetdetect labels=person,dog \
 *     interval=5 ! queue ! sppnetpublish location=detections.jsonl ! sppnetoverlay ! videoconvert ! autovideosink
 * ]| People and dogs before a camera, shown, and as lines of JSON. The first queue drops what comes while the detector
 * is busy; without the second the detector would wait for the sink, and more would be dropped.
 * |[
 * gst-launch-1.0 filesrc location=clip.webm ! decodebin ! sppnetdetect labels=person \
 *     ! sppnetdetect model=helmet.safetensors proposals=regions region-type=person \
 *     ! sppnetoverlay ! videoconvert ! autovideosink
 * ]| A second model on the people that the first one found.
 * |[
 * gst-launch-1.0 -q filesrc location=dog.jpg ! jpegdec ! sppnetdetect ! sppnetpublish ! fakesink
 * ]| What is on a picture, printed.
 *
 * Since: 0.1
 */
#include "detect.h"

#include <gst/video/video.h>

#include "errors.h"
#include "frame.h"
#include "latency.h"
#include "meta.h"
#include "settings.h"
#include "stats.h"
#include "stream.h"
#include "times.h"

GST_DEBUG_CATEGORY_STATIC (sppnet_detect_debug);
#define GST_CAT_DEFAULT sppnet_detect_debug

/* However late downstream says we are, a frame of every second is searched. */
#define LONGEST_PAUSE GST_SECOND

enum
{
  PROP_MODEL = GST_SPPNET_SETTINGS_LAST + 1,
  PROP_INTERVAL,
  PROP_REGION_TYPE,
  PROP_QOS,
  PROP_STATS,
};

#define DEFAULT_INTERVAL 1
#define DEFAULT_QOS TRUE

/* The properties that a frame needs: a copy is taken once per frame. */
typedef struct
{
  GstSppnetSettings settings;
  guint interval;
  GQuark region_type;
} FrameProperties;

struct _GstSppnetDetect
{
  GstBaseTransform parent;

  /* Under the object lock. */
  FrameProperties properties;
  gchar *model;
  gchar *opened; /* the model that is in use, as the property was then; NULL: the default one */
  gboolean qos;
  GstClockTime earliest; /* running time before which downstream calls a frame late, or NONE */
  gboolean live;
  GstSppnetLatency latency;
  GstSppnetStats stats;

  /* Of the streaming thread. */
  FrameProperties current;
  GstVideoInfo info;
  GstSppnetStream stream;
  guint until_due;            /* frames that carry the last detections before one is searched */
  GstClockTime last_searched; /* running time, or NONE */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("video/x-raw, format = (string) " GST_SPPNET_VIDEO_FORMATS
                     ", width = (int) [ 1, 8192 ], height = (int) [ 1, 8192 ], framerate = (fraction) [ 0, max ]"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("video/x-raw, format = (string) " GST_SPPNET_VIDEO_FORMATS
                     ", width = (int) [ 1, 8192 ], height = (int) [ 1, 8192 ], framerate = (fraction) [ 0, max ]"));

G_DEFINE_FINAL_TYPE (GstSppnetDetect, gst_sppnet_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (sppnetdetect, "sppnetdetect", GST_RANK_NONE, GST_TYPE_SPPNET_DETECT,
                                       GST_DEBUG_CATEGORY_INIT (sppnet_detect_debug, "sppnetdetect", 0,
                                                                "SPPNet object detection"))

static void
gst_sppnet_detect_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (object);
  gboolean too_late = FALSE;
  const gchar *text;

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MODEL:
    text = g_value_get_string (value);
    too_late = GST_STATE (self) > GST_STATE_READY && g_strcmp0 (text, self->model) != 0
               && g_strcmp0 (text && *text ? text : NULL, self->opened) != 0;
    g_free (self->model);
    self->model = g_strdup (text);
    break;
  case PROP_INTERVAL:
    self->properties.interval = g_value_get_uint (value);
    break;
  case PROP_REGION_TYPE:
    text = g_value_get_string (value);
    self->properties.region_type = text && *text ? g_quark_from_string (text) : 0;
    break;
  case PROP_QOS:
    self->qos = g_value_get_boolean (value);
    break;
  default:
    if (!gst_sppnet_settings_set (&self->properties.settings, id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
  if (too_late)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("model: another file is used from the next start on"), (NULL));
}

static void
gst_sppnet_detect_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_MODEL:
    g_value_set_string (value, self->model);
    break;
  case PROP_INTERVAL:
    g_value_set_uint (value, self->properties.interval);
    break;
  case PROP_REGION_TYPE:
    g_value_set_string (value, g_quark_to_string (self->properties.region_type));
    break;
  case PROP_QOS:
    g_value_set_boolean (value, self->qos);
    break;
  case PROP_STATS:
    g_value_take_boxed (value, gst_sppnet_stats_to_structure (&self->stats));
    break;
  default:
    if (!gst_sppnet_settings_get (&self->properties.settings, id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
copy_properties (GstSppnetDetect *self)
{
  GST_OBJECT_LOCK (self);
  if (self->current.settings.generation != self->properties.settings.generation)
    gst_sppnet_settings_copy (&self->current.settings, &self->properties.settings);
  self->current.interval = self->properties.interval;
  self->current.region_type = self->properties.region_type;
  GST_OBJECT_UNLOCK (self);
}

/* The next frame is the first of another scene. */
static void
restart (GstSppnetDetect *self)
{
  if (self->stream.detector)
    gst_sppnet_stream_forget (&self->stream);
  self->until_due = 0;
  self->last_searched = GST_CLOCK_TIME_NONE;
}

static gboolean
gst_sppnet_detect_start (GstBaseTransform *base)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  g_free (self->opened);
  self->opened = self->model && *self->model ? g_strdup (self->model) : NULL;
  self->earliest = GST_CLOCK_TIME_NONE;
  self->live = FALSE;
  self->latency = (GstSppnetLatency) { 0 };
  self->stats = (GstSppnetStats) { 0 };
  GST_OBJECT_UNLOCK (self);

  copy_properties (self);
  if (!gst_sppnet_stream_open (&self->stream, self->opened, &self->current.settings, &error)) {
    gst_sppnet_post_start_error (GST_ELEMENT (self), error);
    return FALSE;
  }
  GST_INFO_OBJECT (self, "model %s", sppnet_model_get_path (sppnet_detector_get_model (self->stream.detector)));
  restart (self);
  return TRUE;
}

static gboolean
gst_sppnet_detect_stop (GstBaseTransform *base)
{
  gst_sppnet_stream_close (&GST_SPPNET_DETECT (base)->stream);
  return TRUE;
}

static gboolean
gst_sppnet_detect_set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);
  GstVideoInfo before = self->info;

  if (!gst_video_info_from_caps (&self->info, in)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("Caps do not describe a video frame"), ("%" GST_PTR_FORMAT, in));
    return FALSE;
  }
  /* The same scene in another format, or at another rate, goes on. */
  if (GST_VIDEO_INFO_WIDTH (&before) != GST_VIDEO_INFO_WIDTH (&self->info)
      || GST_VIDEO_INFO_HEIGHT (&before) != GST_VIDEO_INFO_HEIGHT (&self->info))
    restart (self);
  return TRUE;
}

/* Whether a segment only says again, or better, where the one before it ends. */
static gboolean
goes_on (const GstSegment *before, GstEvent *event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  return before->format == segment->format && before->rate == segment->rate && before->start == segment->start
         && before->base == segment->base && before->offset == segment->offset && before->time == segment->time;
}

static gboolean
gst_sppnet_detect_sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    GST_OBJECT_LOCK (self);
    self->earliest = GST_CLOCK_TIME_NONE;
    GST_OBJECT_UNLOCK (self);
    restart (self);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START
             || (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT && !goes_on (&base->segment, event))) {
    /* Another segment may begin at an earlier running time, or show another place. */
    restart (self);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sppnet_detect_parent_class)->sink_event (base, event);
}

/* Running time of the last frame that comes too late, after one of this time did by so much; NONE where none does. */
static GstClockTime
earliest_in_time (GstClockTime time, GstClockTimeDiff late)
{
  if (!GST_CLOCK_TIME_IS_VALID (time) || (late < 0 && (GstClockTime) -late > time))
    return GST_CLOCK_TIME_NONE;
  /* Twice as far when late, to catch up rather than to stay just late. */
  return late > 0 ? time + 2 * (GstClockTime) late : time - (GstClockTime) -late;
}

static gboolean
gst_sppnet_detect_src_event (GstBaseTransform *base, GstEvent *event)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff late;
    GstClockTime time;
    GstQOSType type;
    gboolean kept;

    gst_event_parse_qos (event, &type, NULL, &late, &time);
    GST_OBJECT_LOCK (self);
    /* A sink that throttles wants fewer frames, and is to get them. */
    kept = self->qos && type != GST_QOS_TYPE_THROTTLE;
    /* Whoever drops frames for that does so before this element; those that come are in time. */
    if (type != GST_QOS_TYPE_THROTTLE)
      self->earliest = earliest_in_time (time, late);
    GST_OBJECT_UNLOCK (self);
    if (kept) {
      /* A converter or decoder before would drop the frames that are passed on here. */
      gst_event_unref (event);
      return TRUE;
    }
  }
  return GST_BASE_TRANSFORM_CLASS (gst_sppnet_detect_parent_class)->src_event (base, event);
}

static gboolean
gst_sppnet_detect_query (GstBaseTransform *base, GstPadDirection direction, GstQuery *query)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);
  GstClockTime min, max, own;
  gboolean live;

  if (!GST_BASE_TRANSFORM_CLASS (gst_sppnet_detect_parent_class)->query (base, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_parse_latency (query, &live, &min, &max);
    GST_OBJECT_LOCK (self);
    self->live = live;
    own = self->latency.reported;
    GST_OBJECT_UNLOCK (self);
    if (live)
      gst_query_set_latency (query, live, min + own, GST_CLOCK_TIME_IS_VALID (max) ? max + own : max);
  }
  return TRUE;
}

static gboolean
gst_sppnet_detect_propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_sppnet_detect_parent_class)->propose_allocation (base, decided, query))
    return FALSE;
  gst_sppnet_frame_refuse_cropping (query);
  return TRUE;
}

/* Whether downstream would rather have the frame at once, and it need not be the one of its second that is searched. */
static gboolean
is_late (GstSppnetDetect *self, GstClockTime running_time)
{
  gboolean late;

  if (!GST_CLOCK_TIME_IS_VALID (running_time) || !GST_CLOCK_TIME_IS_VALID (self->last_searched)
      || running_time >= self->last_searched + LONGEST_PAUSE)
    return FALSE;
  GST_OBJECT_LOCK (self);
  late = self->qos && GST_CLOCK_TIME_IS_VALID (self->earliest) && running_time <= self->earliest;
  GST_OBJECT_UNLOCK (self);
  return late;
}

static gboolean
search (GstSppnetDetect *self, GstBuffer *buffer, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gboolean moved = FALSE, live;
  const SppnetTimings *timings;

  if (!gst_sppnet_stream_search (&self->stream, buffer, &self->info, self->current.region_type, error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  timings = sppnet_detector_get_timings (self->stream.detector);
  gst_sppnet_stats_add_search (&self->stats, timings, self->stream.last->len);
  /* A frame without regions to score takes no time, and says nothing about those that have some. */
  if (timings->regions > 0)
    moved = gst_sppnet_latency_add (&self->latency, (GstClockTime) (g_get_monotonic_time () - start) * GST_USECOND);
  live = self->live;
  GST_OBJECT_UNLOCK (self);
  if (moved && live)
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

/* What was refused reads as what is in use, so that it does not keep the next start from succeeding, either. */
static void
take_back_refused (GstSppnetDetect *self)
{
  gboolean taken;

  GST_OBJECT_LOCK (self);
  taken = self->properties.settings.generation == self->stream.settings.generation;
  if (taken) {
    gst_sppnet_settings_copy (&self->properties.settings, &self->stream.settings);
    gst_sppnet_settings_copy (&self->current.settings, &self->stream.settings);
  }
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; taken && i < GST_SPPNET_SETTINGS_REFUSABLE; i++)
    if (self->stream.refused[i])
      gst_sppnet_settings_notify (G_OBJECT (self), gst_sppnet_settings_refusable[i]);
}

/* Values of controllable properties at the buffer's time, then the copy for the frame. */
static void
update_settings (GstSppnetDetect *self, GstBuffer *buffer)
{
  GstClockTime time = gst_sppnet_stream_time (GST_BASE_TRANSFORM (self), buffer);
  g_autoptr (GError) error = NULL;

  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (self), time);
  copy_properties (self);
  if (self->stream.settings.generation == self->current.settings.generation)
    return;
  gst_sppnet_stream_configure (&self->stream, &self->current.settings, &error);
  if (gst_sppnet_stream_refuses (&self->stream))
    take_back_refused (self);
  if (error)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s; the value before stays in use", error->message), (NULL));
}

static GstFlowReturn
gst_sppnet_detect_transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (base);
  g_autoptr (GError) error = NULL;
  GstClockTime running_time;
  gboolean due, late;

  /* A gap without pixels has nothing to search, nor to draw on. */
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) && gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  update_settings (self, buffer);
  running_time = gst_sppnet_running_time (base, buffer);
  due = self->until_due == 0 || self->until_due >= self->current.interval;
  late = due && is_late (self, running_time);

  GST_OBJECT_LOCK (self);
  gst_sppnet_stats_add_frame (&self->stats, g_get_monotonic_time ());
  self->stats.late += late;
  GST_OBJECT_UNLOCK (self);

  if (!due || late) {
    /* A late frame leaves the search to the next. */
    self->until_due -= !due;
    gst_sppnet_stream_repeat (&self->stream, buffer, &self->info, self->current.region_type);
    return GST_FLOW_OK;
  }
  if (!search (self, buffer, &error)) {
    GST_ELEMENT_ERROR (self, STREAM, FAILED, ("%s", error->message),
                       ("frame at %" GST_TIME_FORMAT, GST_TIME_ARGS (GST_BUFFER_PTS (buffer))));
    return GST_FLOW_ERROR;
  }
  self->last_searched = running_time;
  self->until_due = self->current.interval - 1;
  return GST_FLOW_OK;
}

static void
gst_sppnet_detect_finalize (GObject *object)
{
  GstSppnetDetect *self = GST_SPPNET_DETECT (object);

  gst_sppnet_settings_clear (&self->properties.settings);
  gst_sppnet_settings_clear (&self->current.settings);
  g_free (self->model);
  g_free (self->opened);
  G_OBJECT_CLASS (gst_sppnet_detect_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  gst_sppnet_settings_install (klass);
  g_object_class_install_property (
      klass, PROP_MODEL,
      g_param_spec_string ("model", "Model file",
                           "File name of the model (safetensors, as written by `sppnet train`). NULL = "
                           "voc20.safetensors from SPPNET_MODEL_PATH (a file, or folders separated by ':') or from the "
                           "installation. Elements that name the same file share one copy",
                           NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (
      klass, PROP_INTERVAL,
      g_param_spec_uint ("interval", "Interval",
                         "Search every Nth frame (1 = each); the frames between carry the detections of the last one "
                         "that was searched",
                         1, G_MAXUINT, DEFAULT_INTERVAL, playing | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, PROP_REGION_TYPE,
                                   g_param_spec_string ("region-type", "Region type",
                                                        "Score only those upstream regions of interest that have this "
                                                        "type (NULL or empty = all that are not detections)",
                                                        NULL, playing));
  /* The base class has a property of this name, which would drop late frames. */
  g_object_class_install_property (
      klass, PROP_QOS,
      g_param_spec_boolean ("qos", "Quality of service",
                            "Do not search frames that downstream calls late, but pass them on at once with the last "
                            "detections: none is dropped, and at least one per second is searched. Upstream elements "
                            "are not told that frames are late; they are with FALSE, and may drop frames then",
                            DEFAULT_QOS, playing));
  g_object_class_install_property (
      klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
                          "Since the start of the stream: frames, searched, late (not searched because of that), "
                          "detections, fps, average-ms per search; of the last frame searched: regions scored, "
                          "duplicates among the proposals, and milliseconds per stage",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_sppnet_detect_class_init (GstSppnetDetectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_sppnet_detect_set_property;
  object_class->get_property = gst_sppnet_detect_get_property;
  object_class->finalize = gst_sppnet_detect_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (
      element_class, "SPPNet object detector", "Filter/Analyzer/Video",
      "Finds objects in frames of any size and attaches them as metadata (regions of interest)",
      "The gst-sppnet developers");
  gst_type_mark_as_plugin_api (GST_TYPE_SPPNET_PROPOSALS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_SPPNET_PRECISION, 0);

  base_class->start = gst_sppnet_detect_start;
  base_class->stop = gst_sppnet_detect_stop;
  base_class->set_caps = gst_sppnet_detect_set_caps;
  base_class->sink_event = gst_sppnet_detect_sink_event;
  base_class->src_event = gst_sppnet_detect_src_event;
  base_class->query = gst_sppnet_detect_query;
  base_class->propose_allocation = gst_sppnet_detect_propose_allocation;
  base_class->transform_ip = gst_sppnet_detect_transform_ip;
}

static void
gst_sppnet_detect_init (GstSppnetDetect *self)
{
  self->properties.interval = DEFAULT_INTERVAL;
  self->qos = DEFAULT_QOS;
  self->earliest = self->last_searched = GST_CLOCK_TIME_NONE;
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), FALSE);
  /* The flags of a frame stay as they are. */
  gst_base_transform_set_gap_aware (GST_BASE_TRANSFORM (self), TRUE);
}
