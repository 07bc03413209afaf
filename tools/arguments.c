/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arguments.h"

#include <math.h>

#include "names.h"
#include "tools.h"

#define DEFAULT_SPLIT_SEED 1

void
sppnet_arguments_add (GOptionContext *context, SppnetDetectorArguments *arguments)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &arguments->model, "Model file (default: the installed one)", "FILE" },
    { "max-proposals", 0, 0, G_OPTION_ARG_INT, &arguments->max_proposals,
      "At most this many proposals per picture (default: the model's, or its region proposal network's; of another "
      "method 2000)",
      "N" },
    { "min-objectness", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->min_objectness,
      "Proposals of a region proposal network below this are not scored, 0..1 (default: the model's)", "X" },
    { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &arguments->threshold,
      "Lowest confidence reported, 0..1 (default: the model's, per class)", "T" },
    { "nms-threshold", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->nms_threshold,
      "Overlap above which the weaker of two boxes of a class is dropped, 0..1 (default: the model's)", "T" },
    { "agnostic-nms-threshold", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->agnostic_nms_threshold,
      "Overlap above which the weaker of two boxes of any classes is dropped, 0..1 (default: 0, not)", "T" },
    { "reduction", 0, 0, G_OPTION_ARG_INT, &arguments->reduction,
      "Look at pictures reduced by this whole factor, 1 to 16 (default: 1, as they are)", "N" },
    { "labels", 0, 0, G_OPTION_ARG_STRING, &arguments->labels, "Only these labels (default: all)", "NAME,NAME,..." },
    { "threads", 0, 0, G_OPTION_ARG_INT, &arguments->threads, "Threads to use (default: all processors)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &arguments->seed, "Seed of everything random (default: 0)", "N" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &arguments->precision,
      "float32 (default), or bfloat16 where the processor has AVX512_BF16", "KIND" },
    { NULL },
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

