/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#define MODEL "-m scene.safetensors "
#define RED "--regions 16,16,24,16 " /* the rectangle in red.png */

static void
test_json (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL;
  g_autoptr (JsonNode) second = NULL;
  JsonObject *object, *found;
  JsonArray *list, *box;
  static const gdouble expected[] = { 16, 16, 24, 16 };

  tool_run_ok (tool, "detect " MODEL RED "--json red.png green.png");
  g_assert_cmpuint (tool_lines (tool), ==, 2);
  first = tool_json (tool, 0);
  object = json_node_get_object (first);
  g_assert_cmpstr (json_object_get_string_member (object, "image"), ==, "red.png");
  g_assert_cmpint (json_object_get_int_member (object, "width"), ==, 64);
  g_assert_cmpint (json_object_get_int_member (object, "height"), ==, 48);
  g_assert_false (json_object_has_member (object, "timings"));
  list = json_object_get_array_member (object, "detections");
  g_assert_cmpuint (json_array_get_length (list), ==, 1);
  found = json_array_get_object_element (list, 0);
  g_assert_cmpstr (json_object_get_string_member (found, "label"), ==, "red");
  g_assert_cmpint (json_object_get_int_member (found, "label_id"), ==, 0);
  g_assert_cmpint (json_object_get_int_member (found, "region"), ==, 0);
  g_assert_cmpfloat (json_object_get_double_member (found, "confidence"), >, 0.9);
  g_assert_cmpfloat (json_object_get_double_member (found, "confidence"), <=, 1);
  box = json_object_get_array_member (found, "box");
  g_assert_cmpuint (json_array_get_length (box), ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpfloat (json_array_get_double_element (box, i), ==, expected[i]);

  second = tool_json (tool, 1);
  object = json_node_get_object (second);
  g_assert_cmpstr (json_object_get_string_member (object, "image"), ==, "green.png");
  g_assert_cmpint (json_object_get_int_member (object, "height"), ==, 80);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "detections")), ==, 0);
}

static void
test_table (Tool *tool, gconstpointer data)
{
  tool_run_ok (tool, "detect " MODEL RED "red.png");
  g_assert_nonnull (strstr (tool->out, "red.png: 64x48, 1 detection\n"));
  g_assert_nonnull (strstr (tool->out, "at 16,16 size 24x16\n"));
  tool_run_ok (tool, "detect " MODEL RED "--labels green red.png");
  g_assert_cmpstr (tool->out, ==, "red.png: 64x48, 0 detections\n");
}

static void
test_timings (Tool *tool, gconstpointer data)
{
  static const gchar *const stages[]
      = { "frame_ms", "backbone_ms", "proposals_ms", "pooling_ms", "head_ms", "box_ms", "total_ms" };
  g_autoptr (JsonNode) node = NULL;
  JsonObject *timings;

  tool_run_ok (tool, "detect " MODEL RED "--json --timings --threads 1 red.png");
  node = tool_json (tool, 0);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "regions"), ==, 1);
  timings = json_object_get_object_member (json_node_get_object (node), "timings");
  for (gsize i = 0; i < G_N_ELEMENTS (stages); i++)
    g_assert_cmpfloat (json_object_get_double_member (timings, stages[i]), >=, 0);
  tool_run_ok (tool, "detect " MODEL RED "--timings red.png");
  g_assert_nonnull (strstr (tool->out, "1 regions in "));
}

