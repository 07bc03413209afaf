/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>

#include "json.h"
#include "proposals.h"

#define NOT_GIVEN G_MININT

static struct
{
  gchar *method;
  SppnetDetectorArguments model;
  gint max_proposals, threads;
  gint64 seed;
  gboolean json;
  gchar **images;
} arg = { .max_proposals = NOT_GIVEN };

static const GOptionEntry entries[] = {
  { "method", 0, 0, G_OPTION_ARG_STRING, &arg.method,
    "selective-search (default), selective-search-quality, edge-boxes, grid, rpn or auto", "METHOD" },
  { "model", 'm', 0, G_OPTION_ARG_FILENAME, &arg.model.model, "Model of rpn and auto (default: the installed one)",
    "FILE" },
  { "max-proposals", 0, 0, G_OPTION_ARG_INT, &arg.max_proposals,
    "At most this many per picture (default: 2000; rpn: the model's)", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &arg.threads, "Threads to use (default: all processors)", "N" },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &arg.seed, "Seed of the ranking (default: 0)", "N" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "One line of JSON per picture", NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.images, NULL, "IMAGE..." },
  { NULL },
};

static gboolean
parse (int argc, char **argv, SppnetProposals *method, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Lists the regions that a method proposes, best first: x y width height, in pixels.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error)
      || (arg.max_proposals != NOT_GIVEN
          && !sppnet_check_integer ("max-proposals", arg.max_proposals, 1, SPPNET_MAX_PROPOSALS, error))
      || !sppnet_check_integer ("threads", arg.threads, 0, 1024, error)
      || !sppnet_check_integer ("seed", arg.seed, 0, G_MAXUINT32, error)
      || !sppnet_check_method ("method", arg.method ? arg.method : "selective-search", method, error))
    return FALSE;
  if (*method == SPPNET_PROPOSALS_DEFAULT || *method == SPPNET_PROPOSALS_REGIONS)
    return sppnet_usage_error (error, "--method: \"%s\" proposes nothing by itself", arg.method);
  return arg.images || sppnet_usage_error (error, "no picture is given");
}

static void
print (const gchar *image, const SppnetToolTime *time, const SppnetBox *boxes, gsize n)
{
  if (arg.json) {
    g_autoptr (JsonBuilder) builder = json_builder_new ();

    json_builder_begin_object (builder);
    sppnet_tool_json_file (builder, "image", image);
    sppnet_tool_json_number (builder, "ms", time->ms);
    sppnet_tool_json_number (builder, "cpu_ms", time->cpu_ms);
    json_builder_set_member_name (builder, "boxes");
    json_builder_begin_array (builder);
    for (gsize i = 0; i < n; i++)
      sppnet_tool_json_box (builder, &boxes[i]);
    json_builder_end_array (builder);
    json_builder_end_object (builder);
    sppnet_tool_json_print (builder);
    return;
  }
  printf ("%s: %" G_GSIZE_FORMAT " boxes in %.1f ms\n", image, n, time->ms);
  for (gsize i = 0; i < n; i++)
    printf ("  %g %g %g %g\n", (gdouble) boxes[i].x, (gdouble) boxes[i].y, (gdouble) boxes[i].width,
            (gdouble) boxes[i].height);
  fflush (stdout);
}

static gboolean
propose (SppnetToolProposals *proposals, const gchar *image, GError **error)
{
  g_auto (SppnetPicture) picture = { 0 };
  const SppnetBox *boxes;
  SppnetToolTime time;
  gsize n;

  if (!sppnet_picture_load_upright (&picture, image, error))
    return FALSE;
  if (!sppnet_tool_proposals_run (proposals, &picture, (guint) MAX (arg.max_proposals, 0), (guint32) arg.seed,
                                  (guint) arg.threads, &boxes, &n, &time, error)) {
    g_prefix_error (error, "%s: ", image);
    return FALSE;
  }
  print (image, &time, boxes, n);
  return TRUE;
}

int
sppnet_tool_propose (int argc, char **argv)
{
  g_autoptr (SppnetToolProposals) proposals = NULL;
  g_autoptr (GError) error = NULL;
  SppnetProposals method = SPPNET_PROPOSALS_DEFAULT;
  int status = SPPNET_TOOL_DONE;

  if (!parse (argc, argv, &method, &error)
      || !(proposals = sppnet_tool_proposals_new (method, &arg.model, SPPNET_PRECISION_DEFAULT, &error)))
    return sppnet_tool_report (error);
  for (gchar **image = arg.images; *image; image++) {
    g_autoptr (GError) reason = NULL;

    if (!propose (proposals, *image, &reason)) {
      sppnet_tool_report (reason);
      status = SPPNET_TOOL_FAILED;
    }
  }
  return status;
}
