/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backbone, which sees a frame band by band, against the same layers run on whole maps. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/layers.h"
#include "backbone/plan.h"
#include "base/cpu.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "frame/frame.h"

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
}

static gint
stride_before (const SppnetConfig *config, guint stage)
{
  SppnetConfig start = *config;

  start.n_layers = stage;
  return sppnet_config_geometry (&start).stride;
}

static SppnetLayer
merge (gint filters, guint from, gint factor)
{
  return (SppnetLayer) { .kind = SPPNET_LAYER_MERGE,
                         .filters = filters,
                         .kernel_width = 1,
                         .kernel_height = 1,
                         .stride = 1,
                         .from = from,
                         .factor = factor };
}

/* Makes the last layer a merge where it can be one. */
static void
try_merge (SppnetConfig *config, SppnetRandom *random)
{
  guint index = config->n_layers - 1, from;
  gint coarse, fine;

  if (index == 0)
    return;
  from = (guint) below (random, (gint) index);
  coarse = stride_before (config, index);
  fine = stride_before (config, from + 1);
  if (coarse % fine != 0)
    return;
  config->layers[index] = merge (sppnet_config_stage_channels (config, index), from, coarse / fine);
  config->layers[index].activation = (SppnetActivation) below (random, 3);
  config->layers[index].slope = 0.1f;
}

/* A layer as convolution networks have them, for which there are faster ways. */
static void
make_fast (SppnetLayer *layer, SppnetRandom *random)
{
  gboolean pool = layer->kind == SPPNET_LAYER_MAX_POOL,
           pointwise = layer->kind == SPPNET_LAYER_CONV && below (random, 2);

  layer->filters = 16 + 16 * (layer->filters % 2);
  layer->kernel_width = layer->kernel_height = pool ? 2 : pointwise ? 1 : 3;
  layer->stride = pool ? 2 : 1;
  layer->pad_x = pool || pointwise ? 0 : layer->pad_x % 2;
  layer->pad_y = pool || pointwise ? 0 : layer->pad_y % 2;
}

static void
random_config (SppnetConfig *config, SppnetRandom *random)
{
  gint n = 1 + below (random, 6);

  sppnet_config_init (config);
  for (gint i = 0; i < n; i++) {
    SppnetLayer *layer = &config->layers[config->n_layers++];
    gint choice = below (random, 6), kernel = 1 + below (random, 5);

    *layer = (SppnetLayer) { .kind = choice < 3    ? SPPNET_LAYER_CONV
                                     : choice == 3 ? SPPNET_LAYER_MAX_POOL
                                     : choice == 4 ? SPPNET_LAYER_AVERAGE_POOL
                                                   : SPPNET_LAYER_LRN,
                             .filters = 1 + below (random, 9),
                             .kernel_width = kernel,
                             .kernel_height = kernel,
                             .stride = 1 + below (random, 3),
                             .pad_x = below (random, kernel / 2 + 1),
                             .pad_y = below (random, kernel / 2 + 1),
                             .ceil_mode = below (random, 2),
                             .activation = (SppnetActivation) below (random, 3),
                             .slope = 0.1f,
                             .lrn_size = 1 + 2 * below (random, 3),
                             .lrn_within_channel = below (random, 2),
                             .lrn_alpha = 0.1f,
                             .lrn_beta = 0.75f,
                             .lrn_k = 1.0f };
    if (layer->kind == SPPNET_LAYER_CONV)
      layer->ceil_mode = FALSE;
    if (below (random, 2))
      make_fast (layer, random);
    if (below (random, 4) == 0)
      try_merge (config, random);
    g_snprintf (layer->name, sizeof layer->name, "layer%d", i);
  }
}

static void
name_layers (SppnetConfig *config)
{
  for (guint i = 0; i < config->n_layers; i++)
    g_snprintf (config->layers[i].name, sizeof config->layers[i].name, "layer%u", i);
}

