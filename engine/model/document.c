/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/document.h"

#include <math.h>
#include <string.h>

void
sppnet_document_fail (SppnetDocument *document, SppnetError code, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list args;

  if (document->error)
    return;
  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  document->error = g_error_new (SPPNET_ERROR, (gint) code, "%s: configuration: %s", document->file, reason);
}

#define fail(node, ...) sppnet_document_fail ((node)->document, SPPNET_ERROR_CORRUPT, __VA_ARGS__)

static JsonNode *
member (const SppnetNode *node, const gchar *key)
{
  return node->document->error ? NULL : json_object_get_member (node->object, key);
}

gboolean
sppnet_node_has (const SppnetNode *node, const gchar *key)
{
  return member (node, key) != NULL;
}

void
sppnet_node_require (const SppnetNode *node, const gchar *key)
{
  if (!json_object_has_member (node->object, key))
    fail (node, "%s: '%s' is missing", node->where, key);
}

void
sppnet_node_note_unknown (const SppnetNode *node, const gchar *const *keys)
{
  JsonObjectIter iter;
  const gchar *name;

  json_object_iter_init (&iter, node->object);
  while (json_object_iter_next (&iter, &name, NULL))
    if (!g_strv_contains (keys, name))
      g_debug ("%s: configuration: %s: '%s' is unknown to this version and ignored", node->document->file, node->where,
               name);
}

static gboolean
int_of (JsonNode *value, gint64 min, gint64 max, gint *out)
{
  if (!JSON_NODE_HOLDS_VALUE (value) || json_node_get_value_type (value) != G_TYPE_INT64)
    return FALSE;
  if (json_node_get_int (value) < min || json_node_get_int (value) > max)
    return FALSE;
  *out = (gint) json_node_get_int (value);
  return TRUE;
}

static gboolean
float_of (JsonNode *value, gdouble min, gdouble max, gfloat *out)
{
  GType type = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_INVALID;
  gdouble number;

  if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    return FALSE;
  number = json_node_get_double (value);
  if (!(number >= min && number <= max))
    return FALSE;
  *out = (gfloat) number;
  return TRUE;
}

void
sppnet_node_int (const SppnetNode *node, const gchar *key, gint64 min, gint64 max, gint *value)
{
  JsonNode *found = member (node, key);

  if (found && !int_of (found, min, max, value))
    fail (node, "%s: '%s' must be a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, node->where, key, min,
          max);
}

void
sppnet_node_ints (const SppnetNode *node, const gchar *key, gint64 min, gint64 max, gint *value, guint n)
{
  JsonNode *found = member (node, key);
  JsonArray *array = found && JSON_NODE_HOLDS_ARRAY (found) ? json_node_get_array (found) : NULL;
  gboolean good = TRUE;

  if (!found)
    return;
  if (array)
    good = json_array_get_length (array) == n;
  for (guint i = 0; i < n && good; i++)
    good = int_of (array ? json_array_get_element (array, i) : found, min, max, &value[i]);
  if (!good)
    fail (node, "%s: '%s' must be one or %u whole numbers from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, node->where,
          key, n, min, max);
}

void
sppnet_node_bool (const SppnetNode *node, const gchar *key, gboolean *value)
{
  JsonNode *found = member (node, key);

  if (!found)
    return;
  if (!JSON_NODE_HOLDS_VALUE (found) || json_node_get_value_type (found) != G_TYPE_BOOLEAN)
    fail (node, "%s: '%s' must be true or false", node->where, key);
  else
    *value = json_node_get_boolean (found);
}

void
sppnet_node_float (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat *value)
{
  JsonNode *found = member (node, key);

  if (found && !float_of (found, min, max, value))
    fail (node, "%s: '%s' must be a number from %g to %g", node->where, key, min, max);
}

void
sppnet_node_floats (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat *value, guint n)
{
  JsonArray *array = sppnet_node_array (node, key, n, n);

  for (guint i = 0; array && i < n; i++)
    if (!float_of (json_array_get_element (array, i), min, max, &value[i])) {
      fail (node, "%s: '%s[%u]' must be a number from %g to %g", node->where, key, i, min, max);
      return;
    }
}

