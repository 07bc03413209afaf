/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

/* A fresh folder with one saved model in it. */
typedef struct
{
  gchar *folder, *path;
} Place;

static void
set_up (Place *place, gconstpointer data)
{
  place->folder = sample_folder ();
  place->path = g_build_filename (place->folder, "m.safetensors", NULL);
  sample_save (place->path, 1);
}

static void
tear_down (Place *place, gconstpointer data)
{
  sample_remove_folder (place->folder);
  g_free (place->path);
}

static SppnetModel *
load (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  SppnetModel *model = sppnet_model_load (path, &error);

  g_assert_no_error (error);
  return model;
}

static void
assert_holds (SppnetModel *model, const SppnetConfig *config, GArray *tensors)
{
  g_autofree gchar *json = sppnet_config_to_json (sppnet_model_get_config (model));
  g_autofree gchar *expected = sppnet_config_to_json (config);

  g_assert_cmpstr (json, ==, expected);
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize n = 1, count;
    const gfloat *data = sppnet_model_get_tensor (model, tensor->name, &count);

    for (guint d = 0; d < tensor->n_dims; d++)
      n *= tensor->dims[d];
    g_assert_cmpmem (data, count * sizeof (gfloat), tensor->data, n * sizeof (gfloat));
  }
}

/* Saved and loaded again, in each type; the numbers are ones that each type holds exactly. */
static void
test_round_trip (Place *place, gconstpointer data)
{
  for (guint i = 0; i < 6; i++) {
    g_auto (SppnetConfig) config;
    g_autoptr (GArray) tensors = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (SppnetModel) model = NULL;

    sample_config (&config, i % 2 == 0);
    tensors = sample_tensors (&config, i);
    sample_save_array (place->path, &config, tensors, (SppnetDtype) (i / 2), &error);
    g_assert_no_error (error);
    model = load (place->path);
    assert_holds (model, &config, tensors);
    g_assert_cmpstr (sppnet_model_get_path (model), ==, place->path);
    g_assert_cmpstr (sppnet_model_get_name (model), ==, config.name);
    g_assert_cmpuint (sppnet_model_get_n_labels (model), ==, config.n_labels);
    g_assert_cmpstr (sppnet_model_get_label (model, 0), ==, config.n_labels ? "dog" : NULL);
    g_assert_null (sppnet_model_get_label (model, config.n_labels));
  }
}

/* The same input gives the same bytes, whatever the order of the tensors; the data begin at a multiple of 64. */
static void
test_deterministic (Place *place, gconstpointer data)
{
  g_autofree gchar *other = g_build_filename (place->folder, "other.safetensors", NULL);
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *a = NULL;
  g_autofree gchar *b = NULL;
  gsize a_length, b_length;
  guint64 header;

  sample_config (&config, TRUE);
  tensors = sample_tensors (&config, 1);
  for (guint i = 0; i < tensors->len / 2; i++) {
    SppnetTensorSource *x = &g_array_index (tensors, SppnetTensorSource, i);
    SppnetTensorSource *y = &g_array_index (tensors, SppnetTensorSource, tensors->len - 1 - i);
    SppnetTensorSource swap = *x;

    *x = *y;
    *y = swap;
  }
  sample_save_array (other, &config, tensors, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (place->path, &a, &a_length, NULL));
  g_assert_true (g_file_get_contents (other, &b, &b_length, NULL));
  g_assert_cmpmem (a, a_length, b, b_length);
  memcpy (&header, a, 8);
  g_assert_cmpuint ((GUINT64_FROM_LE (header) + 8) % 64, ==, 0);
}

