/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

#define MODEL "-m scene.safetensors --method selective-search "

/* Three pictures: a red object, a green one, and one of a label that the model does not have. */
static void
set_up (Tool *tool, gconstpointer data)
{
  static const struct
  {
    const gchar *id, *label;
    guint32 color;
  } pictures[] = { { "one", "red", 0xff0000 }, { "two", "green", 0x00ff00 }, { "three", "blue", 0x0000ff } };

  tool_set_up (tool, data);
  for (gsize i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree gchar *picture = g_strdup_printf ("voc/JPEGImages/%s.png", pictures[i].id);
    g_autofree gchar *file = g_strdup_printf ("voc/Annotations/%s.xml", pictures[i].id);
    g_autofree gchar *xml = g_strdup_printf ("<annotation><size><width>160</width><height>120</height></size>"
                                             "<object><name>%s</name><bndbox><xmin>41</xmin><ymin>33</ymin>"
                                             "<xmax>104</xmax><ymax>88</ymax></bndbox></object></annotation>",
                                             pictures[i].label);

    tool_write_picture (tool, picture, 160, 120, (Rectangle) { 40, 32, 64, 56 }, pictures[i].color);
    tool_write (tool, file, xml, -1);
  }
  tool_write (tool, "voc/ImageSets/Main/known.txt", "one\ntwo\n", -1);
  tool_write (tool, "voc/ImageSets/Main/red.txt", "one\n", -1);
  tool_write (tool, "voc/ImageSets/Main/blue.txt", "three\n", -1);
  tool_write (tool, "voc/ImageSets/Main/wrong.txt", "one\nfour\n", -1);
}

static JsonObject *
class_of (JsonNode *node, const gchar *label)
{
  return json_object_get_object_member (json_object_get_object_member (json_node_get_object (node), "classes"), label);
}

static void
test_precision (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  tool_run_ok (tool, "evaluate " MODEL "--voc voc --set known --json");
  g_assert_cmpuint (tool_lines (tool), ==, 1);
  node = tool_json (tool, 0);
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (node), "map11"), ==, 1);
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (node), "map"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (node), "pictures"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (class_of (node, "red"), "objects"), ==, 1);
  g_assert_cmpfloat (json_object_get_double_member (class_of (node, "red"), "ap11"), ==, 1);
  g_assert_cmpfloat (json_object_get_double_member (class_of (node, "green"), "ap"), ==, 1);
}

/* No objects: no precision, and no part in the mean. */
static void
test_absent_class (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  tool_run_ok (tool, "evaluate " MODEL "--voc voc --set known --limit 1 --json --mean-of green,red");
  node = tool_json (tool, 0);
  g_assert_cmpint (json_object_get_int_member (class_of (node, "green"), "objects"), ==, 0);
  g_assert_true (json_object_get_null_member (class_of (node, "green"), "ap11"));
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (node), "map"), ==, 1);
  g_assert_cmpfloat (
      json_object_get_double_member (json_object_get_object_member (json_node_get_object (node), "mean_of"), "map"), ==,
      1);
  tool_run_ok (tool, "evaluate " MODEL "--voc voc --set known --limit 1 --json --mean-of green");
  json_node_unref (node);
  node = tool_json (tool, 0);
  g_assert_true (
      json_object_get_null_member (json_object_get_object_member (json_node_get_object (node), "mean_of"), "map"));
  tool_run_ok (tool, "evaluate " MODEL "--voc voc --set known --limit 1 --mean-of green");
  g_assert_nonnull (strstr (tool->out, "\nmean of these                    -        -   classes: 0"));
}

/* A tile for a box on the wrong colour and one for a missed object; without mistakes an empty row. */
static void
test_mistakes (Tool *tool, gconstpointer data)
{
  static const gchar xml[] = "<annotation><size><width>160</width><height>120</height></size>"
                             "<object><name>green</name><bndbox><xmin>41</xmin><ymin>33</ymin>"
                             "<xmax>104</xmax><ymax>88</ymax></bndbox></object></annotation>";
  g_autofree gchar *sheet = tool_path (tool, "sheet.png");
  g_autoptr (GError) error = NULL;

  for (gint wrong = 0; wrong < 2; wrong++) {
    g_autoptr (GdkPixbuf) pixbuf = NULL;
    const guint8 *pixel;

    tool_run (tool, "evaluate " MODEL "--voc voc --set known --mistakes sheet.png");
    g_assert_cmpint (tool->status, ==, 0);
    g_assert_true ((strstr (tool->err, "no mistakes") == NULL) == wrong);
    pixbuf = gdk_pixbuf_new_from_file (sheet, &error);
    g_assert_no_error (error);
    g_assert_cmpint (gdk_pixbuf_get_width (pixbuf), ==, 6 + 6 * 206);
    g_assert_cmpint (gdk_pixbuf_get_height (pixbuf), ==, 6 + 242);
    /* the middle of the first tile: the middle of the wrong box, in a picture of a red object */
    pixel = gdk_pixbuf_read_pixels (pixbuf) + 106 * gdk_pixbuf_get_rowstride (pixbuf)
            + 106 * gdk_pixbuf_get_n_channels (pixbuf);
    g_assert_true ((pixel[0] > 200 && pixel[1] < 50 && pixel[2] < 50) == wrong);
    tool_write (tool, "voc/Annotations/one.xml", xml, -1); /* a red object called green */
  }
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set known --mistakes nowhere/sheet.png", 1, "nowhere/sheet.png");
  tool_run_fails (tool, "calibrate " MODEL "--voc voc --set known --output ''", 1, "empty");
}

