/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/config-layers.h"

#include <string.h>

#include "model/config-names.h"

#define KEYS(...) ((const gchar *const[]) { __VA_ARGS__, NULL })

static void
fail (const SppnetNode *node, const gchar *reason)
{
  sppnet_document_fail (node->document, SPPNET_ERROR_CORRUPT, "%s: %s", node->where, reason);
}

/* A name that tensors are called after. */
static void
read_name (const SppnetNode *node, gchar name[32], GHashTable *names)
{
  const gchar *text;

  sppnet_node_require (node, "name");
  text = sppnet_node_text (node, "name", 31);
  if (!text)
    return;
  if (strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") != strlen (text))
    fail (node, "'name' may have letters, digits, '_', '.' and '-' only");
  else if (g_str_equal (text, "classifier") || g_str_equal (text, "box"))
    fail (node, "the names 'classifier' and 'box' are taken");
  else if (!g_hash_table_add (names, g_strdup (text)))
    fail (node, "another layer has the same name");
  else
    g_strlcpy (name, text, 32);
}

static void
read_activation (const SppnetNode *node, SppnetActivation *activation, gfloat *slope)
{
  gint chosen = SPPNET_ACTIVATION_LINEAR;

  sppnet_node_choice (node, "activation", sppnet_activation_names, G_N_ELEMENTS (sppnet_activation_names), &chosen);
  *activation = (SppnetActivation) chosen;
  sppnet_node_float (node, "slope", -1, 1, slope);
  if (*activation != SPPNET_ACTIVATION_LEAKY)
    *slope = 0;
}

static void
read_window (const SppnetNode *node, SppnetLayer *layer)
{
  gint kernel[2] = { 0 }, pad[2] = { 0 };

  sppnet_node_require (node, "kernel");
  sppnet_node_ints (node, "kernel", 1, 64, kernel, 2);
  sppnet_node_ints (node, "pad", 0, 63, pad, 2);
  layer->stride = 1;
  sppnet_node_int (node, "stride", 1, 64, &layer->stride);
  if (!node->document->error && (pad[0] >= kernel[0] || pad[1] >= kernel[1]))
    fail (node, "'pad' must be below 'kernel'");
  layer->kernel_width = kernel[0];
  layer->kernel_height = kernel[1];
  layer->pad_x = pad[0];
  layer->pad_y = pad[1];
}

static void
read_lrn (const SppnetNode *node, SppnetLayer *layer)
{
  layer->lrn_size = 5;
  layer->lrn_alpha = 1e-4f;
  layer->lrn_beta = 0.75f;
  layer->lrn_k = 1;
  sppnet_node_int (node, "size", 1, 63, &layer->lrn_size);
  sppnet_node_bool (node, "within_channel", &layer->lrn_within_channel);
  sppnet_node_float (node, "alpha", 0, 1e6, &layer->lrn_alpha);
  sppnet_node_float (node, "beta", 0, 16, &layer->lrn_beta);
  sppnet_node_float (node, "k", 1e-6, 1e6, &layer->lrn_k);
  if (!node->document->error && layer->lrn_size % 2 == 0)
    fail (node, "'size' must be odd");
}

/* Pixels of the frame from one cell of a map to the next. Larger than any frame, it is no longer exact. */
static gint64
stage_stride (const SppnetConfig *config, guint stage)
{
  gint64 stride = 1;

  while (stage > 0) {
    const SppnetLayer *layer = &config->layers[stage - 1];

    if (layer->kind != SPPNET_LAYER_LRN && stride <= G_MAXINT)
      stride *= layer->stride;
    stage = layer->kind == SPPNET_LAYER_MERGE ? layer->from + 1 : stage - 1;
  }
  return stride;
}

/* index: of the layer. */
static void
read_merge (const SppnetNode *node, SppnetConfig *config, guint index)
{
  SppnetLayer *layer = &config->layers[index];
  const gchar *from;

  for (const gchar *const *key = KEYS ("from", "factor", "filters"); *key; key++)
    sppnet_node_require (node, *key);
  sppnet_node_int (node, "filters", 1, 4096, &layer->filters);
  sppnet_node_int (node, "factor", 1, 64, &layer->factor);
  from = sppnet_node_text (node, "from", 31);
  if (node->document->error)
    return;
  layer->kernel_width = layer->kernel_height = layer->stride = 1;
  while (layer->from < index && !g_str_equal (config->layers[layer->from].name, from))
    layer->from++;
  if (layer->from == index)
    fail (node, "'from' is not the name of a layer before this one");
  else if (stage_stride (config, layer->from + 1) * layer->factor != stage_stride (config, index))
    fail (node, "'factor' is not the ratio of the strides of the two maps");
  else if (layer->filters != sppnet_config_stage_channels (config, index))
    fail (node, "'filters' is not the number of channels of the layer before it");
}

static void
read_layer (const SppnetNode *node, SppnetConfig *config, guint index, GHashTable *names)
{
  SppnetLayer *layer = &config->layers[index];
  gint kind = SPPNET_LAYER_CONV;

  sppnet_node_require (node, "type");
  sppnet_node_choice (node, "type", sppnet_layer_names, G_N_ELEMENTS (sppnet_layer_names), &kind);
  layer->kind = (SppnetLayerKind) kind;
  read_name (node, layer->name, names);
  switch (layer->kind) {
  case SPPNET_LAYER_CONV:
    sppnet_node_note_unknown (node, KEYS ("type", "name", "filters", "kernel", "stride", "pad", "activation", "slope"));
    sppnet_node_require (node, "filters");
    sppnet_node_int (node, "filters", 1, 4096, &layer->filters);
    read_window (node, layer);
    read_activation (node, &layer->activation, &layer->slope);
    break;
  case SPPNET_LAYER_MAX_POOL:
  case SPPNET_LAYER_AVERAGE_POOL:
    sppnet_node_note_unknown (node, KEYS ("type", "name", "kernel", "stride", "pad", "ceil"));
    read_window (node, layer);
    sppnet_node_bool (node, "ceil", &layer->ceil_mode);
    break;
  case SPPNET_LAYER_LRN:
    sppnet_node_note_unknown (node, KEYS ("type", "name", "size", "within_channel", "alpha", "beta", "k"));
    read_lrn (node, layer);
    break;
  case SPPNET_LAYER_MERGE:
    sppnet_node_note_unknown (node, KEYS ("type", "name", "from", "factor", "filters", "activation", "slope"));
    read_merge (node, config, index);
    read_activation (node, &layer->activation, &layer->slope);
    break;
  }
}

static void
read_region_layer (const SppnetNode *node, SppnetLayer *layer, GHashTable *names)
{
  SppnetActivation activation = SPPNET_ACTIVATION_LINEAR;
  gfloat slope = 0.0f;
  gint filters = 1;

  sppnet_node_note_unknown (node, KEYS ("name", "filters", "activation", "slope"));
  read_name (node, layer->name, names);
  sppnet_node_require (node, "filters");
  sppnet_node_int (node, "filters", 1, 4096, &filters);
  read_activation (node, &activation, &slope);
  *layer = sppnet_config_region_layer (layer->name, filters, activation, slope);
}

static void
read_head_layer (const SppnetNode *node, SppnetHeadLayer *layer, GHashTable *names)
{
  sppnet_node_note_unknown (node, KEYS ("name", "outputs", "activation", "slope", "dropout"));
  read_name (node, layer->name, names);
  sppnet_node_require (node, "outputs");
  sppnet_node_int (node, "outputs", 1, SPPNET_MAX_OUTPUTS, &layer->outputs);
  read_activation (node, &layer->activation, &layer->slope);
  sppnet_node_float (node, "dropout", 0, 0.95, &layer->dropout);
}

/* Its tensors are called NAME, NAME_score and NAME_box. */
static void
read_rpn_name (const SppnetNode *node, gchar name[32], GHashTable *names)
{
  g_autofree gchar *score = NULL, *box = NULL;

  if (sppnet_node_has (node, "name"))
    read_name (node, name, names);
  else if (!g_hash_table_add (names, g_strdup (name)))
    fail (node, "a layer is called 'rpn'; give another 'name'");
  score = g_strconcat (name, "_score", NULL);
  box = g_strconcat (name, "_box", NULL);
  if (!node->document->error && (g_hash_table_contains (names, score) || g_hash_table_contains (names, box)))
    fail (node, "a layer is called like its 'name' with '_score' or '_box'");
}

static void
read_rpn (const SppnetNode *root, SppnetRpnConfig *rpn, GHashTable *names)
{
  gint candidates = (gint) rpn->candidates, boxes = (gint) rpn->boxes;
  SppnetNode node;

  if (!sppnet_node_object (root, "rpn", &node))
    return;
  sppnet_node_note_unknown (&node, KEYS ("name", "filters", "stride", "activation", "slope", "anchors", "candidates",
                                         "boxes", "nms_threshold", "min_size", "min_score"));
  read_rpn_name (&node, rpn->name, names);
  sppnet_node_require (&node, "filters");
  sppnet_node_int (&node, "filters", 1, 4096, &rpn->filters);
  sppnet_node_int (&node, "stride", 1, 2, &rpn->stride);
  read_activation (&node, &rpn->activation, &rpn->slope);
  sppnet_node_require (&node, "anchors");
  sppnet_node_pairs (&node, "anchors", 1, 8192, rpn->anchors, SPPNET_MAX_ANCHORS, &rpn->n_anchors);
  sppnet_node_int (&node, "candidates", 1, SPPNET_MAX_PROPOSALS, &candidates);
  sppnet_node_int (&node, "boxes", 1, SPPNET_MAX_PROPOSALS, &boxes);
  sppnet_node_float (&node, "nms_threshold", 0, 1, &rpn->nms_threshold);
  sppnet_node_float (&node, "min_size", 1, 8192, &rpn->min_size);
  sppnet_node_float (&node, "min_score", 0, 1, &rpn->min_score);
  rpn->candidates = (guint) candidates;
  rpn->boxes = (guint) boxes;
}

void
sppnet_config_read_layers (const SppnetNode *root, SppnetConfig *config)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  JsonArray *layers = sppnet_node_array (root, "layers", 1, SPPNET_MAX_LAYERS);
  JsonArray *region = sppnet_node_array (root, "region_layers", 0, SPPNET_MAX_REGION_LAYERS);
  JsonArray *head = sppnet_node_array (root, "head", 0, SPPNET_MAX_HEAD_LAYERS);
  SppnetNode node;

  sppnet_node_require (root, "layers");
  for (guint i = 0; layers && i < json_array_get_length (layers) && !root->document->error; i++) {
    g_autofree gchar *where = g_strdup_printf ("layers[%u]", i);

    if (sppnet_node_element (root, layers, i, where, &node)) {
      read_layer (&node, config, config->n_layers, names);
      config->n_layers++;
      if (!root->document->error && stage_stride (config, config->n_layers) > SPPNET_FRAME_MAX_SIZE)
        fail (&node, "the strides down to here make a cell larger than any frame");
    }
  }
  for (guint i = 0; region && i < json_array_get_length (region) && !root->document->error; i++) {
    g_autofree gchar *where = g_strdup_printf ("region_layers[%u]", i);

    if (sppnet_node_element (root, region, i, where, &node))
      read_region_layer (&node, &config->region_layers[config->n_region_layers++], names);
  }
  for (guint i = 0; head && i < json_array_get_length (head) && !root->document->error; i++) {
    g_autofree gchar *where = g_strdup_printf ("head[%u]", i);

    if (sppnet_node_element (root, head, i, where, &node))
      read_head_layer (&node, &config->head[config->n_head++], names);
  }
  read_rpn (root, &config->rpn, names);
}
