/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <stdio.h>

#include "arguments.h"
#include "backbone/backbone.h"
#include "backbone/layers.h"
#include "detect/settings.h"
#include "info_plan.h"
#include "json.h"
#include "model/config-names.h"
#include "model/model.h"
#include "region/anchors.h"

static struct
{
  gchar *size, *plan;
  gboolean json;
  gchar **files;
} arg;

static const GOptionEntry entries[] = {
  { "size", 's', 0, G_OPTION_ARG_STRING, &arg.size, "Give each layer's output and work for a frame of this size",
    "WxH" },
  { "plan", 'p', 0, G_OPTION_ARG_STRING, &arg.plan,
    "Give only how the layers run on a frame of this size, and how long each is expected to take", "WxH" },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &arg.json, "JSON instead of a table", NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.files, NULL, "[MODEL]" },
  { NULL },
};

/* One layer as it is described. */
typedef struct
{
  const gchar *name, *kind;
  gchar detail[64];
  gint width, height; /* of the output; 0 where no frame size is given, or the layer has no output */
  gint channels;
  guint64 parameters;
  gdouble mflop; /* a multiplication and an addition are two operations */
} Row;

static gboolean
parse (int argc, char **argv, gint *width, gint *height, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "Describes a model file (default: the installed model).");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!sppnet_arguments_parse (context, argc, argv, error))
    return FALSE;
  if (arg.files && g_strv_length (arg.files) > 1)
    return sppnet_usage_error (error, "one model at a time");
  if (arg.size && arg.plan)
    return sppnet_usage_error (error, "--size and --plan exclude each other");
  if (arg.plan)
    return sppnet_check_size ("plan", arg.plan, width, height, error);
  return !arg.size || sppnet_check_size ("size", arg.size, width, height, error);
}

static void
describe_kernel (const SppnetConfig *config, const SppnetLayer *layer, gchar *text, gsize size)
{
  if (layer->kind == SPPNET_LAYER_LRN)
    g_snprintf (text, size, "%d %s", layer->lrn_size, layer->lrn_within_channel ? "within a channel" : "channels");
  else if (layer->kind == SPPNET_LAYER_MERGE)
    g_snprintf (text, size, "%s, x%d %s", config->layers[layer->from].name, layer->factor,
                sppnet_activation_names[layer->activation]);
  else
    g_snprintf (text, size, "%dx%d/%d%s%s", layer->kernel_width, layer->kernel_height, layer->stride,
                layer->kind == SPPNET_LAYER_CONV ? " " : "",
                layer->kind == SPPNET_LAYER_CONV ? sppnet_activation_names[layer->activation] : "");
}

static void
add_layers (GArray *rows, const SppnetConfig *config, gint width, gint height)
{
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  guint n = sppnet_config_shapes (config, width, height, shapes);

  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    SppnetShape shape = i < n ? shapes[i + 1] : (SppnetShape) { 0, 0, sppnet_config_stage_channels (config, i + 1) };
    Row row = { sppnet_layer_has_weights (layer) ? layer->name : "", sppnet_layer_names[layer->kind] };

    if (sppnet_layer_has_weights (layer)) {
      guint64 inputs = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, i));
      guint64 weights = layer->kernel_width * layer->kernel_height * inputs * layer->filters;

      row.parameters = weights + layer->filters;
      row.mflop = 2e-6 * (gdouble) weights * shape.width * shape.height;
    }
    row.width = shape.width;
    row.height = shape.height;
    row.channels = shape.channels;
    describe_kernel (config, layer, row.detail, sizeof row.detail);
    g_array_append_val (rows, row);
  }
}

static void
add_rpn_row (GArray *rows, const gchar *name, const gchar *kind, const gchar *detail, const SppnetAnchorGrid *grid,
             guint64 inputs, guint64 outputs)
{
  Row row = { name, kind, "", grid->width, grid->height, (gint) outputs, (inputs + 1) * outputs };

  row.mflop = 2e-6 * (gdouble) (inputs * outputs) * grid->width * grid->height;
  g_strlcpy (row.detail, detail, sizeof row.detail);
  g_array_append_val (rows, row);
}

