/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/config-names.h"
#include "model/json.h"

/* Appends one member's name; the values follow it. */
static void
key (GString *json, const gchar *name)
{
  gchar last = json->len ? json->str[json->len - 1] : '{';

  if (last != '{' && last != '[')
    g_string_append_c (json, ',');
  g_string_append_printf (json, "\"%s\":", name);
}

static void
add_text (GString *json, const gchar *name, const gchar *text)
{
  key (json, name);
  sppnet_json_append_string (json, text);
}

static void
add_int (GString *json, const gchar *name, gint value)
{
  key (json, name);
  g_string_append_printf (json, "%d", value);
}

static void
add_float (GString *json, const gchar *name, gfloat value)
{
  key (json, name);
  sppnet_json_append_float (json, value);
}

static void
add_bool (GString *json, const gchar *name, gboolean value)
{
  key (json, name);
  g_string_append (json, value ? "true" : "false");
}

static void
append_floats (GString *json, const gfloat *values, guint n)
{
  g_string_append_c (json, '[');
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    sppnet_json_append_float (json, values[i]);
  }
  g_string_append_c (json, ']');
}

static void
add_pair (GString *json, const gchar *name, gint x, gint y)
{
  key (json, name);
  if (x == y)
    g_string_append_printf (json, "%d", x);
  else
    g_string_append_printf (json, "[%d,%d]", x, y);
}

static void
add_activation (GString *json, SppnetActivation activation, gfloat slope)
{
  add_text (json, "activation", sppnet_activation_names[activation]);
  if (activation == SPPNET_ACTIVATION_LEAKY)
    add_float (json, "slope", slope);
}

static void
append_layer (GString *json, const SppnetConfig *config, const SppnetLayer *layer)
{
  g_string_append_c (json, '{');
  add_text (json, "type", sppnet_layer_names[layer->kind]);
  add_text (json, "name", layer->name);
  if (layer->kind == SPPNET_LAYER_LRN) {
    add_int (json, "size", layer->lrn_size);
    add_bool (json, "within_channel", layer->lrn_within_channel);
    add_float (json, "alpha", layer->lrn_alpha);
    add_float (json, "beta", layer->lrn_beta);
    add_float (json, "k", layer->lrn_k);
  } else if (layer->kind == SPPNET_LAYER_MERGE) {
    add_text (json, "from", config->layers[layer->from].name);
    add_int (json, "factor", layer->factor);
    add_int (json, "filters", layer->filters);
    add_activation (json, layer->activation, layer->slope);
  } else {
    if (layer->kind == SPPNET_LAYER_CONV)
      add_int (json, "filters", layer->filters);
    add_pair (json, "kernel", layer->kernel_width, layer->kernel_height);
    add_int (json, "stride", layer->stride);
    add_pair (json, "pad", layer->pad_x, layer->pad_y);
    if (layer->kind == SPPNET_LAYER_CONV)
      add_activation (json, layer->activation, layer->slope);
    else
      add_bool (json, "ceil", layer->ceil_mode);
  }
  g_string_append_c (json, '}');
}

static void
append_region_layer (GString *json, const SppnetLayer *layer)
{
  g_string_append_c (json, '{');
  add_text (json, "name", layer->name);
  add_int (json, "filters", layer->filters);
  add_activation (json, layer->activation, layer->slope);
  g_string_append_c (json, '}');
}

static void
append_head_layer (GString *json, const SppnetHeadLayer *layer)
{
  g_string_append_c (json, '{');
  add_text (json, "name", layer->name);
  add_int (json, "outputs", layer->outputs);
  add_activation (json, layer->activation, layer->slope);
  if (layer->dropout != 0)
    add_float (json, "dropout", layer->dropout);
  g_string_append_c (json, '}');
}

