/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/darknet.h"

#include <math.h>

#include "../model/sample.h"

/* A folder with a network description and its weights. */
typedef struct
{
  gchar *folder, *cfg, *weights, *output;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->folder = sample_folder ();
  place->cfg = g_build_filename (place->folder, "net.cfg", NULL);
  place->weights = g_build_filename (place->folder, "net.weights", NULL);
  place->output = g_build_filename (place->folder, "net.safetensors", NULL);
}

static void
tear_down (Place *place, gconstpointer data)
{
  sample_remove_folder (place->folder);
  g_free (place->cfg);
  g_free (place->weights);
  g_free (place->output);
}

#define NET "[net]\nchannels=3\nwidth=8\n"
#define CONV1 "[convolutional]\nbatch_normalize=1\nfilters=2\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
#define POOL "[maxpool]\nsize=2\nstride=2\n"
#define CONV2 "[convolutional]\nfilters=4\nsize=1\nactivation=linear\n"
#define LAST "[convolutional]\nfilters=5\nsize=1\npad=1\nactivation=linear\n"
#define TAIL "[avgpool]\n[softmax]\ngroups=1\n[cost]\ntype=sse\n"
#define WHOLE NET CONV1 POOL CONV2 LAST TAIL

/* Floats of the three convolutions. */
#define N1 (4 * 2 + 2 * 3 * 9)
#define N2 (4 + 4 * 2)
#define N3 (5 + 5 * 4)

/* i-th value of the file; variances are made positive where they lie. */
static gfloat
value_at (guint i)
{
  return i >= 6 && i < 8 ? 1.5f + (gfloat) i : (gfloat) ((i * 7919) % 101) / 64 - 0.5f;
}

static void
write_weights (const gchar *path, gboolean wide, guint n)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gint32 words[5] = { 0, wide ? 2 : 1, 0, 1234, wide ? 1 : 0 };

  for (guint i = 0; i < (wide ? 5 : 4); i++) {
    guint32 word = GUINT32_TO_LE ((guint32) words[i]);

    g_byte_array_append (bytes, (const guint8 *) &word, 4);
  }
  for (guint i = 0; i < n; i++) {
    gfloat value = value_at (i);
    guint32 bits;

    memcpy (&bits, &value, 4);
    bits = GUINT32_TO_LE (bits);
    g_byte_array_append (bytes, (const guint8 *) &bits, 4);
  }
  g_assert_true (g_file_set_contents (path, (const gchar *) bytes->data, bytes->len, NULL));
}

static void
write_cfg (Place *place, const gchar *text)
{
  g_assert_true (g_file_set_contents (place->cfg, text, -1, NULL));
}

