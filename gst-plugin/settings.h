/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <sppnet/detector.h>

/* The properties of sppnetdetect that say what a detector looks for: all may change while the pipeline plays. Numbered
 * from 1; the element's own follow. */
enum
{
  GST_SPPNET_SETTINGS_PROPOSALS = 1,
  GST_SPPNET_SETTINGS_MAX_PROPOSALS,
  GST_SPPNET_SETTINGS_THRESHOLD,
  GST_SPPNET_SETTINGS_NMS_THRESHOLD,
  GST_SPPNET_SETTINGS_AGNOSTIC_NMS_THRESHOLD,
  GST_SPPNET_SETTINGS_MAX_DETECTIONS,
  GST_SPPNET_SETTINGS_LABELS,
  GST_SPPNET_SETTINGS_THREADS,
  GST_SPPNET_SETTINGS_SEED,
  GST_SPPNET_SETTINGS_REGION_MARGIN,
  GST_SPPNET_SETTINGS_FOLLOW,
  GST_SPPNET_SETTINGS_PRECISION,
  GST_SPPNET_SETTINGS_MIN_OBJECTNESS,
  GST_SPPNET_SETTINGS_REDUCTION,
  GST_SPPNET_SETTINGS_LAST = GST_SPPNET_SETTINGS_REDUCTION,
};

/* { 0 } is all defaults. */
typedef struct
{
  SppnetSettings values; /* values.labels points to filter */
  GStrv filter;          /* NULL: all labels */
  gchar *labels;         /* the property as it was set */
  guint generation;      /* counts the changes */
} GstSppnetSettings;

#define GST_TYPE_SPPNET_PROPOSALS (gst_sppnet_proposals_get_type ())
GType gst_sppnet_proposals_get_type (void);
#define GST_TYPE_SPPNET_PRECISION (gst_sppnet_precision_get_type ())
GType gst_sppnet_precision_get_type (void);

void gst_sppnet_settings_install (GObjectClass *klass);
/* FALSE when id is not one of the above. */
gboolean gst_sppnet_settings_set (GstSppnetSettings *settings, guint id, const GValue *value);
gboolean gst_sppnet_settings_get (const GstSppnetSettings *settings, guint id, GValue *value);
/* Those that a model or processor may refuse. */
#define GST_SPPNET_SETTINGS_REFUSABLE 3
extern const guint gst_sppnet_settings_refusable[GST_SPPNET_SETTINGS_REFUSABLE];
/* Gives one of these the value that it has in another. */
void gst_sppnet_settings_take (GstSppnetSettings *settings, const GstSppnetSettings *from, guint id);
/* Says that object's property of this kind has another value. */
void gst_sppnet_settings_notify (GObject *object, guint id);
/* Replaces copy by an independent copy of settings. */
void gst_sppnet_settings_copy (GstSppnetSettings *copy, const GstSppnetSettings *settings);
void gst_sppnet_settings_clear (GstSppnetSettings *settings);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstSppnetSettings, gst_sppnet_settings_clear)