/* With random weights. */
static SppnetModel *
make_model (const SppnetConfig *config, SppnetRandom *random)
{
  g_autofree gchar *dir = g_dir_make_tmp ("sppnet-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (dir, "model.safetensors", NULL);
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  SppnetModel *model;

  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize count = 1;
    gfloat *data;

    for (guint d = 0; d < tensor->n_dims; d++)
      count *= tensor->dims[d];
    data = g_new (gfloat, count);
    for (gsize k = 0; k < count; k++)
      data[k] = (gfloat) (0.2 * sppnet_random_normal (random));
    tensor->data = data;
    g_ptr_array_add (owned, data);
  }
  sppnet_model_save (path, config, (const SppnetTensorSource *) tensors->data, tensors->len, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
  model = sppnet_model_load (path, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_rmdir (dir);
  return model;
}

static SppnetModel *
random_model (SppnetRandom *random)
{
  g_auto (SppnetConfig) config;

  random_config (&config, random);
  return make_model (&config, random);
}

/* (transfer full): the last map, or NULL where a layer has no output. */
static gfloat *
run_whole (SppnetModel *model, const SppnetFrame *frame, SppnetRows *result)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  SppnetRows maps[SPPNET_MAX_LAYERS + 1];
  g_autofree guint8 *rgb = g_malloc ((gsize) frame->width * frame->height * 3);

  if (sppnet_config_shapes (config, frame->width, frame->height, shapes) < config->n_layers)
    return NULL;
  for (guint i = 0; i <= config->n_layers; i++) {
    gfloat *data = sppnet_aligned_alloc (sizeof (gfloat) * shapes[i].width * shapes[i].height * shapes[i].channels);

    maps[i] = (SppnetRows) { data, 0, shapes[i].height, shapes[i].width, shapes[i].height, shapes[i].channels };
  }
  sppnet_frame_read_rgb (frame, 0, frame->height, rgb);
  sppnet_frame_normalize (rgb, (gsize) frame->width * frame->height, config->input_bgr, config->input_mean,
                          config->input_scale, maps[0].data);
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    const SppnetRows *in = &maps[i], *side = &maps[sppnet_config_weighted_stage (config, i)], *out = &maps[i + 1];
    g_autofree gchar *weight_name = g_strconcat (layer->name, ".weight", NULL);
    g_autofree gchar *bias_name = g_strconcat (layer->name, ".bias", NULL);
    g_autoptr (SppnetFloats) packed = NULL, scratch = NULL;
    const gfloat *bias = NULL;
    gsize count;

    if (sppnet_layer_has_weights (layer)) {
      const gfloat *weight = sppnet_model_get_tensor (model, weight_name, &count);

      packed = sppnet_aligned_alloc (sizeof (gfloat) * count);
      sppnet_conv_pack (layer, side->channels, weight, packed);
      bias = sppnet_model_get_tensor (model, bias_name, &count);
    }
    scratch = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_layer_scratch (layer, in->channels));
    if (layer->kind == SPPNET_LAYER_MERGE)
      sppnet_merge_run (layer, packed, bias, in, side, out, 0, out->height, 1);
    else
      sppnet_layer_run (layer, packed, bias, in, out, 0, out->height, 1, scratch);
  }
  for (guint i = 0; i < config->n_layers; i++)
    sppnet_aligned_free (maps[i].data);
  *result = maps[config->n_layers];
  return result->data;
}

/* In bands of so many rows, after another picture: the same bits, and nothing left of that one. */
static void
check_bands (SppnetBackbone *backbone, SppnetFrame *frame, const SppnetMap *map, gint band, guint threads)
{
  gsize bytes = sizeof (gfloat) * (gsize) map->width * map->height * map->channels;
  g_autofree gfloat *expected = g_memdup2 (map->data, bytes);
  guint8 *pixels = (guint8 *) frame->plane[0];
  SppnetMap again;

  sppnet_backbone_set_band (backbone, band);
  for (gint round = 0; round < 2; round++) {
    for (gsize i = 0; i < (gsize) frame->width * frame->height * 3; i++)
      pixels[i] = (guint8) ~pixels[i];
    g_assert_true (sppnet_backbone_run (backbone, frame, threads, &again, NULL, NULL));
  }
  sppnet_backbone_set_band (backbone, 0);
  /* OpenBLAS, which multiplies at the plain level, does not promise the same bits for any number of rows. */
  if (sppnet_cpu_isa () != SPPNET_ISA_PLAIN)
    g_assert_cmpmem (again.data, bytes, expected, bytes);
  for (gsize i = 0; i < bytes / sizeof (gfloat); i++)
    g_assert_cmpfloat_with_epsilon (again.data[i], expected[i], 1e-4f * (1.0f + fabsf (expected[i])));
}

