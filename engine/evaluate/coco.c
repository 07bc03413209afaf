/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/coco.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/file.h"
#include "evaluate/annotation.h"
#include "model/json.h"

/* Arrays and objects within each other. COCO's have five. The parser calls itself for each. */
#define MAX_DEPTH 32

typedef struct
{
  const gchar *file, *dir;
  GHashTable *pictures;   /* id -> SppnetAnnotation, of annotations */
  GHashTable *labels;     /* id -> name, of the document */
  GPtrArray *annotations; /* (element-type SppnetAnnotation) */
  guint without_area;     /* boxes */
} Reader;

/* An element of one of the arrays, for messages. */
typedef struct
{
  const Reader *reader;
  const gchar *array;
  guint index;
  JsonObject *object;
} Element;

static gboolean fail (const Element *element, GError **error, const gchar *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
fail (const Element *element, GError **error, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list list;

  va_start (list, format);
  reason = g_strdup_vprintf (format, list);
  va_end (list);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: %s[%u]: %s", element->reader->file, element->array,
               element->index, reason);
  return FALSE;
}

static gboolean
is_number (JsonNode *node)
{
  return node && JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64 || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

static gboolean
read_id (const Element *element, const gchar *member, gint64 *id, GError **error)
{
  JsonNode *node = json_object_get_member (element->object, member);

  if (!is_number (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    return fail (element, error, "\"%s\" is not a whole number", member);
  *id = json_node_get_int (node);
  return TRUE;
}

static gboolean
read_text (const Element *element, const gchar *member, const gchar **text, GError **error)
{
  JsonNode *node = json_object_get_member (element->object, member);

  if (!node || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING
      || !*(*text = json_node_get_string (node)))
    return fail (element, error, "\"%s\" is not a text", member);
  return TRUE;
}

/* Notes value under the id of the element. */
static gboolean
note (const Element *element, GHashTable *table, gpointer value, GError **error)
{
  gint64 id;

  if (!read_id (element, "id", &id, error))
    return FALSE;
  if (!g_hash_table_insert (table, g_memdup2 (&id, sizeof id), value))
    return fail (element, error, "id %" G_GINT64_FORMAT " is there twice", id);
  return TRUE;
}

/* What the id in a member refers to. */
static gpointer
find (const Element *element, const gchar *member, GHashTable *table, GError **error)
{
  gpointer value;
  gint64 id;

  if (!read_id (element, member, &id, error))
    return NULL;
  value = g_hash_table_lookup (table, &id);
  if (!value)
    fail (element, error, "\"%s\": there is no id %" G_GINT64_FORMAT, member, id);
  return value;
}

static gboolean
read_category (Reader *reader, const Element *element, GError **error)
{
  const gchar *name = NULL;

  return read_text (element, "name", &name, error) && note (element, reader->labels, (gpointer) name, error);
}

static gboolean
read_image (Reader *reader, const Element *element, GError **error)
{
  SppnetAnnotation *annotation;
  const gchar *name = NULL;
  gint64 width, height;

  if (!read_text (element, "file_name", &name, error) || !read_id (element, "width", &width, error)
      || !read_id (element, "height", &height, error))
    return FALSE;
  if (width < 1 || height < 1 || width > SPPNET_ANNOTATION_MAX_SIDE || height > SPPNET_ANNOTATION_MAX_SIDE)
    return fail (element, error, "width and height must be from 1 to %d", SPPNET_ANNOTATION_MAX_SIDE);
  annotation = sppnet_annotation_new (name);
  g_ptr_array_add (reader->annotations, annotation);
  annotation->picture = g_build_filename (reader->dir, name, NULL);
  annotation->width = (gint) width;
  annotation->height = (gint) height;
  if (!g_file_test (annotation->picture, G_FILE_TEST_IS_REGULAR))
    return fail (element, error, "there is no picture %s", annotation->picture);
  return note (element, reader->pictures, annotation, error);
}

/* Official files have boxes of width or height 0, too: empty is then TRUE, and box is not written. */
static gboolean
read_box (const Element *element, const SppnetAnnotation *annotation, SppnetBox *box, gboolean *empty, GError **error)
{
  JsonNode *node = json_object_get_member (element->object, "bbox");
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  const gchar *reason;
  gdouble number[4];

  if (!array || json_array_get_length (array) != 4)
    return fail (element, error, "\"bbox\" is not an array of four numbers");
  for (guint i = 0; i < 4; i++) {
    if (!is_number (json_array_get_element (array, i)))
      return fail (element, error, "\"bbox\" is not an array of four numbers");
    number[i] = json_array_get_double_element (array, i);
  }
  *empty = number[2] == 0 || number[3] == 0;
  if (*empty)
    return TRUE;
  reason = sppnet_annotation_clip (annotation, number[0], number[1], number[0] + number[2], number[1] + number[3], box);
  return !reason || fail (element, error, "%s", reason);
}

/* Absent, a number or, as some tools write it, true or false. */
static gboolean
read_crowd (const Element *element, gboolean *crowd, GError **error)
{
  JsonNode *node = json_object_get_member (element->object, "iscrowd");

  *crowd = FALSE;
  if (node && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    *crowd = json_node_get_boolean (node);
  else if (is_number (node))
    *crowd = json_node_get_double (node) != 0;
  else if (node && !JSON_NODE_HOLDS_NULL (node))
    return fail (element, error, "\"iscrowd\" is neither a number nor true or false");
  return TRUE;
}

static gboolean
read_object (Reader *reader, const Element *element, GError **error)
{
  SppnetAnnotation *annotation = find (element, "image_id", reader->pictures, error);
  const gchar *label = annotation ? find (element, "category_id", reader->labels, error) : NULL;
  SppnetObject object = { .confidence = 1 };
  gboolean empty = FALSE;

  if (!label || !read_box (element, annotation, &object.box, &empty, error)
      || !read_crowd (element, &object.difficult, error))
    return FALSE;
  if (empty) {
    reader->without_area++;
    return TRUE;
  }
  object.label = g_strdup (label);
  g_array_append_val (annotation->objects, object);
  return TRUE;
}

static gboolean
read_array (Reader *reader, JsonObject *document, const gchar *name,
            gboolean (*read) (Reader *reader, const Element *element, GError **error), GError **error)
{
  JsonNode *node = json_object_get_member (document, name);
  JsonArray *array = node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (!array) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: has no array \"%s\"", reader->file, name);
    return FALSE;
  }
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *item = json_array_get_element (array, i);
    Element element = { reader, name, i, NULL };

    if (!JSON_NODE_HOLDS_OBJECT (item))
      return fail (&element, error, "is not an object");
    element.object = json_node_get_object (item);
    if (!read (reader, &element, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_json (const gchar *file, const gchar *text, gsize length, GError **error)
{
  SppnetJsonCursor cursor;
  guint line = 1;

  if (sppnet_json_check (&cursor, text, length, MAX_DEPTH))
    return TRUE;
  for (const gchar *at = text; at < cursor.at; at++)
    line += *at == '\n';
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%u: %s", file, line, cursor.reason);
  return FALSE;
}

static JsonObject *
load_document (JsonParser *parser, const gchar *file, GError **error)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) reason = NULL;
  gsize length, skipped = 0;
  JsonNode *root;

  if (!sppnet_file_read (file, &text, &length, error))
    return NULL;
  if (length >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
    skipped = 3;
  if (!is_json (file, text + skipped, length - skipped, error))
    return NULL;
  if (!json_parser_load_from_data (parser, text + skipped, (gssize) (length - skipped), &reason)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: %s", file, reason->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root && JSON_NODE_HOLDS_OBJECT (root))
    return json_node_get_object (root);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not a JSON object", file);
  return NULL;
}

GPtrArray *
sppnet_coco_load (const gchar *file, const gchar *dir, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GHashTable) pictures = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GPtrArray) annotations = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  Reader reader = { file, dir, pictures, labels, annotations, 0 };
  JsonObject *document = load_document (parser, file, error);

  if (!document || !read_array (&reader, document, "categories", read_category, error)
      || !read_array (&reader, document, "images", read_image, error)
      || !read_array (&reader, document, "annotations", read_object, error))
    return NULL;
  if (reader.without_area > 0)
    g_message ("%s: leaving out %u boxes of width or height 0", file, reader.without_area);
  if (annotations->len == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: no pictures are listed", file);
    return NULL;
  }
  return g_steal_pointer (&annotations);
}
