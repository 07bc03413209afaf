/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib/gstdio.h>
#include <string.h>

#include "base/random.h"
#include "model/model.h"

/* A configuration that uses every field; with_labels FALSE: a backbone only. */
static inline void
sample_config (SppnetConfig *config, gboolean with_labels)
{
  static const SppnetLayer layers[] = {
    { SPPNET_LAYER_CONV, "conv1", 8, 5, 3, 2, 2, 1, FALSE, SPPNET_ACTIVATION_LEAKY, 0.1f, 0, FALSE, 0, 0, 0 },
    { SPPNET_LAYER_LRN, "norm1", 0, 0, 0, 0, 0, 0, FALSE, SPPNET_ACTIVATION_LINEAR, 0, 3, TRUE, 5e-5f, 0.75f, 1 },
    { SPPNET_LAYER_MAX_POOL, "pool1", 0, 3, 3, 2, 1, 1, TRUE, SPPNET_ACTIVATION_LINEAR, 0, 0, FALSE, 0, 0, 0 },
    { SPPNET_LAYER_CONV, "conv2", 4, 1, 1, 1, 0, 0, FALSE, SPPNET_ACTIVATION_RELU, 0, 0, FALSE, 0, 0, 0 },
    { SPPNET_LAYER_AVERAGE_POOL, "pool2", 0, 2, 2, 2, 0, 0, FALSE, SPPNET_ACTIVATION_LINEAR, 0, 0, FALSE, 0, 0, 0 },
    { SPPNET_LAYER_MERGE, "merge1", 4, 1, 1, 1, 0, 0, FALSE, SPPNET_ACTIVATION_LEAKY, 0.1f, 0, FALSE, 0, 0, 0, 3, 2 },
  };

  sppnet_config_init (config);
  config->name = g_strdup ("sample \"with\" \\ marks, ä and 猫");
  config->input_bgr = TRUE;
  config->input_mean[0] = 104.00699f;
  config->input_scale[2] = 1;
  memcpy (config->layers, layers, sizeof layers);
  config->n_layers = G_N_ELEMENTS (layers);
  config->n_levels = 2;
  config->levels[0] = 3;
  config->levels[1] = 1;
  config->n_region_layers = 1;
  config->region_layers[0] = sppnet_config_region_layer ("region1", 3, SPPNET_ACTIVATION_LEAKY, 0.2f);
  config->n_head = 1;
  config->head[0] = (SppnetHeadLayer) { "fc6", 6, SPPNET_ACTIVATION_RELU, 0, 0.5f };
  config->rpn.filters = 5;
  config->rpn.stride = 2;
  config->rpn.activation = SPPNET_ACTIVATION_LEAKY;
  config->rpn.slope = 0.3f;
  config->rpn.n_anchors = 2;
  config->rpn.anchors[0][0] = 16.5f;
  config->rpn.anchors[0][1] = 24;
  config->rpn.anchors[1][0] = 300;
  config->rpn.anchors[1][1] = 200.25f;
  config->rpn.candidates = 1000;
  config->rpn.boxes = 150;
  config->rpn.nms_threshold = 0.65f;
  config->rpn.min_size = 4;
  config->rpn.min_score = 0.125f;
  config->provenance = g_strdup ("{\"by\":\"a test\",\"numbers\":[1,2.5,{\"x\":null}]}");
  if (!with_labels)
    return;
  config->n_labels = 2;
  config->labels = g_new0 (gchar *, 3);
  config->labels[0] = g_strdup ("dog");
  config->labels[1] = g_strdup ("chaise \"longue\"");
  config->thresholds = g_new0 (gfloat, 2);
  config->thresholds[1] = 0.3f;
  config->calibration = g_new0 (gfloat, 4);
  config->calibration[0] = -1.7f;
  config->calibration[3] = 1e-7f;
  config->context = g_new0 (gfloat, 2 * 4);
  config->context[0] = 1.5f;
  config->context[7] = -2.25f;
  config->box_input = SPPNET_BOX_POOLED;
  config->box_mean[1] = -0.01f;
  config->box_scale[3] = 0.2f;
  config->max_proposals = 300;
  config->nms_threshold = 0.35f;
}

static inline void
sample_free_tensor (gpointer data)
{
  g_free ((gpointer) ((SppnetTensorSource *) data)->name);
  g_free ((gpointer) ((SppnetTensorSource *) data)->data);
}

/* All tensors of a configuration with numbers that F16 and BF16 hold exactly. */
static inline GArray *
sample_tensors (const SppnetConfig *config, guint64 seed)
{
  g_autoptr (GArray) shapes = sppnet_config_tensors (config);
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (SppnetTensorSource));
  SppnetRandom random = { seed };

  g_array_set_clear_func (tensors, sample_free_tensor);
  for (guint i = 0; i < shapes->len; i++) {
    SppnetTensorSource tensor = g_array_index (shapes, SppnetTensorSource, i);
    gsize n = 1;
    gfloat *data;

    for (guint d = 0; d < tensor.n_dims; d++)
      n *= tensor.dims[d];
    data = g_new (gfloat, n);
    for (gsize j = 0; j < n; j++)
      data[j] = (gfloat) ((gint) sppnet_random_below (&random, 256) - 128) / 64;
    tensor.name = g_strdup (tensor.name);
    tensor.data = data;
    g_array_append_val (tensors, tensor);
  }
  return tensors;
}

static inline gboolean
sample_save_array (const gchar *path, const SppnetConfig *config, GArray *tensors, SppnetDtype dtype, GError **error)
{
  return sppnet_model_save (path, config, (const SppnetTensorSource *) (gconstpointer) tensors->data, tensors->len,
                            dtype, error);
}

/* Saves the sample configuration with the numbers of a seed. */
static inline void
sample_save (const gchar *path, guint64 seed)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GError) error = NULL;

  sample_config (&config, TRUE);
  tensors = sample_tensors (&config, seed);
  sample_save_array (path, &config, tensors, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
}

/* The error must have the code, begin with the file's name and contain the text. */
static inline void
assert_refused (GError *error, SppnetError code, const gchar *file, const gchar *text)
{
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  if (!g_str_has_prefix (error->message, file) || !strstr (error->message, text))
    g_error ("message '%s' should begin with '%s' and contain '%s'", error->message, file, text);
}

/* A folder of this test run, removed with its files by sample_remove_folder(). */
static inline gchar *
sample_folder (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("sppnet-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

static inline guint
sample_count_files (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (dir && g_dir_read_name (dir))
    n++;
  return n;
}

static inline void
sample_remove_folder (gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (folder);
  g_free (folder);
}
