/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in an exported file, part by part. */
#include "import/onnx.h"

#include "../head/tiny-model.h"
#include "onnx-text.h"

#define CONV(layer_name, n, w, h, s, px, py, ...)                                                                      \
  {                                                                                                                    \
    .kind = SPPNET_LAYER_CONV, .name = layer_name, .filters = n, .kernel_width = w, .kernel_height = h, .stride = s,   \
    .pad_x = px, .pad_y = py, __VA_ARGS__                                                                              \
  }

static const SppnetLayer layers[] = {
  CONV ("one", 4, 3, 5, 2, 1, 2, .activation = SPPNET_ACTIVATION_LEAKY, .slope = 0.1f),
  { .kind = SPPNET_LAYER_MAX_POOL,
    .name = "two",
    .kernel_width = 3,
    .kernel_height = 2,
    .stride = 2,
    .pad_x = 1,
    .ceil_mode = TRUE },
  CONV ("map", 2, 1, 1, 1, 0, 0, .activation = SPPNET_ACTIVATION_RELU),
  { .kind = SPPNET_LAYER_AVERAGE_POOL, .name = "input", .kernel_width = 2, .kernel_height = 2, .stride = 2 },
  { .kind = SPPNET_LAYER_LRN, .name = "five", .lrn_size = 3, .lrn_alpha = 0.5f, .lrn_beta = 0.75f, .lrn_k = 2 },
  CONV ("six", 3, 1, 1, 1, 0, 0, .activation = SPPNET_ACTIVATION_LINEAR),
};

static const gchar expected[]
    = "version 7\n"
      "producer gst-sppnet\n"
      "producer " SPPNET_VERSION "\n"
      "operators 13\n"
      "input_order: BGR\n"
      "input_mean: 1 2.5 3\n"
      "input_scale: 0.5 0.100000001 1\n"
      "stride: 8\n"
      "input input [1,3,height,width]\n"
      "output map [1,3,map_height,map_width]\n"
      "one/conv = Conv input one.weight one.bias kernel_shape=5,3 strides=2,2 pads=2,1,2,1\n"
      "one/out = LeakyRelu one/conv alpha=0.1\n"
      "two/out = MaxPool one/out kernel_shape=2,3 strides=2,2 pads=0,1,0,1 ceil_mode=1\n"
      "map/conv = Conv two/out map.weight map.bias kernel_shape=1,1 strides=1,1 pads=0,0,0,0\n"
      "map/out = Relu map/conv\n"
      "input/out = AveragePool map/out kernel_shape=2,2 strides=2,2 pads=0,0,0,0 ceil_mode=0"
      " count_include_pad=0\n"
      "five/out = LRN input/out size=3 alpha=0.5 beta=0.75 bias=2\n"
      "map = Conv five/out six.weight six.bias kernel_shape=1,1 strides=1,1 pads=0,0,0,0\n"
      "one.weight [4,3,5,3] 0 .. 179\n"
      "one.bias [4] 0 .. 3\n"
      "map.weight [2,4,1,1] 0 .. 7\n"
      "map.bias [2] 0 .. 1\n"
      "six.weight [3,2,1,1] 0 .. 5\n"
      "six.bias [3] 0 .. 2\n"
      "graph every\n";

static void
fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  for (gsize i = 0; i < n; i++)
    data[i] = (gfloat) i;
}

static SppnetModel *
model_new (const SppnetLayer *list, guint n)
{
  static const gchar *const labels[] = { "thing", NULL };
  g_auto (SppnetConfig) config;

  sppnet_config_init (&config);
  config.name = g_strdup ("every");
  config.input_bgr = TRUE;
  config.input_mean[0] = 1;
  config.input_mean[1] = 2.5f;
  config.input_mean[2] = 3;
  config.input_scale[0] = 0.5f;
  config.input_scale[1] = 0.1f;
  config.input_scale[2] = 1;
  config.n_levels = 1;
  config.levels[0] = 1;
  config.n_layers = n;
  memcpy (config.layers, list, n * sizeof *list);
  tiny_labels (&config, labels);
  return tiny_model_new (&config, fill, NULL);
}

typedef struct
{
  gchar *folder, *path;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->folder = g_dir_make_tmp ("sppnet-onnx-XXXXXX", NULL);
  place->path = g_build_filename (place->folder, "model.onnx", NULL);
}

static void
tear_down (Place *place, gconstpointer data)
{
  g_unlink (place->path);
  g_assert_cmpint (g_rmdir (place->folder), ==, 0);
  g_free (place->path);
  g_free (place->folder);
}

static gchar *
export_text (SppnetModel *model, gint width, gint height, const gchar *path)
{
  g_autofree gchar *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  sppnet_export_onnx (model, width, height, path, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &bytes, &length, &error);
  g_assert_no_error (error);
  return onnx_to_text (bytes, length);
}

