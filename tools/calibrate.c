/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "base/logistic.h"
#include "detect/context.h"
#include "detect/settings.h"
#include "evaluate.h"
#include "evaluate/average_precision.h"
#include "json.h"
#include "model/model.h"
#include "model/provenance.h"
#include "train/calibration.h"
#include "train/context.h"

/* Boxes below have no part in any threshold, and there are thousands of them. */
#define THRESHOLD 0.01f
#define MAX_DETECTIONS 1000
/* Weights that are printed. */
#define NOTEWORTHY 0.5f

static SppnetDetectorArguments detector_arguments;
static SppnetPictureArguments picture_arguments;

static struct
{
  gchar *output;
  gint limit;
  gboolean context, json;
} arg;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output, "Model to write", "FILE" },
  { "context", 0, 0, G_OPTION_ARG_NONE, &arg.context,
    "Learn instead, from many pictures, what labels elsewhere in a picture say about a box", NULL },
  { "limit", 0, 0, G_OPTION_ARG_INT, &arg.limit, "Only the first N pictures (default: all)", "N" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "JSON instead of a table", NULL },
  { NULL },
};

static gboolean
parse (int argc, char **argv, SppnetSettings *settings, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, "Fits the confidences of a model to annotated pictures that it was not trained on, so\n"
               "that .7 means for every label that seven of ten boxes are right, and finds a default\n"
               "threshold for every label. Writes the model with both.\n\n"
               "With --context, it learns what the labels found elsewhere in a picture say about a box,\n"
               "best from the pictures that the model was trained on. Fit confidences before and after.");
  g_option_context_add_main_entries (context, entries, NULL);
  sppnet_arguments_add_pictures (context, &picture_arguments);
  sppnet_arguments_add (context, &detector_arguments);
  sppnet_arguments_add_proposals (context, &detector_arguments, "method");
  if (!sppnet_arguments_parse (context, argc, argv, error)
      || !sppnet_arguments_check (&detector_arguments, settings, error)
      || !sppnet_check_integer ("limit", arg.limit, 0, G_MAXINT, error)
      || !sppnet_arguments_check_pictures (&picture_arguments, error))
    return FALSE;
  if (!arg.output)
    return sppnet_usage_error (error, "--output FILE is needed");
  if (settings->labels)
    return sppnet_usage_error (error, "--labels: all labels of a model are calibrated together");
  if (settings->agnostic_nms_threshold > 0)
    return sppnet_usage_error (error, "--agnostic-nms-threshold: confidences are fitted to the boxes of each label");
  if (arg.context && settings->threshold > SPPNET_REFINE_FLOOR)
    return sppnet_usage_error (error, "--threshold: with --context at most %g, as a detector looks at all above it",
                               (gdouble) SPPNET_REFINE_FLOOR);
  if (!sppnet_file_check_writable (arg.output, error))
    return FALSE;
  if (settings->threshold <= 0)
    settings->threshold = THRESHOLD;
  settings->max_detections = MAX_DETECTIONS;
  return TRUE;
}

static void
clear_label (gpointer data)
{
  g_array_unref (((SppnetJudgedLabel *) data)->boxes);
}

/* boxes: per label, see sppnet_evaluation_detect(). (element-type SppnetJudgedLabel) */
static GArray *
judge (const GPtrArray *annotations, SppnetModel *model, const GPtrArray *boxes)
{
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (SppnetJudgedLabel));

  g_array_set_clear_func (labels, clear_label);
  for (guint l = 0; l < boxes->len; l++) {
    const gchar *name = sppnet_model_get_label (model, l);
    GArray *found = g_ptr_array_index (boxes, l);
    SppnetScoredBox *scored = (SppnetScoredBox *) (gpointer) found->data;
    SppnetJudgedLabel label = { g_array_new (FALSE, FALSE, sizeof (SppnetJudgedBox)), 0 };
    g_autofree SppnetMatch *matches = sppnet_match_boxes (annotations, name, scored, found->len, SPPNET_MATCH_IOU);

    label.objects = sppnet_count_objects (annotations, name);
    for (guint i = 0; i < found->len; i++) {
      SppnetJudgedBox box = { .picture = scored[i].picture,
                              .box = scored[i].box,
                              .score = sppnet_log_odds (scored[i].score),
                              .correct = matches[i] == SPPNET_MATCH_TRUE,
                              .ignored = matches[i] == SPPNET_MATCH_IGNORED };

      g_array_append_val (label.boxes, box);
    }
    g_array_append_val (labels, label);
  }
  return labels;
}

/* The model's record with what its confidences were fitted to. (transfer full) */
static gchar *
describe (const gchar *provenance, guint pictures)
{
  JsonObject *record = json_object_new ();

  json_object_set_array_member (record, "sets", sppnet_picture_sets_record (&picture_arguments.sets));
  json_object_set_int_member (record, "pictures", pictures);
  return sppnet_provenance_add (provenance, arg.context ? "context" : "calibration", record);
}