void
sppnet_arguments_add_proposals (GOptionContext *context, SppnetDetectorArguments *arguments, const gchar *name)
{
  const GOptionEntry entries[] = {
    { name, 0, 0, G_OPTION_ARG_STRING, &arguments->proposals,
      "Regions to score: selective-search, selective-search-quality, edge-boxes, grid, regions, rpn or auto (default: "
      "the model's)",
      "METHOD" },
    { NULL },
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

void
sppnet_arguments_add_pictures (GOptionContext *context, SppnetPictureArguments *arguments)
{
  const GOptionEntry entries[] = {
    { "voc", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->sets.voc,
      "Folder with Annotations, ImageSets/Main and JPEGImages; may be given more than once", "DIR" },
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arguments->sets.sets,
      "Image set of the folder before it (default: all annotations)", "NAME" },
    { "coco", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->sets.coco,
      "Pictures and objects as COCO's JSON; may be given more than once", "FILE" },
    { "images", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->sets.images,
      "Folder of the pictures of the COCO file before it (default: the file's)", "DIR" },
    { "validation", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->validation,
      "Part of the pictures, chosen at random, that train leaves out and evaluate takes (default: 0, no choice)", "X" },
    { "split-seed", 0, 0, G_OPTION_ARG_INT64, &arguments->split_seed, "Seed of that choice (default: 1)", "N" },
    { NULL },
  };

  arguments->split_seed = DEFAULT_SPLIT_SEED;
  g_option_context_add_main_entries (context, entries, NULL);
}

static guint
count (gchar **names)
{
  return names ? g_strv_length (names) : 0;
}

gboolean
sppnet_arguments_check_pictures (const SppnetPictureArguments *arguments, GError **error)
{
  const SppnetPictureSets *sets = &arguments->sets;

  if (!sets->voc && !sets->coco)
    return sppnet_usage_error (error, "give --voc DIR or --coco FILE");
  if (sets->sets && count (sets->sets) != count (sets->voc))
    return sppnet_usage_error (error, "give --set NAME once for each --voc DIR, or not at all");
  if (sets->images && count (sets->images) != count (sets->coco))
    return sppnet_usage_error (error, "give --images DIR once for each --coco FILE, or not at all");
  if (arguments->split_seed != DEFAULT_SPLIT_SEED && arguments->validation == 0)
    return sppnet_usage_error (error, "--split-seed needs --validation");
  return sppnet_check_number ("validation", arguments->validation, 0, 0.9, error)
         && sppnet_check_integer ("split-seed", arguments->split_seed, 0, G_MAXUINT32, error);
}

gboolean
sppnet_usage_error (GError **error, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list list;

  va_start (list, format);
  text = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
  return FALSE;
}

gboolean
sppnet_check_integer (const gchar *option, gint64 value, gint64 lowest, gint64 highest, GError **error)
{
  return (value >= lowest && value <= highest)
         || sppnet_usage_error (error,
                                "--%s: %" G_GINT64_FORMAT " is not within %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                option, value, lowest, highest);
}

gboolean
sppnet_check_number (const gchar *option, gdouble value, gdouble lowest, gdouble highest, GError **error)
{
  /* Written so that NaN is refused. */
  return (value >= lowest && value <= highest)
         || sppnet_usage_error (error, "--%s: %g is not within %g to %g", option, value, lowest, highest);
}

gboolean
sppnet_check_method (const gchar *option, const gchar *nick, SppnetProposals *method, GError **error)
{
  return sppnet_proposals_from_nick (nick, method)
         || sppnet_usage_error (
             error,
             "--%s: \"%s\" is none of selective-search, selective-search-quality, edge-boxes, grid, regions, rpn, auto",
             option, nick);
}

gboolean
sppnet_check_size (const gchar *option, const gchar *text, gint *width, gint *height, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, "x", -1);
  gint64 number[2];

  if (g_strv_length (words) != 2 || !g_ascii_string_to_signed (words[0], 10, 1, SPPNET_FRAME_MAX_SIZE, &number[0], NULL)
      || !g_ascii_string_to_signed (words[1], 10, 1, SPPNET_FRAME_MAX_SIZE, &number[1], NULL))
    return sppnet_usage_error (error, "--%s: \"%s\" is not WIDTHxHEIGHT with numbers from 1 to %d", option, text,
                               SPPNET_FRAME_MAX_SIZE);
  *width = (gint) number[0];
  *height = (gint) number[1];
  return TRUE;
}

gboolean
sppnet_check_box (const gchar *option, const gchar *text, SppnetBox *box, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  gdouble number[4];
  gboolean valid = g_strv_length (words) == 4;

  for (gint i = 0; valid && i < 4; i++) {
    gchar *end;

    number[i] = g_ascii_strtod (words[i], &end);
    /* Far outside any picture, and exact as a float. */
    valid = end != words[i] && *end == '\0' && fabs (number[i]) <= 1e6;
  }
  if (!valid || !(number[2] > 0) || !(number[3] > 0))
    return sppnet_usage_error (error, "--%s: \"%s\" is not X,Y,WIDTH,HEIGHT in pixels", option, text);
  *box = (SppnetBox) { (gfloat) number[0], (gfloat) number[1], (gfloat) number[2], (gfloat) number[3] };
  return TRUE;
}

gboolean
sppnet_arguments_check (SppnetDetectorArguments *arguments, SppnetSettings *settings, GError **error)
{
  if (!sppnet_check_integer ("max-proposals", arguments->max_proposals, 0, SPPNET_MAX_PROPOSALS, error)
      || !sppnet_check_number ("min-objectness", arguments->min_objectness, 0, 1, error)
      || !sppnet_check_number ("threshold", arguments->threshold, 0, 1, error)
      || !sppnet_check_number ("nms-threshold", arguments->nms_threshold, 0, 1, error)
      || !sppnet_check_number ("agnostic-nms-threshold", arguments->agnostic_nms_threshold, 0, 1, error)
      || !sppnet_check_integer ("reduction", arguments->reduction, 0, SPPNET_MAX_REDUCTION, error)
      || !sppnet_check_integer ("threads", arguments->threads, 0, 1024, error)
      || !sppnet_check_integer ("seed", arguments->seed, 0, G_MAXUINT32, error)
      || (arguments->proposals
          && !sppnet_check_method ("proposals", arguments->proposals, &settings->proposals, error)))
    return FALSE;
  if (arguments->precision && !sppnet_precision_from_nick (arguments->precision, &settings->precision))
    return sppnet_usage_error (error, "--precision: \"%s\" is neither float32 nor bfloat16", arguments->precision);
  settings->max_proposals = (guint) arguments->max_proposals;
  settings->min_objectness = (gfloat) arguments->min_objectness;
  settings->threshold = (gfloat) arguments->threshold;
  settings->nms_threshold = (gfloat) arguments->nms_threshold;
  settings->agnostic_nms_threshold = (gfloat) arguments->agnostic_nms_threshold;
  settings->reduction = (guint) arguments->reduction;
  settings->threads = (guint) arguments->threads;
  settings->seed = (guint32) arguments->seed;
  if (arguments->labels) {
    arguments->label_list = sppnet_names_split (arguments->labels);
    settings->labels = (const gchar *const *) arguments->label_list;
  }
  return TRUE;
}

SppnetModel *
sppnet_arguments_load_model (const SppnetDetectorArguments *arguments, GError **error)
{
  g_autofree gchar *path = arguments->model ? g_strdup (arguments->model) : sppnet_model_get_default_path (error);

  return path ? sppnet_model_load (path, error) : NULL;
}

gboolean
sppnet_arguments_parse (GOptionContext *context, int argc, char **argv, GError **error)
{
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  return argc <= 1 || sppnet_usage_error (error, "\"%s\" is one argument too many", argv[1]);
}

int
sppnet_tool_report (const GError *error)
{
  gboolean usage = error->domain == G_OPTION_ERROR || g_error_matches (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);

  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return usage ? SPPNET_TOOL_USAGE : SPPNET_TOOL_FAILED;
}
