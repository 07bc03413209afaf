/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include "names.h"

GType
gst_sppnet_proposals_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
    { SPPNET_PROPOSALS_DEFAULT, "What the model recommends", "default" },
    { SPPNET_PROPOSALS_SELECTIVE_SEARCH, "Selective Search, fast strategies", "selective-search" },
    { SPPNET_PROPOSALS_SELECTIVE_SEARCH_QUALITY, "Selective Search, quality strategies: more regions, slower",
      "selective-search-quality" },
    { SPPNET_PROPOSALS_EDGE_BOXES, "Edge Boxes: as many objects, less closely, several times faster", "edge-boxes" },
    { SPPNET_PROPOSALS_GRID, "Sliding windows of several sizes and shapes", "grid" },
    { SPPNET_PROPOSALS_REGIONS, "Only the regions that upstream elements attached", "regions" },
    { SPPNET_PROPOSALS_RPN, "The model's region proposal network, where it has one", "rpn" },
    { SPPNET_PROPOSALS_AUTO, "The region proposal network of a model that has one, else Edge Boxes", "auto" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstSppnetProposals", values);

    g_once_init_leave (&type, registered);
  }
  return type;
}

GType
gst_sppnet_precision_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
    { SPPNET_PRECISION_DEFAULT, "float32", "default" },
    { SPPNET_PRECISION_FLOAT32, "Single precision", "float32" },
    { SPPNET_PRECISION_BFLOAT16, "Products of numbers with 8 bits of precision: faster, with AVX512_BF16", "bfloat16" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstSppnetPrecision", values);

    g_once_init_leave (&type, registered);
  }
  return type;
}