static void
check_frame (SppnetModel *model, SppnetBackbone *backbone, gint width, gint height, SppnetRandom *random)
{
  g_autofree guint8 *pixels = g_malloc ((gsize) width * height * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, width, height, { pixels }, { width * 3 } };
  g_autoptr (SppnetFloats) whole = NULL;
  g_autoptr (GError) error = NULL;
  guint threads = 1 + (guint) below (random, 2);
  const SppnetWeights *weights = sppnet_weights_get (model, SPPNET_PRECISION_FLOAT32, NULL);
  /* A first layer's weights of 16 bits show. */
  gfloat tolerance = weights->pixels.kernels ? 1e-3f : 1e-4f;
  SppnetRows rows;
  SppnetMap map;
  gboolean ok;

  for (gsize i = 0; i < (gsize) width * height * 3; i++)
    pixels[i] = (guint8) sppnet_random_next (random);
  whole = run_whole (model, &frame, &rows);
  ok = sppnet_backbone_run (backbone, &frame, threads, &map, NULL, &error);
  if (!whole) {
    g_assert_false (ok);
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
    return;
  }
  g_assert_no_error (error);
  g_assert_cmpint (map.width, ==, rows.width);
  g_assert_cmpint (map.height, ==, rows.height);
  g_assert_cmpint (map.channels, ==, rows.channels);
  for (gsize i = 0; i < (gsize) map.width * map.height * map.channels; i++)
    g_assert_cmpfloat_with_epsilon (map.data[i], rows.data[i], tolerance * (1.0f + fabsf (rows.data[i])));
  check_bands (backbone, &frame, &map, 1 + below (random, 40), 1 + (guint) below (random, 2));
}

static void
test_bands (void)
{
  SppnetRandom random = { 2015 };

  for (gint i = 0; i < 60; i++) {
    g_autoptr (SppnetModel) model = random_model (&random);
    g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);

    sppnet_blas_begin ();
    for (gint k = 0; k < 4; k++)
      check_frame (model, backbone, 1 + below (&random, 40), 1 + below (&random, k == 0 ? 8 : 200), &random);
    sppnet_blas_end ();
  }
}

/* The last layer is a merge whose finer map is not stored, of even and odd sizes, pooled with the last row and column
 * and without them. */
static void
test_joined (void)
{
  SppnetRandom random = { 22 };

  for (gint i = 0; i < 8; i++) {
    g_auto (SppnetConfig) config;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (SppnetBackbone) backbone = NULL;

    sppnet_config_init (&config);
    config.n_layers = 5;
    config.layers[0] = (SppnetLayer) {
      .kind = SPPNET_LAYER_CONV, .filters = 16, .kernel_width = 1, .kernel_height = 1, .stride = 1
    };
    config.layers[1] = config.layers[0];
    config.layers[1].kernel_width = config.layers[1].kernel_height = 3;
    config.layers[1].filters = 48 + 16 * (i / 2);
    config.layers[1].pad_x = config.layers[1].pad_y = i / 2 % 2;
    config.layers[1].activation = SPPNET_ACTIVATION_LEAKY;
    config.layers[1].slope = 0.1f;
    config.layers[2] = (SppnetLayer) {
      .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2, .ceil_mode = i % 2
    };
    config.layers[3] = config.layers[1];
    config.layers[3].pad_x = config.layers[3].pad_y = 1;
    config.layers[3].filters = 24;
    config.layers[4] = merge (24, 1, 2);
    name_layers (&config);
    model = make_model (&config, &random);
    backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
    sppnet_blas_begin ();
    for (gint k = 0; k < 12; k++) {
      gint height = k < 6 ? 9 + 6 * k : 8 + below (&random, 90);

      /* Without padding, and with the last row alone, all pooled rows could be computed before it comes, but not the
       * last row before pooling. */
      sppnet_backbone_set_band (backbone, k < 6 ? height - 1 : 0);
      check_frame (model, backbone, 8 + below (&random, 60), height, &random);
    }
    sppnet_blas_end ();
  }
}

/* An unpadded convolution of an odd height, pooled: its last row is not needed, but is part of a tile of rows that are.
 * In bands of 32 the frame's last row comes alone. */