static void
add_network (GString *json, const SppnetConfig *config)
{
  gboolean scaled = FALSE;

  key (json, "input");
  g_string_append_c (json, '{');
  add_text (json, "order", config->input_bgr ? "bgr" : "rgb");
  key (json, "mean");
  append_floats (json, config->input_mean, 3);
  key (json, "scale");
  append_floats (json, config->input_scale, 3);
  g_string_append_c (json, '}');

  key (json, "layers");
  g_string_append_c (json, '[');
  for (guint i = 0; i < config->n_layers; i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    append_layer (json, config, &config->layers[i]);
  }
  g_string_append_c (json, ']');

  key (json, "pooling");
  g_string_append_c (json, '{');
  add_text (json, "type", sppnet_pooling_names[config->pooling]);
  key (json, "levels");
  for (guint i = 0; i < config->n_levels; i++)
    g_string_append_printf (json, "%c%d", i ? ',' : '[', config->levels[i]);
  g_string_append (json, config->n_levels ? "]" : "[]");
  for (guint i = 0; i < config->n_levels; i++)
    scaled |= config->scales[i] != 1.0f;
  if (scaled) {
    key (json, "scales");
    append_floats (json, config->scales, config->n_levels);
  }
  g_string_append_c (json, '}');

  if (config->n_region_layers > 0) {
    key (json, "region_layers");
    g_string_append_c (json, '[');
    for (guint i = 0; i < config->n_region_layers; i++) {
      if (i > 0)
        g_string_append_c (json, ',');
      append_region_layer (json, &config->region_layers[i]);
    }
    g_string_append_c (json, ']');
  }
  key (json, "head");
  g_string_append_c (json, '[');
  for (guint i = 0; i < config->n_head; i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    append_head_layer (json, &config->head[i]);
  }
  g_string_append_c (json, ']');
}

static void
add_labels (GString *json, const SppnetConfig *config)
{
  add_text (json, "classifier", sppnet_classifier_names[config->classifier]);
  key (json, "labels");
  g_string_append_c (json, '[');
  for (guint i = 0; i < config->n_labels; i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    sppnet_json_append_string (json, config->labels[i]);
  }
  g_string_append_c (json, ']');
  if (config->thresholds && config->n_labels > 0) {
    key (json, "thresholds");
    append_floats (json, config->thresholds, config->n_labels);
  }
  if (config->calibration && config->n_labels > 0) {
    key (json, "calibration");
    append_floats (json, config->calibration, 2 * config->n_labels);
  }
  if (config->context && config->n_labels > 0) {
    key (json, "context");
    append_floats (json, config->context, config->n_labels * (guint) SPPNET_CONTEXT_COLUMNS (config->n_labels));
  }
}

static void
add_boxes (GString *json, const SppnetConfig *config)
{
  const gchar *method = sppnet_proposal_names[config->proposals];

  key (json, "box");
  g_string_append_c (json, '{');
  add_text (json, "input", sppnet_box_names[config->box_input]);
  if (config->box_from != SPPNET_BOX_FROM_REGION)
    add_text (json, "from", sppnet_box_from_names[config->box_from]);
  key (json, "mean");
  append_floats (json, config->box_mean, 4);
  key (json, "scale");
  append_floats (json, config->box_scale, 4);
  g_string_append_c (json, '}');

  key (json, "proposals");
  g_string_append_c (json, '{');
  if (method)
    add_text (json, "method", method);
  if (config->max_proposals > 0)
    add_int (json, "max", (gint) config->max_proposals);
  g_string_append_c (json, '}');
  add_float (json, "nms_threshold", config->nms_threshold);
}

static void
add_rpn (GString *json, const SppnetRpnConfig *rpn)
{
  key (json, "rpn");
  g_string_append_c (json, '{');
  add_text (json, "name", rpn->name);
  add_int (json, "filters", rpn->filters);
  add_int (json, "stride", rpn->stride);
  add_activation (json, rpn->activation, rpn->slope);
  key (json, "anchors");
  for (guint i = 0; i < rpn->n_anchors; i++) {
    g_string_append_c (json, i ? ',' : '[');
    append_floats (json, rpn->anchors[i], 2);
  }
  g_string_append_c (json, ']');
  add_int (json, "candidates", (gint) rpn->candidates);
  add_int (json, "boxes", (gint) rpn->boxes);
  add_float (json, "nms_threshold", rpn->nms_threshold);
  add_float (json, "min_size", rpn->min_size);
  if (rpn->min_score > 0.0f)
    add_float (json, "min_score", rpn->min_score);
  g_string_append_c (json, '}');
}

gchar *
sppnet_config_to_json (const SppnetConfig *config)
{
  GString *json = g_string_new ("{");

  add_int (json, "version", SPPNET_FORMAT_VERSION);
  if (config->name && *config->name)
    add_text (json, "name", config->name);
  add_network (json, config);
  add_labels (json, config);
  add_boxes (json, config);
  if (config->rpn.n_anchors > 0)
    add_rpn (json, &config->rpn);
  if (config->provenance) {
    key (json, "provenance");
    g_string_append (json, config->provenance);
  }
  g_string_append_c (json, '}');
  return g_string_free (json, FALSE);
}
