/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-sppnetoverlay
 * @title: sppnetoverlay
 *
 * Draws the detections on each frame: boxes, labels and scores, one colour per label. It draws whatever has the
 * metadata that sppnetdetect documents, also after videoconvert, videoscale, tee and queue, and also regions of other
 * elements that carry a "detection" parameter.
 *
 * Every raw format works. Where a sink composes overlays itself (as glimagesink does) the drawing is attached as
 * #GstVideoOverlayComposition and the frame stays as it is; elsewhere it is blended into the pixels, which copies a
 * frame that is shared (behind tee). A frame without detections is never touched.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=clip.webm ! decodebin ! sppnetdetect ! sppnetoverlay ! videoconvert ! autovideosink
 * ]| The boxes over a clip.
 * |[
 * gst-launch-1.0 filesrc location=dog.jpg ! jpegdec ! sppnetdetect ! sppnetoverlay line-width=6 scores=false \
 *     ! jpegenc ! filesink location=dog-found.jpg
 * ]| A picture with boxes.
 *
 * Since: 0.1
 */
#include "overlay.h"

#include <gst/video/video.h>

#include "draw.h"
#include "frame.h"
#include "meta.h"
#include "picture.h"
#include "times.h"

GST_DEBUG_CATEGORY_STATIC (sppnet_overlay_debug);
#define GST_CAT_DEFAULT sppnet_overlay_debug

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

enum
{
  PROP_LINE_WIDTH = 1,
  PROP_FONT_SCALE,
  PROP_LABELS,
  PROP_SCORES,
};

#define DEFAULT_FONT_SCALE 1.0f

typedef struct
{
  gfloat line_width, font_scale;
  gboolean labels, scores;
} OverlayProperties;

struct _GstSppnetOverlay
{
  GstBaseTransform parent;

  OverlayProperties properties; /* under the object lock */

  /* Of the streaming thread. */
  GstVideoInfo info;
  gboolean composed;     /* the caps downstream say that it composes overlays */
  gboolean attach;       /* and its allocation says so too */
  gboolean attach_known; /* whether it has been asked */
  gboolean said_lost;    /* that detections have lost their places */
  gint ask_again;        /* (atomic) what is downstream has changed since */

  /* The last drawing, kept while detections and style stay the same. */
  OverlayProperties drawn_properties;
  GArray *drawn, *detections; /* (element-type GstSppnetDetection) */
  GstVideoOverlayComposition *composition;
};

#define TEMPLATE_CAPS                                                                                                  \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)                                                    \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY ", " COMPOSITION,                       \
                                         GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)

static GstStaticPadTemplate sink_template
    = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TEMPLATE_CAPS));
static GstStaticPadTemplate src_template
    = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TEMPLATE_CAPS));

G_DEFINE_FINAL_TYPE (GstSppnetOverlay, gst_sppnet_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (sppnetoverlay, "sppnetoverlay", GST_RANK_NONE, GST_TYPE_SPPNET_OVERLAY,
                                       GST_DEBUG_CATEGORY_INIT (sppnet_overlay_debug, "sppnetoverlay", 0,
                                                                "Boxes and labels over video"))

static void
gst_sppnet_overlay_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstSppnetOverlay *self = GST_SPPNET_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_LINE_WIDTH:
    self->properties.line_width = g_value_get_float (value);
    break;
  case PROP_FONT_SCALE:
    self->properties.font_scale = g_value_get_float (value);
    break;
  case PROP_LABELS:
    self->properties.labels = g_value_get_boolean (value);
    break;
  case PROP_SCORES:
    self->properties.scores = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_sppnet_overlay_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstSppnetOverlay *self = GST_SPPNET_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_LINE_WIDTH:
    g_value_set_float (value, self->properties.line_width);
    break;
  case PROP_FONT_SCALE:
    g_value_set_float (value, self->properties.font_scale);
    break;
  case PROP_LABELS:
    g_value_set_boolean (value, self->properties.labels);
    break;
  case PROP_SCORES:
    g_value_set_boolean (value, self->properties.scores);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
forget_drawing (GstSppnetOverlay *self)
{
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
  g_array_set_size (self->drawn, 0);
}

static GstCaps *
with_composition (GstCaps *caps, gboolean composition)
{
  GstCaps *result = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (result); i++) {
    GstCapsFeatures *features = gst_caps_get_features (result, i);

    if (gst_caps_features_is_any (features))
      continue;
    if (composition && !gst_caps_features_contains (features, COMPOSITION))
      gst_caps_features_add (features, COMPOSITION);
    else if (!composition)
      gst_caps_features_remove (features, COMPOSITION);
  }
  return result;
}

