/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <glib/gstdio.h>
#include <stdio.h>

#include "arguments.h"
#include "json.h"
#include "overlay.h"

static SppnetDetectorArguments detector_arguments;

static struct
{
  gboolean json, timings;
  gchar *overlay;
  gchar **regions, **images;
} arg;

static const GOptionEntry entries[] = {
  { "regions", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &arg.regions,
    "Score this region too, in pixels; may be given more than once", "X,Y,W,H" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "One line of JSON per picture", NULL },
  { "overlay", 'o', 0, G_OPTION_ARG_FILENAME, &arg.overlay,
    "Write the picture with boxes; of several, %d is the number, or -2, -3, ... is added", "FILE.png" },
  { "timings", 0, 0, G_OPTION_ARG_NONE, &arg.timings, "How long each stage took", NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.images, NULL, "IMAGE..." },
  { NULL },
};

static gboolean
parse_regions (GArray *regions, GError **error)
{
  for (gchar **text = arg.regions; text && *text; text++) {
    SppnetBox box;

    if (!sppnet_check_box ("regions", *text, &box, error))
      return FALSE;
    g_array_append_val (regions, box);
  }
  return TRUE;
}

static gboolean
parse (int argc, char **argv, SppnetSettings *settings, GArray *regions, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Finds objects in JPEG and PNG pictures, at their own resolution.");
  g_option_context_add_main_entries (context, entries, NULL);
  sppnet_arguments_add (context, &detector_arguments);
  sppnet_arguments_add_proposals (context, &detector_arguments, "proposals");
  if (!sppnet_arguments_parse (context, argc, argv, error)
      || !sppnet_arguments_check (&detector_arguments, settings, error) || !parse_regions (regions, error))
    return FALSE;
  if (!arg.images)
    return sppnet_usage_error (error, "no picture is given");
  return !arg.overlay || sppnet_overlay_check ("overlay", arg.overlay, error);
}

static void
print_json (const gchar *image, const SppnetPicture *picture, const SppnetDetection *found, gsize n,
            const SppnetTimings *timings)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  sppnet_tool_json_file (builder, "image", image);
  sppnet_tool_json_integer (builder, "width", picture->width);
  sppnet_tool_json_integer (builder, "height", picture->height);
  json_builder_set_member_name (builder, "detections");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < n; i++) {
    json_builder_begin_object (builder);
    sppnet_tool_json_string (builder, "label", found[i].label);
    sppnet_tool_json_integer (builder, "label_id", found[i].label_id);
    sppnet_tool_json_number (builder, "confidence", found[i].confidence);
    json_builder_set_member_name (builder, "box");
    sppnet_tool_json_box (builder, &found[i].box);
    if (arg.regions)
      sppnet_tool_json_integer (builder, "region", found[i].region);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  if (arg.timings) {
    sppnet_tool_json_integer (builder, "regions", timings->regions);
    sppnet_tool_json_integer (builder, "duplicates", timings->duplicates);
    json_builder_set_member_name (builder, "timings");
    sppnet_tool_json_timings (builder, timings);
  }
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

static void
print_table (const gchar *image, const SppnetPicture *picture, const SppnetDetection *found, gsize n,
             const SppnetTimings *timings)
{
  printf ("%s: %dx%d, %" G_GSIZE_FORMAT " detection%s\n", image, picture->width, picture->height, n, n == 1 ? "" : "s");
  for (gsize i = 0; i < n; i++)
    printf ("  %-14s %.2f  at %.0f,%.0f size %.0fx%.0f\n", found[i].label, (gdouble) found[i].confidence,
            (gdouble) found[i].box.x, (gdouble) found[i].box.y, (gdouble) found[i].box.width,
            (gdouble) found[i].box.height);
  if (arg.timings)
    printf ("  %u regions in %.1f ms: frame %.1f, backbone %.1f, proposals %.1f, pooling %.1f, head %.1f, box %.1f\n",
            timings->regions, timings->total_ms, timings->frame_ms, timings->backbone_ms, timings->proposals_ms,
            timings->pooling_ms, timings->head_ms, timings->box_ms);
  fflush (stdout);
}

static gboolean
detect_in (SppnetDetector *detector, const GArray *regions, const gchar *image, guint number, GError **error)
{
  g_auto (SppnetPicture) picture = { 0 };
  SppnetFrame frame;
  const SppnetDetection *found;
  gsize n;

  if (!sppnet_picture_load_upright (&picture, image, error))
    return FALSE;
  frame = sppnet_picture_frame (&picture);
  if (!sppnet_detector_run (detector, &frame, (const SppnetBox *) (gpointer) regions->data, regions->len, &found, &n,
                            error)) {
    g_prefix_error (error, "%s: ", image);
    return FALSE;
  }
  (arg.json ? print_json : print_table) (image, &picture, found, n, sppnet_detector_get_timings (detector));
  if (arg.overlay) {
    g_autofree gchar *path = sppnet_overlay_path (arg.overlay, number);

    return sppnet_overlay_write (path, &picture, found, n, error);
  }
  return TRUE;
}

/* A drawing must not replace one of the pictures. */
static gboolean
check_overlay (GError **error)
{
  for (guint i = 0; arg.overlay && arg.images[i]; i++) {
    g_autofree gchar *path = sppnet_overlay_path (arg.overlay, i + 1);
    GStatBuf drawing, picture;

    if (g_stat (path, &drawing) != 0)
      continue;
    for (guint k = 0; arg.images[k]; k++)
      if (g_stat (arg.images[k], &picture) == 0 && picture.st_dev == drawing.st_dev && picture.st_ino == drawing.st_ino)
        return sppnet_usage_error (error, "--overlay: \"%s\" is one of the pictures", path);
  }
  return TRUE;
}

int
sppnet_tool_detect (int argc, char **argv)
{
  g_autoptr (GArray) regions = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetDetector) detector = NULL;
  g_autoptr (GError) error = NULL;
  SppnetSettings settings = { 0 };
  int status = SPPNET_TOOL_DONE;

  if (!parse (argc, argv, &settings, regions, &error) || !check_overlay (&error)
      || !(model = sppnet_arguments_load_model (&detector_arguments, &error))
      || !(detector = sppnet_detector_new (model, &settings, &error)))
    return sppnet_tool_report (error);

  /* One bad picture does not keep the others from being searched. */
  for (guint i = 0; arg.images[i]; i++) {
    g_autoptr (GError) reason = NULL;

    if (!detect_in (detector, regions, arg.images[i], i + 1, &reason)) {
      sppnet_tool_report (reason);
      status = SPPNET_TOOL_FAILED;
    }
  }
  return status;
}
