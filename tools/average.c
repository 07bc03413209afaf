/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include "arguments.h"
#include "train/average.h"

static struct
{
  gchar *output;
  gchar **files;
} arg;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output, "Model to write", "FILE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.files, NULL, "MODEL MODEL..." },
  { NULL },
};

static gboolean
parse (int argc, char **argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, "Makes one model of several that were trained further from the same one: each weight is the mean of\n"
               "theirs. That can be better than any of them (sppnet evaluate), and takes no longer. A model that\n"
               "is given twice counts twice. Thresholds, calibration and context are left out: sppnet calibrate\n"
               "fits new ones.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error))
    return FALSE;
  if (!arg.output)
    return sppnet_usage_error (error, "--output FILE is needed");
  return (arg.files && g_strv_length (arg.files) >= 2) || sppnet_usage_error (error, "two models or more are needed");
}

int
sppnet_tool_average (int argc, char **argv)
{
  g_autoptr (GPtrArray) models = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_model_unref);
  g_autoptr (GError) error = NULL;

  if (!parse (argc, argv, &error))
    return sppnet_tool_report (error);
  for (guint i = 0; arg.files[i]; i++) {
    SppnetModel *model = sppnet_model_load (arg.files[i], &error);

    if (!model)
      return sppnet_tool_report (error);
    g_ptr_array_add (models, model);
  }
  if (!sppnet_average ((SppnetModel *const *) (gconstpointer) models->pdata, models->len, arg.output, &error))
    return sppnet_tool_report (error);
  return SPPNET_TOOL_DONE;
}