static void
assert_overlay (Tool *tool, const gchar *name, gint width, gint height, gboolean drawn)
{
  g_autofree gchar *path = tool_path (tool, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (GdkPixbuf) picture = gdk_pixbuf_new_from_file (path, &error);
  gboolean other = FALSE;

  g_assert_no_error (error);
  g_assert_cmpint (gdk_pixbuf_get_width (picture), ==, width);
  g_assert_cmpint (gdk_pixbuf_get_height (picture), ==, height);
  for (gint y = 0; y < height; y++) {
    const guint8 *row = gdk_pixbuf_read_pixels (picture) + y * gdk_pixbuf_get_rowstride (picture);

    /* the pictures have black, full red and full green only */
    for (gint x = 0; x < width * gdk_pixbuf_get_n_channels (picture); x++)
      other |= row[x] != 0 && row[x] != 255;
  }
  g_assert_true (other == drawn);
}

static void
test_overlay (Tool *tool, gconstpointer data)
{
  tool_run_ok (tool, "detect " MODEL RED "--overlay out.png red.png");
  assert_overlay (tool, "out.png", 64, 48, TRUE);
  tool_run_ok (tool, "detect " MODEL "--overlay plain.png red.png");
  assert_overlay (tool, "plain.png", 64, 48, FALSE);
  tool_run_ok (tool, "detect " MODEL RED "--overlay many.PNG green.png red.png red.png");
  assert_overlay (tool, "many.PNG", 40, 80, FALSE);
  assert_overlay (tool, "many-2.PNG", 64, 48, TRUE);
  assert_overlay (tool, "many-3.PNG", 64, 48, TRUE);
  tool_run_ok (tool, "detect " MODEL RED "--overlay 'n%d %s.png' green.png red.png");
  assert_overlay (tool, "n1 %s.png", 40, 80, FALSE);
  assert_overlay (tool, "n2 %s.png", 64, 48, TRUE);

  tool_run (tool, "detect " MODEL RED "--overlay no/such/folder.png red.png");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "no/such/folder.png: "));
}

/* One bad picture is named with the reason; the others are searched. */
static void
test_bad_pictures (Tool *tool, gconstpointer data)
{
  g_autofree gchar *good = NULL;
  g_autofree gchar *path = tool_path (tool, "red.png");
  gsize length;

  g_assert_true (g_file_get_contents (path, &good, &length, NULL));
  tool_write (tool, "cut.png", good, length / 2);
  tool_write (tool, "empty.png", "", 0);
  tool_write (tool, "text.jpg", "not a picture", -1);
  tool_run (tool, "detect " MODEL RED "--json missing.png red.png cut.png empty.png text.jpg . red.png");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_cmpuint (tool_lines (tool), ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (JsonNode) node = tool_json (tool, i);

    g_assert_cmpstr (json_object_get_string_member (json_node_get_object (node), "image"), ==, "red.png");
  }
  g_assert_nonnull (strstr (tool->err, "missing.png"));
  g_assert_nonnull (strstr (tool->err, "cut.png"));
  g_assert_nonnull (strstr (tool->err, "empty.png"));
  g_assert_nonnull (strstr (tool->err, "text.jpg"));
}

static void
test_models (Tool *tool, gconstpointer data)
{
  g_autofree gchar *path = tool_path (tool, "scene.safetensors");
  g_autofree gchar *standard = tool_path (tool, "voc20.safetensors");
  g_autofree gchar *content = NULL;
  gsize length;

  /* without --model: the default one, which is not there */
  tool_run_fails (tool, "detect red.png", 1, "voc20.safetensors");
  tool_run_fails (tool, "detect -m missing.safetensors red.png", 1, "missing.safetensors");
  tool_run_fails (tool, "detect -m red.png red.png", 1, "red.png");
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  tool_write (tool, "cut.safetensors", content, length - 1);
  tool_run_fails (tool, "detect -m cut.safetensors red.png", 1, "cut.safetensors");
  tool_write (tool, "text.safetensors", "not a model", -1);
  tool_run_fails (tool, "detect -m text.safetensors red.png", 1, "not a safetensors file");
  g_assert_cmpint (g_rename (path, standard), ==, 0);
  tool_run_ok (tool, "detect " RED "red.png");
  g_assert_nonnull (strstr (tool->out, "1 detection\n"));
}

