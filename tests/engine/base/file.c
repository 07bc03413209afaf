/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "base/file.h"

static void
assert_content (const gchar *path, const gchar *expected)
{
  g_autofree gchar *content = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (content, ==, expected);
}

static void
assert_refused (const gchar *path, const gchar *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_file_write (path, "new", 3, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, reason));
}

static void
test_write (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = g_dir_make_tmp ("sppnet-file-XXXXXX", &error);
  g_autofree gchar *path = g_build_filename (folder, "file", NULL);
  g_autofree gchar *pipe = g_build_filename (folder, "pipe", NULL);
  g_autofree gchar *nowhere = g_build_filename (folder, "none", "file", NULL);
  GStatBuf status;

  g_assert_no_error (error);
  g_assert_true (sppnet_file_write (path, "first", 5, &error));
  g_assert_no_error (error);
  assert_content (path, "first");
  g_assert_true (sppnet_file_write (path, "", 0, &error));
  assert_content (path, "");

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  assert_refused (pipe, "not a regular file");
  g_assert_cmpint (g_stat (pipe, &status), ==, 0);
  g_assert_true (S_ISFIFO (status.st_mode));
  assert_refused (folder, "not a regular file");
  assert_refused (nowhere, "cannot be written");

  /* Nothing else is left in the folder. */
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_unlink (pipe), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
assert_unreadable (const gchar *path, SppnetError code, const gchar *reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *content = NULL;
  gsize length;

  g_assert_false (sppnet_file_read (path, &content, &length, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, reason));
}

static void
test_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = g_dir_make_tmp ("sppnet-file-XXXXXX", &error);
  g_autofree gchar *path = g_build_filename (folder, "file", NULL);
  g_autofree gchar *content = NULL;
  gsize length;

  g_assert_no_error (error);
  assert_unreadable (path, SPPNET_ERROR_NOT_FOUND, "no such file");
  assert_unreadable (folder, SPPNET_ERROR_READ, "not a regular file");
  assert_unreadable ("/dev/zero", SPPNET_ERROR_READ, "not a regular file");
  g_assert_true (sppnet_file_write (path, "a\0b", 3, &error));
  g_assert_true (sppnet_file_read (path, &content, &length, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (content, length, "a\0b", 3);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/file/write", test_write);
  g_test_add_func ("/file/read", test_read);
  return g_test_run ();
}