static void
test_content (Place *place, gconstpointer data)
{
  g_autoptr (SppnetModel) model = model_new (layers, G_N_ELEMENTS (layers));
  g_autofree gchar *text = export_text (model, 0, 0, place->path);

  g_assert_cmpstr (text, ==, expected);
}

static const SppnetLayer merged[] = {
  CONV ("fine", 2, 3, 3, 2, 1, 1, .activation = SPPNET_ACTIVATION_RELU),
  { .kind = SPPNET_LAYER_MAX_POOL,
    .name = "pool",
    .kernel_width = 2,
    .kernel_height = 2,
    .stride = 2,
    .ceil_mode = TRUE },
  CONV ("coarse", 3, 3, 3, 2, 1, 1, .activation = SPPNET_ACTIVATION_LINEAR),
  { .kind = SPPNET_LAYER_MERGE,
    .name = "both",
    .filters = 3,
    .kernel_width = 1,
    .kernel_height = 1,
    .stride = 1,
    .from = 0,
    .factor = 4,
    .activation = SPPNET_ACTIVATION_LEAKY,
    .slope = 0.5f },
};

static const gchar expected_any[] = "both/conv = Conv fine/out both.weight both.bias kernel_shape=1,1 strides=1,1"
                                    " pads=0,0,0,0\n"
                                    "both/scales [4] 1 .. 4\n"
                                    "both/repeated = Resize coarse/out  both/scales mode=nearest"
                                    " coordinate_transformation_mode=asymmetric nearest_mode=floor\n"
                                    "both/shape = Shape both/conv\n"
                                    "both/two [1] 2\n"
                                    "both/four [1] 4\n"
                                    "both/ends = Slice both/shape both/two both/four\n"
                                    "both/starts [2] 0 0\n"
                                    "both/axes [2] 2 3\n"
                                    "both/cropped = Slice both/repeated both/starts both/ends both/axes\n"
                                    "both/sum = Add both/conv both/cropped\n"
                                    "map = LeakyRelu both/sum alpha=0.5\n";

/* Where the size is known, it is a constant. */
static void
test_merge (Place *place, gconstpointer data)
{
  g_autoptr (SppnetModel) model = model_new (merged, G_N_ELEMENTS (merged));
  g_autofree gchar *any = NULL, *fixed = NULL;

  any = export_text (model, 0, 0, place->path);
  g_assert_nonnull (strstr (any, expected_any));
  fixed = export_text (model, 43, 30, place->path);
  g_assert_nonnull (strstr (fixed, "input input [1,3,30,43]\noutput map [1,3,15,22]\n"));
  g_assert_nonnull (strstr (fixed, "\nboth/ends [2] 15 22\n"));
  g_assert_null (strstr (fixed, "Shape"));
}

/* 2 x 2 pooling that rounds down leaves out the last row of 3: the map is then too small to be repeated. */
static void
test_merge_refused (Place *place, gconstpointer data)
{
  SppnetLayer small[G_N_ELEMENTS (merged)];
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;

  memcpy (small, merged, sizeof merged);
  small[1].ceil_mode = FALSE;
  model = model_new (small, G_N_ELEMENTS (small));
  g_assert_false (sppnet_export_onnx (model, 0, 0, place->path, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "layer both cannot be exported"));
}

static void
test_too_small (Place *place, gconstpointer data)
{
  static const SppnetLayer wide = CONV ("wide", 1, 5, 5, 1, 0, 0, .activation = SPPNET_ACTIVATION_RELU);
  g_autoptr (SppnetModel) model = model_new (&wide, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_export_onnx (model, 8, 4, place->path, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "8x4 is too small for layer wide"));
}

static void
test_refused (Place *place, gconstpointer data)
{
  static const SppnetLayer within
      = { .kind = SPPNET_LAYER_LRN, .name = "norm", .lrn_size = 3, .lrn_within_channel = TRUE, .lrn_k = 1 };
  g_autoptr (SppnetModel) model = model_new (&within, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_export_onnx (model, 0, 0, place->path, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "layer norm cannot be exported"));
  g_assert_false (g_file_test (place->path, G_FILE_TEST_EXISTS));
}

static void
test_unwritable (Place *place, gconstpointer data)
{
  g_autoptr (SppnetModel) model = model_new (layers, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_export_onnx (model, 0, 0, place->folder, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/onnx/content", Place, NULL, set_up, test_content, tear_down);
  g_test_add ("/onnx/refused", Place, NULL, set_up, test_refused, tear_down);
  g_test_add ("/onnx/merge", Place, NULL, set_up, test_merge, tear_down);
  g_test_add ("/onnx/merge-refused", Place, NULL, set_up, test_merge_refused, tear_down);
  g_test_add ("/onnx/too-small", Place, NULL, set_up, test_too_small, tear_down);
  g_test_add ("/onnx/unwritable", Place, NULL, set_up, test_unwritable, tear_down);
  return g_test_run ();
}
