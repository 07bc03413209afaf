/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "base/cpu.h"
#include "base/random.h"
#include "base/threads.h"
#include "detect/settings.h"
#include "frame/picture.h"
#include "json.h"
#include "rcnn.h"
#include "texture.h"

/* As many as Selective Search gives R-CNN. */
#define RCNN_REGIONS 2000

#define NOT_GIVEN G_MININT

static SppnetDetectorArguments detector_arguments;

static struct
{
  gchar *size, *image;
  gint regions, repeat;
  gboolean json, rcnn;
} arg = { .regions = NOT_GIVEN, .repeat = 10 };

static const GOptionEntry entries[] = {
  { "size", 's', 0, G_OPTION_ARG_STRING, &arg.size, "Size of the made-up frame (default: 640x480)", "WxH" },
  { "image", 0, 0, G_OPTION_ARG_FILENAME, &arg.image, "Use this picture instead", "FILE" },
  { "regions", 'r', 0, G_OPTION_ARG_INT, &arg.regions, "Score exactly this many made-up regions instead of proposals",
    "N" },
  { "repeat", 0, 0, G_OPTION_ARG_INT, &arg.repeat, "Runs to take the medians of, after one to warm up (default: 10)",
    "N" },
  { "rcnn", 0, 0, G_OPTION_ARG_NONE, &arg.rcnn,
    "Compare with R-CNN on the same engine: each region (default: 2000) warped to 227x227 and run alone", NULL },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "JSON instead of a table", NULL },
  { NULL },
};

static gboolean
parse (int argc, char **argv, SppnetSettings *settings, gint *width, gint *height, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Times the stages of the detector: medians over repeated runs, in milliseconds.");
  g_option_context_add_main_entries (context, entries, NULL);
  sppnet_arguments_add (context, &detector_arguments);
  sppnet_arguments_add_proposals (context, &detector_arguments, "proposals");
  if (!sppnet_arguments_parse (context, argc, argv, error)
      || !sppnet_arguments_check (&detector_arguments, settings, error)
      || (arg.regions != NOT_GIVEN && !sppnet_check_integer ("regions", arg.regions, 1, 100000, error))
      || !sppnet_check_integer ("repeat", arg.repeat, 1, 100000, error)
      || !sppnet_check_size ("size", arg.size ? arg.size : "640x480", width, height, error))
    return FALSE;
  if (arg.size && arg.image)
    return sppnet_usage_error (error, "--size and --image exclude each other");
  if (arg.rcnn && detector_arguments.proposals)
    return sppnet_usage_error (error, "--rcnn and --proposals exclude each other");
  if (arg.rcnn && arg.regions < 0)
    arg.regions = RCNN_REGIONS;
  if (arg.regions >= 0 && detector_arguments.proposals && settings->proposals != SPPNET_PROPOSALS_REGIONS)
    return sppnet_usage_error (error, "--regions and --proposals exclude each other");
  if (arg.regions >= 0)
    settings->proposals = SPPNET_PROPOSALS_REGIONS;
  return TRUE;
}

/* Regions of all sizes and shapes inside the frame. [n] */
static SppnetBox *
create_regions (gsize n, gint width, gint height, guint32 seed)
{
  SppnetBox *boxes = g_new (SppnetBox, n + 1);
  SppnetRandom random = { seed };

  for (gsize i = 0; i < n; i++) {
    guint32 w = 1 + sppnet_random_below (&random, (guint32) width),
            h = 1 + sppnet_random_below (&random, (guint32) height);

    boxes[i].x = (gfloat) sppnet_random_below (&random, (guint32) width - w + 1);
    boxes[i].y = (gfloat) sppnet_random_below (&random, (guint32) height - h + 1);
    boxes[i].width = (gfloat) w;
    boxes[i].height = (gfloat) h;
  }
  return boxes;
}

static int
compare_numbers (const void *a, const void *b)
{
  gdouble p = *(const gdouble *) a, q = *(const gdouble *) b;

  return (p > q) - (p < q);
}