static SppnetModel *
import (Place *place, guint conv_layers)
{
  g_autoptr (GError) error = NULL;
  SppnetModel *model;

  sppnet_import_darknet (place->cfg, place->weights, conv_layers, "small", place->output, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
  model = sppnet_model_load (place->output, &error);
  g_assert_no_error (error);
  return model;
}

/* Order of the values and folding, written out again. */
static void
check_values (SppnetModel *model)
{
  const gfloat *weight = sppnet_model_get_tensor (model, "conv1.weight", NULL);
  const gfloat *bias = sppnet_model_get_tensor (model, "conv1.bias", NULL);
  const gfloat *second = sppnet_model_get_tensor (model, "conv2.weight", NULL);
  const gfloat *second_bias = sppnet_model_get_tensor (model, "conv2.bias", NULL);

  for (guint f = 0; f < 2; f++) {
    gdouble factor = value_at (2 + f) / (sqrt (value_at (6 + f)) + 1e-6);

    g_assert_cmpfloat_with_epsilon (bias[f], value_at (f) - value_at (4 + f) * factor, 1e-6);
    for (guint i = 0; i < 27; i++)
      g_assert_cmpfloat_with_epsilon (weight[f * 27 + i], value_at (8 + f * 27 + i) * factor, 1e-6);
  }
  for (guint i = 0; i < 4; i++)
    g_assert_true (second_bias[i] == value_at (N1 + i));
  for (guint i = 0; i < 8; i++)
    g_assert_true (second[i] == value_at (N1 + 4 + i));
}

static void
test_small (Place *place, gconstpointer data)
{
  write_cfg (place, "# a comment\r\n; another\n" WHOLE);
  for (guint wide = 0; wide < 2; wide++) {
    g_autoptr (SppnetModel) model = NULL;
    const SppnetConfig *config;

    write_weights (place->weights, wide, N1 + N2 + N3);
    model = import (place, 0);
    config = sppnet_model_get_config (model);
    g_assert_cmpstr (sppnet_model_get_name (model), ==, "small");
    g_assert_cmpuint (config->n_layers, ==, 3);
    g_assert_cmpstr (config->layers[0].name, ==, "conv1");
    g_assert_cmpstr (config->layers[1].name, ==, "pool1");
    g_assert_cmpstr (config->layers[2].name, ==, "conv2");
    g_assert_cmpint (config->layers[0].stride, ==, 2);
    g_assert_cmpint (config->layers[0].pad_x, ==, 1);
    g_assert_cmpint (config->layers[0].activation, ==, SPPNET_ACTIVATION_LEAKY);
    g_assert_true (config->layers[0].slope == 0.1f);
    g_assert_cmpint (config->layers[1].kernel_width, ==, 2);
    g_assert_cmpint (config->layers[1].pad_x, ==, 0);
    g_assert_true (config->layers[1].ceil_mode);
    g_assert_cmpint (config->layers[2].pad_y, ==, 0);
    g_assert_cmpint (config->layers[2].activation, ==, SPPNET_ACTIVATION_LINEAR);
    g_assert_cmpuint (config->n_labels, ==, 0);
    g_assert_nonnull (strstr (config->provenance, wide ? "4294968530" : "1234"));
    check_values (model);
  }
}

static void
test_kept (Place *place, gconstpointer data)
{
  static const guint layers[] = { 0, 1, 3, 4 };

  write_cfg (place, WHOLE);
  write_weights (place->weights, FALSE, N1 + N2 + N3);
  for (guint kept = 1; kept <= 3; kept++) {
    g_autoptr (SppnetModel) model = import (place, kept);

    g_assert_cmpuint (sppnet_model_get_config (model)->n_layers, ==, layers[kept]);
  }
  /* Weights of the kept layers alone will do. */
  write_weights (place->weights, FALSE, N1 + N2);
  sppnet_model_unref (import (place, 1));
  sppnet_model_unref (import (place, 2));
}

/* Odd sizes need no rounding up, because Darknet's padding is even. */
static void
test_pools (Place *place, gconstpointer data)
{
  static const struct
  {
    const gchar *pool;
    gint size, stride, pad;
    gboolean ceil;
  } pools[] = {
    { "[maxpool]\nsize=3\nstride=2\n", 3, 2, 1, FALSE }, { "[maxpool]\nsize=4\nstride=2\n", 4, 2, 1, TRUE },
    { "[maxpool]\nstride=2\n", 2, 2, 0, TRUE },          { "[max]\nsize=2\nstride=2\npadding=0\n", 2, 2, 0, FALSE },
    { "[maxpool]\nsize=3\nstride=3\n", 3, 3, 1, FALSE },
  };

  write_weights (place->weights, FALSE, N1 + N2 + N3);
  for (guint i = 0; i < G_N_ELEMENTS (pools); i++) {
    g_autofree gchar *cfg = g_strconcat (NET CONV1, pools[i].pool, CONV2 LAST, NULL);
    g_autoptr (SppnetModel) model = NULL;
    const SppnetLayer *layer;

    write_cfg (place, cfg);
    model = import (place, 0);
    layer = &sppnet_model_get_config (model)->layers[1];
    g_assert_cmpint (layer->kernel_height, ==, pools[i].size);
    g_assert_cmpint (layer->stride, ==, pools[i].stride);
    g_assert_cmpint (layer->pad_x, ==, pools[i].pad);
    g_assert_cmpint (layer->ceil_mode, ==, pools[i].ceil);
  }
}

static void
check_refused (Place *place, const gchar *cfg, guint conv_layers, const gchar *file, SppnetError code,
               const gchar *text)
{
  g_autoptr (GError) error = NULL;

  write_cfg (place, cfg);
  g_assert_false (sppnet_import_darknet (place->cfg, place->weights, conv_layers, "small", place->output,
                                         SPPNET_DTYPE_F32, &error));
  assert_refused (error, code, file, text);
  g_assert_false (g_file_test (place->output, G_FILE_TEST_EXISTS));
}

static void
test_wrong_cfg (Place *place, gconstpointer data)
{
  static const struct
  {
    const gchar *cfg;
    guint conv_layers;
    SppnetError code;
    const gchar *text;
  } cases[] = {
    { "", 0, SPPNET_ERROR_CORRUPT, "has no sections" },
    { "\xff\xfe", 0, SPPNET_ERROR_CORRUPT, "is not a Darknet" },
    { "size=3\n", 0, SPPNET_ERROR_CORRUPT, ":1: neither" },
    { NET "[conv\n", 0, SPPNET_ERROR_CORRUPT, ":4: not a section" },
    { NET "[]\n", 0, SPPNET_ERROR_CORRUPT, ":4: not a section" },
    { NET "hello\n", 0, SPPNET_ERROR_CORRUPT, ":4: neither" },
    { NET, 0, SPPNET_ERROR_SETTINGS, "has 0 convolution layers" },
    { NET LAST, 0, SPPNET_ERROR_SETTINGS, "has one convolution layer" },
    { NET LAST, 2, SPPNET_ERROR_SETTINGS, "has 1 convolution layers, of which 2" },
    { WHOLE, 4, SPPNET_ERROR_SETTINGS, "has 3 convolution layers, of which 4" },
    { CONV1 CONV2 LAST, 0, SPPNET_ERROR_CORRUPT, ":1: the first section must be [net]" },
    { "[net]\nchannels=1\n" CONV1 CONV2, 0, SPPNET_ERROR_UNSUPPORTED, ":1: 'channels=1'" },
    { "[net]\n" CONV1 CONV2, 0, SPPNET_ERROR_UNSUPPORTED, ":1: 'channels=0'" },
    { NET "[conv]\nfilters=x\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'filters=x'" },
    { NET "[conv]\nfilters=0\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'filters=0'" },
    { NET "[conv]\nfilters=5000\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'filters=5000'" },
    { NET "[conv]\nfilters=99999999999999999999\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'filters" },
    { NET "[conv]\nsize=65\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'size=65'" },
    { NET "[conv]\nstride=0\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'stride=0'" },
    { NET "[conv]\npadding=1\n" LAST, 0, SPPNET_ERROR_CORRUPT, ":4: 'padding=1'" },
    { NET "[conv]\ngroups=2\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'groups=2'" },
    { NET "[conv]\nxnor=1\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'xnor=1'" },
    { NET "[conv]\ndilation=2\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'dilation=2'" },
    { NET "[conv]\nstride_x=2\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'stride_x=2'" },
    { NET "[conv]\nstride=2\nstride_y=1\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'stride_y=1'" },
    { NET "[conv]\nantialiasing=1\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: 'antialiasing=1'" },
    { NET CONV1 "[maxpool]\nsize=2\nstride=2\nmaxpool_depth=1\n" CONV2 LAST, 0, SPPNET_ERROR_UNSUPPORTED,
      "'maxpool_depth=1'" },
    { NET "[conv]\nfilters=2\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: activation 'logistic'" },
    { NET "[conv]\nactivation=mish\n" LAST, 0, SPPNET_ERROR_UNSUPPORTED, ":4: activation 'mish'" },
    { NET CONV1 "[shortcut]\n" CONV2 LAST, 0, SPPNET_ERROR_UNSUPPORTED, "section [shortcut] is not supported" },
    { NET CONV1 "[maxpool]\nsize=2\nstride=1\n" CONV2 LAST, 0, SPPNET_ERROR_UNSUPPORTED, "size 2, stride 1" },
    { NET CONV1 "[maxpool]\nsize=2\nstride=2\npadding=4\n" CONV2 LAST, 0, SPPNET_ERROR_CORRUPT, "'padding=4'" },
  };
  g_autoptr (GString) many = g_string_new (NET);

  write_weights (place->weights, FALSE, N1 + N2 + N3);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_refused (place, cases[i].cfg, cases[i].conv_layers, place->cfg, cases[i].code, cases[i].text);
  for (guint i = 0; i < 200; i++)
    g_string_append (many, POOL);
  g_string_append (many, CONV1 LAST);
  check_refused (place, many->str, 0, place->cfg, SPPNET_ERROR_UNSUPPORTED, "more than 128 layers");
}

static void
test_wrong_weights (Place *place, gconstpointer data)
{
  static const guint lengths[] = { 0, 1, N1, N1 + N2 - 1, N1 + N2 + 1, N1 + N2 + N3 - 1, N1 + N2 + N3 + 1 };
  g_autofree gchar *content = NULL;
  gsize length;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    write_weights (place->weights, FALSE, lengths[i]);
    check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "they do not belong together");
  }
  g_assert_true (g_file_set_contents (place->weights, "\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0", 15, NULL));
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "is not a Darknet weights file");
  g_assert_true (g_file_set_contents (place->weights, "<!DOCTYPE html><html>", -1, NULL));
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "is not a Darknet weights file");
  g_assert_true (g_file_set_contents (place->weights, "", 0, NULL));
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "is not a Darknet weights file");

  /* A negative variance, then a weight that is no number. */
  write_weights (place->weights, FALSE, N1 + N2 + N3);
  g_assert_true (g_file_get_contents (place->weights, &content, &length, NULL));
  content[16 + 4 * 7 + 3] |= (gchar) 0x80;
  g_assert_true (g_file_set_contents (place->weights, content, (gssize) length, NULL));
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "layer conv1: not all of its values");
  write_weights (place->weights, FALSE, N1 + N2 + N3);
  content[16 + 4 * 7 + 3] &= 0x7f;
  memcpy (content + 16 + 4 * (N1 + 5), "\xff\xff\xff\xff", 4);
  g_assert_true (g_file_set_contents (place->weights, content, (gssize) length, NULL));
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_CORRUPT, "layer conv2: not all");
  g_remove (place->weights);
  check_refused (place, WHOLE, 0, place->weights, SPPNET_ERROR_NOT_FOUND, "");
}