void
sppnet_node_pairs (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat (*value)[2], guint most,
                   guint *n)
{
  JsonArray *array = sppnet_node_array (node, key, 1, most);

  for (guint i = 0; array && i < json_array_get_length (array); i++) {
    JsonNode *element = json_array_get_element (array, i);
    JsonArray *pair = JSON_NODE_HOLDS_ARRAY (element) ? json_node_get_array (element) : NULL;

    if (!pair || json_array_get_length (pair) != 2
        || !float_of (json_array_get_element (pair, 0), min, max, &value[i][0])
        || !float_of (json_array_get_element (pair, 1), min, max, &value[i][1])) {
      fail (node, "%s: '%s[%u]' must be an array of two numbers from %g to %g", node->where, key, i, min, max);
      return;
    }
    *n = i + 1;
  }
}

gboolean
sppnet_text_is_clean (const gchar *text, gsize max_bytes)
{
  if (!*text || strlen (text) > max_bytes)
    return FALSE;
  for (; *text; text = g_utf8_next_char (text))
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return FALSE;
  return TRUE;
}

const gchar *
sppnet_node_text (const SppnetNode *node, const gchar *key, gsize max_bytes)
{
  JsonNode *found = member (node, key);
  const gchar *text;

  if (!found)
    return NULL;
  if (!JSON_NODE_HOLDS_VALUE (found) || json_node_get_value_type (found) != G_TYPE_STRING) {
    fail (node, "%s: '%s' must be a text", node->where, key);
    return NULL;
  }
  text = json_node_get_string (found);
  if (sppnet_text_is_clean (text, max_bytes))
    return text;
  fail (node, "%s: '%s' must have 1 to %" G_GSIZE_FORMAT " bytes without control characters", node->where, key,
        max_bytes);
  return NULL;
}

void
sppnet_node_choice (const SppnetNode *node, const gchar *key, const gchar *const *names, guint n, gint *value)
{
  const gchar *text = sppnet_node_text (node, key, 255);

  if (!text)
    return;
  for (guint i = 0; i < n; i++)
    if (names[i] && g_str_equal (names[i], text)) {
      *value = (gint) i;
      return;
    }
  sppnet_document_fail (node->document, SPPNET_ERROR_UNSUPPORTED, "%s: this version knows no '%s' called '%s'",
                        node->where, key, text);
}

JsonArray *
sppnet_node_array (const SppnetNode *node, const gchar *key, guint min, guint max)
{
  JsonNode *found = member (node, key);
  guint length = found && JSON_NODE_HOLDS_ARRAY (found) ? json_array_get_length (json_node_get_array (found)) : 0;

  if (!found)
    return NULL;
  if (JSON_NODE_HOLDS_ARRAY (found) && length >= min && length <= max)
    return json_node_get_array (found);
  if (min == max)
    fail (node, "%s: '%s' must be an array of %u elements", node->where, key, min);
  else
    fail (node, "%s: '%s' must be an array of %u to %u elements", node->where, key, min, max);
  return NULL;
}

gboolean
sppnet_node_object (const SppnetNode *node, const gchar *key, SppnetNode *child)
{
  JsonNode *found = member (node, key);

  if (!found)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (found)) {
    fail (node, "%s: '%s' must be an object", node->where, key);
    return FALSE;
  }
  *child = (SppnetNode) { node->document, json_node_get_object (found), key };
  return TRUE;
}

gboolean
sppnet_node_element (const SppnetNode *node, JsonArray *array, guint i, const gchar *where, SppnetNode *child)
{
  JsonNode *found = json_array_get_element (array, i);

  if (!JSON_NODE_HOLDS_OBJECT (found)) {
    fail (node, "%s must be an object", where);
    return FALSE;
  }
  *child = (SppnetNode) { node->document, json_node_get_object (found), where };
  return TRUE;
}