/* A picture that ends in its header or in its pixels; an overlay that has no place. */
static void
test_cut_picture (Tool *tool, gconstpointer data)
{
  static const gsize kept[] = { 60, 300 };
  g_autofree gchar *path = tool_path (tool, "whole.jpg");
  g_autofree gchar *content = NULL;
  gsize length;

  tool_write_picture (tool, "whole.jpg", 200, 120, (Rectangle) { 24, 32, 64, 56 }, 0xff0000);
  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (kept) + 1; i++) {
    tool_write (tool, "cut.jpg", content, (gssize) (i < G_N_ELEMENTS (kept) ? kept[i] : length - 20));
    tool_run_fails (tool, "detect " MODEL RED "cut.jpg", 1, "cut.jpg: the file is incomplete");
  }
  tool_run (tool, "detect " MODEL RED "--overlay none/a.png whole.jpg");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "none/a.png: cannot be written: there is no such folder"));
}

/* File names with blanks, leading dashes, other scripts; a region outside; numbers whatever the language. */
static void
test_odd_input (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) odd = NULL;
  g_autoptr (JsonNode) dash = NULL;

  tool_write_picture (tool, "ein \"Bild\" äöü.png", 64, 48, (Rectangle) { 16, 16, 24, 16 }, 0xff0000);
  tool_write_picture (tool, "--json", 1, 1, (Rectangle) { 0, 0, 1, 1 }, 0xff0000);
  g_setenv ("LC_ALL", "de_DE.UTF-8", TRUE);
  tool_run_ok (tool, "detect " MODEL RED "--threshold 0.5 --regions=-50,-50,10,10 --regions 60,44,100,100 --json "
                     "'ein \"Bild\" äöü.png' -- --json");
  g_assert_cmpuint (tool_lines (tool), ==, 2);
  odd = tool_json (tool, 0);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (odd), "image"), ==, "ein \"Bild\" äöü.png");
  g_setenv ("LC_ALL", "C", TRUE);
  tool_run_ok (tool, "detect " MODEL "--json 'ein \"Bild\" äöü.png' -- --json");
  dash = tool_json (tool, 1);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (dash), "image"), ==, "--json");
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (dash), "width"), ==, 1);
}

static void
test_full_disk (Tool *tool, gconstpointer data)
{
  g_autofree gchar *line = g_strdup_printf ("\"%s\" detect " MODEL "red.png >/dev/full", SPPNET_TOOL);
  const gchar *argv[] = { "/bin/sh", "-c", line, NULL };
  g_autofree gchar *err = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  if (!g_file_test ("/dev/full", G_FILE_TEST_EXISTS)) {
    g_test_skip ("no /dev/full");
    return;
  }
  g_spawn_sync (tool->dir, (gchar **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (WEXITSTATUS (status), ==, 1);
  g_assert_nonnull (strstr (err, "output"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/detect/json", Tool, NULL, tool_set_up, test_json, tool_tear_down);
  g_test_add ("/detect/table", Tool, NULL, tool_set_up, test_table, tool_tear_down);
  g_test_add ("/detect/timings", Tool, NULL, tool_set_up, test_timings, tool_tear_down);
  g_test_add ("/detect/overlay", Tool, NULL, tool_set_up, test_overlay, tool_tear_down);
  g_test_add ("/detect/bad-pictures", Tool, NULL, tool_set_up, test_bad_pictures, tool_tear_down);
  g_test_add ("/detect/models", Tool, NULL, tool_set_up, test_models, tool_tear_down);
  g_test_add ("/detect/cut-picture", Tool, NULL, tool_set_up, test_cut_picture, tool_tear_down);
  g_test_add ("/detect/odd-input", Tool, NULL, tool_set_up, test_odd_input, tool_tear_down);
  g_test_add ("/detect/full-disk", Tool, NULL, tool_set_up, test_full_disk, tool_tear_down);
  return g_test_run ();
}
