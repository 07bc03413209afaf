/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate.h"

#include <math.h>
#include <stdio.h>

#include "arguments.h"
#include "contact_sheet.h"
#include "evaluate/average_precision.h"
#include "json.h"

/* One label that is evaluated. */
typedef struct
{
  const gchar *label;
  SppnetAveragePrecision precision;
} Class;

/* [labels of the model] */
static GArray *
create_classes (SppnetModel *model)
{
  GArray *classes = g_array_new (FALSE, FALSE, sizeof (Class));

  for (guint i = 0; i < sppnet_model_get_n_labels (model); i++) {
    Class class = { sppnet_model_get_label (model, i), { 0 } };

    g_array_append_val (classes, class);
  }
  return classes;
}

static gboolean
detect_in_picture (const SppnetEvaluation *evaluation, guint i, SppnetDetector *detector, GPtrArray *boxes,
                   GError **error)
{
  g_auto (SppnetPicture) picture = { 0 };
  const SppnetDetection *found;
  SppnetFrame frame;
  gsize n;

  if (!sppnet_evaluation_load (evaluation, i, &picture, error))
    return FALSE;
  frame = sppnet_picture_frame (&picture);
  if (!sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, error)) {
    g_prefix_error (error,
                    "%s: ", ((const SppnetAnnotation *) g_ptr_array_index (evaluation->annotations, i))->picture);
    return FALSE;
  }
  for (gsize j = 0; j < n; j++) {
    SppnetScoredBox box = { i, found[j].confidence, found[j].box };

    g_array_append_val ((GArray *) g_ptr_array_index (boxes, found[j].label_id), box);
  }
  return TRUE;
}

GPtrArray *
sppnet_evaluation_detect (const SppnetEvaluation *evaluation, SppnetModel *model, const SppnetSettings *settings,
                          GError **error)
{
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, settings, error);
  g_autoptr (GPtrArray) boxes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  if (!detector)
    return NULL;
  for (guint i = 0; i < sppnet_model_get_n_labels (model); i++)
    g_ptr_array_add (boxes, g_array_new (FALSE, FALSE, sizeof (SppnetScoredBox)));
  for (guint i = 0; i < evaluation->annotations->len; i++)
    if (!detect_in_picture (evaluation, i, detector, boxes, error))
      return NULL;
  sppnet_evaluation_end (evaluation);
  return g_steal_pointer (&boxes);
}

static gboolean
is_wanted (const gchar *const *labels, const gchar *label)
{
  return !labels || g_strv_contains (labels, label);
}

/* Mean over the classes with objects that are named (NULL: all), NaN where there is none; the number of them. */
static guint
mean_of_classes (const GArray *classes, const gchar *const *labels, gdouble *ap11, gdouble *ap)
{
  guint n = 0;

  *ap11 = *ap = 0;
  for (guint i = 0; i < classes->len; i++) {
    const Class *class = &g_array_index (classes, Class, i);

    if (class->precision.objects == 0 || !is_wanted (labels, class->label))
      continue;
    *ap11 += class->precision.ap11;
    *ap += class->precision.ap;
    n++;
  }
  *ap11 = n > 0 ? *ap11 / n : (gdouble) NAN;
  *ap = n > 0 ? *ap / n : (gdouble) NAN;
  return n;
}

static void
print_table (const GArray *classes, guint pictures, const gchar *const *mean_of, const gchar *const *wanted)
{
  gdouble ap11, ap;
  guint n = mean_of_classes (classes, NULL, &ap11, &ap);

  printf ("%-16s %8s %8s %8s %8s\n", "class", "objects", "AP11", "AP", "recall");
  for (guint i = 0; i < classes->len; i++) {
    const Class *class = &g_array_index (classes, Class, i);

    if (class->precision.objects > 0)
      printf ("%-16s %8u %8.4f %8.4f %8.4f\n", class->label, class->precision.objects, class->precision.ap11,
              class->precision.ap, class->precision.recall);
    else if (is_wanted (wanted, class->label))
      printf ("%-16s %8u %8s %8s %8s\n", class->label, 0, "-", "-", "-");
  }
  printf ("%-16s %8s %8.4f %8.4f   classes: %u, pictures: %u\n", "mean", "", ap11, ap, n, pictures);
  if (mean_of && (n = mean_of_classes (classes, mean_of, &ap11, &ap)) > 0)
    printf ("%-16s %8s %8.4f %8.4f   classes: %u\n", "mean of these", "", ap11, ap, n);
  else if (mean_of)
    printf ("%-16s %8s %8s %8s   classes: 0\n", "mean of these", "", "-", "-");
}

static void
add_means (JsonBuilder *builder, const GArray *classes, const gchar *const *labels)
{
  gdouble ap11, ap;

  /* null, where there is none */
  mean_of_classes (classes, labels, &ap11, &ap);
  sppnet_tool_json_number (builder, "map11", ap11);
  sppnet_tool_json_number (builder, "map", ap);
}