/* Objects that no region of the picture can be: AP 0, which is a number. */
static void
test_nothing_found (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  tool_run_ok (tool, "evaluate -m scene.safetensors --method regions --voc voc --set known --json");
  node = tool_json (tool, 0);
  g_assert_cmpfloat (json_object_get_double_member (json_node_get_object (node), "map11"), ==, 0);
  g_assert_cmpfloat (json_object_get_double_member (class_of (node, "red"), "ap"), ==, 0);
}

static void
test_table (Tool *tool, gconstpointer data)
{
  tool_run (tool, "evaluate " MODEL "--voc voc --set red --voc voc --set blue --mean-of red");
  g_assert_cmpint (tool->status, ==, 0);
  g_assert_nonnull (strstr (tool->err, "\"blue\""));
  g_assert_nonnull (strstr (tool->out, "classes: 1, pictures: 2"));
  g_assert_nonnull (strstr (tool->out, "\ngreen                   0        -"));
  g_assert_nonnull (strstr (tool->out, "\nmean of these"));
  tool_run_ok (tool, "evaluate " MODEL "--voc voc --set known --labels red");
  g_assert_null (strstr (tool->out, "\ngreen"));
}

static void
test_proposals (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;

  tool_run_ok (tool, "evaluate --proposals selective-search --voc voc --set known --voc voc --set blue --json");
  node = tool_json (tool, 0);
  object = json_node_get_object (node);
  g_assert_cmpstr (json_object_get_string_member (object, "method"), ==, "selective-search");
  g_assert_cmpint (json_object_get_int_member (object, "pictures"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (object, "objects"), ==, 3);
  g_assert_cmpfloat (json_object_get_double_member (object, "recall50"), ==, 1);
  g_assert_cmpfloat (json_object_get_double_member (object, "recall70"), ==, 1);
  g_assert_cmpfloat (json_object_get_double_member (object, "abo"), >, 0.8);
  g_assert_cmpfloat (json_object_get_double_member (object, "abo"), <=, 1);
  g_assert_cmpfloat (json_object_get_double_member (object, "boxes"), >=, 1);
  g_assert_cmpfloat (json_object_get_double_member (object, "ms"), >=, 0);
  tool_run_ok (tool, "evaluate --proposals grid --voc voc --set known --max-proposals 3");
  g_assert_nonnull (strstr (tool->out, "boxes per picture  3.0\n"));
}

static void
test_failures (Tool *tool, gconstpointer data)
{
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set wrong", 1, "wrong.txt:2: ");
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set none", 1, "none.txt");
  tool_run_fails (tool, "evaluate -m none --voc voc --set known", 1, "none");
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set known --mean-of rad", 2, "\"rad\"");
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set known --labels red --mean-of green", 2, "among --labels");
  tool_run (tool, "evaluate " MODEL "--voc voc --set blue");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "no object"));
  tool_run (tool, "evaluate --proposals grid --voc voc --set known --labels nosuch");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "no object"));
  tool_write_picture (tool, "voc/JPEGImages/one.png", 160, 119, (Rectangle) { 0, 0, 9, 9 }, 0);
  tool_run_fails (tool, "evaluate " MODEL "--voc voc --set known", 1, "one.png: is 160x119");
  tool_write (tool, "voc/JPEGImages/one.png", "nothing", -1);
  tool_run_fails (tool, "evaluate --proposals grid --voc voc --set known", 1, "one.png");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/evaluate/precision", Tool, NULL, set_up, test_precision, tool_tear_down);
  g_test_add ("/evaluate/mistakes", Tool, NULL, set_up, test_mistakes, tool_tear_down);
  g_test_add ("/evaluate/absent-class", Tool, NULL, set_up, test_absent_class, tool_tear_down);
  g_test_add ("/evaluate/nothing-found", Tool, NULL, set_up, test_nothing_found, tool_tear_down);
  g_test_add ("/evaluate/table", Tool, NULL, set_up, test_table, tool_tear_down);
  g_test_add ("/evaluate/proposals", Tool, NULL, set_up, test_proposals, tool_tear_down);
  g_test_add ("/evaluate/failures", Tool, NULL, set_up, test_failures, tool_tear_down);
  return g_test_run ();
}