static void
test_one_object (Place *place, gconstpointer data)
{
  g_autofree gchar *link_path = g_build_filename (place->folder, "link", NULL);
  g_autofree gchar *copy = g_build_filename (place->folder, "copy", NULL);
  g_autofree gchar *content = NULL;
  g_autoptr (SppnetModel) first = load (place->path);
  g_autoptr (SppnetModel) second = load (place->path);
  g_autoptr (SppnetModel) linked = NULL;
  g_autoptr (SppnetModel) copied = NULL;
  gsize length;

  g_assert_true (first == second);
  g_assert_cmpint (symlink (place->path, link_path), ==, 0);
  linked = load (link_path);
  g_assert_true (first == linked);
  g_assert_true (g_file_get_contents (place->path, &content, &length, NULL));
  g_assert_true (g_file_set_contents (copy, content, (gssize) length, NULL));
  copied = load (copy);
  g_assert_true (first != copied);
}

/* A replaced file is another model; who holds the old one keeps its numbers. */
static void
test_replaced (Place *place, gconstpointer data)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) old_tensors = NULL;
  g_autoptr (GArray) new_tensors = NULL;
  g_autoptr (SppnetModel) before = load (place->path);
  g_autoptr (SppnetModel) after = NULL;
  g_autoptr (SppnetModel) again = NULL;

  sample_save (place->path, 2);
  after = load (place->path);
  again = load (place->path);
  g_assert_true (before != after);
  g_assert_true (after == again);
  sample_config (&config, TRUE);
  old_tensors = sample_tensors (&config, 1);
  new_tensors = sample_tensors (&config, 2);
  assert_holds (before, &config, old_tensors);
  assert_holds (after, &config, new_tensors);
}

static guint
count_mappings (const gchar *path)
{
  g_autofree gchar *maps = NULL;
  guint n = 0;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return 0;
  for (const gchar *at = maps; (at = strstr (at, path)); at++)
    n++;
  return n;
}

static gint destroyed[2], created;

static void
count_destroyed (gpointer which)
{
  destroyed[GPOINTER_TO_INT (which) - 1] = ++created;
}

static gpointer
create_first (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  created++;
  return GINT_TO_POINTER (1);
}

/* A stage may ask for what another one shares. */
static gpointer
create_second (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  g_assert_true (sppnet_model_share (model, "first", 0, SPPNET_PRECISION_FLOAT32, create_first, count_destroyed, error)
                 == GINT_TO_POINTER (1));
  created++;
  return GINT_TO_POINTER (2);
}

static gpointer
create_part (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  return GUINT_TO_POINTER (100 + part);
}

static gpointer
create_nothing (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "nothing left");
  return NULL;
}

/* The last reference frees the model, its mapping and what is shared, latest first; the next load is a new one. */
static void
test_references (Place *place, gconstpointer data)
{
  SppnetModel *model = load (place->path);
  SppnetModel *second = load (place->path);
  GValue value = G_VALUE_INIT;

  created = destroyed[0] = destroyed[1] = 0;
  for (guint i = 0; i < 3; i++)
    g_assert_true (
        sppnet_model_share (model, "second", 0, SPPNET_PRECISION_FLOAT32, create_second, count_destroyed, NULL)
        == GINT_TO_POINTER (2));
  g_assert_cmpint (created, ==, 2);
  g_assert_cmpuint (count_mappings (place->path), >=, 1);

  g_value_init (&value, SPPNET_TYPE_MODEL);
  g_value_set_boxed (&value, model);
  sppnet_model_unref (model);
  sppnet_model_unref (second);
  g_assert_cmpint (destroyed[1], ==, 0);
  g_assert_cmpuint (count_mappings (place->path), >=, 1);
  g_value_unset (&value);
  g_assert_cmpint (destroyed[1], ==, 3);
  g_assert_cmpint (destroyed[0], ==, 4);
  g_assert_cmpuint (count_mappings (place->path), ==, 0);

  model = load (place->path);
  sppnet_model_share (model, "first", 0, SPPNET_PRECISION_FLOAT32, create_first, NULL, NULL);
  g_assert_cmpint (created, ==, 5);
  sppnet_model_unref (model);
}

