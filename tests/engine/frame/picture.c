/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/picture.h"

#include <stdio.h>
#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>

#include "base/random.h"

static gchar *folder;

static gchar *
file_in_folder (const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Pixel x, y, channel c of a smooth picture; alpha falls from left to right. */
static guint8
value (gint x, gint y, gint c)
{
  return (guint8) (c == 3 ? 255 - 5 * x : 20 + 3 * x + 2 * y + 40 * c);
}

static gchar *
save (const gchar *name, const gchar *type, gint width, gint height, gboolean alpha)
{
  g_autofree gchar *path = file_in_folder (name);
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, alpha, 8, width, height);
  gint bytes = alpha ? 4 : 3, stride = gdk_pixbuf_get_rowstride (pixbuf);
  g_autoptr (GError) error = NULL;

  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++)
      for (gint c = 0; c < bytes; c++)
        gdk_pixbuf_get_pixels (pixbuf)[y * stride + x * bytes + c] = value (x, y, c);
  gdk_pixbuf_save (pixbuf, path, type, &error, NULL);
  g_assert_no_error (error);
  return g_steal_pointer (&path);
}

/* g_file_set_contents() waits for the disk, which takes seconds for a thousand files. */
static void
write_file (const gchar *path, gconstpointer data, gsize length)
{
  FILE *file = g_fopen (path, "wb");

  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (data, 1, length, file), ==, length);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
