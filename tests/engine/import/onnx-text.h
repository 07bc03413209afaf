/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An ONNX file as text, a line per part of it in the order of the file: read independently of the writer, field by
 * field. */
#include <glib.h>
#include <string.h>

/* A message being read. */
typedef struct
{
  const guint8 *at, *end;
} Message;

/* One field of a message. */
typedef struct
{
  guint number, wire;
  guint64 value; /* of a varint or 32 bits */
  Message bytes; /* of a length-delimited one */
} Field;

static inline guint64
read_varint (Message *message)
{
  guint64 value = 0;

  for (guint shift = 0;; shift += 7) {
    g_assert_true (message->at < message->end && shift < 64);
    value |= (guint64) (*message->at & 0x7f) << shift;
    if (!(*message->at++ & 0x80))
      return value;
  }
}

static inline gboolean
read_field (Message *message, Field *field)
{
  guint64 key;

  if (message->at == message->end)
    return FALSE;
  key = read_varint (message);
  *field = (Field) { (guint) (key >> 3), (guint) (key & 7) };
  if (field->wire == 0) {
    field->value = read_varint (message);
  } else if (field->wire == 5) {
    for (guint i = 0; i < 4; i++)
      field->value |= (guint64) message->at[i] << 8 * i;
    message->at += 4;
  } else {
    guint64 length;

    g_assert_cmpuint (field->wire, ==, 2);
    length = read_varint (message);
    field->bytes = (Message) { message->at, message->at + length };
    message->at += length;
  }
  g_assert_true (message->at <= message->end);
  return TRUE;
}

/* The next field, which must have this number. */
static inline Field
take_field (Message *message, guint number)
{
  Field field = { 0 };

  g_assert_true (read_field (message, &field));
  g_assert_cmpuint (field.number, ==, number);
  return field;
}

static inline void
append_text (GString *text, const gchar *before, const Field *field)
{
  g_string_append (text, before);
  g_string_append_len (text, (const gchar *) field->bytes.at, field->bytes.end - field->bytes.at);
}

static inline gfloat
field_float (guint64 bits)
{
  guint32 low = (guint32) bits;
  gfloat value;

  memcpy (&value, &low, 4);
  return value;
}

/* " NAME=VALUE" */
static inline void
append_attribute (GString *text, Message message)
{
  Field field;
  gboolean first = TRUE;

  while (read_field (&message, &field))
    if (field.number == 1) {
      append_text (text, " ", &field);
      g_string_append_c (text, '=');
    } else if (field.number == 2) {
      g_string_append_printf (text, "%g", (gdouble) field_float (field.value));
    } else if (field.number == 3 || field.number == 8) {
      g_string_append_printf (text, "%s%" G_GINT64_FORMAT, first ? "" : ",", (gint64) field.value);
      first = FALSE;
    } else if (field.number == 4) {
      append_text (text, "", &field);
    } else {
      g_assert_cmpuint (field.number, ==, 20);
    }
}

/* "OUTPUT = OPERATOR INPUT... ATTRIBUTE..." */
static inline void
append_node (GString *text, Message message)
{
  g_autoptr (GString) inputs = g_string_new (NULL);
  g_autoptr (GString) attributes = g_string_new (NULL);
  g_autoptr (GString) output = g_string_new (NULL);
  g_autoptr (GString) operator= g_string_new (NULL);
  Field field;

  while (read_field (&message, &field))
    if (field.number == 1)
      append_text (inputs, " ", &field);
    else if (field.number == 2)
      append_text (output, "", &field);
    else if (field.number == 4)
      append_text (operator, "", &field);
    else if (field.number == 5)
      append_attribute (attributes, field.bytes);
    else
      g_assert_cmpuint (field.number, ==, 3);
  g_string_append_printf (text, "%s = %s%s%s\n", output->str, operator->str, inputs->str, attributes->str);
}