static void
test_share_failure (Place *place, gconstpointer data)
{
  g_autoptr (SppnetModel) model = load (place->path);
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_model_share (model, "x", 0, SPPNET_PRECISION_FLOAT32, create_nothing, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY);
  g_assert_true (sppnet_model_share (model, "x", 0, SPPNET_PRECISION_FLOAT32, create_first, NULL, NULL)
                 == GINT_TO_POINTER (1));
}

static void
test_share_parts (Place *place, gconstpointer data)
{
  g_autoptr (SppnetModel) model = load (place->path);

  for (guint i = 0; i < 6; i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (sppnet_model_share (model, "parts", i % 3, SPPNET_PRECISION_FLOAT32,
                                                            create_part, NULL, NULL)),
                      ==, 100 + i % 3);
}

/* Converted numbers do not need the file any more. */
static void
test_mapping_of_half (Place *place, gconstpointer data)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (SppnetModel) model = NULL;

  sample_config (&config, TRUE);
  tensors = sample_tensors (&config, 5);
  g_assert_true (sample_save_array (place->path, &config, tensors, SPPNET_DTYPE_F16, NULL));
  model = load (place->path);
  g_assert_cmpuint (count_mappings (place->path), ==, 0);
}

static gpointer
load_repeatedly (gpointer path)
{
  for (guint i = 0; i < 100; i++) {
    g_autoptr (SppnetModel) a = load (path);
    g_autoptr (SppnetModel) b = load (path);

    g_assert_true (a == b);
    sppnet_model_share (a, "first", 0, SPPNET_PRECISION_FLOAT32, create_first, NULL, NULL);
  }
  return NULL;
}

static void
test_threads (Place *place, gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("load", load_repeatedly, place->path);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (count_mappings (place->path), ==, 0);
}

/* What a writer must refuse: nothing is written, the old file stays, no temporary file is left. */
static void
check_save_refused (Place *place, const SppnetConfig *config, const SppnetTensorSource *tensors, guint n,
                    SppnetDtype dtype, SppnetError code, const gchar *text)
{
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;
  g_autoptr (GError) error = NULL;
  gsize before_length, after_length;

  g_assert_true (g_file_get_contents (place->path, &before, &before_length, NULL));
  g_assert_false (sppnet_model_save (place->path, config, tensors, n, dtype, &error));
  assert_refused (error, code, place->path, text);
  g_assert_true (g_file_get_contents (place->path, &after, &after_length, NULL));
  g_assert_cmpmem (before, before_length, after, after_length);
  g_assert_cmpuint (sample_count_files (place->folder), ==, 1);
}

static void
test_save_refuses (Place *place, gconstpointer data)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) array = NULL;
  SppnetTensorSource tensors[24] = { { NULL } };
  gfloat values[8] = { 0 };
  gfloat saved;
  guint n;

  sample_config (&config, TRUE);
  array = sample_tensors (&config, 1);
  n = array->len;
  memcpy (tensors, array->data, n * sizeof *tensors);
  g_assert_cmpstr (tensors[1].name, ==, "conv1.bias");
  tensors[1].data = values;

  check_save_refused (place, &config, tensors, n - 1, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "tensor 'rpn_box.bias'");
  tensors[n] = tensors[0];
  check_save_refused (place, &config, tensors, n + 1, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "given twice");
  tensors[n].name = "more";
  check_save_refused (place, &config, tensors, n + 1, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "tensor 'more'");
  tensors[1].dims[0]++;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "its shape");
  tensors[1].dims[0]--;
  tensors[1].data = NULL;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "tensor 'conv1.bias'");
  tensors[1].data = values;

  values[5] = NAN;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_WRITE,
                      "tensor 'conv1.bias': element 5 is not a finite number");
  values[5] = 65520;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F16, SPPNET_ERROR_WRITE, "element 5 is too large");
  values[5] = -G_MAXFLOAT;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_BF16, SPPNET_ERROR_WRITE, "element 5 is too large");
  values[5] = 65519;
  g_assert_true (sppnet_model_save (place->path, &config, tensors, n, SPPNET_DTYPE_F16, NULL));

  saved = config.nms_threshold;
  config.nms_threshold = NAN;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "configuration: ");
  config.nms_threshold = saved;
  config.labels[1][0] = 0;
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "labels[1]");
  config.labels[1][0] = 'x';
  g_free (config.provenance);
  config.provenance = g_strdup ("{\"a\":");
  check_save_refused (place, &config, tensors, n, SPPNET_DTYPE_F32, SPPNET_ERROR_SETTINGS, "configuration: ");
}

