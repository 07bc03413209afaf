/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#include <math.h>

#include "../engine/model/context.h"

#define CALIBRATE "calibrate --method selective-search --voc voc --set all "

static void
write_scene (Tool *tool, guint number, gint annotated_x, guint32 color)
{
  g_autofree gchar *picture = g_strdup_printf ("voc/JPEGImages/%u.png", number);
  g_autofree gchar *file = g_strdup_printf ("voc/Annotations/%u.xml", number);
  g_autofree gchar *xml = g_strdup_printf ("<annotation><size><width>200</width><height>120</height></size>"
                                           "<object><name>red</name><bndbox><xmin>%d</xmin><ymin>33</ymin>"
                                           "<xmax>%d</xmax><ymax>88</ymax></bndbox></object></annotation>",
                                           annotated_x + 1, annotated_x + 64);

  tool_write_picture (tool, picture, 200, 120, (Rectangle) { 24, 32, 64, 56 }, color);
  tool_write (tool, file, xml, -1);
}

/* Six pictures with bright red where they say it is, six with a dimmer red and the object somewhere else. */
static void
set_up (Tool *tool, gconstpointer data)
{
  g_autoptr (GString) all = g_string_new (NULL);

  tool_set_up (tool, data);
  for (guint i = 0; i < 12; i++) {
    write_scene (tool, i, i < 6 ? 24 : 128, i < 6 ? 0xff0000 : 0xd80000);
    g_string_append_printf (all, "%u\n", i);
  }
  tool_write (tool, "voc/ImageSets/Main/all.txt", all->str, -1);
  tool_write (tool, "voc/ImageSets/Main/right.txt", "0\n1\n", -1);
}

/* The best confidence for "red" in a picture. */
static gdouble
best_confidence (Tool *tool, const gchar *model, const gchar *options)
{
  g_autofree gchar *line = g_strdup_printf ("detect -m %s --proposals selective-search --json %s", model, options);
  g_autoptr (JsonNode) node = NULL;
  JsonArray *found;

  tool_run_ok (tool, line);
  node = tool_json (tool, 0);
  found = json_object_get_array_member (json_node_get_object (node), "detections");
  return json_array_get_length (found) == 0
             ? 0
             : json_object_get_double_member (json_array_get_object_element (found, 0), "confidence");
}

static void
test_calibrate (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) result = NULL;
  g_autoptr (JsonNode) info = NULL;
  JsonObject *all, *red;
  gdouble bright, dim;

  g_assert_cmpfloat (best_confidence (tool, "scene.safetensors", "voc/JPEGImages/7.png"), >, 0.7); /* and wrong */
  tool_run_ok (tool, CALIBRATE "-m scene.safetensors --json -o new.safetensors");
  result = tool_json (tool, 0);
  all = json_node_get_object (result);
  red = json_object_get_object_member (json_object_get_object_member (all, "classes"), "red");
  g_assert_cmpint (json_object_get_int_member (red, "objects"), ==, 12);
  g_assert_cmpint (json_object_get_int_member (red, "correct"), ==, 6);
  g_assert_cmpint (json_object_get_int_member (all, "correct"), ==, 6);
  g_assert_cmpfloat (json_object_get_double_member (all, "error_after"), <,
                     json_object_get_double_member (all, "error_before"));

  bright = best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/1.png");
  dim = best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/7.png");
  g_assert_cmpfloat (bright, >, 0.7);
  g_assert_cmpfloat (dim, <, 0.3);
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "voc/JPEGImages/1.png"), ==, bright);
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "voc/JPEGImages/7.png"), ==, 0); /* the threshold */

  tool_run_ok (tool, "info new.safetensors --json");
  info = tool_json (tool, 0);
  g_assert_true (json_object_get_boolean_member (json_node_get_object (info), "calibrated"));
  g_assert_cmpfloat_with_epsilon (
      json_array_get_double_element (json_object_get_array_member (json_node_get_object (info), "thresholds"), 0),
      json_object_get_double_member (red, "threshold"), 1e-4);
  tool_run_ok (tool, "info new.safetensors");
  g_assert_nonnull (strstr (tool->out, "confidence  calibrated"));
  g_assert_nonnull (strstr (tool->out, "\"calibration\""));
  g_assert_nonnull (strstr (tool->out, "voc/all"));
}

/* A calibrated model, over itself: what is right already stays. */
static void
test_again (Tool *tool, gconstpointer data)
{
  gdouble bright, dim;

  tool_run_ok (tool, CALIBRATE "-m scene.safetensors -o new.safetensors");
  g_assert_nonnull (strstr (tool->out, "\nall  "));
  bright = best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/1.png");
  dim = best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/7.png");
  tool_run_ok (tool, CALIBRATE "-m new.safetensors -o new.safetensors");
  g_assert_cmpfloat_with_epsilon (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/1.png"),
                                  bright, 0.05);
  g_assert_cmpfloat_with_epsilon (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/7.png"),
                                  dim, 0.05);
}

/* A training that would take the place of what was calibrated says so before it begins. */
static void
test_trained_over (Tool *tool, gconstpointer data)
{
  tool_run_ok (tool, CALIBRATE "-m scene.safetensors -o new.safetensors");
  tool_run (tool, "train --voc nowhere --init scene.safetensors --output new.safetensors");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "new.safetensors is a calibrated model"));
  tool_run (tool, "train --voc nowhere --init new.safetensors --output scene.safetensors");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_null (strstr (tool->err, "calibrated"));
}