/* "NAME [DIM,...] FIRST .. LAST", or small integers */
static inline void
append_tensor (GString *text, Message message)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GString) dims = g_string_new (NULL);
  Message data = { NULL, NULL };
  guint64 n = 1, type = 0;
  Field field;

  while (read_field (&message, &field))
    if (field.number == 1) {
      g_string_append_printf (dims, "%s%" G_GUINT64_FORMAT, dims->len ? "," : "", field.value);
      n *= field.value;
    } else if (field.number == 2) {
      type = field.value;
    } else if (field.number == 8) {
      append_text (name, "", &field);
    } else {
      g_assert_cmpuint (field.number, ==, 9);
      data = field.bytes;
    }
  g_string_append_printf (text, "%s [%s]", name->str, dims->str);
  if (type == 1) {
    gfloat first, last;

    g_assert_cmpuint ((gsize) (data.end - data.at), ==, n * 4);
    memcpy (&first, data.at, 4);
    memcpy (&last, data.end - 4, 4);
    g_string_append_printf (text, " %g .. %g\n", (gdouble) first, (gdouble) last);
  } else {
    g_assert_cmpuint (type, ==, 7);
    g_assert_cmpuint ((gsize) (data.end - data.at), ==, n * 8);
    for (; data.at < data.end; data.at += 8)
      g_string_append_printf (text, " %d", *data.at);
    g_string_append_c (text, '\n');
  }
}

/* "WORD NAME [SIZE,...]" */
static inline void
append_value (GString *text, const gchar *word, Message message)
{
  Field field;

  g_string_append (text, word);
  while (read_field (&message, &field))
    if (field.number == 1) {
      append_text (text, " ", &field);
    } else {
      Field tensor, shape, dim;
      const gchar *before = " [";

      g_assert_cmpuint (field.number, ==, 2);
      tensor = take_field (&field.bytes, 1);
      g_assert_cmpuint (take_field (&tensor.bytes, 1).value, ==, 1); /* floats */
      shape = take_field (&tensor.bytes, 2);
      for (; read_field (&shape.bytes, &dim); before = ",") {
        Field size = { 0 };

        g_assert_true (dim.number == 1 && read_field (&dim.bytes, &size));
        if (size.number == 1)
          g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, before, size.value);
        else
          append_text (text, before, &size);
      }
      g_string_append (text, "]\n");
    }
}

static inline void
append_graph (GString *text, Message message)
{
  Field field;

  while (read_field (&message, &field))
    switch (field.number) {
    case 1:
      append_node (text, field.bytes);
      break;
    case 2:
      append_text (text, "graph ", &field);
      g_string_append_c (text, '\n');
      break;
    case 5:
      append_tensor (text, field.bytes);
      break;
    default:
      g_assert_true (field.number == 11 || field.number == 12);
      append_value (text, field.number == 11 ? "input" : "output", field.bytes);
    }
}

/* (transfer full) */
static inline gchar *
onnx_to_text (const gchar *bytes, gsize length)
{
  GString *text = g_string_new (NULL);
  Message message = { (const guint8 *) bytes, (const guint8 *) bytes + length };
  Field field, inner;

  while (read_field (&message, &field))
    switch (field.number) {
    case 1:
      g_string_append_printf (text, "version %" G_GUINT64_FORMAT "\n", field.value);
      break;
    case 2:
    case 3:
      append_text (text, "producer ", &field);
      g_string_append_c (text, '\n');
      break;
    case 7:
      append_graph (text, field.bytes);
      break;
    case 8:
      inner = take_field (&field.bytes, 2);
      g_string_append_printf (text, "operators %" G_GUINT64_FORMAT "\n", inner.value);
      break;
    default:
      g_assert_cmpuint (field.number, ==, 14);
      inner = take_field (&field.bytes, 1);
      append_text (text, "", &inner);
      inner = take_field (&field.bytes, 2);
      append_text (text, ": ", &inner);
      g_string_append_c (text, '\n');
    }
  return g_string_free (text, FALSE);
}