/* Frames that come with an overlay leave with one; frames that come without may leave with one, which is the better
 * choice where it is possible. */
static GstCaps *
gst_sppnet_overlay_transform_caps (GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    g_autoptr (GstCaps) one = gst_caps_copy_nth (caps, i);
    GstCapsFeatures *features = gst_caps_get_features (one, 0);
    gboolean composed = !gst_caps_features_is_any (features) && gst_caps_features_contains (features, COMPOSITION);

    if (composed || direction == GST_PAD_SINK)
      gst_caps_append (result, with_composition (one, TRUE));
    if (!composed || direction == GST_PAD_SRC)
      gst_caps_append (result, with_composition (one, FALSE));
  }
  if (filter)
    gst_caps_take (&result, gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST));
  return result;
}

/* Whether somebody downstream says that it composes overlays. What takes anything (fakesink, appsink, videocrop) does
 * not. */
static gboolean
names_composition (GstCaps *caps)
{
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstCapsFeatures *features = gst_caps_get_features (caps, i);

    if (!gst_caps_features_is_any (features) && gst_caps_features_contains (features, COMPOSITION))
      return TRUE;
  }
  return FALSE;
}

/* Whether drawings that are attached to frames of such caps are composed downstream. An element that has no caps yet
 * cannot tell, so it does not. It is asked itself: asked through the pad, one that was linked a moment ago would get
 * the caps of the one before first. */
static gboolean
asks_for_overlays (GstSppnetOverlay *self, GstCaps *caps)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  g_autoptr (GstPad) peer = gst_pad_get_peer (GST_BASE_TRANSFORM_SRC_PAD (self));

  return peer && gst_pad_query (peer, query)
         && gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
}

/* Elements on the way to the sink may pass on what it says and yet not know what to do with an overlay (videocrop):
 * they do not ask for one. */
static gboolean
is_composed_downstream (GstSppnetOverlay *self, GstCaps *caps)
{
  g_autoptr (GstCaps) peer = gst_pad_peer_query_caps (GST_BASE_TRANSFORM_SRC_PAD (self), NULL);

  return peer && !gst_caps_is_any (peer) && names_composition (peer) && asks_for_overlays (self, caps);
}

/* Those without an overlay, or where all have one, all. */
static GstCaps *
prefer_plain (GstCaps *caps)
{
  GstCaps *plain = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    if (!gst_caps_features_contains (gst_caps_get_features (caps, i), COMPOSITION))
      gst_caps_append (plain, gst_caps_copy_nth (caps, i));
  if (gst_caps_is_empty (plain))
    gst_caps_replace (&plain, caps);
  return plain;
}

static GstCaps *
gst_sppnet_overlay_fixate_caps (GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *others)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, 0);

  if (direction == GST_PAD_SINK && !gst_caps_features_contains (features, COMPOSITION)) {
    g_autoptr (GstCaps) best = gst_caps_fixate (gst_caps_copy (others));

    if (!is_composed_downstream (GST_SPPNET_OVERLAY (base), best))
      gst_caps_take (&others, prefer_plain (others));
  }
  return gst_caps_fixate (others);
}

static gboolean
gst_sppnet_overlay_set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstSppnetOverlay *self = GST_SPPNET_OVERLAY (base);

  if (!gst_video_info_from_caps (&self->info, in)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("Caps do not describe a video frame"), ("%" GST_PTR_FORMAT, in));
    return FALSE;
  }
  self->composed = gst_caps_features_contains (gst_caps_get_features (out, 0), COMPOSITION);
  self->attach_known = FALSE;
  forget_drawing (self);
  return TRUE;
}

