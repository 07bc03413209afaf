/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info, import, export, propose, bench. */
#include "tool.h"

/* The default model's rows, its region proposal network among them, have all of its parameters. */
static void
test_info_default (Tool *tool, gconstpointer data)
{
  static const gchar *const groups[] = { "layers", "rpn", "head" };
  g_autofree gchar *model = g_test_build_filename (G_TEST_DIST, "..", "models", "voc20.safetensors", NULL);
  g_autofree gchar *command = g_strdup_printf ("info %s --size 640x480 --json", model);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object;
  gint64 sum = 0;

  tool_run_ok (tool, command);
  node = tool_json (tool, 0);
  object = json_node_get_object (node);
  for (guint g = 0; g < G_N_ELEMENTS (groups); g++) {
    JsonArray *rows = json_object_get_array_member (object, groups[g]);

    g_assert_cmpuint (json_array_get_length (rows), >, 0);
    for (guint i = 0; i < json_array_get_length (rows); i++)
      sum += json_object_get_int_member (json_array_get_object_element (rows, i), "parameters");
  }
  g_assert_cmpint (sum, ==, json_object_get_int_member (object, "parameters"));
}

static void
test_info (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object, *layer;

  tool_run_ok (tool, "info scene.safetensors --size 64x48 --json");
  node = tool_json (tool, 0);
  object = json_node_get_object (node);
  g_assert_cmpstr (json_object_get_string_member (object, "name"), ==, "scene");
  g_assert_cmpint (json_object_get_int_member (object, "stride"), ==, SCENE_CELL);
  g_assert_cmpint (json_object_get_int_member (object, "bins"), ==, 5);
  /* 3x3 + 3 of the convolution, (15 + 1) x 3 of the classifier */
  g_assert_cmpint (json_object_get_int_member (object, "parameters"), ==, 12 + 48);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "labels")), ==, 2);
  layer = json_array_get_object_element (json_object_get_array_member (object, "layers"), 0);
  g_assert_cmpint (json_object_get_int_member (layer, "width"), ==, 64);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (layer, "mflop"), 2e-6 * 9 * 64 * 48, 1e-9);
  layer = json_array_get_object_element (json_object_get_array_member (object, "layers"), 1);
  g_assert_cmpstr (json_object_get_string_member (layer, "kind"), ==, "avgpool");
  g_assert_cmpint (json_object_get_int_member (layer, "height"), ==, 12);
  layer = json_array_get_object_element (json_object_get_array_member (object, "head"), 0);
  g_assert_cmpint (json_object_get_int_member (layer, "parameters"), ==, 48);

  tool_run_ok (tool, "info scene.safetensors");
  g_assert_nonnull (strstr (tool->out, "labels      2: red green"));
  tool_run_ok (tool, "info scene.safetensors --size 1x1");
  tool_run_ok (tool, "info scene.safetensors --plan 64x48");
  g_assert_nonnull (strstr (tool->out, "64x48x"));
  tool_run_ok (tool, "info scene.safetensors --plan 64x48 --json");
  {
    g_autoptr (JsonNode) plan = tool_json (tool, 0);
    JsonArray *steps = json_object_get_array_member (json_node_get_object (plan), "steps");

    g_assert_cmpuint (json_array_get_length (steps), ==, 2);
    layer = json_array_get_object_element (steps, 0);
    g_assert_cmpint (json_object_get_int_member (layer, "width"), ==, 64);
    g_assert_cmpfloat_with_epsilon (json_object_get_double_member (layer, "gflop"), 2e-9 * 9 * 64 * 48, 1e-12);
    g_assert_cmpfloat (json_object_get_double_member (layer, "ms"), >, 0);
  }
  tool_run_fails (tool, "info scene.safetensors --plan 64x48 --size 64x48", 2, "--plan");
  tool_run_fails (tool, "info red.png", 1, "red.png");
  tool_run_fails (tool, "info", 1, "voc20.safetensors");
}