static void
test_last_tile (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetBackbone) backbone = NULL;
  g_autofree guint8 *pixels = g_malloc (40 * 31 * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, 40, 31, { pixels }, { 40 * 3 } };
  SppnetRandom random = { 20 };
  SppnetMap map;

  sppnet_config_init (&config);
  config.n_layers = 3;
  config.layers[0]
      = (SppnetLayer) { .kind = SPPNET_LAYER_CONV, .filters = 16, .kernel_width = 1, .kernel_height = 1, .stride = 1 };
  config.layers[1] = config.layers[0];
  config.layers[1].kernel_width = config.layers[1].kernel_height = 3;
  config.layers[2]
      = (SppnetLayer) { .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2 };
  name_layers (&config);
  model = make_model (&config, &random);
  backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  memset (pixels, 100, 40 * 31 * 3);
  g_assert_true (sppnet_backbone_run (backbone, &frame, 1, &map, NULL, NULL));
  check_bands (backbone, &frame, &map, 30, 1);
}

/* Frames for which the plan has small Winograd tiles, pooled and not, and then has not; one model for all. */
static void
test_small_tiles (void)
{
  static const struct
  {
    gint width, height;
    gboolean small;
  } frames[] = { { 20, 15, TRUE }, { 120, 60, FALSE }, { 19, 16, TRUE } };
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetBackbone) backbone = NULL;
  SppnetRandom random = { 21 };

  sppnet_config_init (&config);
  config.n_layers = 4;
  config.layers[0]
      = (SppnetLayer) { .kind = SPPNET_LAYER_CONV, .filters = 16, .kernel_width = 1, .kernel_height = 1, .stride = 1 };
  config.layers[1] = (SppnetLayer) {
    .kind = SPPNET_LAYER_CONV, .filters = 32, .kernel_width = 3, .kernel_height = 3, .stride = 1, .pad_x = 1, .pad_y = 1
  };
  config.layers[2] = config.layers[1];
  config.layers[3]
      = (SppnetLayer) { .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2 };
  name_layers (&config);
  model = make_model (&config, &random);
  backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    const SppnetWeights *weights = sppnet_weights_get (model, SPPNET_PRECISION_FLOAT32, NULL);
    SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
    SppnetBackbonePlan plan;

    sppnet_config_shapes (&config, frames[i].width, frames[i].height, shapes);
    sppnet_backbone_plan_init (&plan, &config, weights, shapes);
    for (guint k = 1; k < plan.n_steps && sppnet_cpu_isa () != SPPNET_ISA_PLAIN; k++)
      g_assert_true ((plan.steps[k].method == SPPNET_METHOD_WINOGRAD_SMALL) == frames[i].small);
    check_frame (model, backbone, frames[i].width, frames[i].height, &random);
  }
}

static void
test_extreme_sizes (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 1, 8192 }, { 8192, 1 }, { 2, 3 }, { 8192, 33 } };
  SppnetRandom random = { 16 };
  g_autoptr (SppnetModel) model = random_model (&random);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check_frame (model, backbone, sizes[i][0], sizes[i][1], &random);
}

static void
test_refusals (void)
{
  SppnetRandom random = { 17 };
  g_autoptr (SppnetModel) model = random_model (&random);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  guint8 pixel[3] = { 0 };
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, 8193, 1, { pixel }, { 8193 * 3 } };
  g_autoptr (GError) error = NULL;
  SppnetMap map;

  g_assert_false (sppnet_backbone_run (backbone, &frame, 1, &map, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  frame = (SppnetFrame) { SPPNET_PIXEL_FORMAT_RGB, 1, 1, { NULL }, { 3 } };
  g_assert_false (sppnet_backbone_run (backbone, &frame, 1, &map, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
}

static void
test_steady_state (void)
{
  SppnetRandom random = { 18 };
  g_autoptr (SppnetModel) model = random_model (&random);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_autofree guint8 *pixels = g_malloc0 (300 * 200 * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, 300, 200, { pixels }, { 900 } };
  guint64 before;
  SppnetMap map;

  g_assert_true (sppnet_backbone_run (backbone, &frame, 2, &map, NULL, NULL));
  before = sppnet_aligned_alloc_count ();
  for (gint i = 0; i < 5; i++)
    g_assert_true (sppnet_backbone_run (backbone, &frame, 2, &map, NULL, NULL));
  g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backbone/bands/equal-whole-maps", test_bands);
  g_test_add_func ("/backbone/bands/last-tile", test_last_tile);
  g_test_add_func ("/backbone/bands/joined", test_joined);
  g_test_add_func ("/backbone/bands/small-tiles", test_small_tiles);
  g_test_add_func ("/backbone/bands/extreme-sizes", test_extreme_sizes);
  g_test_add_func ("/backbone/bands/refusals", test_refusals);
  g_test_add_func ("/backbone/bands/steady-state", test_steady_state);
  return g_test_run ();
}
