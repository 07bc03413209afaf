/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "evaluate/sets.h"

/* What the subcommands share of reading a command line. Mistakes are errors in G_OPTION_ERROR or
 * SPPNET_ERROR_SETTINGS: sppnet_tool_report() gives them the exit status of usage. */

/* The options of a detector, as they are given. { 0 } before parsing. */
typedef struct
{
  gchar *model, *proposals, *labels, *precision;
  gint max_proposals, reduction, threads;
  gint64 seed;
  gdouble min_objectness, threshold, nms_threshold, agnostic_nms_threshold;
  gchar **label_list; /* labels, split at commas */
} SppnetDetectorArguments;

/* Adds --model, --max-proposals, --min-objectness, --threshold, --nms-threshold, --agnostic-nms-threshold,
 * --reduction, --labels, --threads, --seed, --precision. */
void sppnet_arguments_add (GOptionContext *context, SppnetDetectorArguments *arguments);
/* Adds --NAME METHOD for arguments->proposals. */
void sppnet_arguments_add_proposals (GOptionContext *context, SppnetDetectorArguments *arguments, const gchar *name);
/* Checks them and fills in settings, which borrow from arguments. */
gboolean sppnet_arguments_check (SppnetDetectorArguments *arguments, SppnetSettings *settings, GError **error);
/* The model that --model names, or the default one. */
SppnetModel *sppnet_arguments_load_model (const SppnetDetectorArguments *arguments, GError **error);

/* Annotated pictures, as they are named on a command line. { 0 } before parsing. */
typedef struct
{
  SppnetPictureSets sets;
  gdouble validation;
  gint64 split_seed;
} SppnetPictureArguments;

/* Adds --voc, --set, --coco, --images, --validation, --split-seed. */
void sppnet_arguments_add_pictures (GOptionContext *context, SppnetPictureArguments *arguments);
gboolean sppnet_arguments_check_pictures (const SppnetPictureArguments *arguments, GError **error);

/* The checks: the option's name without dashes, and the value. */
gboolean sppnet_check_integer (const gchar *option, gint64 value, gint64 lowest, gint64 highest, GError **error);
gboolean sppnet_check_number (const gchar *option, gdouble value, gdouble lowest, gdouble highest, GError **error);
gboolean sppnet_check_method (const gchar *option, const gchar *nick, SppnetProposals *method, GError **error);
/* "640x480" */
gboolean sppnet_check_size (const gchar *option, const gchar *text, gint *width, gint *height, GError **error);
/* "X,Y,W,H" */
gboolean sppnet_check_box (const gchar *option, const gchar *text, SppnetBox *box, GError **error);

/* Sets G_OPTION_ERROR_BAD_VALUE; FALSE. */
gboolean sppnet_usage_error (GError **error, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* Parses all of argv; arguments that are not options are an error unless the context has G_OPTION_REMAINING. */
gboolean sppnet_arguments_parse (GOptionContext *context, int argc, char **argv, GError **error);

/* Prints the error after the program's name and returns the exit status for it. */
int sppnet_tool_report (const GError *error);
