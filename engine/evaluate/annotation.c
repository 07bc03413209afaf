/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/annotation.h"

#include <math.h>
#include <string.h>

static void
clear_object (gpointer data)
{
  g_clear_pointer (&((SppnetObject *) data)->label, g_free);
}

SppnetAnnotation *
sppnet_annotation_new (const gchar *id)
{
  SppnetAnnotation *annotation = g_new0 (SppnetAnnotation, 1);

  annotation->id = g_strdup (id);
  annotation->objects = g_array_new (FALSE, TRUE, sizeof (SppnetObject));
  g_array_set_clear_func (annotation->objects, clear_object);
  return annotation;
}

void
sppnet_annotation_free (SppnetAnnotation *annotation)
{
  if (!annotation)
    return;
  g_free (annotation->id);
  g_free (annotation->picture);
  g_array_unref (annotation->objects);
  g_free (annotation);
}

/* The four corners of a box as they stand in the file. */
enum
{
  XMIN,
  YMIN,
  XMAX,
  YMAX,
  N_CORNERS,
};

/* An object while its file is read; checked once the picture's size is known. */
typedef struct
{
  SppnetObject object;
  gdouble corner[N_CORNERS]; /* NaN: not given */
  gint line;                 /* of <object> */
  gint box_line;             /* of <bndbox> */
} Draft;

typedef struct
{
  const gchar *file;
  GString *path; /* of the open elements: "annotation/size" */
  GString *text; /* of the innermost element so far */
  gdouble width, height;
  gint size_line;
  GArray *drafts; /* (element-type Draft) */
} Reader;

static void
clear_draft (gpointer data)
{
  g_free (((Draft *) data)->object.label);
}

static gint
current_line (GMarkupParseContext *context)
{
  gint line, character;

  /* A tag that a line break follows has the position of the break, which GMarkup counts as the first character of the
   * next line. */
  g_markup_parse_context_get_position (context, &line, &character);
  return character <= 1 ? MAX (line - 1, 1) : line;
}

static void
on_start (GMarkupParseContext *context, const gchar *element, const gchar **names, const gchar **values, gpointer data,
          GError **error)
{
  Reader *reader = data;

  if (reader->path->len > 0)
    g_string_append_c (reader->path, '/');
  g_string_append (reader->path, element);
  g_string_truncate (reader->text, 0);

  if (strcmp (reader->path->str, "annotation/size") == 0) {
    reader->size_line = current_line (context);
  } else if (strcmp (reader->path->str, "annotation/object") == 0) {
    Draft draft = { { .confidence = 1 }, { NAN, NAN, NAN, NAN }, current_line (context), current_line (context) };

    g_array_append_val (reader->drafts, draft);
  } else if (strcmp (reader->path->str, "annotation/object/bndbox") == 0) {
    g_array_index (reader->drafts, Draft, reader->drafts->len - 1).box_line = current_line (context);
  } else if (!strchr (reader->path->str, '/') && strcmp (element, "annotation") != 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%d: <%s> instead of <annotation>", reader->file,
                 current_line (context), element);
  }
}

static void
on_text (GMarkupParseContext *context, const gchar *text, gsize length, gpointer data, GError **error)
{
  g_string_append_len (((Reader *) data)->text, text, (gssize) length);
}

static gboolean
read_number (GMarkupParseContext *context, Reader *reader, const gchar *element, gdouble *number, GError **error)
{
  gchar *end;

  *number = g_ascii_strtod (reader->text->str, &end);
  if (end != reader->text->str && *end == '\0' && isfinite (*number))
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%d: <%s> is not a number: \"%.40s\"", reader->file,
               current_line (context), element, reader->text->str);
  return FALSE;
}

/* path: below annotation/object */
static void
on_end_in_object (GMarkupParseContext *context, Reader *reader, const gchar *path, const gchar *element, GError **error)
{
  static const gchar *const corners[N_CORNERS] = { "bndbox/xmin", "bndbox/ymin", "bndbox/xmax", "bndbox/ymax" };
  Draft *draft = &g_array_index (reader->drafts, Draft, reader->drafts->len - 1);
  gdouble number;

  if (strcmp (path, "name") == 0) {
    g_free (draft->object.label);
    draft->object.label = g_strdup (reader->text->str);
  } else if (strcmp (path, "difficult") == 0) {
    if (read_number (context, reader, element, &number, error))
      draft->object.difficult = number != 0;
  } else if (strcmp (path, "confidence") == 0) {
    if (read_number (context, reader, element, &number, error))
      draft->object.confidence = (gfloat) number;
  } else {
    for (gint i = 0; i < N_CORNERS; i++)
      if (strcmp (path, corners[i]) == 0)
        read_number (context, reader, element, &draft->corner[i], error);
  }
}

