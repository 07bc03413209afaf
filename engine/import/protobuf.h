/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Writing messages of Protocol Buffers (protobuf.dev, "Encoding"), as far as ONNX needs them: each call appends one
 * field to a message. Fields of a number may be repeated; their order is free. */

void sppnet_protobuf_add_int (GByteArray *message, guint field, gint64 value);
void sppnet_protobuf_add_float (GByteArray *message, guint field, gfloat value);
void sppnet_protobuf_add_bytes (GByteArray *message, guint field, gconstpointer data, gsize length);
void sppnet_protobuf_add_string (GByteArray *message, guint field, const gchar *text);
/* data: [n], 32 bits each, little-endian one after the other. */
void sppnet_protobuf_add_floats (GByteArray *message, guint field, const gfloat *data, gsize n);
/* inner: (transfer full) */
void sppnet_protobuf_add_message (GByteArray *message, guint field, GByteArray *inner);
