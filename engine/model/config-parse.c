/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "model/config-layers.h"
#include "model/config-names.h"
#include "model/json.h"

/* Nothing that the format knows is deeper than 4; provenance may be. */
#define MAX_DEPTH 32
/* A tree takes a hundred times the memory of its text; 4096 long labels are 1 MB. */
#define MAX_BYTES (4u << 20)
#define MAX_NUMBER 1e30

#define KEYS(...) ((const gchar *const[]) { __VA_ARGS__, NULL })

static void
fail (const SppnetNode *node, const gchar *reason)
{
  sppnet_document_fail (node->document, SPPNET_ERROR_CORRUPT, "%s: %s", node->where, reason);
}

static void
read_input (const SppnetNode *root, SppnetConfig *config)
{
  static const gchar *const orders[] = { "rgb", "bgr" };
  SppnetNode node;

  if (!sppnet_node_object (root, "input", &node))
    return;
  sppnet_node_note_unknown (&node, KEYS ("order", "mean", "scale"));
  sppnet_node_choice (&node, "order", orders, G_N_ELEMENTS (orders), &config->input_bgr);
  sppnet_node_floats (&node, "mean", -1e6, 1e6, config->input_mean, 3);
  sppnet_node_floats (&node, "scale", -1e6, 1e6, config->input_scale, 3);
}

static void
read_pooling (const SppnetNode *root, SppnetConfig *config)
{
  gint kind = (gint) config->pooling;
  JsonArray *levels;
  SppnetNode node;

  if (!sppnet_node_object (root, "pooling", &node))
    return;
  sppnet_node_note_unknown (&node, KEYS ("type", "levels", "scales"));
  sppnet_node_choice (&node, "type", sppnet_pooling_names, G_N_ELEMENTS (sppnet_pooling_names), &kind);
  config->pooling = (SppnetPooling) kind;
  levels = sppnet_node_array (&node, "levels", 1, SPPNET_MAX_LEVELS);
  if (levels) {
    config->n_levels = json_array_get_length (levels);
    sppnet_node_ints (&node, "levels", 1, 32, config->levels, config->n_levels);
  }
  if (sppnet_node_has (&node, "scales"))
    sppnet_node_floats (&node, "scales", 1, 64, config->scales, config->n_levels);
  if (!root->document->error && config->pooling == SPPNET_POOLING_ROI && config->n_levels != 1)
    fail (&node, "RoI pooling has exactly one level");
  if (!root->document->error && config->pooling == SPPNET_POOLING_ROI && config->scales[0] != 1.0f)
    fail (&node, "RoI pooling has no 'scales'");
}

static void
check_region_layers (const SppnetNode *root, const SppnetConfig *config)
{
  if (root->document->error || config->n_region_layers == 0)
    return;
  if (config->n_head == 0)
    fail (root, "'region_layers' need a fully connected layer in 'head'");
  else if (sppnet_config_region_level (config, NULL) == config->n_levels)
    fail (root, "'region_layers' need a level with the scale 1");
}

static void
read_labels (const SppnetNode *root, SppnetConfig *config)
{
  JsonArray *labels = sppnet_node_array (root, "labels", 0, SPPNET_MAX_LABELS);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = labels ? json_array_get_length (labels) : 0;

  if (n == 0)
    return;
  config->labels = g_new0 (gchar *, n + 1);
  for (guint i = 0; i < n; i++) {
    JsonNode *element = json_array_get_element (labels, i);
    const gchar *text = JSON_NODE_HOLDS_VALUE (element) ? json_node_get_string (element) : NULL;

    if (!text || !sppnet_text_is_clean (text, 255))
      sppnet_document_fail (root->document, SPPNET_ERROR_CORRUPT,
                            "labels[%u] must be a text of 1 to 255 bytes without control characters", i);
    else if (g_hash_table_contains (known, text))
      sppnet_document_fail (root->document, SPPNET_ERROR_CORRUPT, "labels[%u]: '%s' occurs twice", i, text);
    if (root->document->error)
      return;
    config->labels[config->n_labels++] = g_strdup (text);
    g_hash_table_add (known, config->labels[i]);
  }
}

static void
read_calibration (const SppnetNode *root, SppnetConfig *config)
{
  guint n = config->n_labels;

  if (n > 0 && sppnet_node_has (root, "thresholds")) {
    config->thresholds = g_new0 (gfloat, n);
    sppnet_node_floats (root, "thresholds", 0, 1, config->thresholds, n);
  }
  if (n > 0 && sppnet_node_has (root, "calibration")) {
    config->calibration = g_new0 (gfloat, 2 * n);
    sppnet_node_floats (root, "calibration", -MAX_NUMBER, MAX_NUMBER, config->calibration, 2 * n);
  }
  if (sppnet_node_has (root, "context") && (n == 0 || n > SPPNET_MAX_CONTEXT_LABELS)) {
    sppnet_document_fail (root->document, SPPNET_ERROR_CORRUPT, "'context' is for 1..%d labels, not %u",
                          SPPNET_MAX_CONTEXT_LABELS, n);
  } else if (sppnet_node_has (root, "context")) {
    guint size = n * (guint) SPPNET_CONTEXT_COLUMNS (n);

    config->context = g_new0 (gfloat, size);
    sppnet_node_floats (root, "context", -MAX_NUMBER, MAX_NUMBER, config->context, size);
  }
}