static void
test_propose (Tool *tool, gconstpointer data)
{
  static const gchar *const methods[] = { "selective-search", "selective-search-quality", "edge-boxes", "grid" };

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_autofree gchar *line
        = g_strdup_printf ("propose --method %s --max-proposals 7 --json red.png green.png", methods[i]);

    tool_run_ok (tool, line);
    g_assert_cmpuint (tool_lines (tool), ==, 2);
    for (guint j = 0; j < 2; j++) {
      g_autoptr (JsonNode) node = tool_json (tool, j);
      JsonObject *object = json_node_get_object (node);
      JsonArray *boxes = json_object_get_array_member (object, "boxes");

      g_assert_cmpfloat (json_object_get_double_member (object, "ms"), >=, 0);
      g_assert_cmpfloat (json_object_get_double_member (object, "cpu_ms"), >=, 0);
      g_assert_cmpuint (json_array_get_length (boxes), >=, 1);
      g_assert_cmpuint (json_array_get_length (boxes), <=, 7);
      g_assert_cmpuint (json_array_get_length (json_array_get_array_element (boxes, 0)), ==, 4);
    }
  }
  tool_run (tool, "propose --method grid none.png red.png");
  g_assert_cmpint (tool->status, ==, 1);
  g_assert_nonnull (strstr (tool->err, "none.png"));
  g_assert_true (g_str_has_prefix (tool->out, "red.png: "));
}

/* The same seed, the same list. */
static void
test_seed (Tool *tool, gconstpointer data)
{
  g_autofree gchar *first = NULL;

  tool_run_ok (tool, "propose --seed 4294967295 --threads 1 red.png");
  first = g_strdup (strchr (tool->out, '\n'));
  tool_run_ok (tool, "propose --seed 4294967295 red.png");
  g_assert_cmpstr (first, ==, strchr (tool->out, '\n'));
}

static void
test_bench (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) picture = NULL;
  JsonObject *object;

  tool_run_ok (tool, "bench -m scene.safetensors --size 65x33 --regions 9 --repeat 2 --threads 1 --json");
  node = tool_json (tool, 0);
  object = json_node_get_object (node);
  g_assert_cmpstr (json_object_get_string_member (object, "size"), ==, "65x33");
  g_assert_cmpint (json_object_get_int_member (object, "threads"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (object, "regions"), ==, 9);
  g_assert_nonnull (json_object_get_string_member (object, "isa"));
  object = json_object_get_object_member (object, "stages");
  g_assert_cmpfloat (json_object_get_double_member (object, "total_ms"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (object, "proposals_ms"), >=, 0);

  tool_run_ok (tool, "bench -m scene.safetensors --image red.png --proposals grid --repeat 1 --json");
  picture = tool_json (tool, 0);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (picture), "size"), ==, "64x48");
  tool_run_ok (tool, "bench -m scene.safetensors --size 1x1 --repeat 1");
  tool_run_ok (tool, "bench -m scene.safetensors --size 1x1 --regions 1 --repeat 1");
  g_assert_nonnull (strstr (tool->out, "1x1, 1 regions"));
  tool_run_fails (tool, "bench -m none.safetensors", 1, "none.safetensors");
  tool_run_fails (tool, "bench -m scene.safetensors --image none.png", 1, "none.png");
}

static void
test_bench_rcnn (Tool *tool, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object, *sppnet, *rcnn;

  tool_run_ok (tool, "bench --rcnn -m scene.safetensors --size 65x33 --regions 257 --repeat 2 --json");
  node = tool_json (tool, 0);
  object = json_node_get_object (node);
  g_assert_cmpint (json_object_get_int_member (object, "regions"), ==, 257);
  g_assert_false (json_object_has_member (object, "stages"));
  sppnet = json_object_get_object_member (object, "sppnet");
  rcnn = json_object_get_object_member (object, "rcnn");
  g_assert_cmpfloat (json_object_get_double_member (sppnet, "total_ms"), >, 0);
  g_assert_cmpfloat_with_epsilon (
      json_object_get_double_member (object, "ratio"),
      json_object_get_double_member (rcnn, "total_ms") / json_object_get_double_member (sppnet, "total_ms"), 1e-9);
  tool_run_ok (tool, "bench --rcnn -m scene.safetensors --size 1x1 --regions 1 --repeat 1");
  g_assert_nonnull (strstr (tool->out, "R-CNN takes "));
}

