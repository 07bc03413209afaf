/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meta.h"

#include <math.h>

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

GST_DEBUG_CATEGORY_STATIC (sppnet_meta_debug);
#define GST_CAT_DEFAULT sppnet_meta_debug

#define PARAM "detection"

void
gst_sppnet_meta_register (void)
{
  static const gchar *no_tags[] = { NULL };
  static gsize once;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (sppnet_meta_debug, "sppnetmeta", 0, "Detections on buffers");
    gst_meta_register_custom (GST_SPPNET_META_NAME, no_tags, NULL, NULL, NULL);
    g_once_init_leave (&once, 1);
  }
}

/* A box in whole pixels, inside a frame of width x height, at least one pixel. */
static void
whole_pixels (const SppnetBox *box, gint width, gint height, gint out[4])
{
  gint left = CLAMP ((gint) lrintf (box->x), 0, width - 1), top = CLAMP ((gint) lrintf (box->y), 0, height - 1);
  gint right = CLAMP ((gint) lrintf (box->x + box->width), left + 1, width);
  gint bottom = CLAMP ((gint) lrintf (box->y + box->height), top + 1, height);

  out[0] = left;
  out[1] = top;
  out[2] = right - left;
  out[3] = bottom - top;
}

static GstStructure *
region_param (const SppnetDetection *d, gint width, gint height)
{
  return gst_structure_new (
      PARAM, "x_min", G_TYPE_DOUBLE, (gdouble) d->box.x / width, "x_max", G_TYPE_DOUBLE,
      (gdouble) (d->box.x + d->box.width) / width, "y_min", G_TYPE_DOUBLE, (gdouble) d->box.y / height, "y_max",
      G_TYPE_DOUBLE, (gdouble) (d->box.y + d->box.height) / height, "confidence", G_TYPE_DOUBLE,
      (gdouble) d->confidence, "label_id", G_TYPE_INT, (gint) d->label_id, "label", G_TYPE_STRING, d->label, NULL);
}

static void
append_score (GValue *scores, const SppnetDetection *d, gint id)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, gst_structure_new (PARAM, "id", G_TYPE_INT, id, "label", G_TYPE_STRING, d->label,
                                                 "label_id", G_TYPE_INT, (gint) d->label_id, "confidence",
                                                 G_TYPE_DOUBLE, (gdouble) d->confidence, NULL));
  gst_value_array_append_and_take_value (scores, &value);
}

#ifdef HAVE_GST_ANALYTICS
static void
attach_analytics (GstBuffer *buffer, const SppnetDetection *d, const gint box[4])
{
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsODMtd written;

  if (!relations)
    relations = gst_buffer_add_analytics_relation_meta (buffer);
  gst_analytics_relation_meta_add_od_mtd (relations, g_quark_from_string (d->label), box[0], box[1], box[2], box[3],
                                          d->confidence, &written);
}
#endif

void
gst_sppnet_meta_attach (GstBuffer *buffer, const GstVideoInfo *info, const SppnetDetection *detections, gsize n,
                        const gint *regions)
{
  gint width = GST_VIDEO_INFO_WIDTH (info), height = GST_VIDEO_INFO_HEIGHT (info);
  GValue scores = G_VALUE_INIT;

  if (n == 0)
    return;
  g_value_init (&scores, GST_TYPE_ARRAY);
  for (gsize i = 0; i < n; i++) {
    const SppnetDetection *d = &detections[i];
    GstVideoRegionOfInterestMeta *region;
    gint box[4];

    whole_pixels (&d->box, width, height, box);
    region = gst_buffer_add_video_region_of_interest_meta (buffer, d->label, box[0], box[1], box[2], box[3]);
    region->id = (gint) gst_util_seqnum_next ();
    region->parent_id = regions && d->region >= 0 ? regions[d->region] : 0;
    gst_video_region_of_interest_meta_add_param (region, region_param (d, width, height));
    append_score (&scores, d, region->id);
#ifdef HAVE_GST_ANALYTICS
    attach_analytics (buffer, d, box);
#endif
  }
  gst_structure_take_value (gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer, GST_SPPNET_META_NAME)),
                            "detections", &scores);
}

/* The scores of the next detecting element on buffer, or NULL behind the last. */
static const GValue *
next_scores (GstBuffer *buffer, gpointer *state)
{
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta (buffer, state))) {
    const GValue *scores;

    if (!gst_meta_info_is_custom (meta->info)
        || !gst_custom_meta_has_name ((GstCustomMeta *) meta, GST_SPPNET_META_NAME))
      continue;
    scores = gst_structure_get_value (gst_custom_meta_get_structure ((GstCustomMeta *) meta), "detections");
    if (scores && GST_VALUE_HOLDS_ARRAY (scores))
      return scores;
  }
  return NULL;
}

