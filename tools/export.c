/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "import/onnx.h"

static struct
{
  gboolean onnx;
  gchar *output, *size;
  gchar **files;
} arg;

static const GOptionEntry entries[] = {
  { "onnx", 0, 0, G_OPTION_ARG_NONE, &arg.onnx, "Write an ONNX file", NULL },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output,
    "File to write (default: the model's name with .onnx, in the current folder)", "FILE" },
  { "size", 's', 0, G_OPTION_ARG_STRING, &arg.size,
    "Frames of this size only; programs that do not take any size need it", "WxH" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.files, NULL, "[MODEL]" },
  { NULL },
};

static gboolean
parse (int argc, char **argv, gint *width, gint *height, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Writes the convolution layers of a model (default: the installed model) for\n"
                                         "other programs: from the normalised pixels to the feature map.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error))
    return FALSE;
  if (!arg.onnx)
    return sppnet_usage_error (error, "say what to write: --onnx");
  if (arg.files && g_strv_length (arg.files) > 1)
    return sppnet_usage_error (error, "one model at a time");
  return !arg.size || sppnet_check_size ("size", arg.size, width, height, error);
}

int
sppnet_tool_export (int argc, char **argv)
{
  g_autofree gchar *output = NULL;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;
  SppnetDetectorArguments from = { 0 };
  gint width = 0, height = 0;

  if (!parse (argc, argv, &width, &height, &error))
    return sppnet_tool_report (error);
  from.model = arg.files ? arg.files[0] : NULL;
  if (!(model = sppnet_arguments_load_model (&from, &error)))
    return sppnet_tool_report (error);
  if (arg.output) {
    output = g_strdup (arg.output);
  } else {
    g_autofree gchar *name = g_path_get_basename (sppnet_model_get_path (model));
    gchar *dot = strrchr (name, '.');

    if (dot && dot != name)
      *dot = '\0';
    output = g_strconcat (name, ".onnx", NULL);
  }
  if (!sppnet_export_onnx (model, width, height, output, &error))
    return sppnet_tool_report (error);
  printf ("%s\n", output);
  return SPPNET_TOOL_DONE;
}