static void
test_save_places (Place *place, gconstpointer data)
{
  g_autofree gchar *absent = g_build_filename (place->folder, "no", "folder", "m.safetensors", NULL);
  g_autofree gchar *pipe = g_build_filename (place->folder, "pipe", NULL);
  const gchar *paths[] = { absent, place->folder, pipe, "/dev/null" };
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  struct stat info;

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  sample_config (&config, TRUE);
  tensors = sample_tensors (&config, 1);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (sample_save_array (paths[i], &config, tensors, SPPNET_DTYPE_F32, &error));
    assert_refused (error, SPPNET_ERROR_WRITE, paths[i], ": ");
  }
  g_assert_true (stat (pipe, &info) == 0 && S_ISFIFO (info.st_mode));
  g_assert_true (stat ("/dev/null", &info) == 0 && S_ISCHR (info.st_mode));
}

/* SPPNET_MODEL_PATH: a file, or folders; the places tried are named. */
static void
test_default_path (Place *place, gconstpointer data)
{
  g_autofree gchar *kept = g_strdup (g_getenv ("SPPNET_MODEL_PATH"));
  g_autofree gchar *standard = g_build_filename (place->folder, "voc20.safetensors", NULL);
  g_autofree gchar *list = g_strdup_printf ("/no/such/folder::%s", place->folder);
  g_autofree gchar *as_file = NULL;
  g_autofree gchar *in_folder = NULL;
  g_autoptr (GError) error = NULL;
  gchar *found;

  g_setenv ("SPPNET_MODEL_PATH", place->path, TRUE);
  as_file = sppnet_model_get_default_path (&error);
  g_assert_cmpstr (as_file, ==, place->path);
  sample_save (standard, 3);
  g_setenv ("SPPNET_MODEL_PATH", list, TRUE);
  in_folder = sppnet_model_get_default_path (&error);
  g_assert_no_error (error);
  g_assert_cmpstr (in_folder, ==, standard);

  g_remove (standard);
  found = sppnet_model_get_default_path (&error);
  if (found) /* installed on this machine */
    g_assert_true (g_str_has_suffix (found, "voc20.safetensors"));
  else {
    assert_refused (error, SPPNET_ERROR_NOT_FOUND, "voc20.safetensors", "/no/such/folder, ");
    g_assert_nonnull (strstr (error->message, place->folder));
  }
  g_free (found);
  g_clear_error (&error);
  /* A file that is named is not replaced by the installed one. */
  g_setenv ("SPPNET_MODEL_PATH", "/no/such/mine.safetensors", TRUE);
  g_assert_null (sppnet_model_get_default_path (&error));
  assert_refused (error, SPPNET_ERROR_NOT_FOUND, "/no/such/mine.safetensors", "SPPNET_MODEL_PATH");
  if (kept)
    g_setenv ("SPPNET_MODEL_PATH", kept, TRUE);
  else
    g_unsetenv ("SPPNET_MODEL_PATH");
}

#define TEST(name, function) g_test_add ("/model/" name, Place, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("round-trip", test_round_trip);
  TEST ("deterministic", test_deterministic);
  TEST ("one-object", test_one_object);
  TEST ("replaced", test_replaced);
  TEST ("references", test_references);
  TEST ("share-parts", test_share_parts);
  TEST ("share-failure", test_share_failure);
  TEST ("mapping-of-half", test_mapping_of_half);
  TEST ("threads", test_threads);
  TEST ("save-refuses", test_save_refuses);
  TEST ("save-places", test_save_places);
  TEST ("default-path", test_default_path);
  return g_test_run ();
}