/* The region proposal network, once per frame, too. */
static void
add_rpn (GArray *rows, const SppnetConfig *config, gint width, gint height)
{
  const SppnetRpnConfig *rpn = &config->rpn;
  SppnetMap map = { .geometry = sppnet_config_geometry (config) };
  SppnetLayer layer = sppnet_config_rpn_layer (config);
  SppnetAnchorGrid grid;
  gchar kernel[64];

  if (rpn->n_anchors == 0)
    return;
  sppnet_config_map_size (config, width, height, &map.width, &map.height);
  grid = sppnet_anchor_grid (config, &map);
  describe_kernel (config, &layer, kernel, sizeof kernel);
  add_rpn_row (rows, rpn->name, "rpn", kernel, &grid, 9 * (guint64) sppnet_config_channels (config),
               (guint64) rpn->filters);
  add_rpn_row (rows, "", "score", "1x1/1", &grid, (guint64) rpn->filters, rpn->n_anchors);
  add_rpn_row (rows, "", "box", "1x1/1", &grid, (guint64) rpn->filters, 4 * rpn->n_anchors);
}

/* A fully connected layer; its work is per region. Returns the outputs. */
static guint64
add_dense (GArray *rows, const gchar *name, const gchar *kind, const gchar *detail, guint64 inputs, guint64 outputs)
{
  Row row = { name, kind, "", 0, 0, (gint) outputs, (inputs + 1) * outputs, 2e-6 * (gdouble) (inputs * outputs) };

  g_strlcpy (row.detail, detail, sizeof row.detail);
  g_array_append_val (rows, row);
  return outputs;
}

static void
add_region_layer (GArray *rows, const SppnetConfig *config, guint index)
{
  const SppnetLayer *layer = &config->region_layers[index];
  gint level = config->levels[sppnet_config_region_level (config, NULL)];
  guint64 depth = 9 * (guint64) sppnet_config_region_channels (config, index);
  Row row = { layer->name,
              "region",
              "",
              level,
              level,
              layer->filters,
              (depth + 1) * layer->filters,
              2e-6 * (gdouble) (depth * layer->filters * level * level) };

  g_snprintf (row.detail, sizeof row.detail, "3x3 %s", sppnet_activation_names[layer->activation]);
  g_array_append_val (rows, row);
}

static void
add_head (GArray *rows, const SppnetConfig *config)
{
  guint64 pooled = (guint64) sppnet_config_pooled (config);
  guint64 inputs = pooled + (guint64) sppnet_config_region_features (config);

  if (config->n_labels == 0)
    return;
  for (guint i = 0; i < config->n_region_layers; i++)
    add_region_layer (rows, config, i);
  for (guint i = 0; i < config->n_head; i++)
    inputs = add_dense (rows, config->head[i].name, "dense", sppnet_activation_names[config->head[i].activation],
                        inputs, config->head[i].outputs);
  add_dense (rows, "classifier", sppnet_classifier_names[config->classifier], "", inputs,
             config->n_labels + (config->classifier == SPPNET_CLASSIFIER_SOFTMAX));
  if (config->box_input != SPPNET_BOX_NONE)
    add_dense (rows, "box", "regression", "", config->box_input == SPPNET_BOX_POOLED ? pooled : inputs,
               4 * (guint64) config->n_labels);
}

static guint64
count_parameters (const SppnetConfig *config)
{
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);
  guint64 sum = 0;

  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    guint64 n = 1;

    for (guint d = 0; d < tensor->n_dims; d++)
      n *= tensor->dims[d];
    sum += n;
  }
  return sum;
}

