/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages against their encoding by hand, most of them examples of the format's own description. */
#include "import/protobuf.h"

static void
test_int (void)
{
  static const guint8 expected[] = { 0x08, 0x96, 0x01, 0x10, 0x00, 0x08, 0xfe, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0xa0, 0x01, 0x7f };
  g_autoptr (GByteArray) message = g_byte_array_new ();

  sppnet_protobuf_add_int (message, 1, 150);
  sppnet_protobuf_add_int (message, 2, 0);
  sppnet_protobuf_add_int (message, 1, -2);
  sppnet_protobuf_add_int (message, 20, 127); /* a key of two bytes */
  g_assert_cmpmem (message->data, message->len, expected, sizeof expected);
}

static void
test_float (void)
{
  static const gfloat values[] = { 0.1f, -2.0f };
  static const guint8 expected[]
      = { 0x15, 0x00, 0x00, 0x80, 0x3f, 0x4a, 0x08, 0xcd, 0xcc, 0xcc, 0x3d, 0x00, 0x00, 0x00, 0xc0 };
  g_autoptr (GByteArray) message = g_byte_array_new ();

  sppnet_protobuf_add_float (message, 2, 1.0f);
  sppnet_protobuf_add_floats (message, 9, values, 2);
  g_assert_cmpmem (message->data, message->len, expected, sizeof expected);
}

static void
test_nested (void)
{
  static const guint8 expected[] = { 0x12, 0x07, 't',  'e',  's',  't',  'i',  'n',  'g',  0x1a,
                                     0x03, 0x08, 0x96, 0x01, 0x22, 0x02, 0x00, 0xff, 0x2a, 0x00 };
  g_autoptr (GByteArray) message = g_byte_array_new ();
  GByteArray *inner = g_byte_array_new ();

  sppnet_protobuf_add_int (inner, 1, 150);
  sppnet_protobuf_add_string (message, 2, "testing");
  sppnet_protobuf_add_message (message, 3, inner);
  sppnet_protobuf_add_bytes (message, 4, "\0\xff", 2);
  sppnet_protobuf_add_message (message, 5, g_byte_array_new ());
  g_assert_cmpmem (message->data, message->len, expected, sizeof expected);
}

static void
test_long (void)
{
  g_autofree guint8 *bytes = g_malloc0 (300);
  g_autoptr (GByteArray) message = g_byte_array_new ();

  sppnet_protobuf_add_bytes (message, 1, bytes, 300);
  g_assert_cmpuint (message->len, ==, 303);
  g_assert_cmpuint (message->data[1], ==, 0xac);
  g_assert_cmpuint (message->data[2], ==, 0x02);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/protobuf/int", test_int);
  g_test_add_func ("/protobuf/float", test_float);
  g_test_add_func ("/protobuf/nested", test_nested);
  g_test_add_func ("/protobuf/long", test_long);
  return g_test_run ();
}
