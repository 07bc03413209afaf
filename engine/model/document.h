/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include <sppnet/error.h>

/* Checked access to the members of a JSON document. An absent member leaves the value as it is, a wrong one sets the
 * error; after the first error every function does nothing, so that a caller checks once, at the end. */
typedef struct
{
  const gchar *file;
  GError *error;
} SppnetDocument;

/* One object of a document and what it is called in messages ("layers[3]"). */
typedef struct
{
  SppnetDocument *document;
  JsonObject *object;
  const gchar *where;
} SppnetNode;

void sppnet_document_fail (SppnetDocument *document, SppnetError code, const gchar *format, ...) G_GNUC_PRINTF (3, 4);

gboolean sppnet_node_has (const SppnetNode *node, const gchar *key);
/* Fails where the key is absent. */
void sppnet_node_require (const SppnetNode *node, const gchar *key);
/* Notes, for debugging, members that this version does not know; keys ends with NULL. */
void sppnet_node_note_unknown (const SppnetNode *node, const gchar *const *keys);

void sppnet_node_int (const SppnetNode *node, const gchar *key, gint64 min, gint64 max, gint *value);
/* value: [n]; a single number or, with n > 1, an array of n. */
void sppnet_node_ints (const SppnetNode *node, const gchar *key, gint64 min, gint64 max, gint *value, guint n);
void sppnet_node_bool (const SppnetNode *node, const gchar *key, gboolean *value);
void sppnet_node_float (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat *value);
/* value: [n]; the member must be an array of n numbers. */
void sppnet_node_floats (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat *value, guint n);
/* value: [most][2]; the member must be an array of 1 .. most arrays of 2 numbers; *n is set. */
void sppnet_node_pairs (const SppnetNode *node, const gchar *key, gdouble min, gdouble max, gfloat (*value)[2],
                        guint most, guint *n);
/* 1 .. max_bytes bytes without control characters; owned by the document; NULL where absent. */
const gchar *sppnet_node_text (const SppnetNode *node, const gchar *key, gsize max_bytes);
/* Index of the text among the names; UNSUPPORTED where it is none of them. */
void sppnet_node_choice (const SppnetNode *node, const gchar *key, const gchar *const *names, guint n, gint *value);
/* The array, of min .. max elements; NULL where absent or wrong. */
JsonArray *sppnet_node_array (const SppnetNode *node, const gchar *key, guint min, guint max);
/* FALSE where absent or wrong. */
gboolean sppnet_node_object (const SppnetNode *node, const gchar *key, SppnetNode *child);
/* Element i of an array as an object. */
gboolean sppnet_node_element (const SppnetNode *node, JsonArray *array, guint i, const gchar *where, SppnetNode *child);

gboolean sppnet_text_is_clean (const gchar *text, gsize max_bytes);