static void
print_rows (const GArray *rows, guint n_layers)
{
  gboolean with_size = arg.size != NULL;
  gdouble sum = 0.0;

  printf ("\n  %-16s %-10s %-20s %-16s %12s %10s\n", "layer", "kind", "kernel", with_size ? "output" : "channels",
          "parameters", "MFLOP");
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    g_autofree gchar *size = with_size && i < n_layers
                                 ? g_strdup_printf ("%dx%dx%d", row->width, row->height, row->channels)
                                 : g_strdup_printf ("%d", row->channels);
    g_autofree gchar *mflop = with_size || i >= n_layers
                                  ? g_strdup_printf ("%.3f%s", row->mflop, i < n_layers ? "" : " each")
                                  : g_strdup ("");

    printf ("  %-16s %-10s %-20s %-16s %12" G_GUINT64_FORMAT " %10s\n", row->name, row->kind, row->detail, size,
            row->parameters, mflop);
    sum += i < n_layers ? row->mflop : 0.0;
  }
  if (with_size)
    printf ("  all convolutions of a frame: %.3f GFLOP\n", 1e-3 * sum);
}

static guint
number_of_proposals (const SppnetConfig *config)
{
  return sppnet_proposals_number (sppnet_proposals_resolve (config->proposals, config), config);
}

static void
print_table (const SppnetModel *model, const GArray *rows, guint n_frame)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetGeometry geometry = sppnet_config_geometry (config);

  printf ("%s (%s)\n", config->name ? config->name : "", sppnet_model_get_path (model));
  printf ("  input       %s, (pixel - %g, %g, %g) * %g, %g, %g\n", config->input_bgr ? "BGR" : "RGB",
          (gdouble) config->input_mean[0], (gdouble) config->input_mean[1], (gdouble) config->input_mean[2],
          (gdouble) config->input_scale[0], (gdouble) config->input_scale[1], (gdouble) config->input_scale[2]);
  printf ("  backbone    %u layers, %d channels, %d pixels per cell\n", config->n_layers,
          sppnet_config_channels (config), geometry.stride);
  printf ("  pooling     %s, levels", sppnet_pooling_names[config->pooling]);
  for (guint i = 0; i < config->n_levels; i++)
    if (config->scales[i] == 1.0f)
      printf (" %d", config->levels[i]);
    else
      printf (" %d (x%g)", config->levels[i], (gdouble) config->scales[i]);
  printf (", %d bins\n", sppnet_config_bins (config));
  if (config->box_input != SPPNET_BOX_NONE)
    printf ("  boxes       regressed from the %s\n",
            config->box_from == SPPNET_BOX_FROM_WINDOW ? "cells that were pooled" : "region");
  printf ("  proposals   %s, at most %u", sppnet_proposals_to_nick (config->proposals), number_of_proposals (config));
  if (config->rpn.min_score > 0)
    printf (", of an objectness of %g or more", (gdouble) config->rpn.min_score);
  printf ("; NMS %g\n", (gdouble) config->nms_threshold);
  printf ("  parameters  %" G_GUINT64_FORMAT "\n", count_parameters (config));
  printf ("  labels      %u:", config->n_labels);
  for (guint i = 0; i < config->n_labels; i++)
    printf (" %s", config->labels[i]);
  printf ("\n");
  for (guint i = 0; config->thresholds && i < config->n_labels; i++)
    printf ("%s %.2f", i == 0 ? "  thresholds " : "", (gdouble) config->thresholds[i]);
  if (config->thresholds)
    printf ("\n");
  printf ("  confidence  %s%s\n", config->calibration ? "calibrated" : "not calibrated",
          config->context ? ", in the context of the picture's other boxes" : "");
  if (config->provenance)
    printf ("  provenance  %s\n", config->provenance);
  print_rows (rows, n_frame);
}

static void
add_row (JsonBuilder *builder, const Row *row, gboolean is_layer)
{
  json_builder_begin_object (builder);
  sppnet_tool_json_string (builder, "name", row->name);
  sppnet_tool_json_string (builder, "kind", row->kind);
  if (arg.size && is_layer) {
    sppnet_tool_json_integer (builder, "width", row->width);
    sppnet_tool_json_integer (builder, "height", row->height);
  }
  sppnet_tool_json_integer (builder, "channels", row->channels);
  sppnet_tool_json_integer (builder, "parameters", (gint64) row->parameters);
  if (arg.size || !is_layer)
    sppnet_tool_json_number (builder, "mflop", row->mflop);
  json_builder_end_object (builder);
}