/* values: [n], sorted in place */
static gdouble
median (gdouble *values, guint n)
{
  qsort (values, n, sizeof *values, compare_numbers);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* runs: [n] */
static SppnetTimings
medians (const SppnetTimings *runs, guint n)
{
  static const gsize fields[] = {
    G_STRUCT_OFFSET (SppnetTimings, frame_ms),     G_STRUCT_OFFSET (SppnetTimings, backbone_ms),
    G_STRUCT_OFFSET (SppnetTimings, proposals_ms), G_STRUCT_OFFSET (SppnetTimings, pooling_ms),
    G_STRUCT_OFFSET (SppnetTimings, head_ms),      G_STRUCT_OFFSET (SppnetTimings, box_ms),
    G_STRUCT_OFFSET (SppnetTimings, total_ms),
  };
  g_autofree gdouble *values = g_new (gdouble, n);
  SppnetTimings result = { .regions = runs[0].regions };

  for (gsize f = 0; f < G_N_ELEMENTS (fields); f++) {
    for (guint i = 0; i < n; i++)
      values[i] = G_STRUCT_MEMBER (gdouble, &runs[i], fields[f]);
    G_STRUCT_MEMBER (gdouble, &result, fields[f]) = median (values, n);
  }
  return result;
}

/* What was measured: an object with these members is open. */
static JsonBuilder *
begin_json (const gchar *size, guint threads, SppnetPrecision precision, guint regions)
{
  JsonBuilder *builder = json_builder_new ();

  json_builder_begin_object (builder);
  sppnet_tool_json_string (builder, "size", size);
  sppnet_tool_json_integer (builder, "threads", threads);
  sppnet_tool_json_string (builder, "isa", sppnet_isa_name (sppnet_cpu_isa ()));
  sppnet_tool_json_string (builder, "precision",
                           sppnet_precision_to_nick (precision ? precision : SPPNET_PRECISION_FLOAT32));
  sppnet_tool_json_integer (builder, "regions", regions);
  sppnet_tool_json_integer (builder, "runs", arg.repeat);
  return builder;
}

static void
print_heading (const gchar *size, guint threads, guint regions)
{
  printf ("%s, %u regions, %u thread%s, %s, median of %d runs\n", size, regions, threads, threads == 1 ? "" : "s",
          sppnet_isa_name (sppnet_cpu_isa ()), arg.repeat);
}

static void
print (gint width, gint height, guint threads, SppnetPrecision precision, const SppnetTimings *timings)
{
  g_autofree gchar *size = g_strdup_printf ("%dx%d", width, height);
  g_autoptr (JsonBuilder) builder = NULL;

  if (!arg.json) {
    print_heading (size, threads, timings->regions);
    printf ("  frame      %9.2f ms\n  backbone   %9.2f ms\n  proposals  %9.2f ms\n  pooling    %9.2f ms\n"
            "  head       %9.2f ms\n  box        %9.2f ms\n  total      %9.2f ms\n",
            timings->frame_ms, timings->backbone_ms, timings->proposals_ms, timings->pooling_ms, timings->head_ms,
            timings->box_ms, timings->total_ms);
    return;
  }
  builder = begin_json (size, threads, precision, timings->regions);
  json_builder_set_member_name (builder, "stages");
  sppnet_tool_json_timings (builder, timings);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

static void
print_rcnn (gint width, gint height, guint threads, SppnetPrecision precision, const SppnetTimings *sppnet,
            const SppnetTimings *rcnn)
{
  g_autofree gchar *size = g_strdup_printf ("%dx%d", width, height);
  gdouble ratio = rcnn->total_ms / sppnet->total_ms;
  g_autoptr (JsonBuilder) builder = NULL;

  if (!arg.json) {
    print_heading (size, threads, sppnet->regions);
    printf ("                SPPNet         R-CNN, one run\n");
    printf ("  frame      %9.2f ms  %12.2f ms\n", sppnet->frame_ms, rcnn->frame_ms);
    printf ("  backbone   %9.2f ms  %12.2f ms\n", sppnet->backbone_ms, rcnn->backbone_ms);
    printf ("  pooling    %9.2f ms  %12.2f ms\n", sppnet->pooling_ms, rcnn->pooling_ms);
    printf ("  head       %9.2f ms  %12.2f ms\n", sppnet->head_ms, rcnn->head_ms);
    printf ("  total      %9.2f ms  %12.2f ms\n", sppnet->total_ms, rcnn->total_ms);
    printf ("  R-CNN takes %.1f times as long\n", ratio);
    return;
  }
  builder = begin_json (size, threads, precision, sppnet->regions);
  json_builder_set_member_name (builder, "sppnet");
  sppnet_tool_json_timings (builder, sppnet);
  json_builder_set_member_name (builder, "rcnn");
  sppnet_tool_json_timings (builder, rcnn);
  sppnet_tool_json_number (builder, "ratio", ratio);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

/* R-CNN takes seconds, so it runs once; many equal steps are their own repetition. */
static gboolean
run_rcnn (SppnetModel *model, const SppnetPicture *picture, const SppnetSettings *settings, GError **error)
{
  gsize n = (gsize) arg.regions;
  guint threads = sppnet_threads_budget (settings->threads);
  g_autofree SppnetBox *regions = create_regions (n, picture->width, picture->height, settings->seed);
  g_autofree SppnetTimings *runs = g_new (SppnetTimings, arg.repeat + 1);
  g_autoptr (SppnetRcnn) rcnn = sppnet_check_precision (settings->precision, error)
                                    ? sppnet_rcnn_new (model, picture, regions, n, threads, settings->precision, error)
                                    : NULL;
  SppnetTimings sppnet, slow;

  if (!rcnn)
    return FALSE;
  for (gint i = 0; i <= arg.repeat; i++)
    if (!sppnet_rcnn_run_sppnet (rcnn, &runs[i], error))
      return FALSE;
  if (!sppnet_rcnn_run_rcnn (rcnn, &slow, error))
    return FALSE;
  sppnet = medians (runs + 1, (guint) arg.repeat);
  print_rcnn (picture->width, picture->height, threads, settings->precision, &sppnet, &slow);
  return TRUE;
}

static gboolean
run (SppnetDetector *detector, const SppnetPicture *picture, const SppnetSettings *settings, GError **error)
{
  gsize n_regions = (gsize) MAX (arg.regions, 0);
  g_autofree SppnetBox *regions = create_regions (n_regions, picture->width, picture->height, settings->seed);
  g_autofree SppnetTimings *runs = g_new (SppnetTimings, arg.repeat + 1);
  SppnetFrame frame = sppnet_picture_frame (picture);
  SppnetTimings result;

  for (gint i = 0; i <= arg.repeat; i++) {
    const SppnetDetection *found;
    gsize n;

    if (!sppnet_detector_run (detector, &frame, regions, n_regions, &found, &n, error))
      return FALSE;
    runs[i] = *sppnet_detector_get_timings (detector);
  }
  result = medians (runs + 1, (guint) arg.repeat);
  print (picture->width, picture->height, sppnet_threads_budget (settings->threads), settings->precision, &result);
  return TRUE;
}

int
sppnet_tool_bench (int argc, char **argv)
{
  g_auto (SppnetPicture) picture = { 0 };
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetDetector) detector = NULL;
  g_autoptr (GError) error = NULL;
  SppnetSettings settings = { 0 };
  gint width, height;

  if (!parse (argc, argv, &settings, &width, &height, &error))
    return sppnet_tool_report (error);
  if (!arg.image)
    sppnet_texture_fill (&picture, width, height, settings.seed);
  else if (!sppnet_picture_load_upright (&picture, arg.image, &error))
    return sppnet_tool_report (error);
  if (!(model = sppnet_arguments_load_model (&detector_arguments, &error)))
    return sppnet_tool_report (error);
  if (arg.rcnn)
    return run_rcnn (model, &picture, &settings, &error) ? SPPNET_TOOL_DONE : sppnet_tool_report (error);
  if (!(detector = sppnet_detector_new (model, &settings, &error)) || !run (detector, &picture, &settings, &error))
    return sppnet_tool_report (error);
  return SPPNET_TOOL_DONE;
}