void
gst_sppnet_settings_install (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  const GParamFlags controllable = flags | GST_PARAM_CONTROLLABLE;

  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_PROPOSALS,
      g_param_spec_enum ("proposals", "Region proposals",
                         "Where the regions that are scored come from. Regions of interest that upstream elements "
                         "attached are always scored too",
                         GST_TYPE_SPPNET_PROPOSALS, SPPNET_PROPOSALS_DEFAULT, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_MAX_PROPOSALS,
      g_param_spec_uint (
          "max-proposals", "Maximum proposals",
          "Regions proposed per frame, best first: fewer are faster and find less (0 = the number that the "
          "model says for the proposals that it recommends, or for its region proposal network, 2000 of others)",
          0, SPPNET_MAX_PROPOSALS, 0, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_MIN_OBJECTNESS,
      g_param_spec_float ("min-objectness", "Minimum objectness",
                          "Proposals of a region proposal network below this are not scored: more is faster and finds "
                          "less (0 = the model's own)",
                          0, 1, 0, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_THRESHOLD,
      g_param_spec_float ("threshold", "Confidence threshold",
                          "Lowest confidence that is reported, for every label (0 = the model's own threshold of each "
                          "label)",
                          0, 1, 0, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_NMS_THRESHOLD,
      g_param_spec_float ("nms-threshold", "Overlap threshold",
                          "Overlap (intersection over union) above which the weaker of two boxes of one label is "
                          "dropped (0 = the model's own)",
                          0, 1, 0, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_AGNOSTIC_NMS_THRESHOLD,
      g_param_spec_float ("agnostic-nms-threshold", "Overlap threshold across labels",
                          "Overlap (intersection over union) above which the weaker of two boxes is dropped whatever "
                          "their labels, such as 0.7, so that an object seldom has two (0 = labels do not hide each "
                          "other)",
                          0, 1, 0, controllable));
  g_object_class_install_property (klass, GST_SPPNET_SETTINGS_MAX_DETECTIONS,
                                   g_param_spec_uint ("max-detections", "Maximum detections",
                                                      "Detections per frame, best first (0 = 100)", 0, 100000, 0,
                                                      controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_LABELS,
      g_param_spec_string ("labels", "Labels",
                           "Labels that are reported, separated by commas, such as \"person,dog\" (NULL or empty = "
                           "all); a comma within a "
                           "label has a backslash before it. "
                           "A label that the model does not have is an error at start, a warning later",
                           NULL, flags));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_THREADS,
      g_param_spec_uint ("threads", "Threads",
                         "Threads that this element may use (0 = as many as there are processors)", 0, 1024, 0, flags));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_SEED,
      g_param_spec_uint ("seed", "Seed",
                         "Order of equally ranked proposals of Selective Search: the same seed gives the same "
                         "detections",
                         0, G_MAXUINT, 0, flags));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_REGION_MARGIN,
      g_param_spec_float (
          "region-margin", "Region margin",
          "Upstream regions of interest are scored with this much more on each side, as a part of their "
          "width and height",
          0, 10, 0, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_REDUCTION,
      g_param_spec_uint ("reduction", "Reduction",
                         "Look at the frame reduced by this whole factor, in which each pixel is the mean of as many "
                         "squared (1 = as it is): for objects larger than those that the model was trained on, as in "
                         "frames of 4K, and faster. The frame and the places of its detections stay as they are",
                         1, SPPNET_MAX_REDUCTION, 1, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_FOLLOW,
      g_param_spec_boolean ("follow", "Follow",
                            "Also score where the last detections were, and around that: in a video, fewer new regions "
                            "have to be proposed then (max-proposals)",
                            FALSE, controllable));
  g_object_class_install_property (
      klass, GST_SPPNET_SETTINGS_PRECISION,
      g_param_spec_enum ("precision", "Precision",
                         "What convolution and fully connected layers compute with. What the processor cannot do is an "
                         "error at start, a warning later",
                         GST_TYPE_SPPNET_PRECISION, SPPNET_PRECISION_DEFAULT, flags));
}

static void
set_labels (GstSppnetSettings *settings, const gchar *labels)
{
  g_autoptr (GPtrArray) filter = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) parts = sppnet_names_split (labels ? labels : "");

  for (gchar **part = parts; *part; part++)
    if (**part)
      g_ptr_array_add (filter, g_strdup (*part));
  g_clear_pointer (&settings->filter, g_strfreev);
  if (filter->len > 0) {
    g_ptr_array_add (filter, NULL);
    settings->filter = (GStrv) g_ptr_array_free (g_steal_pointer (&filter), FALSE);
  }
  settings->values.labels = (const gchar *const *) settings->filter;
  g_free (settings->labels);
  settings->labels = g_strdup (labels);
}

gboolean
gst_sppnet_settings_set (GstSppnetSettings *settings, guint id, const GValue *value)
{
  SppnetSettings *v = &settings->values;

  switch (id) {
  case GST_SPPNET_SETTINGS_PROPOSALS:
    v->proposals = (SppnetProposals) g_value_get_enum (value);
    break;
  case GST_SPPNET_SETTINGS_MAX_PROPOSALS:
    v->max_proposals = g_value_get_uint (value);
    break;
  case GST_SPPNET_SETTINGS_THRESHOLD:
    v->threshold = g_value_get_float (value);
    break;
  case GST_SPPNET_SETTINGS_NMS_THRESHOLD:
    v->nms_threshold = g_value_get_float (value);
    break;
  case GST_SPPNET_SETTINGS_AGNOSTIC_NMS_THRESHOLD:
    v->agnostic_nms_threshold = g_value_get_float (value);
    break;
  case GST_SPPNET_SETTINGS_MAX_DETECTIONS:
    v->max_detections = g_value_get_uint (value);
    break;
  case GST_SPPNET_SETTINGS_LABELS:
    set_labels (settings, g_value_get_string (value));
    break;
  case GST_SPPNET_SETTINGS_THREADS:
    v->threads = g_value_get_uint (value);
    break;
  case GST_SPPNET_SETTINGS_SEED:
    v->seed = g_value_get_uint (value);
    break;
  case GST_SPPNET_SETTINGS_REGION_MARGIN:
    v->region_margin = g_value_get_float (value);
    break;
  case GST_SPPNET_SETTINGS_FOLLOW:
    v->follow = g_value_get_boolean (value);
    break;
  case GST_SPPNET_SETTINGS_PRECISION:
    v->precision = (SppnetPrecision) g_value_get_enum (value);
    break;
  case GST_SPPNET_SETTINGS_MIN_OBJECTNESS:
    v->min_objectness = g_value_get_float (value);
    break;
  case GST_SPPNET_SETTINGS_REDUCTION:
    v->reduction = g_value_get_uint (value);
    break;
  default:
    return FALSE;
  }
  settings->generation++;
  return TRUE;
}

gboolean
gst_sppnet_settings_get (const GstSppnetSettings *settings, guint id, GValue *value)
{
  const SppnetSettings *v = &settings->values;

  switch (id) {
  case GST_SPPNET_SETTINGS_PROPOSALS:
    g_value_set_enum (value, v->proposals);
    return TRUE;
  case GST_SPPNET_SETTINGS_MAX_PROPOSALS:
    g_value_set_uint (value, v->max_proposals);
    return TRUE;
  case GST_SPPNET_SETTINGS_THRESHOLD:
    g_value_set_float (value, v->threshold);
    return TRUE;
  case GST_SPPNET_SETTINGS_NMS_THRESHOLD:
    g_value_set_float (value, v->nms_threshold);
    return TRUE;
  case GST_SPPNET_SETTINGS_AGNOSTIC_NMS_THRESHOLD:
    g_value_set_float (value, v->agnostic_nms_threshold);
    return TRUE;
  case GST_SPPNET_SETTINGS_MAX_DETECTIONS:
    g_value_set_uint (value, v->max_detections);
    return TRUE;
  case GST_SPPNET_SETTINGS_LABELS:
    g_value_set_string (value, settings->labels);
    return TRUE;
  case GST_SPPNET_SETTINGS_THREADS:
    g_value_set_uint (value, v->threads);
    return TRUE;
  case GST_SPPNET_SETTINGS_SEED:
    g_value_set_uint (value, v->seed);
    return TRUE;
  case GST_SPPNET_SETTINGS_REGION_MARGIN:
    g_value_set_float (value, v->region_margin);
    return TRUE;
  case GST_SPPNET_SETTINGS_FOLLOW:
    g_value_set_boolean (value, v->follow);
    return TRUE;
  case GST_SPPNET_SETTINGS_PRECISION:
    g_value_set_enum (value, v->precision);
    return TRUE;
  case GST_SPPNET_SETTINGS_MIN_OBJECTNESS:
    g_value_set_float (value, v->min_objectness);
    return TRUE;
  case GST_SPPNET_SETTINGS_REDUCTION:
    g_value_set_uint (value, MAX (v->reduction, 1));
    return TRUE;
  default:
    return FALSE;
  }
}

const guint gst_sppnet_settings_refusable[]
    = { GST_SPPNET_SETTINGS_LABELS, GST_SPPNET_SETTINGS_PROPOSALS, GST_SPPNET_SETTINGS_PRECISION };

void
gst_sppnet_settings_notify (GObject *object, guint id)
{
  const gchar *name = id == GST_SPPNET_SETTINGS_LABELS      ? "labels"
                      : id == GST_SPPNET_SETTINGS_PROPOSALS ? "proposals"
                                                            : "precision";

  g_object_notify (object, name);
}

void
gst_sppnet_settings_take (GstSppnetSettings *settings, const GstSppnetSettings *from, guint id)
{
  switch (id) {
  case GST_SPPNET_SETTINGS_LABELS:
    set_labels (settings, from->labels);
    break;
  case GST_SPPNET_SETTINGS_PROPOSALS:
    settings->values.proposals = from->values.proposals;
    break;
  case GST_SPPNET_SETTINGS_PRECISION:
    settings->values.precision = from->values.precision;
    break;
  default:
    g_assert_not_reached ();
  }
}

void
gst_sppnet_settings_copy (GstSppnetSettings *copy, const GstSppnetSettings *settings)
{
  gst_sppnet_settings_clear (copy);
  *copy = *settings;
  copy->filter = g_strdupv (settings->filter);
  copy->labels = g_strdup (settings->labels);
  copy->values.labels = (const gchar *const *) copy->filter;
}

void
gst_sppnet_settings_clear (GstSppnetSettings *settings)
{
  g_strfreev (settings->filter);
  g_free (settings->labels);
  *settings = (GstSppnetSettings) { 0 };
}
