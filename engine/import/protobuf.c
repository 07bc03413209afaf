/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/protobuf.h"

#include <string.h>

#include "base/half.h"

/* How a field's value is stored; the last three bits of its key. */
enum
{
  WIRE_VARINT = 0,
  WIRE_LENGTH = 2,
  WIRE_32_BITS = 5,
};

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void
add_varint (GByteArray *message, guint64 value)
{
  guint8 bytes[10];
  guint n = 0;

  do {
    bytes[n] = (guint8) (value & 0x7f);
    value >>= 7;
    bytes[n] |= value ? 0x80 : 0;
    n++;
  } while (value);
  g_byte_array_append (message, bytes, n);
}

static void
add_key (GByteArray *message, guint field, guint wire)
{
  add_varint (message, (guint64) field << 3 | wire);
}

void
sppnet_protobuf_add_int (GByteArray *message, guint field, gint64 value)
{
  add_key (message, field, WIRE_VARINT);
  add_varint (message, (guint64) value);
}

void
sppnet_protobuf_add_float (GByteArray *message, guint field, gfloat value)
{
  guint32 bits = GUINT32_TO_LE (sppnet_float_bits (value));

  add_key (message, field, WIRE_32_BITS);
  g_byte_array_append (message, (const guint8 *) &bits, 4);
}

void
sppnet_protobuf_add_bytes (GByteArray *message, guint field, gconstpointer data, gsize length)
{
  add_key (message, field, WIRE_LENGTH);
  add_varint (message, length);
  g_byte_array_append (message, data, (guint) length);
}

void
sppnet_protobuf_add_string (GByteArray *message, guint field, const gchar *text)
{
  sppnet_protobuf_add_bytes (message, field, text, strlen (text));
}

void
sppnet_protobuf_add_floats (GByteArray *message, guint field, const gfloat *data, gsize n)
{
  guint start;

  add_key (message, field, WIRE_LENGTH);
  add_varint (message, n * 4);
  start = message->len;
  g_byte_array_set_size (message, start + (guint) n * 4);
  for (gsize i = 0; i < n; i++) {
    guint32 bits = GUINT32_TO_LE (sppnet_float_bits (data[i]));

    memcpy (message->data + start + i * 4, &bits, 4);
  }
}

void
sppnet_protobuf_add_message (GByteArray *message, guint field, GByteArray *inner)
{
  sppnet_protobuf_add_bytes (message, field, inner->data, inner->len);
  g_byte_array_unref (inner);
}