static void
on_end (GMarkupParseContext *context, const gchar *element, gpointer data, GError **error)
{
  static const gchar object[] = "annotation/object/";
  Reader *reader = data;
  const gchar *path = reader->path->str, *slash;

  g_strstrip (reader->text->str);
  if (strcmp (path, "annotation/size/width") == 0)
    read_number (context, reader, element, &reader->width, error);
  else if (strcmp (path, "annotation/size/height") == 0)
    read_number (context, reader, element, &reader->height, error);
  else if (g_str_has_prefix (path, object))
    on_end_in_object (context, reader, path + strlen (object), element, error);

  slash = strrchr (path, '/');
  g_string_truncate (reader->path, slash ? (gsize) (slash - path) : 0);
  g_string_truncate (reader->text, 0);
}

static gboolean
fail (const gchar *file, gint line, GError **error, const gchar *reason)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s:%d: %s", file, line, reason);
  return FALSE;
}

static gboolean
check_size (const Reader *reader, GError **error)
{
  if (reader->size_line == 0)
    return fail (reader->file, 1, error, "no <size>");
  if (!(reader->width >= 1 && reader->height >= 1 && reader->width <= SPPNET_ANNOTATION_MAX_SIDE
        && reader->height <= SPPNET_ANNOTATION_MAX_SIDE))
    return fail (reader->file, reader->size_line, error,
                 "<size> needs a width and a height from 1 to " G_STRINGIFY (SPPNET_ANNOTATION_MAX_SIDE));
  if (reader->width != floor (reader->width) || reader->height != floor (reader->height))
    return fail (reader->file, reader->size_line, error, "<size> is not in whole pixels");
  return TRUE;
}

const gchar *
sppnet_annotation_clip (const SppnetAnnotation *annotation, gdouble x0, gdouble y0, gdouble x1, gdouble y1,
                        SppnetBox *box)
{
  /* Written so that NaN is refused. */
  if (!(x1 > x0 && y1 > y0))
    return "empty box";
  if (!(x0 >= -1 && y0 >= -1 && x1 <= annotation->width + 1 && y1 <= annotation->height + 1))
    return "box outside the picture";
  x0 = CLAMP (x0, 0, annotation->width);
  y0 = CLAMP (y0, 0, annotation->height);
  x1 = CLAMP (x1, 0, annotation->width);
  y1 = CLAMP (y1, 0, annotation->height);
  if (x1 <= x0 || y1 <= y0)
    return "box outside the picture";
  *box = (SppnetBox) { (gfloat) x0, (gfloat) y0, (gfloat) (x1 - x0), (gfloat) (y1 - y0) };
  return NULL;
}

/* Turns the corners into a box inside the picture. */
static gboolean
finish_object (const Reader *reader, const SppnetAnnotation *annotation, Draft *draft, GError **error)
{
  const gdouble *corner = draft->corner;
  const gchar *reason;

  if (!draft->object.label || !*draft->object.label)
    return fail (reader->file, draft->line, error, "object without a <name>");
  for (gint i = 0; i < N_CORNERS; i++)
    if (isnan (corner[i]))
      return fail (reader->file, draft->box_line, error, "object without xmin, ymin, xmax, ymax");
  reason = sppnet_annotation_clip (annotation, corner[XMIN] - 1, corner[YMIN] - 1, corner[XMAX], corner[YMAX],
                                   &draft->object.box);
  return !reason || fail (reader->file, draft->box_line, error, reason);
}

static gboolean
parse (Reader *reader, const gchar *text, gsize length, GError **error)
{
  static const GMarkupParser parser = { on_start, on_end, on_text, NULL, NULL };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, reader, NULL);
  g_autoptr (GError) reason = NULL;

  if (g_markup_parse_context_parse (context, text, (gssize) length, &reason)
      && g_markup_parse_context_end_parse (context, &reason))
    return TRUE;
  if (reason->domain == SPPNET_ERROR)
    g_propagate_error (error, g_steal_pointer (&reason));
  else
    fail (reader->file, current_line (context), error, reason->message);
  return FALSE;
}

gboolean
sppnet_annotation_parse (SppnetAnnotation *annotation, const gchar *file, const gchar *xml, gsize length,
                         GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GArray) drafts = g_array_new (FALSE, TRUE, sizeof (Draft));
  Reader reader = { file, path, text, 0, 0, 0, drafts };
  /* GMarkup takes no byte order mark. */
  gsize mark = length >= 3 && memcmp (xml, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

  g_array_set_clear_func (drafts, clear_draft);
  if (!parse (&reader, xml + mark, length - mark, error) || !check_size (&reader, error))
    return FALSE;

  annotation->width = (gint) reader.width;
  annotation->height = (gint) reader.height;
  for (guint i = 0; i < drafts->len; i++) {
    Draft *draft = &g_array_index (drafts, Draft, i);

    if (!finish_object (&reader, annotation, draft, error))
      return FALSE;
    g_array_append_val (annotation->objects, draft->object);
    draft->object.label = NULL;
  }
  return TRUE;
}
