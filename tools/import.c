/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "import/darknet.h"

static struct
{
  gboolean darknet;
  gchar *output, *name, *dtype;
  gint layers;
  gchar **files;
} arg;

static const GOptionEntry entries[] = {
  { "darknet", 0, 0, G_OPTION_ARG_NONE, &arg.darknet, "The files are a Darknet network and its weights", NULL },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output, "Model to write", "FILE" },
  { "layers", 0, 0, G_OPTION_ARG_INT, &arg.layers,
    "Convolution layers to keep, counted from the input (default: all before the last one)", "N" },
  { "name", 0, 0, G_OPTION_ARG_STRING, &arg.name, "Name of the model (default: from the output's file name)", "NAME" },
  { "dtype", 0, 0, G_OPTION_ARG_STRING, &arg.dtype, "Type of the numbers: f32 (default), f16 or bf16", "TYPE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.files, NULL, "CFG WEIGHTS" },
  { NULL },
};

static gboolean
parse_dtype (const gchar *text, SppnetDtype *dtype, GError **error)
{
  static const gchar *const names[]
      = { [SPPNET_DTYPE_F32] = "f32", [SPPNET_DTYPE_F16] = "f16", [SPPNET_DTYPE_BF16] = "bf16" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (text, names[i]) == 0) {
      *dtype = (SppnetDtype) i;
      return TRUE;
    }
  return sppnet_usage_error (error, "--dtype: \"%s\" is none of f32, f16, bf16", text);
}

static gboolean
parse (int argc, char **argv, SppnetDtype *dtype, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context,
                                "Makes a model file from the convolution layers of another program's network, to\n"
                                "start training from. It has no labels, so it does not detect anything yet.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error))
    return FALSE;
  if (!arg.darknet)
    return sppnet_usage_error (error, "say what the files are: --darknet");
  if (!arg.files || g_strv_length (arg.files) != 2)
    return sppnet_usage_error (error, "two files are needed, CFG and WEIGHTS");
  if (!arg.output)
    return sppnet_usage_error (error, "--output FILE is needed");
  return sppnet_check_integer ("layers", arg.layers, 0, SPPNET_MAX_LAYERS, error)
         && parse_dtype (arg.dtype ? arg.dtype : "f32", dtype, error);
}

int
sppnet_tool_import (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *name = NULL;
  SppnetDtype dtype = SPPNET_DTYPE_F32;
  gchar *dot;

  if (!parse (argc, argv, &dtype, &error))
    return sppnet_tool_report (error);
  name = arg.name ? g_strdup (arg.name) : g_path_get_basename (arg.output);
  if (!arg.name && (dot = strrchr (name, '.')) && dot != name)
    *dot = '\0';
  if (!sppnet_import_darknet (arg.files[0], arg.files[1], (guint) arg.layers, name, arg.output, dtype, &error))
    return sppnet_tool_report (error);
  printf ("%s\n", arg.output);
  return SPPNET_TOOL_DONE;
}