static void
add_rows (JsonBuilder *builder, const gchar *name, const GArray *rows, guint first, guint end, gboolean of_frame)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = first; i < end; i++)
    add_row (builder, &g_array_index (rows, Row, i), of_frame);
  json_builder_end_array (builder);
}

static void
add_lists (JsonBuilder *builder, const SppnetConfig *config)
{
  g_autoptr (JsonNode) provenance = config->provenance ? json_from_string (config->provenance, NULL) : NULL;

  json_builder_set_member_name (builder, "levels");
  json_builder_begin_array (builder);
  for (guint i = 0; i < config->n_levels; i++)
    json_builder_add_int_value (builder, config->levels[i]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "scales");
  json_builder_begin_array (builder);
  for (guint i = 0; i < config->n_levels; i++)
    json_builder_add_double_value (builder, config->scales[i]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "labels");
  json_builder_begin_array (builder);
  for (guint i = 0; i < config->n_labels; i++)
    json_builder_add_string_value (builder, config->labels[i]);
  json_builder_end_array (builder);
  if (config->thresholds) {
    json_builder_set_member_name (builder, "thresholds");
    json_builder_begin_array (builder);
    for (guint i = 0; i < config->n_labels; i++)
      json_builder_add_double_value (builder, config->thresholds[i]);
    json_builder_end_array (builder);
  }
  json_builder_set_member_name (builder, "calibrated");
  json_builder_add_boolean_value (builder, config->calibration != NULL);
  json_builder_set_member_name (builder, "context");
  json_builder_add_boolean_value (builder, config->context != NULL);
  if (provenance) {
    json_builder_set_member_name (builder, "provenance");
    json_builder_add_value (builder, g_steal_pointer (&provenance));
  }
}

static void
print_json (const SppnetModel *model, const GArray *rows, guint n_frame)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  sppnet_tool_json_string (builder, "name", config->name);
  sppnet_tool_json_file (builder, "file", sppnet_model_get_path (model));
  sppnet_tool_json_integer (builder, "parameters", (gint64) count_parameters (config));
  sppnet_tool_json_integer (builder, "stride", sppnet_config_geometry (config).stride);
  sppnet_tool_json_string (builder, "pooling", sppnet_pooling_names[config->pooling]);
  sppnet_tool_json_integer (builder, "bins", sppnet_config_bins (config));
  sppnet_tool_json_string (builder, "box_from", sppnet_box_from_names[config->box_from]);
  sppnet_tool_json_string (builder, "proposals", sppnet_proposals_to_nick (config->proposals));
  sppnet_tool_json_integer (builder, "max_proposals", number_of_proposals (config));
  sppnet_tool_json_number (builder, "min_objectness", config->rpn.min_score);
  sppnet_tool_json_number (builder, "nms_threshold", config->nms_threshold);
  add_lists (builder, config);
  /* The first two are computed once per frame, the head once per region. */
  add_rows (builder, "layers", rows, 0, config->n_layers, TRUE);
  add_rows (builder, "rpn", rows, config->n_layers, n_frame, TRUE);
  add_rows (builder, "head", rows, n_frame, rows->len, FALSE);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

int
sppnet_tool_info (int argc, char **argv)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, TRUE, sizeof (Row));
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;
  SppnetDetectorArguments which = { 0 };
  gint width = 0, height = 0;
  guint n_frame;

  if (!parse (argc, argv, &width, &height, &error))
    return sppnet_tool_report (error);
  which.model = arg.files ? arg.files[0] : NULL;
  if (!(model = sppnet_arguments_load_model (&which, &error)))
    return sppnet_tool_report (error);
  if (arg.plan)
    return sppnet_tool_info_plan (model, width, height, arg.json, &error) ? SPPNET_TOOL_DONE
                                                                          : sppnet_tool_report (error);
  add_layers (rows, sppnet_model_get_config (model), width, height);
  add_rpn (rows, sppnet_model_get_config (model), width, height);
  n_frame = rows->len;
  add_head (rows, sppnet_model_get_config (model));
  (arg.json ? print_json : print_table) (model, rows, n_frame);
  return SPPNET_TOOL_DONE;
}