/* A sigmoid of the log-odds of the present confidence is, with what makes that, one sigmoid: of the score, or of the
 * sum that the context adds to. */
static void
set_calibration (SppnetConfig *config, const SppnetCalibration *results)
{
  gsize columns = SPPNET_CONTEXT_COLUMNS (config->n_labels);

  if (!config->calibration) {
    config->calibration = g_new (gfloat, 2 * config->n_labels);
    for (guint l = 0; l < config->n_labels; l++) {
      config->calibration[2 * l] = -1;
      config->calibration[2 * l + 1] = 0;
    }
  }
  g_free (config->thresholds);
  config->thresholds = g_new (gfloat, config->n_labels);
  for (guint l = 0; l < config->n_labels; l++) {
    config->thresholds[l] = results[l].threshold;
    if (config->context) {
      gfloat *row = config->context + l * columns;

      for (gsize c = 0; c < columns; c++)
        row[c] *= -results[l].a;
      row[1] -= results[l].b;
    } else {
      gfloat *a = &config->calibration[2 * l], *b = a + 1;

      *b = results[l].b - results[l].a * *b;
      *a *= -results[l].a;
    }
  }
}

/* results: of calibration, or context: its matrix (transfer full). */
static gboolean
write_model (SppnetModel *model, const SppnetCalibration *results, gfloat *context, gfloat min_objectness,
             guint pictures, GError **error)
{
  g_auto (SppnetConfig) config;
  gchar *provenance;

  sppnet_config_init (&config);
  sppnet_config_copy (&config, sppnet_model_get_config (model));
  if (results)
    set_calibration (&config, results);
  else {
    config.context = context;
    /* They were those of other confidences. */
    g_clear_pointer (&config.thresholds, g_free);
  }
  if (min_objectness > 0.0f && config.rpn.n_anchors > 0)
    config.rpn.min_score = min_objectness;
  provenance = describe (config.provenance, pictures);
  g_free (config.provenance);
  config.provenance = provenance;
  return sppnet_model_save_as (model, &config, arg.output, error);
}

static void
print_row (const gchar *name, guint objects, const SppnetCalibration *result)
{
  printf ("%-16s %8u %8u %8u %8.4f %8.4f %9.2f %9.4f %8.4f\n", name, objects, result->n_boxes, result->n_correct,
          result->error[0], result->error[1], (gdouble) result->threshold, result->precision, result->recall);
}

static void
print_table (SppnetModel *model, const GArray *labels, const SppnetCalibration *results)
{
  guint objects = 0;

  printf ("%-16s %8s %8s %8s %8s %8s %9s %9s %8s\n", "class", "objects", "boxes", "correct", "before", "after",
          "threshold", "precision", "recall");
  for (guint l = 0; l < labels->len; l++) {
    objects += g_array_index (labels, SppnetJudgedLabel, l).objects;
    print_row (sppnet_model_get_label (model, l), g_array_index (labels, SppnetJudgedLabel, l).objects, &results[l]);
  }
  print_row ("all", objects, &results[labels->len]);
}

static void
add_result (JsonBuilder *builder, guint objects, const SppnetCalibration *result)
{
  sppnet_tool_json_integer (builder, "objects", objects);
  sppnet_tool_json_integer (builder, "boxes", result->n_boxes);
  sppnet_tool_json_integer (builder, "correct", result->n_correct);
  sppnet_tool_json_number (builder, "error_before", result->error[0]);
  sppnet_tool_json_number (builder, "error_after", result->error[1]);
  sppnet_tool_json_number (builder, "threshold", result->threshold);
  sppnet_tool_json_number (builder, "precision", result->precision);
  sppnet_tool_json_number (builder, "recall", result->recall);
}