/* What scores say of the region, or NULL. Other elements count their regions in their own way: an id may be the same by
 * chance. */
static const GstStructure *
find_in (const GValue *scores, const GstVideoRegionOfInterestMeta *region)
{
  for (guint i = 0; i < gst_value_array_get_size (scores); i++) {
    const GstStructure *score = gst_value_get_structure (gst_value_array_get_value (scores, i));
    gint of;

    if (gst_structure_get_int (score, "id", &of) && of == region->id
        && g_strcmp0 (gst_structure_get_string (score, "label"), g_quark_to_string (region->roi_type)) == 0)
      return score;
  }
  return NULL;
}

static const GstStructure *
find_score (GstBuffer *buffer, const GstVideoRegionOfInterestMeta *region)
{
  const GstStructure *score = NULL;
  gpointer state = NULL;
  const GValue *scores;

  while (!score && (scores = next_scores (buffer, &state)))
    score = find_in (scores, region);
  return score;
}

/* The structure that makes a region a detection, or NULL. */
static const GstStructure *
find_detection (GstBuffer *buffer, GstVideoRegionOfInterestMeta *region)
{
  const GstStructure *param = gst_video_region_of_interest_meta_get_param (region, PARAM);

  return param ? param : find_score (buffer, region);
}

static gpointer
next_region (GstBuffer *buffer, gpointer *state)
{
  return gst_buffer_iterate_meta_filtered (buffer, state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

void
gst_sppnet_meta_read (GstBuffer *buffer, GArray *detections)
{
  GstVideoRegionOfInterestMeta *region;
  gpointer state = NULL;

  while ((region = next_region (buffer, &state))) {
    const GstStructure *found = find_detection (buffer, region);
    const gchar *label = g_quark_to_string (region->roi_type);
    GstSppnetDetection d = { .x = (gint) MIN (region->x, G_MAXINT),
                             .y = (gint) MIN (region->y, G_MAXINT),
                             .width = (gint) MIN (region->w, G_MAXINT),
                             .height = (gint) MIN (region->h, G_MAXINT),
                             .label = label ? label : "",
                             .label_id = -1 };

    if (!found)
      continue;
    gst_structure_get_int (found, "label_id", &d.label_id);
    gst_structure_get_double (found, "confidence", &d.confidence);
    d.confidence = isfinite (d.confidence) ? d.confidence : 0;
    g_array_append_val (detections, d);
  }
}

static gboolean
has_region_of (GstBuffer *buffer, const GValue *scores)
{
  GstVideoRegionOfInterestMeta *region;
  gpointer state = NULL;

  while ((region = next_region (buffer, &state)))
    if (find_in (scores, region))
      return TRUE;
  return FALSE;
}

/* Scores of an element, but no region that one could be of. */
static gboolean
is_lost (GstBuffer *buffer)
{
  gpointer state = NULL;
  const GValue *scores;

  while ((scores = next_scores (buffer, &state)))
    if (!has_region_of (buffer, scores))
      return TRUE;
  return FALSE;
}

void
gst_sppnet_meta_warn_lost (GstElement *element, GstBuffer *buffer, gboolean *said)
{
  if (*said || !is_lost (buffer))
    return;
  *said = TRUE;
  GST_ELEMENT_WARNING (element, STREAM, FAILED,
                       ("The detections have lost their places: an element before this one, such as videocrop or "
                        "videoflip, does not keep regions of interest. It may come before sppnetdetect"),
                       ("frame at %" GST_TIME_FORMAT, GST_TIME_ARGS (GST_BUFFER_PTS (buffer))));
}

void
gst_sppnet_meta_read_regions (GstBuffer *buffer, GQuark type, GArray *boxes, GArray *ids)
{
  GstVideoRegionOfInterestMeta *region;
  gpointer state = NULL;

  while ((region = next_region (buffer, &state))) {
    SppnetBox box = { region->x, region->y, region->w, region->h };

    /* A detection is looked at again only where it is asked for by its label. */
    if (type ? region->roi_type != type : find_detection (buffer, region) != NULL)
      continue;
    g_array_append_val (boxes, box);
    g_array_append_val (ids, region->id);
  }
}
