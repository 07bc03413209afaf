/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A strict JSON reader (RFC 8259) for text from strangers: bounded recursion, no memory beyond the strings asked for.
 * After the first mistake every function returns FALSE, and reason and at say what and where. */
typedef struct
{
  const gchar *start, *at, *end; /* valid UTF-8 */
  const gchar *reason;           /* NULL: no mistake so far */
} SppnetJsonCursor;

/* FALSE, with a reason, where the text is not UTF-8. */
gboolean sppnet_json_cursor_init (SppnetJsonCursor *cursor, const gchar *text, gsize length);
gboolean sppnet_json_fail (SppnetJsonCursor *cursor, const gchar *reason);

/* The next character after white space; 0 at the end. */
gchar sppnet_json_peek (SppnetJsonCursor *cursor);
/* Takes the given character, or fails. */
gboolean sppnet_json_take (SppnetJsonCursor *cursor, gchar character);
/* Within an object or array closed by close: TRUE where another element follows. first: before the first element. */
gboolean sppnet_json_more (SppnetJsonCursor *cursor, gchar close, gboolean *first);
/* string: (out) (optional) (transfer full). Strings never contain NUL. */
gboolean sppnet_json_string (SppnetJsonCursor *cursor, gchar **string);
/* A member's name and the colon. */
gboolean sppnet_json_name (SppnetJsonCursor *cursor, gchar **name);
gboolean sppnet_json_uint (SppnetJsonCursor *cursor, guint64 *value);
/* Any value; arrays and objects may be nested depth times. */
gboolean sppnet_json_skip (SppnetJsonCursor *cursor, guint depth);
/* A text that is one value and nothing else. json-glib recurses as deep as a text is nested and takes more than JSON:
 * it only sees what passed this. */
gboolean sppnet_json_check (SppnetJsonCursor *cursor, const gchar *text, gsize length, guint depth);

/* Appends text, which is UTF-8, as a JSON string. */
void sppnet_json_append_string (GString *json, const gchar *text);
/* Appends a finite number with the fewest digits that give the same float. */
void sppnet_json_append_float (GString *json, gfloat value);
