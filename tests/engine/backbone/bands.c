/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backbone, which sees a frame band by band, against the same layers run on whole maps. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/layers.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "frame/frame.h"

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
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
    g_snprintf (layer->name, sizeof layer->name, "layer%d", i);
  }
}

static SppnetModel *
random_model (SppnetRandom *random)
{
  g_autofree gchar *dir = g_dir_make_tmp ("sppnet-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (dir, "model.safetensors", NULL);
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  SppnetModel *model;

  random_config (&config, random);
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize count = 1;
    gfloat *data;

    for (guint d = 0; d < tensor->n_dims; d++)
      count *= tensor->dims[d];
    data = g_new (gfloat, count);
    for (gsize k = 0; k < count; k++)
      data[k] = (gfloat) (0.3 * sppnet_random_normal (random));
    tensor->data = data;
    g_ptr_array_add (owned, data);
  }
  sppnet_model_save (path, &config, (const SppnetTensorSource *) tensors->data, tensors->len, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
  model = sppnet_model_load (path, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_rmdir (dir);
  return model;
}

/* (transfer full): the last map, or NULL where a layer has no output. */
static gfloat *
run_whole (SppnetModel *model, const SppnetFrame *frame, SppnetRows *result)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetRows in = { NULL, 0, frame->height, frame->width, frame->height, 3 };
  g_autoptr (SppnetFloats) scratch = NULL;
  g_autofree guint8 *rgb = g_malloc ((gsize) frame->width * frame->height * 3);

  in.data = sppnet_aligned_alloc (sizeof (gfloat) * frame->width * frame->height * 3);
  sppnet_frame_read_rgb (frame, 0, frame->height, rgb);
  sppnet_frame_normalize (rgb, (gsize) frame->width * frame->height, config->input_bgr, config->input_mean,
                          config->input_scale, in.data);
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    SppnetRows out = { .width = sppnet_layer_output_width (layer, in.width),
                       .height = sppnet_layer_output_height (layer, in.height),
                       .channels = sppnet_layer_output_channels (layer, in.channels) };
    g_autofree gchar *weight_name = g_strconcat (layer->name, ".weight", NULL);
    g_autofree gchar *bias_name = g_strconcat (layer->name, ".bias", NULL);
    g_autoptr (SppnetFloats) packed = NULL;
    const gfloat *bias = NULL;
    gsize count;

    if (out.width == 0 || out.height == 0) {
      sppnet_aligned_free (in.data);
      return NULL;
    }
    if (layer->kind == SPPNET_LAYER_CONV) {
      const gfloat *weight = sppnet_model_get_tensor (model, weight_name, &count);

      packed = sppnet_aligned_alloc (sizeof (gfloat) * count);
      sppnet_conv_pack (layer, in.channels, weight, packed);
      bias = sppnet_model_get_tensor (model, bias_name, &count);
    }
    out.end = out.height;
    out.data = sppnet_aligned_alloc (sizeof (gfloat) * out.width * out.height * out.channels);
    g_clear_pointer (&scratch, sppnet_aligned_free);
    scratch = sppnet_aligned_alloc (sizeof (gfloat) * sppnet_layer_scratch (layer, in.channels));
    sppnet_layer_run (layer, packed, bias, &in, &out, 0, out.height, 1, scratch);
    sppnet_aligned_free (in.data);
    in = out;
  }
  *result = in;
  return in.data;
}

static void
check_frame (SppnetModel *model, SppnetBackbone *backbone, gint width, gint height, SppnetRandom *random)
{
  g_autofree guint8 *pixels = g_malloc ((gsize) width * height * 3);
  SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, width, height, { pixels }, { width * 3 } };
  g_autoptr (SppnetFloats) whole = NULL;
  g_autoptr (GError) error = NULL;
  guint threads = 1 + (guint) below (random, 2);
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
    g_assert_cmpfloat_with_epsilon (map.data[i], rows.data[i], 1e-4f * (1.0f + fabsf (rows.data[i])));
}

static void
test_bands (void)
{
  SppnetRandom random = { 2015 };

  for (gint i = 0; i < 60; i++) {
    g_autoptr (SppnetModel) model = random_model (&random);
    g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, NULL);

    sppnet_blas_begin ();
    for (gint k = 0; k < 4; k++)
      check_frame (model, backbone, 1 + below (&random, 40), 1 + below (&random, k == 0 ? 8 : 200), &random);
    sppnet_blas_end ();
  }
}

static void
test_extreme_sizes (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 1, 8192 }, { 8192, 1 }, { 2, 3 }, { 8192, 33 } };
  SppnetRandom random = { 16 };
  g_autoptr (SppnetModel) model = random_model (&random);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    check_frame (model, backbone, sizes[i][0], sizes[i][1], &random);
}

static void
test_refusals (void)
{
  SppnetRandom random = { 17 };
  g_autoptr (SppnetModel) model = random_model (&random);
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, NULL);
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
  g_autoptr (SppnetBackbone) backbone = sppnet_backbone_new (model, NULL);
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
  g_test_add_func ("/backbone/bands/extreme-sizes", test_extreme_sizes);
  g_test_add_func ("/backbone/bands/refusals", test_refusals);
  g_test_add_func ("/backbone/bands/steady-state", test_steady_state);
  return g_test_run ();
}