static void
read_box (const SppnetNode *root, SppnetConfig *config)
{
  gint input = SPPNET_BOX_NONE, from = SPPNET_BOX_FROM_REGION;
  SppnetNode node;

  if (!sppnet_node_object (root, "box", &node))
    return;
  sppnet_node_note_unknown (&node, KEYS ("input", "from", "mean", "scale"));
  sppnet_node_choice (&node, "from", sppnet_box_from_names, G_N_ELEMENTS (sppnet_box_from_names), &from);
  config->box_from = (SppnetBoxFrom) from;
  sppnet_node_choice (&node, "input", sppnet_box_names, G_N_ELEMENTS (sppnet_box_names), &input);
  config->box_input = (SppnetBoxInput) input;
  sppnet_node_floats (&node, "mean", -1e6, 1e6, config->box_mean, 4);
  sppnet_node_floats (&node, "scale", -1e6, 1e6, config->box_scale, 4);
  if (!root->document->error && config->n_labels == 0 && config->box_input != SPPNET_BOX_NONE)
    fail (&node, "box regression needs labels");
  if (!root->document->error && config->box_from == SPPNET_BOX_FROM_WINDOW && config->box_input != SPPNET_BOX_HEAD)
    fail (&node, "'from' can be \"window\" only where 'input' is \"head\"");
}

static void
read_proposals (const SppnetNode *root, SppnetConfig *config)
{
  gint method = (gint) config->proposals, most = (gint) config->max_proposals;
  SppnetNode node;

  sppnet_node_float (root, "nms_threshold", 0, 1, &config->nms_threshold);
  if (!sppnet_node_object (root, "proposals", &node))
    return;
  sppnet_node_note_unknown (&node, KEYS ("method", "max"));
  sppnet_node_choice (&node, "method", sppnet_proposal_names, G_N_ELEMENTS (sppnet_proposal_names), &method);
  sppnet_node_int (&node, "max", 1, SPPNET_MAX_PROPOSALS, &most);
  config->proposals = (SppnetProposals) method;
  config->max_proposals = (guint) most;
  if (!root->document->error && config->proposals == SPPNET_PROPOSALS_RPN && config->rpn.n_anchors == 0)
    fail (&node, "the method 'rpn' needs the object 'rpn'");
}

static gboolean
numbers_are_finite (JsonNode *node)
{
  g_autoptr (GList) values = NULL;

  if (JSON_NODE_HOLDS_VALUE (node))
    return json_node_get_value_type (node) != G_TYPE_DOUBLE || isfinite (json_node_get_double (node));
  if (JSON_NODE_HOLDS_OBJECT (node))
    values = json_object_get_values (json_node_get_object (node));
  else if (JSON_NODE_HOLDS_ARRAY (node))
    values = json_array_get_elements (json_node_get_array (node));
  for (GList *at = values; at; at = at->next)
    if (!numbers_are_finite (at->data))
      return FALSE;
  return TRUE;
}

static void
read_provenance (const SppnetNode *root, SppnetConfig *config)
{
  SppnetNode node;

  if (!sppnet_node_object (root, "provenance", &node))
    return;
  if (numbers_are_finite (json_object_get_member (root->object, "provenance")))
    config->provenance = json_to_string (json_object_get_member (root->object, "provenance"), FALSE);
  else
    fail (&node, "a number is too large");
}

static void
read_root (const SppnetNode *root, SppnetConfig *config)
{
  gint version = 0, classifier = (gint) config->classifier;

  sppnet_node_require (root, "version");
  sppnet_node_int (root, "version", 1, G_MAXINT, &version);
  if (version > SPPNET_FORMAT_VERSION)
    sppnet_document_fail (root->document, SPPNET_ERROR_VERSION, "format version %d is newer than this library's, %d",
                          version, SPPNET_FORMAT_VERSION);
  if (root->document->error)
    return;
  sppnet_node_note_unknown (root, KEYS ("version", "name", "input", "layers", "pooling", "region_layers", "head",
                                        "classifier", "labels", "thresholds", "calibration", "context", "box", "rpn",
                                        "proposals", "nms_threshold", "provenance"));
  config->name = g_strdup (sppnet_node_text (root, "name", 255));
  read_input (root, config);
  sppnet_config_read_layers (root, config);
  read_pooling (root, config);
  check_region_layers (root, config);
  sppnet_node_choice (root, "classifier", sppnet_classifier_names, G_N_ELEMENTS (sppnet_classifier_names), &classifier);
  config->classifier = (SppnetClassifier) classifier;
  read_labels (root, config);
  read_calibration (root, config);
  read_box (root, config);
  read_proposals (root, config);
  read_provenance (root, config);
}

gboolean
sppnet_config_parse (SppnetConfig *config, const gchar *json, gssize length, const gchar *file, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  SppnetDocument document = { file, NULL };
  gsize bytes = length < 0 ? strlen (json) : (gsize) length;
  SppnetJsonCursor cursor;
  SppnetNode root;

  sppnet_config_init (config);
  if (bytes > MAX_BYTES)
    sppnet_document_fail (&document, SPPNET_ERROR_CORRUPT, "longer than %u bytes", MAX_BYTES);
  else if (!sppnet_json_check (&cursor, json, bytes, MAX_DEPTH))
    sppnet_document_fail (&document, SPPNET_ERROR_CORRUPT, "%s at byte %zu", cursor.reason,
                          (gsize) (cursor.at - cursor.start));
  else if (!json_parser_load_from_data (parser, json, (gssize) bytes, &document.error))
    g_prefix_error (&document.error, "%s: configuration: ", file);
  else if (!JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    sppnet_document_fail (&document, SPPNET_ERROR_CORRUPT, "not an object");
  else {
    root = (SppnetNode) { &document, json_node_get_object (json_parser_get_root (parser)), "document" };
    read_root (&root, config);
  }
  if (!document.error)
    return TRUE;
  if (document.error->domain != SPPNET_ERROR) {
    document.error->domain = SPPNET_ERROR;
    document.error->code = SPPNET_ERROR_CORRUPT;
  }
  g_propagate_error (error, document.error);
  sppnet_config_clear (config);
  return FALSE;
}
