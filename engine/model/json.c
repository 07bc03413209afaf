/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/json.h"

#include <string.h>

gboolean
sppnet_json_fail (SppnetJsonCursor *cursor, const gchar *reason)
{
  if (!cursor->reason)
    cursor->reason = reason;
  return FALSE;
}

gboolean
sppnet_json_cursor_init (SppnetJsonCursor *cursor, const gchar *text, gsize length)
{
  *cursor = (SppnetJsonCursor) { text, text, text + length, NULL };
  if (g_utf8_validate_len (text, length, &cursor->at)) {
    cursor->at = text;
    return TRUE;
  }
  return sppnet_json_fail (cursor, "not UTF-8 text");
}

gchar
sppnet_json_peek (SppnetJsonCursor *cursor)
{
  while (cursor->at < cursor->end
         && (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == '\n' || *cursor->at == '\r'))
    cursor->at++;
  return cursor->at < cursor->end && !cursor->reason ? *cursor->at : 0;
}

gboolean
sppnet_json_take (SppnetJsonCursor *cursor, gchar character)
{
  if (sppnet_json_peek (cursor) != character)
    return sppnet_json_fail (cursor, cursor->at == cursor->end ? "text ends too early" : "unexpected character");
  cursor->at++;
  return TRUE;
}

gboolean
sppnet_json_more (SppnetJsonCursor *cursor, gchar close, gboolean *first)
{
  gboolean was_first = *first;

  *first = FALSE;
  if (sppnet_json_peek (cursor) == close) {
    cursor->at++;
    return FALSE;
  }
  return was_first ? !cursor->reason : sppnet_json_take (cursor, ',');
}

static gboolean
read_hex (SppnetJsonCursor *cursor, gunichar *value)
{
  *value = 0;
  for (guint i = 0; i < 4; i++) {
    if (cursor->at == cursor->end || !g_ascii_isxdigit (*cursor->at))
      return sppnet_json_fail (cursor, "\\u needs four hexadecimal digits");
    *value = *value << 4 | (gunichar) g_ascii_xdigit_value (*cursor->at++);
  }
  return TRUE;
}

/* After "\u". */
static gboolean
read_escaped_character (SppnetJsonCursor *cursor, GString *out)
{
  gunichar character, low;

  if (!read_hex (cursor, &character))
    return FALSE;
  if (character >= 0xd800 && character < 0xdc00) {
    if (cursor->end - cursor->at < 2 || cursor->at[0] != '\\' || cursor->at[1] != 'u')
      return sppnet_json_fail (cursor, "half of a surrogate pair");
    cursor->at += 2;
    if (!read_hex (cursor, &low))
      return FALSE;
    if (low < 0xdc00 || low >= 0xe000)
      return sppnet_json_fail (cursor, "half of a surrogate pair");
    character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
  }
  if (character >= 0xdc00 && character < 0xe000)
    return sppnet_json_fail (cursor, "half of a surrogate pair");
  if (character == 0)
    return sppnet_json_fail (cursor, "NUL character");
  if (out)
    g_string_append_unichar (out, character);
  return TRUE;
}

/* After the backslash. */
static gboolean
read_escape (SppnetJsonCursor *cursor, GString *out)
{
  static const gchar from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const gchar *place;

  if (cursor->at == cursor->end)
    return sppnet_json_fail (cursor, "text ends too early");
  if (*cursor->at == 'u') {
    cursor->at++;
    return read_escaped_character (cursor, out);
  }
  place = memchr (from, *cursor->at, sizeof from - 1);
  if (!place)
    return sppnet_json_fail (cursor, "unknown escape sequence");
  cursor->at++;
  if (out)
    g_string_append_c (out, to[place - from]);
  return TRUE;
}

gboolean
sppnet_json_string (SppnetJsonCursor *cursor, gchar **string)
{
  g_autoptr (GString) out = string ? g_string_new (NULL) : NULL;

  if (!sppnet_json_take (cursor, '"'))
    return FALSE;
  for (;;) {
    const gchar *run = cursor->at;

    while (cursor->at < cursor->end && *cursor->at != '"' && *cursor->at != '\\' && (guchar) *cursor->at >= 0x20)
      cursor->at++;
    if (out)
      g_string_append_len (out, run, cursor->at - run);
    if (cursor->at == cursor->end)
      return sppnet_json_fail (cursor, "text ends within a string");
    if ((guchar) *cursor->at < 0x20)
      return sppnet_json_fail (cursor, "control character in a string");
    if (*cursor->at++ == '"')
      break;
    if (!read_escape (cursor, out))
      return FALSE;
  }
  if (string)
    *string = g_string_free (g_steal_pointer (&out), FALSE);
  return TRUE;
}

