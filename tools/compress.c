/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>

#include "arguments.h"
#include "train/compress.h"

#define MAX_RANK 65536

static struct
{
  gint rank;
  gdouble energy;
  gchar *output;
  gchar **files;
} arg = { .rank = -1, .energy = -1 };

static const GOptionEntry entries[] = {
  { "rank", 0, 0, G_OPTION_ARG_INT, &arg.rank, "Singular values to keep of each layer", "N" },
  { "energy", 0, 0, G_OPTION_ARG_DOUBLE, &arg.energy,
    "Or: keep as many as hold this part of the sum of the squared weights, 0 to 1", "E" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output, "Model to write", "FILE" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.files, NULL, "[MODEL]" },
  { NULL },
};

static gboolean
parse (int argc, char **argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, "Makes the fully connected layers of a model (default: the installed model) smaller by\n"
               "truncated singular value decomposition. See afterwards what it costs: sppnet evaluate.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error))
    return FALSE;
  if ((arg.rank == -1) == (arg.energy == -1))
    return sppnet_usage_error (error, "give one of --rank and --energy");
  if ((arg.rank != -1 && !sppnet_check_integer ("rank", arg.rank, 1, MAX_RANK, error))
      || (arg.energy != -1 && !sppnet_check_number ("energy", arg.energy, 0, 1, error)))
    return FALSE;
  if (!arg.output)
    return sppnet_usage_error (error, "--output FILE is needed");
  return !arg.files || g_strv_length (arg.files) <= 1 || sppnet_usage_error (error, "one model at a time");
}

static void
print (const GArray *layers)
{
  for (guint i = 0; i < layers->len; i++) {
    const SppnetCompressedLayer *layer = &g_array_index (layers, SppnetCompressedLayer, i);
    gdouble before = 2e-6 * layer->inputs * layer->outputs;
    gdouble after = layer->rank ? 2e-6 * layer->rank * (layer->inputs + layer->outputs) : before;

    printf ("%-16s %d x %d: ", layer->name, layer->outputs, layer->inputs);
    if (layer->rank)
      printf ("rank %d, %.4f of the energy, %.3f of %.3f MFLOP\n", layer->rank, layer->energy, after, before);
    else
      printf ("as it was\n");
  }
}

int
sppnet_tool_compress (int argc, char **argv)
{
  SppnetDetectorArguments from = { 0 };
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GArray) layers = NULL;
  g_autoptr (GError) error = NULL;

  if (!parse (argc, argv, &error))
    return sppnet_tool_report (error);
  from.model = arg.files ? arg.files[0] : NULL;
  if (!(model = sppnet_arguments_load_model (&from, &error))
      || !sppnet_compress (model, MAX (arg.rank, 0), arg.energy, arg.output, &layers, &error))
    return sppnet_tool_report (error);
  print (layers);
  return SPPNET_TOOL_DONE;
}