/* What there is elsewhere is nothing here; its model is calibrated like any other, through the context. */
static void
test_context (Tool *tool, gconstpointer data)
{
  g_autoptr (GString) many = g_string_new (NULL);
  g_autoptr (JsonNode) result = NULL;
  g_autoptr (JsonNode) info = NULL;
  JsonObject *red;

  for (guint i = 100; i < 190; i++) {
    write_scene (tool, i, i < 145 ? 24 : 128, i < 145 ? 0xff0000 : 0xd80000);
    g_string_append_printf (many, "%u\n", i);
  }
  tool_write (tool, "voc/ImageSets/Main/many.txt", many->str, -1);
  tool_run_fails (tool, CALIBRATE "--context -m scene.safetensors -o context.safetensors", 1, "40 correct boxes");
  tool_run_ok (tool, "calibrate --method selective-search --voc voc --set many --context --json -m scene.safetensors "
                     "-o context.safetensors");
  result = tool_json (tool, 0);
  red = json_object_get_object_member (json_object_get_object_member (json_node_get_object (result), "classes"), "red");
  g_assert_cmpint (json_object_get_int_member (red, "correct"), ==, 45);
  g_assert_cmpint (json_object_get_int_member (red, "boxes"), >=, 90);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (red, "elsewhere"), "red"), ==, 0);
  tool_run_ok (tool, "info context.safetensors --json");
  info = tool_json (tool, 0);
  g_assert_true (json_object_get_boolean_member (json_node_get_object (info), "context"));
  tool_run_ok (tool, "info context.safetensors");
  g_assert_nonnull (strstr (tool->out, "in the context of"));

  tool_run_fails (tool, CALIBRATE "--context -m context.safetensors -o new.safetensors", 2, "has a context already");
  tool_run_ok (tool, CALIBRATE "--threshold 1e-6 -m context.safetensors -o new.safetensors");
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/1.png"), >, 0.7);
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/7.png"), <, 0.3);
  tool_run_ok (tool, "calibrate --method selective-search --voc voc --set many --context -m scene.safetensors "
                     "-o context.safetensors");
  g_assert_nonnull (strstr (tool->out, "elsewhere"));
}

/* The sum of a context is calibrated as a whole, and what went into it stays. */
static void
test_through_context (Tool *tool, gconstpointer data)
{
  /* Red believes what is green elsewhere. */
  static const gfloat context[] = { 1.0f, 0.25f, -0.5f, 1.5f, 1.0f, 0.0f, 0.0f, 0.0f };
  g_autofree gchar *from = tool_path (tool, "scene.safetensors"), *to = tool_path (tool, "context.safetensors");
  g_autofree gchar *new = tool_path (tool, "new.safetensors");
  g_autoptr (SppnetModel) before = NULL, after = NULL;
  const gfloat *old_row, *row;
  const gfloat *calibration;

  model_add_context (from, to, context, sizeof context);
  tool_run_ok (tool, CALIBRATE "-m context.safetensors -o new.safetensors");
  before = sppnet_model_load (to, NULL);
  after = sppnet_model_load (new, NULL);
  old_row = sppnet_model_get_config (before)->context;
  row = sppnet_model_get_config (after)->context;
  g_assert_nonnull (row);
  g_assert_cmpfloat (fabsf (row[0] - old_row[0]), >, 0.01);
  for (guint c = 2; c < 4; c++)
    g_assert_cmpfloat_with_epsilon (row[c] / old_row[c], row[0] / old_row[0], 1e-5);
  g_assert_cmpfloat (row[1], !=, old_row[1] * row[0]);
  calibration = sppnet_model_get_config (after)->calibration;
  g_assert_nonnull (calibration);
  g_assert_cmpfloat (calibration[0], ==, -1);
  g_assert_cmpfloat (calibration[1], ==, 0);
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/1.png"), >, 0.7);
  g_assert_cmpfloat (best_confidence (tool, "new.safetensors", "--threshold 0.001 voc/JPEGImages/7.png"), <, 0.3);
}

static void
test_failures (Tool *tool, gconstpointer data)
{
  g_autofree gchar *output = tool_path (tool, "new.safetensors");

  tool_run_fails (tool, CALIBRATE "-m none.safetensors -o new.safetensors", 1, "none.safetensors");
  tool_run_fails (tool,
                  "calibrate -m scene.safetensors --method selective-search --voc voc --set right -o new.safetensors",
                  1, "wrong ones");
  tool_run_fails (tool, "calibrate -m scene.safetensors --voc voc --set none -o new.safetensors", 1, "none.txt");
  tool_run_fails (tool, CALIBRATE "-m scene.safetensors -o none/new.safetensors", 1, "none/new.safetensors");
  tool_write (tool, "voc/Annotations/odd.xml",
              "<annotation><size><width>200</width><height>120</height></size><object><name>lilac</name><bndbox>"
              "<xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>",
              -1);
  tool_write (tool, "voc/ImageSets/Main/odd.txt", "odd\n", -1);
  tool_write_picture (tool, "voc/JPEGImages/odd.png", 200, 120, (Rectangle) { 24, 32, 64, 56 }, 0xff0000);
  tool_run (tool, "calibrate -m scene.safetensors --method grid --voc voc --set odd -o new.safetensors");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "no label \"lilac\""));
  g_assert_nonnull (strstr (tool->err, "no object of any label"));
  g_assert_false (g_file_test (output, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/calibrate/calibrate", Tool, NULL, set_up, test_calibrate, tool_tear_down);
  g_test_add ("/calibrate/again", Tool, NULL, set_up, test_again, tool_tear_down);
  g_test_add ("/calibrate/trained-over", Tool, NULL, set_up, test_trained_over, tool_tear_down);
  g_test_add ("/calibrate/context", Tool, NULL, set_up, test_context, tool_tear_down);
  g_test_add ("/calibrate/through-context", Tool, NULL, set_up, test_through_context, tool_tear_down);
  g_test_add ("/calibrate/failures", Tool, NULL, set_up, test_failures, tool_tear_down);
  return g_test_run ();
}
