/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "../engine/model/sample.h"
#include "import/darknet.h"
#include "model/safetensors.h"

/* What a fuzzer does, without one: good files with random damage, the same in every run. A reader must give one clear
 * error or a good model. Change the seed or the count by hand to search further. */
#define ROUNDS 4000
#define SEED 20140904

static const gchar *const tokens[] = { "\"",         "{",
                                       "}",          "[",
                                       "]",          ",",
                                       ":",          "-1",
                                       "0",          "1e9",
                                       "4294967296", "\\u0000",
                                       "null",       "18446744073709551615",
                                       "\"F16\"",    "\"BF16\"",
                                       "\xff",       "9223372036854775808" };

static void
damage_once (GByteArray *bytes, SppnetRandom *random)
{
  guint place = sppnet_random_below (random, bytes->len + 1);
  guint wanted = sppnet_random_below (random, 32), length = MIN (wanted, bytes->len - place);
  guint from = sppnet_random_below (random, bytes->len + 1);
  const gchar *token = tokens[sppnet_random_below (random, G_N_ELEMENTS (tokens))];

  switch (sppnet_random_below (random, 6)) {
  case 0: /* another byte */
    if (place < bytes->len)
      bytes->data[place] = (guint8) sppnet_random_next (random);
    break;
  case 1: /* one bit */
    if (place < bytes->len)
      bytes->data[place] ^= (guint8) (1 << sppnet_random_below (random, 8));
    break;
  case 2:
    if (length > 0)
      g_byte_array_remove_range (bytes, place, length);
    break;
  case 3: /* a part of the file elsewhere */
    length = MIN (length, bytes->len - from);
    memmove (bytes->data + place, bytes->data + from, MIN (length, bytes->len - place));
    break;
  case 4: /* a token over what was there */
    memcpy (bytes->data + place, token, MIN (strlen (token), bytes->len - place));
    break;
  default:
    if (sppnet_random_below (random, 8) == 0)
      g_byte_array_set_size (bytes, place);
  }
}

static GByteArray *
damage (GBytes *good, gsize within, SppnetRandom *random)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (good, &length);
  GByteArray *head = g_byte_array_new ();
  guint times = 1 + sppnet_random_below (random, 3);

  within = MIN (within, length);
  g_byte_array_append (head, data, (guint) within);
  for (guint i = 0; i < times && head->len > 0; i++)
    damage_once (head, random);
  g_byte_array_append (head, (const guint8 *) data + within, (guint) (length - within));
  return head;
}

static GBytes *
read_bytes (const gchar *path)
{
  gchar *content;
  gsize length;

  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  return g_bytes_new_take (content, length);
}

/* The length of the header follows what happened to it, in half of the cases. */
static void
repair_length (GByteArray *file, gsize data_length, SppnetRandom *random)
{
  guint64 length;

  if (file->len < 8 + data_length || sppnet_random_below (random, 2))
    return;
  length = GUINT64_TO_LE ((guint64) (file->len - 8 - data_length));
  memcpy (file->data, &length, 8);
}

static void
assert_good (SppnetModel *model)
{
  g_autoptr (GArray) tensors = sppnet_config_tensors (sppnet_model_get_config (model));

  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize expected = 1, count;
    const gfloat *values = sppnet_model_get_tensor (model, tensor->name, &count);

    for (guint d = 0; d < tensor->n_dims; d++)
      expected *= tensor->dims[d];
    g_assert_cmpuint (count, ==, expected);
    for (gsize v = 0; v < count; v++)
      g_assert_true (isfinite (values[v]));
  }
}