static void
test_import (Tool *tool, gconstpointer data)
{
  static const gchar cfg[] = "[net]\nwidth=8\nheight=8\nchannels=3\n"
                             "[convolutional]\nfilters=2\nsize=1\nstride=1\npad=1\nactivation=leaky\n"
                             "[convolutional]\nfilters=2\nsize=1\nstride=1\npad=1\nactivation=linear\n";
  guint8 weights[16 + 4 * (2 + 6 + 2 + 4)] = { 0 };
  g_autofree gchar *output = tool_path (tool, "new.safetensors");

  tool_write (tool, "net.cfg", cfg, -1);
  tool_write (tool, "net.weights", (const gchar *) weights, sizeof weights);
  tool_run_ok (tool, "import --darknet net.cfg net.weights --layers 1 --dtype f16 --output new.safetensors");
  tool_run_ok (tool, "info new.safetensors");
  g_assert_true (g_str_has_prefix (tool->out, "new (new.safetensors)\n"));
  g_assert_nonnull (strstr (tool->out, "parameters  8\n"));
  tool_run_fails (tool, "detect -m new.safetensors red.png", 2, "no labels");

  g_assert_cmpint (g_unlink (output), ==, 0);
  tool_write (tool, "net.weights", (const gchar *) weights, 20);
  tool_run_fails (tool, "import --darknet net.cfg net.weights --output new.safetensors", 1, "net.weights");
  g_assert_false (g_file_test (output, G_FILE_TEST_EXISTS));
  tool_run_fails (tool, "import --darknet none.cfg net.weights --output new.safetensors", 1, "none.cfg");
}

static void
test_export (Tool *tool, gconstpointer data)
{
  g_autofree gchar *named = tool_path (tool, "a.onnx"), *fallback = tool_path (tool, "scene.onnx");

  tool_run_ok (tool, "export --onnx --output a.onnx scene.safetensors");
  g_assert_cmpstr (tool->out, ==, "a.onnx\n");
  g_assert_true (g_file_test (named, G_FILE_TEST_IS_REGULAR));
  tool_run_ok (tool, "export --onnx scene.safetensors");
  g_assert_cmpstr (tool->out, ==, "scene.onnx\n");
  g_assert_true (g_file_test (fallback, G_FILE_TEST_IS_REGULAR));
  tool_run_ok (tool, "export --onnx --size 64x48 --output a.onnx scene.safetensors");
  tool_run_fails (tool, "export --onnx none.safetensors", 1, "none.safetensors");
  tool_run_fails (tool, "export --onnx --output none/a.onnx scene.safetensors", 1, "none/a.onnx");
}

/* A model is the mean of itself; one whose box regression has other units is another. */
static void
test_average (Tool *tool, gconstpointer data)
{
  g_autofree gchar *other = tool_path (tool, "other.safetensors"), *before = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (SppnetConfig) config;

  scene_config (&config);
  config.box_scale[0] *= 2;
  tiny_model_save (other, &config, scene_fill, NULL, &error);
  g_assert_no_error (error);

  tool_run_ok (tool, "detect --model scene.safetensors --regions 16,16,24,16 --json red.png");
  before = g_strdup (tool->out);
  tool_run_ok (tool, "average --output mean.safetensors scene.safetensors scene.safetensors");
  g_assert_cmpstr (tool->out, ==, "");
  tool_run_ok (tool, "detect --model mean.safetensors --regions 16,16,24,16 --json red.png");
  g_assert_nonnull (strstr (before, "confidence"));
  g_assert_cmpstr (tool->out, ==, before);
  tool_run_fails (tool, "average --output mean.safetensors scene.safetensors none.safetensors", 1, "none.safetensors");
  tool_run_fails (tool, "average --output none/mean.safetensors scene.safetensors scene.safetensors", 1, "none/mean");
  tool_run_fails (tool, "average --output mean.safetensors scene.safetensors other.safetensors", 2, "\"box\"");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/files/info-default", Tool, NULL, tool_set_up, test_info_default, tool_tear_down);
  g_test_add ("/files/info", Tool, NULL, tool_set_up, test_info, tool_tear_down);
  g_test_add ("/files/propose", Tool, NULL, tool_set_up, test_propose, tool_tear_down);
  g_test_add ("/files/seed", Tool, NULL, tool_set_up, test_seed, tool_tear_down);
  g_test_add ("/files/bench", Tool, NULL, tool_set_up, test_bench, tool_tear_down);
  g_test_add ("/files/bench-rcnn", Tool, NULL, tool_set_up, test_bench_rcnn, tool_tear_down);
  g_test_add ("/files/import", Tool, NULL, tool_set_up, test_import, tool_tear_down);
  g_test_add ("/files/export", Tool, NULL, tool_set_up, test_export, tool_tear_down);
  g_test_add ("/files/average", Tool, NULL, tool_set_up, test_average, tool_tear_down);
  return g_test_run ();
}