/* The base class asks for other caps, but where those stay it does not say that downstream changed. */
static gboolean
gst_sppnet_overlay_src_event (GstBaseTransform *base, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    g_atomic_int_set (&GST_SPPNET_OVERLAY (base)->ask_again, TRUE);
  return GST_BASE_TRANSFORM_CLASS (gst_sppnet_overlay_parent_class)->src_event (base, event);
}

static gboolean
gst_sppnet_overlay_propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_sppnet_overlay_parent_class)->propose_allocation (base, decided, query))
    return FALSE;
  gst_sppnet_frame_refuse_cropping (query);
  return TRUE;
}

/* Once downstream has caps. Where it would compose, and frames have not been announced so, they are from the next one
 * on. */
static void
choose_way (GstSppnetOverlay *self)
{
  GstBaseTransform *base = GST_BASE_TRANSFORM (self);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SRC_PAD (base));

  self->attach_known = TRUE;
  self->attach = caps && self->composed && asks_for_overlays (self, caps);
  if (caps && !self->composed && is_composed_downstream (self, caps))
    gst_base_transform_reconfigure_src (base);
  GST_INFO_OBJECT (self, "drawings are %s", self->attach ? "attached" : "blended");
}

static gboolean
same_detections (const GArray *a, const GArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++) {
    const GstSppnetDetection *x = &g_array_index (a, GstSppnetDetection, i);
    const GstSppnetDetection *y = &g_array_index (b, GstSppnetDetection, i);

    if (x->x != y->x || x->y != y->y || x->width != y->width || x->height != y->height || x->label_id != y->label_id
        || x->confidence != y->confidence || x->label != y->label)
      return FALSE;
  }
  return TRUE;
}

static void
redraw (GstSppnetOverlay *self, const OverlayProperties *properties)
{
  gint width = GST_VIDEO_INFO_WIDTH (&self->info), height = GST_VIDEO_INFO_HEIGHT (&self->info);
  SppnetDrawStyle style = { .line_width = properties->line_width,
                            .font_size = properties->font_scale * MAX (9.0f, (gfloat) MIN (width, height) * 15 / 480),
                            .no_labels = !properties->labels,
                            .no_scores = !properties->scores };

  forget_drawing (self);
  self->composition = gst_sppnet_picture_new ((const GstSppnetDetection *) self->detections->data,
                                              self->detections->len, width, height, &style);
  g_array_append_vals (self->drawn, self->detections->data, self->detections->len);
  self->drawn_properties = *properties;
}

static void
attach (GstSppnetOverlay *self, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

  if (!meta) {
    gst_buffer_add_video_overlay_composition_meta (buffer, self->composition);
    return;
  }
  /* Others may hold the composition that came with the frame. */
  meta->overlay = gst_video_overlay_composition_make_writable (meta->overlay);
  for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (self->composition); i++)
    gst_video_overlay_composition_add_rectangle (meta->overlay,
                                                 gst_video_overlay_composition_get_rectangle (self->composition, i));
}

/* The drawing where the frame is in its memory: crop metadata, which is refused upstream, may be there all the same. */
static GstVideoOverlayComposition *
place_drawing (GstSppnetOverlay *self, const GstVideoFrame *frame)
{
  gint x, y;

  gst_sppnet_frame_find_origin (frame, &self->info, &x, &y);
  return x == 0 && y == 0 ? gst_video_overlay_composition_ref (self->composition)
                          : gst_sppnet_picture_moved (self->composition, x, y);
}