gboolean
sppnet_json_name (SppnetJsonCursor *cursor, gchar **name)
{
  g_autofree gchar *text = NULL;

  if (!sppnet_json_string (cursor, name ? &text : NULL) || !sppnet_json_take (cursor, ':'))
    return FALSE;
  if (name)
    *name = g_steal_pointer (&text);
  return TRUE;
}

gboolean
sppnet_json_uint (SppnetJsonCursor *cursor, guint64 *value)
{
  const gchar *start;

  sppnet_json_peek (cursor);
  start = cursor->at;
  *value = 0;
  while (cursor->at < cursor->end && g_ascii_isdigit (*cursor->at)) {
    if (!g_uint64_checked_mul (value, *value, 10)
        || !g_uint64_checked_add (value, *value, (guint64) (*cursor->at - '0')))
      return sppnet_json_fail (cursor, "number too large");
    cursor->at++;
  }
  if (cursor->at == start || (*start == '0' && cursor->at - start > 1))
    return sppnet_json_fail (cursor, "expected a whole number, 0 or above");
  if (cursor->at < cursor->end && memchr (".eE", *cursor->at, 3))
    return sppnet_json_fail (cursor, "expected a whole number, 0 or above");
  return !cursor->reason;
}

static gboolean
skip_digits (SppnetJsonCursor *cursor)
{
  const gchar *start = cursor->at;

  while (cursor->at < cursor->end && g_ascii_isdigit (*cursor->at))
    cursor->at++;
  return cursor->at > start || sppnet_json_fail (cursor, "malformed number");
}

static gboolean
skip_number (SppnetJsonCursor *cursor)
{
  const gchar *digits;
  gboolean whole;

  if (*cursor->at == '-')
    cursor->at++;
  digits = cursor->at;
  if (!skip_digits (cursor))
    return FALSE;
  if (*digits == '0' && cursor->at - digits > 1)
    return sppnet_json_fail (cursor, "malformed number");
  whole = cursor->at == cursor->end || !memchr (".eE", *cursor->at, 3);
  if (whole && cursor->at - digits > 18) /* json-glib would wrap it */
    return sppnet_json_fail (cursor, "number too large");
  if (cursor->at < cursor->end && *cursor->at == '.') {
    cursor->at++;
    if (!skip_digits (cursor))
      return FALSE;
  }
  if (cursor->at < cursor->end && (*cursor->at == 'e' || *cursor->at == 'E')) {
    cursor->at++;
    if (cursor->at < cursor->end && (*cursor->at == '+' || *cursor->at == '-'))
      cursor->at++;
    return skip_digits (cursor);
  }
  return TRUE;
}

static gboolean
skip_word (SppnetJsonCursor *cursor)
{
  static const gchar *const words[] = { "true", "false", "null" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if ((gsize) (cursor->end - cursor->at) >= length && memcmp (cursor->at, words[i], length) == 0) {
      cursor->at += length;
      return TRUE;
    }
  }
  return sppnet_json_fail (cursor, cursor->at == cursor->end ? "text ends too early" : "unexpected character");
}

gboolean
sppnet_json_skip (SppnetJsonCursor *cursor, guint depth)
{
  gchar next = sppnet_json_peek (cursor);
  gchar close = next == '{' ? '}' : ']';
  gboolean first = TRUE;

  if (next == '"')
    return sppnet_json_string (cursor, NULL);
  if (next == '-' || g_ascii_isdigit (next))
    return skip_number (cursor);
  if (next != '{' && next != '[')
    return skip_word (cursor);

  if (depth == 0)
    return sppnet_json_fail (cursor, "nested too deeply");
  cursor->at++;
  while (sppnet_json_more (cursor, close, &first))
    if ((next == '{' && !sppnet_json_name (cursor, NULL)) || !sppnet_json_skip (cursor, depth - 1))
      return FALSE;
  return !cursor->reason;
}

gboolean
sppnet_json_check (SppnetJsonCursor *cursor, const gchar *text, gsize length, guint depth)
{
  return sppnet_json_cursor_init (cursor, text, length) && sppnet_json_skip (cursor, depth)
         && (sppnet_json_peek (cursor) == 0 || sppnet_json_fail (cursor, "text after the document"));
}

void
sppnet_json_append_string (GString *json, const gchar *text)
{
  g_string_append_c (json, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      g_string_append_printf (json, "\\%c", *text);
    else if ((guchar) *text < 0x20)
      g_string_append_printf (json, "\\u%04x", (guint) *text);
    else
      g_string_append_c (json, *text);
  }
  g_string_append_c (json, '"');
}

void
sppnet_json_append_float (GString *json, gfloat value)
{
  static const gchar *const formats[] = { "%.6g", "%.7g", "%.8g", "%.9g" };
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  value = value == 0.0f ? 0.0f : value; /* "-0" would be read as an integer, which has no sign */
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_ascii_formatd (text, sizeof text, formats[i], (gdouble) value);
    if ((gfloat) g_ascii_strtod (text, NULL) == value)
      break;
  }
  g_string_append (json, text);
}