static void
print_json (SppnetModel *model, const GArray *labels, const SppnetCalibration *results)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint objects = 0;

  for (guint l = 0; l < labels->len; l++)
    objects += g_array_index (labels, SppnetJudgedLabel, l).objects;
  json_builder_begin_object (builder);
  add_result (builder, objects, &results[labels->len]);
  json_builder_set_member_name (builder, "classes");
  json_builder_begin_object (builder);
  for (guint l = 0; l < labels->len; l++) {
    json_builder_set_member_name (builder, sppnet_model_get_label (model, l));
    json_builder_begin_object (builder);
    add_result (builder, g_array_index (labels, SppnetJudgedLabel, l).objects, &results[l]);
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

static void
print_context (SppnetModel *model, const SppnetContextFit *results, const gfloat *context)
{
  guint n = sppnet_model_get_n_labels (model);

  printf ("%-16s %8s %8s  %s\n", "class", "boxes", "correct", "elsewhere in the picture, where it counts");
  for (guint l = 0; l < n; l++) {
    const gfloat *row = context + l * SPPNET_CONTEXT_COLUMNS (n);

    printf ("%-16s %8u %8u ", sppnet_model_get_label (model, l), results[l].n_boxes, results[l].n_correct);
    for (guint other = 0; other < n; other++)
      if (row[2 + other] > NOTEWORTHY || row[2 + other] < -NOTEWORTHY)
        printf (" %s %+.1f", sppnet_model_get_label (model, other), (gdouble) row[2 + other]);
    printf ("%s\n", results[l].fitted ? "" : " too few to learn from");
  }
}

static void
print_context_json (SppnetModel *model, const SppnetContextFit *results, const gfloat *context)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint n = sppnet_model_get_n_labels (model);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "classes");
  json_builder_begin_object (builder);
  for (guint l = 0; l < n; l++) {
    json_builder_set_member_name (builder, sppnet_model_get_label (model, l));
    json_builder_begin_object (builder);
    sppnet_tool_json_integer (builder, "boxes", results[l].n_boxes);
    sppnet_tool_json_integer (builder, "correct", results[l].n_correct);
    json_builder_set_member_name (builder, "fitted");
    json_builder_add_boolean_value (builder, results[l].fitted);
    json_builder_set_member_name (builder, "elsewhere");
    json_builder_begin_object (builder);
    for (guint other = 0; results[l].fitted && other < n; other++)
      sppnet_tool_json_number (builder, sppnet_model_get_label (model, other),
                               context[l * SPPNET_CONTEXT_COLUMNS (n) + 2 + other]);
    json_builder_end_object (builder);
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

static gboolean
has_objects (const GPtrArray *annotations, SppnetModel *model, GError **error)
{
  gboolean any = FALSE;

  for (guint l = 0; l < sppnet_model_get_n_labels (model); l++)
    any |= sppnet_count_objects (annotations, sppnet_model_get_label (model, l)) > 0;
  return sppnet_evaluation_has_objects (any, error);
}

static gboolean
fit_confidences (SppnetModel *model, const GArray *labels, gfloat min_objectness, guint pictures, GError **error)
{
  g_autofree SppnetCalibration *results = g_new (SppnetCalibration, labels->len + 1);

  if (!sppnet_calibrate ((const SppnetJudgedLabel *) (gpointer) labels->data, labels->len, results, error)
      || !write_model (model, results, NULL, min_objectness, pictures, error))
    return FALSE;
  (arg.json ? print_json : print_table) (model, labels, results);
  return TRUE;
}

static gboolean
fit_context (SppnetModel *model, const GArray *labels, gfloat min_objectness, guint pictures, GError **error)
{
  g_autofree gfloat *context = g_new (gfloat, labels->len * SPPNET_CONTEXT_COLUMNS (labels->len));
  g_autofree SppnetContextFit *results = g_new (SppnetContextFit, labels->len);

  if (!sppnet_context_fit ((const SppnetJudgedLabel *) (gpointer) labels->data, labels->len, context, results, error)
      || !write_model (model, NULL,
                       g_memdup2 (context, labels->len * SPPNET_CONTEXT_COLUMNS (labels->len) * sizeof *context),
                       min_objectness, pictures, error))
    return FALSE;
  (arg.json ? print_context_json : print_context) (model, results, context);
  return TRUE;
}

static gboolean
calibrate (const SppnetEvaluation *evaluation, const SppnetSettings *settings, GError **error)
{
  g_autoptr (SppnetModel) model = sppnet_arguments_load_model (&detector_arguments, error);
  g_autoptr (GPtrArray) boxes = NULL;
  g_autoptr (GArray) labels = NULL;

  if (!model)
    return FALSE;
  if (arg.context && sppnet_model_get_config (model)->context) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s has a context already: it is learnt from confidences without one", sppnet_model_get_name (model));
    return FALSE;
  }
  if (arg.context && sppnet_model_get_n_labels (model) > SPPNET_MAX_CONTEXT_LABELS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s has %u labels: a context is for at most %d",
                 sppnet_model_get_name (model), sppnet_model_get_n_labels (model), SPPNET_MAX_CONTEXT_LABELS);
    return FALSE;
  }
  sppnet_evaluation_note_unknown_labels (evaluation, model);
  if (!has_objects (evaluation->annotations, model, error))
    return FALSE;
  boxes = sppnet_evaluation_detect (evaluation, model, settings, error);
  if (!boxes)
    return FALSE;
  labels = judge (evaluation->annotations, model, boxes);
  return (arg.context ? fit_context : fit_confidences) (model, labels, settings->min_objectness,
                                                        evaluation->annotations->len, error);
}

int
sppnet_tool_calibrate (int argc, char **argv)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;
  SppnetSettings settings = { 0 };
  SppnetEvaluation evaluation;

  if (!parse (argc, argv, &settings, &error)
      || !(annotations = sppnet_evaluation_annotations (&picture_arguments, arg.limit, &error)))
    return sppnet_tool_report (error);
  evaluation = (SppnetEvaluation) { annotations, arg.json, isatty (STDERR_FILENO), g_get_monotonic_time () };
  if (!calibrate (&evaluation, &settings, &error)) {
    sppnet_evaluation_end (&evaluation);
    return sppnet_tool_report (error);
  }
  return SPPNET_TOOL_DONE;
}