static void
test_places (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) folder_error = NULL;

  g_assert_false (sppnet_import_darknet (place->cfg, place->weights, 0, "x", place->output, SPPNET_DTYPE_F32, &error));
  assert_refused (error, SPPNET_ERROR_NOT_FOUND, place->cfg, "");
  g_assert_false (
      sppnet_import_darknet (place->folder, place->weights, 0, "x", place->output, SPPNET_DTYPE_F32, &folder_error));
  assert_refused (folder_error, SPPNET_ERROR_READ, place->folder, "not a regular file");
}

/* The network that the default model starts from. */
static void
test_tiny (Place *place, gconstpointer data)
{
  const gchar *shared = g_getenv ("SPPNET_SHARED");
  g_autofree gchar *cfg = g_build_filename (shared ? shared : "/", "data", "backbone", "tiny.cfg", NULL);
  g_autofree gchar *weights = g_build_filename (shared ? shared : "/", "data", "backbone", "tiny.weights", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (SppnetModel) model = NULL;
  const SppnetConfig *config;

  if (!g_file_test (cfg, G_FILE_TEST_EXISTS) || !g_file_test (weights, G_FILE_TEST_EXISTS)) {
    g_test_skip ("no data/backbone/tiny.cfg in SPPNET_SHARED");
    return;
  }
  sppnet_import_darknet (cfg, weights, 0, "tiny", place->output, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
  model = sppnet_model_load (place->output, &error);
  g_assert_no_error (error);
  config = sppnet_model_get_config (model);
  g_assert_cmpuint (config->n_layers, ==, 19);
  g_assert_cmpint (sppnet_config_channels (config), ==, 128);
  g_assert_cmpstr (config->layers[18].name, ==, "conv15");
}

#define TEST(name, function) g_test_add ("/darknet/" name, Place, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("small", test_small);
  TEST ("kept", test_kept);
  TEST ("pools", test_pools);
  TEST ("wrong-cfg", test_wrong_cfg);
  TEST ("wrong-weights", test_wrong_weights);
  TEST ("places", test_places);
  TEST ("tiny", test_tiny);
  return g_test_run ();
}