load (SppnetPicture *picture, const gchar *path, gint width, gint height)
{
  g_autoptr (GError) error = NULL;
  SppnetFrame frame;

  sppnet_picture_load (picture, path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (picture->width, ==, width);
  g_assert_cmpint (picture->height, ==, height);
  frame = sppnet_picture_frame (picture);
  g_assert_true (sppnet_frame_check (&frame, &error));
}

static void
assert_refused (const gchar *path, SppnetError code)
{
  g_autoptr (GError) error = NULL;
  g_auto (SppnetPicture) picture = { 0 };

  g_assert_false (sppnet_picture_load (&picture, path, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_null (picture.rgb);
  g_test_message ("%s", error->message);
}

static void
test_png (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 3, 5 }, { 41, 2 } };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (gint alpha = 0; alpha < 2; alpha++) {
      gint width = sizes[s][0], height = sizes[s][1];
      g_autofree gchar *path = save ("a.png", "png", width, height, alpha);
      g_auto (SppnetPicture) picture = { 0 };

      load (&picture, path, width, height);
      for (gint i = 0; i < width * height * 3; i++) {
        gint x = i / 3 % width, opacity = alpha ? value (x, 0, 3) : 255;
        gdouble expected = value (x, i / 3 / width, i % 3) * opacity / 255.0;

        g_assert_cmpfloat_with_epsilon (picture.rgb[i], expected, 0.5);
      }
    }
}

static void
check_jpeg (const gchar *path)
{
  g_auto (SppnetPicture) picture = { 0 };

  load (&picture, path, 33, 17);
  for (gint i = 0; i < 33 * 17 * 3; i++)
    g_assert_cmpint (ABS (picture.rgb[i] - value (i / 3 % 33, i / 3 / 33, i % 3)), <=, 24);
}

/* 33x17 pixels, turned clockwise. */
static void
check_upright (const gchar *path)
{
  g_auto (SppnetPicture) picture = { 0 };
  g_autoptr (GError) error = NULL;

  sppnet_picture_load_upright (&picture, path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (picture.width, ==, 17);
  g_assert_cmpint (picture.height, ==, 33);
  for (gint y = 0; y < 33; y++)
    for (gint x = 0; x < 17; x++)
      for (gint c = 0; c < 3; c++)
        g_assert_cmpint (ABS (picture.rgb[(y * 17 + x) * 3 + c] - value (y, 16 - x, c)), <=, 24);
}

/* An annotation says whether it was made on what is stored, 33x17 pixels, or on that turned upright. */
static void
check_sized (const gchar *path, gboolean turned)
{
  static const gint sizes[][2] = { { 33, 17 }, { 17, 33 }, { 33, 16 }, { 33, 33 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const gint width = sizes[i][0], height = sizes[i][1];
    gboolean possible = i == 0 || (i == 1 && turned);
    g_auto (SppnetPicture) picture = { 0 };
    g_autoptr (GError) error = NULL, again = NULL;

    g_assert_true (sppnet_picture_check_size (path, width, height, &error) == possible);
    g_assert_true (sppnet_picture_load_sized (&picture, path, width, height, &again) == possible);
    g_assert_cmpint (picture.width, ==, possible ? width : 0);
    g_assert_cmpint (picture.height, ==, possible ? height : 0);
    if (possible)
      continue;
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT);
    g_assert_cmpstr (error->message, ==, again->message);
    g_assert_true (g_str_has_prefix (error->message, path));
    g_assert_nonnull (strstr (error->message, "is 33x17, its annotation says "));
    g_assert_null (picture.rgb);
  }
}

/* An EXIF orientation ("rotate by 90 degrees") changes neither the size nor the pixels, unless that is asked for. */
static void
test_jpeg (void)
{
  static const guint8 exif[] = { 0xff, 0xe1, 0,    34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
                                 1,    0,    0x12, 1,  3,   0,   1,   0,   0, 0, 6,   0,   0,  0, 0, 0, 0, 0 };
  g_autofree gchar *path = save ("a.jpg", "jpeg", 33, 17, FALSE);
  g_autofree gchar *turned = file_in_folder ("turned.jpg");
  g_autofree gchar *data = NULL, *joined = NULL;
  gsize length;

  check_jpeg (path);
  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  joined = g_malloc (length + sizeof exif);
  memcpy (joined, data, 2);
  memcpy (joined + 2, exif, sizeof exif);
  memcpy (joined + 2 + sizeof exif, data + 2, length - 2);
  write_file (turned, joined, length + sizeof exif);
  check_jpeg (turned);
  check_upright (turned);
  check_sized (path, FALSE);
  check_sized (turned, TRUE);
}

static void
test_not_a_picture (void)
{
  g_autofree gchar *absent = file_in_folder ("absent.png");
  g_autofree gchar *empty = file_in_folder ("empty.png");
  g_autofree gchar *text = file_in_folder ("text.jpg");
  g_autofree gchar *bitmap = save ("a.bmp", "bmp", 4, 4, FALSE);
  g_autoptr (GError) error = NULL;

  assert_refused (absent, SPPNET_ERROR_NOT_FOUND);
  assert_refused (folder, SPPNET_ERROR_READ);
  write_file (empty, "", 0);
  assert_refused (empty, SPPNET_ERROR_CORRUPT);
  write_file (text, "This is not a picture at all.\n", 30);
  assert_refused (text, SPPNET_ERROR_UNSUPPORTED);
  assert_refused (bitmap, SPPNET_ERROR_UNSUPPORTED);
  g_assert_false (sppnet_picture_check_size (bitmap, 4, 4, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
}

/* A header that claims 60000x60000 pixels, with a correct checksum, must be refused before memory is asked for. */
static void
test_too_large (void)
{
  guint8 png[] = { 0x89, 'P', 'N', 'G',  '\r', '\n', 0x1a, '\n', 0,    0,   0,   13,   'I',  'H', 'D',
                   'R',  0,   0,   0xea, 0x60, 0,    0,    0xea, 0x60, 8,   2,   0,    0,    0,   0,
                   0,    0,   0,   0,    0,    0,    0,    'I',  'D',  'A', 'T', 0x35, 0xaf, 6,   0x1e };
  g_autofree gchar *path = file_in_folder ("large.png");
  guint32 crc = 0xffffffff;

  for (guint i = 12; i < 29; i++) {
    crc ^= png[i];
    for (guint bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  for (guint i = 0; i < 4; i++)
    png[29 + i] = (guint8) (~crc >> (24 - 8 * i));
  write_file (path, png, sizeof png);
  assert_refused (path, SPPNET_ERROR_UNSUPPORTED);
}

/* A file cut anywhere before its last pixel gives one error; cut after it, the picture. end: bytes after the pixels. */
static void
check_truncated (const gchar *name, const gchar *type, gsize end)
{
  g_autofree gchar *path = save (name, type, 33, 17, FALSE);
  g_autofree gchar *data = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  for (gsize cut = 1; cut < length; cut++) {
    g_autoptr (GError) error = NULL;
    g_auto (SppnetPicture) picture = { 0 };

    write_file (path, data, cut);
    if (sppnet_picture_load (&picture, path, &error)) {
      g_assert_cmpuint (length - cut, <, end);
      continue;
    }
    g_assert_true (error->domain == SPPNET_ERROR);
    g_assert_nonnull (strstr (error->message, path));
  }
}

static void
test_truncated (void)
{
  check_truncated ("cut.png", "png", 1);
  check_truncated ("cut.jpg", "jpeg", 1);
}

/* A flipped bit anywhere gives a picture or one error. */
static void
test_damaged (void)
{
  static const gchar *const types[] = { "png", "jpeg" };
  SppnetRandom random = { 7 };

  for (guint i = 0; i < 400; i++) {
    g_autofree gchar *path = save ("damaged", types[i % 2], 33, 17, i % 4 == 0);
    g_autofree gchar *data = NULL;
    g_autoptr (GError) error = NULL;
    g_auto (SppnetPicture) picture = { 0 };
    gsize length;

    g_assert_true (g_file_get_contents (path, &data, &length, NULL));
    data[sppnet_random_below (&random, (guint32) length)] ^= (gchar) (1 << sppnet_random_below (&random, 8));
    write_file (path, data, length);
    if (!sppnet_picture_load (&picture, path, &error))
      g_assert_true (error->domain == SPPNET_ERROR);
  }
}

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

  for (const gchar *name; (name = g_dir_read_name (dir));) {
    g_autofree gchar *path = file_in_folder (name);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  gint result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("sppnet-picture-XXXXXX", NULL);
  g_assert_nonnull (folder);
  g_test_add_func ("/frame/picture/png", test_png);
  g_test_add_func ("/frame/picture/jpeg", test_jpeg);
  g_test_add_func ("/frame/picture/not-a-picture", test_not_a_picture);
  g_test_add_func ("/frame/picture/too-large", test_too_large);
  g_test_add_func ("/frame/picture/truncated", test_truncated);
  g_test_add_func ("/frame/picture/damaged", test_damaged);
  result = g_test_run ();
  remove_folder ();
  return result;
}