static void
assert_clear (GError *error, const gchar *file)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == SPPNET_ERROR);
  g_assert_true (g_str_has_prefix (error->message, file));
  g_assert_cmpuint (strlen (error->message), >, strlen (file) + 4);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_model (void)
{
  gchar *folder = sample_folder ();
  g_autofree gchar *path = g_build_filename (folder, "m.safetensors", NULL);
  SppnetRandom random = { SEED };
  guint good_models = 0, refused = 0;
  g_autoptr (GBytes) good = NULL;
  gsize header;

  sample_save (path, 1);
  good = read_bytes (path);
  header = 8 + ((const guint8 *) g_bytes_get_data (good, NULL))[0]
           + 256 * ((const guint8 *) g_bytes_get_data (good, NULL))[1];
  for (guint i = 0; i < ROUNDS; i++) {
    g_autoptr (GByteArray) file = damage (good, i % 4 ? header : G_MAXSIZE, &random);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (SppnetModel) model = NULL;
    g_autoptr (GError) error = NULL;

    repair_length (file, g_bytes_get_size (good) - header, &random);
    bytes = g_bytes_new (file->data, file->len);
    model = sppnet_model_new_from_bytes (bytes, "damaged", &error);
    good_models += model != NULL;
    refused += model == NULL;
    if (model)
      assert_good (model);
    else
      assert_clear (error, "damaged: ");
  }
  g_test_message ("%u good, %u refused", good_models, refused);
  g_assert_cmpuint (good_models, >, ROUNDS / 100);
  g_assert_cmpuint (refused, >, ROUNDS / 10);
  sample_remove_folder (folder);
}

/* What parses is written as a document that parses to the same. */
static void
test_config (void)
{
  g_auto (SppnetConfig) sample;
  g_autoptr (GBytes) good = NULL;
  SppnetRandom random = { SEED };
  gchar *json;

  sample_config (&sample, TRUE);
  json = sppnet_config_to_json (&sample);
  good = g_bytes_new_take (json, strlen (json));
  for (guint i = 0; i < ROUNDS; i++) {
    g_autoptr (GByteArray) text = damage (good, G_MAXSIZE, &random);
    g_auto (SppnetConfig) config;
    g_auto (SppnetConfig) again = { NULL };
    g_autoptr (GError) error = NULL;
    g_autofree gchar *written = NULL;
    g_autofree gchar *twice = NULL;

    if (!sppnet_config_parse (&config, (const gchar *) text->data, text->len, "damaged", &error)) {
      assert_clear (error, "damaged: configuration: ");
      continue;
    }
    written = sppnet_config_to_json (&config);
    sppnet_config_parse (&again, written, -1, "damaged", &error);
    g_assert_no_error (error);
    twice = sppnet_config_to_json (&again);
    g_assert_cmpstr (written, ==, twice);
  }
}

static void
test_darknet (void)
{
  static const gchar cfg[] = "[net]\nchannels=3\n[convolutional]\nbatch_normalize=1\nfilters=2\nsize=3\npad=1\n"
                             "activation=leaky\n[maxpool]\nsize=2\nstride=2\n[convolutional]\nfilters=4\nsize=1\n"
                             "activation=relu\n[convolutional]\nfilters=3\nactivation=linear\n[softmax]\n";
  gchar *folder = sample_folder ();
  g_autofree gchar *cfg_path = g_build_filename (folder, "net.cfg", NULL);
  g_autofree gchar *weights = g_build_filename (folder, "net.weights", NULL);
  g_autofree gchar *output = g_build_filename (folder, "net.safetensors", NULL);
  guint8 values[16 + 4 * (8 + 54 + 12 + 15)] = { 0, 0, 0, 0, 1 };
  g_autoptr (GBytes) good_cfg = g_bytes_new_static (cfg, sizeof cfg - 1);
  g_autoptr (GBytes) good_values = g_bytes_new_static (values, sizeof values);
  SppnetRandom random = { SEED };

  for (guint i = 0; i < ROUNDS / 8; i++) {
    g_autoptr (GByteArray) damaged_cfg = damage (good_cfg, i % 3 ? G_MAXSIZE : 0, &random);
    g_autoptr (GByteArray) damaged_values = damage (good_values, i % 3 ? 0 : G_MAXSIZE, &random);
    g_autoptr (GError) error = NULL;

    g_assert_true (g_file_set_contents (cfg_path, (const gchar *) damaged_cfg->data, damaged_cfg->len, NULL));
    g_assert_true (g_file_set_contents (weights, (const gchar *) damaged_values->data, damaged_values->len, NULL));
    if (!sppnet_import_darknet (cfg_path, weights, 0, "x", output, SPPNET_DTYPE_F32, &error))
      assert_clear (error, folder);
  }
  sample_remove_folder (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mutate/model", test_model);
  g_test_add_func ("/mutate/config", test_config);
  g_test_add_func ("/mutate/darknet", test_darknet);
  return g_test_run ();
}