static GstFlowReturn
blend (GstSppnetOverlay *self, GstBuffer *buffer)
{
  g_autoptr (GstVideoOverlayComposition) placed = NULL;
  GstVideoFrame frame;

  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READWRITE)) {
    GST_ELEMENT_ERROR (self, STREAM, FAILED, ("The frame cannot be mapped for drawing"),
                       ("frame at %" GST_TIME_FORMAT, GST_TIME_ARGS (GST_BUFFER_PTS (buffer))));
    return GST_FLOW_ERROR;
  }
  placed = place_drawing (self, &frame);
  if (!gst_video_overlay_composition_blend (placed, &frame))
    GST_WARNING_OBJECT (self, "a part of the drawing could not be blended");
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_sppnet_overlay_transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstSppnetOverlay *self = GST_SPPNET_OVERLAY (base);
  GstClockTime time = gst_sppnet_stream_time (base, buffer);
  OverlayProperties properties;

  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (self), time);
  GST_OBJECT_LOCK (self);
  properties = self->properties;
  GST_OBJECT_UNLOCK (self);

  g_array_set_size (self->detections, 0);
  gst_sppnet_meta_read (buffer, self->detections);
  gst_sppnet_meta_warn_lost (GST_ELEMENT (self), buffer, &self->said_lost);
  if (self->detections->len == 0)
    return GST_FLOW_OK;
  if (!same_detections (self->detections, self->drawn)
      || memcmp (&properties, &self->drawn_properties, sizeof properties) != 0)
    redraw (self, &properties);
  if (!self->composition)
    return GST_FLOW_OK;

  if (g_atomic_int_compare_and_exchange (&self->ask_again, TRUE, FALSE))
    self->attach_known = FALSE;
  if (!self->attach_known)
    choose_way (self);
  if (!self->attach)
    return blend (self, buffer);
  attach (self, buffer);
  return GST_FLOW_OK;
}

static gboolean
gst_sppnet_overlay_stop (GstBaseTransform *base)
{
  forget_drawing (GST_SPPNET_OVERLAY (base));
  GST_SPPNET_OVERLAY (base)->said_lost = FALSE;
  return TRUE;
}

static void
gst_sppnet_overlay_finalize (GObject *object)
{
  GstSppnetOverlay *self = GST_SPPNET_OVERLAY (object);

  forget_drawing (self);
  g_array_unref (self->drawn);
  g_array_unref (self->detections);
  G_OBJECT_CLASS (gst_sppnet_overlay_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags
      = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE;

  g_object_class_install_property (
      klass, PROP_LINE_WIDTH,
      g_param_spec_float (
          "line-width", "Line width",
          "Width of a box's line in pixels of the frame (0 = with the frame's shorter side, 2 at 480 pixels and below)",
          0, 100, 0, flags));
  g_object_class_install_property (
      klass, PROP_FONT_SCALE,
      g_param_spec_float (
          "font-scale", "Font scale",
          "Size of the text, relative to 15 pixels where the frame's shorter side has 480, and in proportion at others",
          0.1f, 10, DEFAULT_FONT_SCALE, flags));
  g_object_class_install_property (klass, PROP_LABELS,
                                   g_param_spec_boolean ("labels", "Labels", "Write the labels", TRUE, flags));
  g_object_class_install_property (
      klass, PROP_SCORES,
      g_param_spec_boolean ("scores", "Scores", "Write the confidence behind the label", TRUE, flags));
}

static void
gst_sppnet_overlay_class_init (GstSppnetOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_sppnet_overlay_set_property;
  object_class->get_property = gst_sppnet_overlay_get_property;
  object_class->finalize = gst_sppnet_overlay_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "SPPNet detection overlay", "Filter/Editor/Video",
                                         "Draws detections over video: boxes, labels and scores",
                                         "The gst-sppnet developers");

  base_class->stop = gst_sppnet_overlay_stop;
  base_class->transform_caps = gst_sppnet_overlay_transform_caps;
  base_class->fixate_caps = gst_sppnet_overlay_fixate_caps;
  base_class->set_caps = gst_sppnet_overlay_set_caps;
  base_class->src_event = gst_sppnet_overlay_src_event;
  base_class->propose_allocation = gst_sppnet_overlay_propose_allocation;
  base_class->transform_ip = gst_sppnet_overlay_transform_ip;
}

static void
gst_sppnet_overlay_init (GstSppnetOverlay *self)
{
  self->properties = (OverlayProperties) { .font_scale = DEFAULT_FONT_SCALE, .labels = TRUE, .scores = TRUE };
  self->drawn = g_array_new (FALSE, FALSE, sizeof (GstSppnetDetection));
  self->detections = g_array_new (FALSE, FALSE, sizeof (GstSppnetDetection));
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), FALSE);
}
