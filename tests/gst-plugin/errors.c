/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an element says when it cannot start: the GStreamer error of the right domain, with path and reason. */
#include "element.h"

#include <glib/gstdio.h>

/* Starts the line and returns the error that it posts. */
static GError *
start_error (const gchar *line)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &parse_error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  GError *error = NULL;

  g_assert_no_error (parse_error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return error;
}

static GError *
model_error (const gchar *path, const gchar *more)
{
  g_autofree gchar *line
      = g_strdup_printf ("videotestsrc num-buffers=2 ! sppnetdetect model=\"%s\" %s ! fakesink", path, more);

  return start_error (line);
}

static void
test_missing (void)
{
  g_autoptr (GError) error = model_error ("/nowhere/at-all.safetensors", "");

  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nowhere/at-all.safetensors"));
}

static void
test_no_default (void)
{
  g_autofree gchar *before = g_strdup (g_getenv ("SPPNET_MODEL_PATH"));
  g_autofree gchar *installed = g_build_filename (SPPNET_MODEL_DIR, "voc20.safetensors", NULL);
  g_autoptr (GError) error = NULL;

  if (g_file_test (installed, G_FILE_TEST_EXISTS)) {
    g_test_skip ("a default model is installed");
    return;
  }
  g_setenv ("SPPNET_MODEL_PATH", element_folder, TRUE);
  error = model_error ("", "");
  if (before)
    g_setenv ("SPPNET_MODEL_PATH", before, TRUE);
  else
    g_unsetenv ("SPPNET_MODEL_PATH");
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, element_folder));
}

static void
test_corrupt (void)
{
  g_autofree gchar *path = element_file ("corrupt.safetensors");
  g_autofree gchar *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (element_model, &content, &length, NULL));
  for (guint cut = 0; cut < 4; cut++) {
    gsize lengths[] = { 0, 5, length / 2, length - 1 };

    g_assert_true (g_file_set_contents (path, content, (gssize) lengths[cut], NULL));
    g_clear_error (&error);
    error = model_error (path, "");
    g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
    g_assert_nonnull (strstr (error->message, path));
    g_assert_cmpuint (strlen (error->message), >, strlen (path) + 10); /* and a reason */
  }
}

static void
test_folder (void)
{
  g_autoptr (GError) error = model_error (element_folder, "");

  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
  g_assert_nonnull (strstr (error->message, element_folder));
}

static void
test_label (void)
{
  g_autoptr (GError) error = model_error (element_model, "labels=red,unicorn");

  g_assert_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "unicorn"));
  g_assert_nonnull (strstr (error->message, "green")); /* what there is */
}

static void
test_location (void)
{
  g_autoptr (GError) error
      = start_error ("videotestsrc num-buffers=2 ! sppnetpublish location=/nowhere/lines ! fakesink");

  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE);
  g_assert_nonnull (strstr (error->message, "/nowhere/lines"));
}

static void
test_full (void)
{
  g_autoptr (GError) error = NULL;

  if (g_access ("/dev/full", W_OK) != 0) {
    g_test_skip ("there is no /dev/full");
    return;
  }
  error = start_error ("videotestsrc num-buffers=2 ! sppnetpublish location=/dev/full ! fakesink");
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  g_assert_nonnull (strstr (error->message, "/dev/full"));
}

/* What could not be written at the end is said, and the pipeline stops all the same. */
static void
test_full_at_the_end (void)
{
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  if (g_access ("/dev/full", W_OK) != 0) {
    g_test_skip ("there is no /dev/full");
    return;
  }
  pipeline = gst_parse_launch ("videotestsrc ! sppnetpublish location=/dev/full flush-interval=0 ! fakesink", NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, 10 * GST_SECOND), ==, GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/errors/missing", test_missing);
  g_test_add_func ("/gst/errors/no-default", test_no_default);
  g_test_add_func ("/gst/errors/corrupt", test_corrupt);
  g_test_add_func ("/gst/errors/folder", test_folder);
  g_test_add_func ("/gst/errors/label", test_label);
  g_test_add_func ("/gst/errors/location", test_location);
  g_test_add_func ("/gst/errors/full", test_full);
  g_test_add_func ("/gst/errors/full-at-the-end", test_full_at_the_end);
  return element_run ();
}
