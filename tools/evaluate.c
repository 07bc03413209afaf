/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate.h"

#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "base/file.h"
#include "names.h"
#include "overlay.h"
#include "tools.h"

static SppnetDetectorArguments detector_arguments;
static SppnetPictureArguments picture_arguments;

static struct
{
  gchar *proposals, *mean_of, *mistakes;
  gint limit;
  gboolean json;
} arg;

static const GOptionEntry entries[] = {
  { "proposals", 0, 0, G_OPTION_ARG_STRING, &arg.proposals,
    "Evaluate the proposals of this method instead of a model: selective-search, selective-search-quality, edge-boxes, "
    "grid, rpn or "
    "auto (the last two with a model)",
    "METHOD" },
  { "mean-of", 0, 0, G_OPTION_ARG_STRING, &arg.mean_of, "Give the mean over these labels, too", "NAME,NAME,..." },
  { "mistakes", 0, 0, G_OPTION_ARG_FILENAME, &arg.mistakes, "Draw the worst mistakes into this picture", "FILE.png" },
  { "limit", 0, 0, G_OPTION_ARG_INT, &arg.limit, "Only the first N pictures (default: all)", "N" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "JSON instead of a table", NULL },
  { NULL },
};

static gboolean
parse (int argc, char **argv, SppnetSettings *settings, SppnetProposals *method, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context,
      "Average precision of a model, or with --proposals the recall of region proposals, on annotated pictures.");
  g_option_context_add_main_entries (context, entries, NULL);
  sppnet_arguments_add_pictures (context, &picture_arguments);
  sppnet_arguments_add (context, &detector_arguments);
  sppnet_arguments_add_proposals (context, &detector_arguments, "method");
  if (!sppnet_arguments_parse (context, argc, argv, error)
      || !sppnet_arguments_check (&detector_arguments, settings, error)
      || !sppnet_check_integer ("limit", arg.limit, 0, G_MAXINT, error)
      || !sppnet_arguments_check_pictures (&picture_arguments, error))
    return FALSE;
  if (arg.mistakes
      && (!sppnet_overlay_check ("mistakes", arg.mistakes, error) || !sppnet_file_check_writable (arg.mistakes, error)))
    return FALSE;
  if (!arg.proposals)
    return TRUE;
  if (arg.mistakes || arg.mean_of)
    return sppnet_usage_error (error, "%s those of a model, not of --proposals",
                               arg.mistakes ? "--mistakes are" : "--mean-of: precisions are");
  if (detector_arguments.proposals || settings->threshold > 0 || settings->nms_threshold > 0
      || settings->agnostic_nms_threshold > 0 || settings->reduction > 0)
    return sppnet_usage_error (
        error, "--method, --threshold, --nms-threshold, --agnostic-nms-threshold and --reduction are for a"
               " detector: they have no meaning with --proposals");
  if (!sppnet_check_method ("proposals", arg.proposals, method, error))
    return FALSE;
  return (*method != SPPNET_PROPOSALS_DEFAULT && *method != SPPNET_PROPOSALS_REGIONS)
         || sppnet_usage_error (error, "--proposals: \"%s\" proposes nothing by itself", arg.proposals);
}

GPtrArray *
sppnet_evaluation_annotations (const SppnetPictureArguments *pictures, gint limit, GError **error)
{
  GPtrArray *all = sppnet_picture_sets_load (&pictures->sets, error);

  if (all && pictures->validation > 0)
    all = sppnet_picture_sets_split (all, pictures->validation, (guint32) pictures->split_seed, TRUE);
  if (all && limit > 0 && (guint) limit < all->len)
    g_ptr_array_set_size (all, (guint) limit);
  return all;
}

gboolean
sppnet_evaluation_load (const SppnetEvaluation *evaluation, guint i, SppnetPicture *picture, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (evaluation->annotations, i);

  if (evaluation->terminal) {
    gint64 spent = g_get_monotonic_time () - evaluation->start;
    gint left = i > 0 ? (gint) (spent / i * (evaluation->annotations->len - i) / G_USEC_PER_SEC) : 0;

    fprintf (stderr, "\r\033[K%u of %u pictures, %d:%02d left", i, evaluation->annotations->len, left / 60, left % 60);
  }
  return sppnet_picture_load_sized (picture, annotation->picture, annotation->width, annotation->height, error);
}

void
sppnet_evaluation_end (const SppnetEvaluation *evaluation)
{
  if (evaluation->terminal)
    fputs ("\r\033[K", stderr);
}

gboolean
sppnet_evaluation_has_objects (gboolean any, GError **error)
{
  if (!any)
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                         "the pictures have no object of any label that is evaluated");
  return any;
}

void
sppnet_evaluation_note_unknown_labels (const SppnetEvaluation *evaluation, SppnetModel *model)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint l = 0; l < sppnet_model_get_n_labels (model); l++)
    g_hash_table_add (known, (gpointer) sppnet_model_get_label (model, l));
  for (guint i = 0; i < evaluation->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (evaluation->annotations, i);

    for (guint j = 0; j < annotation->objects->len; j++) {
      gchar *label = g_array_index (annotation->objects, SppnetObject, j).label;

      if (g_hash_table_add (known, label))
        g_printerr ("%s: the model has no label \"%s\"; its objects are left out\n", g_get_prgname (), label);
    }
  }
}

static gboolean
evaluate_model (const SppnetEvaluation *evaluation, SppnetSettings *settings, GError **error)
{
  g_autoptr (SppnetModel) model = sppnet_arguments_load_model (&detector_arguments, error);
  g_auto (GStrv) mean_of = arg.mean_of ? sppnet_names_split (arg.mean_of) : NULL;

  if (!model)
    return FALSE;
  if (settings->threshold <= 0)
    settings->threshold = SPPNET_EVALUATION_THRESHOLD;
  settings->max_detections = SPPNET_EVALUATION_DETECTIONS;
  return sppnet_evaluate_detections (evaluation, model, settings, (const gchar *const *) mean_of, error);
}

int
sppnet_tool_evaluate (int argc, char **argv)
{
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;
  SppnetSettings settings = { 0 };
  SppnetProposals method = SPPNET_PROPOSALS_DEFAULT;
  SppnetEvaluation evaluation;

  if (!parse (argc, argv, &settings, &method, &error)
      || !(annotations = sppnet_evaluation_annotations (&picture_arguments, arg.limit, &error)))
    return sppnet_tool_report (error);
  evaluation
      = (SppnetEvaluation) { annotations, arg.json, isatty (STDERR_FILENO), g_get_monotonic_time (), arg.mistakes };
  if (!(arg.proposals ? sppnet_evaluate_proposals (&evaluation, method, &detector_arguments, &settings, &error)
                      : evaluate_model (&evaluation, &settings, &error))) {
    sppnet_evaluation_end (&evaluation);
    return sppnet_tool_report (error);
  }
  return SPPNET_TOOL_DONE;
}