static void
add_class (JsonBuilder *builder, const Class *class)
{
  json_builder_set_member_name (builder, class->label);
  json_builder_begin_object (builder);
  sppnet_tool_json_integer (builder, "objects", class->precision.objects);
  if (class->precision.objects > 0) {
    sppnet_tool_json_number (builder, "ap11", class->precision.ap11);
    sppnet_tool_json_number (builder, "ap", class->precision.ap);
    sppnet_tool_json_number (builder, "recall", class->precision.recall);
  } else {
    /* not a bad result: there is none */
    sppnet_tool_json_string (builder, "ap11", NULL);
    sppnet_tool_json_string (builder, "ap", NULL);
    sppnet_tool_json_string (builder, "recall", NULL);
  }
  json_builder_end_object (builder);
}

static void
print_json (const GArray *classes, guint pictures, const gchar *const *mean_of, const gchar *const *wanted)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_means (builder, classes, NULL);
  if (mean_of) {
    json_builder_set_member_name (builder, "mean_of");
    json_builder_begin_object (builder);
    add_means (builder, classes, mean_of);
    json_builder_end_object (builder);
  }
  sppnet_tool_json_integer (builder, "pictures", pictures);
  json_builder_set_member_name (builder, "classes");
  json_builder_begin_object (builder);
  for (guint i = 0; i < classes->len; i++) {
    const Class *class = &g_array_index (classes, Class, i);

    if (is_wanted (wanted, class->label))
      add_class (builder, class);
  }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

/* Every name is a label of the model that is evaluated: a misspelt one would quietly change the mean. */
static gboolean
check_mean_of (SppnetModel *model, const gchar *const *mean_of, const gchar *const *wanted, GError **error)
{
  for (; mean_of && *mean_of; mean_of++) {
    guint i = 0;

    while (i < sppnet_model_get_n_labels (model) && !g_str_equal (sppnet_model_get_label (model, i), *mean_of))
      i++;
    if (i == sppnet_model_get_n_labels (model))
      return sppnet_usage_error (error, "--mean-of: the model has no label \"%s\"", *mean_of);
    if (!is_wanted (wanted, *mean_of))
      return sppnet_usage_error (error, "--mean-of: \"%s\" is not among --labels", *mean_of);
  }
  return TRUE;
}

/* The sheet has as many tiles of either sort, and nothing that hardly anybody would see. */
#define TILES 18
#define LOWEST 0.1f

static gboolean
write_mistakes (const SppnetEvaluation *evaluation, const GArray *classes, const GPtrArray *boxes,
                const gchar *const *wanted, GError **error)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new (), found = g_ptr_array_new ();
  g_autoptr (GArray) mistakes = NULL;

  for (guint i = 0; i < classes->len; i++) {
    const Class *class = &g_array_index (classes, Class, i);

    if (!is_wanted (wanted, class->label))
      continue;
    g_ptr_array_add (labels, (gpointer) class->label);
    g_ptr_array_add (found, g_ptr_array_index (boxes, i));
  }
  g_ptr_array_add (labels, NULL);
  mistakes = sppnet_mistakes_find (evaluation->annotations, (const gchar *const *) labels->pdata,
                                   (GArray *const *) found->pdata, LOWEST, TILES);
  if (mistakes->len == 0)
    g_printerr ("sppnet evaluate: %s: there are no mistakes to draw\n", evaluation->mistakes);
  return sppnet_contact_sheet_write (evaluation->mistakes, evaluation->annotations, mistakes, error);
}

gboolean
sppnet_evaluate_detections (const SppnetEvaluation *evaluation, SppnetModel *model, const SppnetSettings *settings,
                            const gchar *const *mean_of, GError **error)
{
  g_autoptr (GArray) classes = create_classes (model);
  g_autoptr (GPtrArray) boxes = NULL;
  gdouble ap11, ap;

  if (!check_mean_of (model, mean_of, settings->labels, error))
    return FALSE;
  sppnet_evaluation_note_unknown_labels (evaluation, model);
  boxes = sppnet_evaluation_detect (evaluation, model, settings, error);
  if (!boxes)
    return FALSE;
  for (guint i = 0; i < classes->len; i++) {
    Class *class = &g_array_index (classes, Class, i);
    GArray *found = g_ptr_array_index (boxes, i);

    if (is_wanted (settings->labels, class->label))
      class->precision
          = sppnet_average_precision (evaluation->annotations, class->label, (SppnetScoredBox *) (gpointer) found->data,
                                      found->len, SPPNET_MATCH_IOU);
  }
  if (!sppnet_evaluation_has_objects (mean_of_classes (classes, NULL, &ap11, &ap) > 0, error))
    return FALSE;
  (evaluation->json ? print_json : print_table) (classes, evaluation->annotations->len, mean_of, settings->labels);
  return !evaluation->mistakes || write_mistakes (evaluation, classes, boxes, settings->labels, error);
}
