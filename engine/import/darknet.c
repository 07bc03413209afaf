/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/darknet.h"

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "import/darknet-cfg.h"
#include "model/json.h"
#include "model/tensor-data.h"

/* The values of a weights file, read one after another. */
typedef struct
{
  const gchar *file;
  const guint8 *at, *end; /* little-endian */
  gint64 seen;            /* pictures that the network was trained on */
} Values;

static gsize
floats_left (const Values *values)
{
  return (gsize) (values->end - values->at) / 4;
}

/* out: [n]; the caller has checked that they are there. */
static void
take_floats (Values *values, gfloat *out, gsize n)
{
  for (gsize i = 0; i < n; i++, values->at += 4) {
    guint32 bits;

    memcpy (&bits, values->at, 4);
    out[i] = sppnet_bits_float (GUINT32_FROM_LE (bits));
  }
}

/* 64 bits hold any product of what a description may say. */
static guint64
kernel_floats (const SppnetDarknetConv *conv)
{
  return (guint64) conv->filters * (guint64) conv->channels * (guint64) conv->size * (guint64) conv->size;
}

static guint64
stored_floats (const SppnetDarknetConv *conv)
{
  return kernel_floats (conv) + (guint64) conv->filters * (conv->batch_normalize ? 4 : 1);
}

static GMappedFile *
map_file (const gchar *file, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GMappedFile *mapped = NULL;

  if (g_file_test (file, G_FILE_TEST_EXISTS) && !g_file_test (file, G_FILE_TEST_IS_REGULAR))
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "%s: is not a regular file", file);
  else if (!(mapped = g_mapped_file_new (file, FALSE, &reason)))
    g_set_error (error, SPPNET_ERROR,
                 g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? SPPNET_ERROR_NOT_FOUND
                                                                            : SPPNET_ERROR_READ,
                 "%s: cannot be read: %s", file, reason->message);
  else if (g_mapped_file_get_length (mapped) == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not a Darknet weights file: it is empty", file);
    g_clear_pointer (&mapped, g_mapped_file_unref);
  }
  return mapped;
}

/* Major, minor, revision and the count of pictures, which has 8 bytes since version 0.2. */
static gboolean
take_header (Values *values, GError **error)
{
  gsize length = (gsize) (values->end - values->at);
  gint32 words[5] = { 0 };
  gboolean wide;

  for (guint i = 0; i < G_N_ELEMENTS (words) && 4 * i + 4 <= length; i++) {
    memcpy (&words[i], values->at + 4 * i, 4);
    words[i] = (gint32) GUINT32_FROM_LE ((guint32) words[i]);
  }
  wide = words[0] > 0 || words[1] >= 2;
  if (length < 16 || words[0] < 0 || words[0] > 1000 || words[1] < 0 || words[1] > 1000 || (wide && length < 20)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not a Darknet weights file", values->file);
    return FALSE;
  }
  values->seen = (gint64) ((guint64) (guint32) words[3] | (wide ? (guint64) (guint32) words[4] << 32 : 0));
  values->at += wide ? 20 : 16;
  return TRUE;
}

/* The file must have all that is kept and end at the end of a layer. */
static gboolean
check_length (const Values *values, const SppnetDarknetNet *net, GError **error)
{
  gsize left = floats_left (values), length = (gsize) (values->end - values->at);
  guint64 needed = 0, all = 0;
  gboolean ends = FALSE;

  for (guint i = 0; i < net->convs->len; i++) {
    all += stored_floats (&g_array_index (net->convs, SppnetDarknetConv, i));
    if (i < net->kept)
      needed = all;
    ends = ends || (i + 1 >= net->kept && all == left);
  }
  if (left >= needed && (ends || (!net->complete && left > all)) && length % 4 == 0)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT,
               "%s: holds %zu bytes of values where the network description has %" G_GUINT64_FORMAT
               ": they do not belong together",
               values->file, length, all * 4);
  return FALSE;
}

/* W * scale / (sqrt (variance) + 1e-6); bias - mean * scale / (sqrt (variance) + 1e-6). norm: [3][filters] scale, mean,
 * variance. */
static gboolean
fold (const SppnetDarknetConv *conv, const gfloat *norm, gfloat *weight, gfloat *bias)
{
  gsize n = (gsize) conv->filters, length = (gsize) kernel_floats (conv) / n;

  for (gsize f = 0; f < n; f++) {
    gdouble factor = (gdouble) norm[f] / (sqrt ((gdouble) norm[2 * n + f]) + 1e-6);

    if (!isfinite (factor))
      return FALSE;
    bias[f] = (gfloat) ((gdouble) bias[f] - (gdouble) norm[n + f] * factor);
    for (gsize i = 0; i < length; i++)
      weight[f * length + i] = (gfloat) ((gdouble) weight[f * length + i] * factor);
  }
  return TRUE;
}

static void
free_floats (gpointer data)
{
  sppnet_aligned_free ((gpointer) ((SppnetTensorSource *) data)->data);
  g_free ((gpointer) ((SppnetTensorSource *) data)->name);
}

/* Adds NAME.weight and NAME.bias. */
static gboolean
read_conv (Values *values, const SppnetDarknetConv *conv, const gchar *name, GArray *tensors, GError **error)
{
  gsize n = (gsize) conv->filters, size = (gsize) conv->size, kernel = (gsize) kernel_floats (conv);
  g_autoptr (SppnetFloats) weight = sppnet_aligned_alloc (kernel * sizeof (gfloat));
  g_autoptr (SppnetFloats) bias = sppnet_aligned_alloc (n * sizeof (gfloat));
  g_autoptr (SppnetFloats) norm = sppnet_aligned_alloc (3 * n * sizeof (gfloat));
  SppnetTensorSource sources[2] = {
    { g_strconcat (name, ".weight", NULL), 4, { n, (gsize) conv->channels, size, size }, NULL },
    { g_strconcat (name, ".bias", NULL), 1, { n }, NULL },
  };

  g_array_append_vals (tensors, sources, 2);
  if (!weight || !bias || !norm) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: cannot allocate layer %s", values->file, name);
    return FALSE;
  }
  take_floats (values, bias, n);
  if (conv->batch_normalize)
    take_floats (values, norm, 3 * n);
  take_floats (values, weight, kernel);
  if ((conv->batch_normalize && !fold (conv, norm, weight, bias)) || sppnet_first_not_finite (weight, kernel) < kernel
      || sppnet_first_not_finite (bias, n) < n) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: layer %s: not all of its values are finite numbers",
                 values->file, name);
    return FALSE;
  }
  g_array_index (tensors, SppnetTensorSource, tensors->len - 2).data = g_steal_pointer (&weight);
  g_array_index (tensors, SppnetTensorSource, tensors->len - 1).data = g_steal_pointer (&bias);
  return TRUE;
}

/* Where the weights came from, as JSON. */
static gchar *
describe (const gchar *cfg, const gchar *weights, GMappedFile *mapped, gint64 seen)
{
  GString *json = g_string_new ("{\"imported_from\":\"darknet\",\"cfg\":");
  g_autofree gchar *cfg_name = g_filename_display_basename (cfg);
  g_autofree gchar *weights_name = g_filename_display_basename (weights);
  g_autoptr (GBytes) bytes = g_mapped_file_get_bytes (mapped);
  g_autofree gchar *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);

  sppnet_json_append_string (json, cfg_name);
  g_string_append (json, ",\"weights\":");
  sppnet_json_append_string (json, weights_name);
  g_string_append_printf (json, ",\"weights_sha256\":\"%s\",\"pictures_seen\":%" G_GINT64_FORMAT "}", sum, seen);
  return g_string_free (json, FALSE);
}

static gboolean
read_tensors (Values *values, const SppnetDarknetNet *net, const SppnetConfig *config, GArray *tensors, GError **error)
{
  guint conv = 0;

  for (guint i = 0; i < config->n_layers; i++)
    if (config->layers[i].kind == SPPNET_LAYER_CONV
        && !read_conv (values, &g_array_index (net->convs, SppnetDarknetConv, conv++), config->layers[i].name, tensors,
                       error))
      return FALSE;
  return TRUE;
}

gboolean
sppnet_import_darknet (const gchar *cfg, const gchar *weights, guint conv_layers, const gchar *name,
                       const gchar *output, SppnetDtype dtype, GError **error)
{
  g_autoptr (GArray) tensors = g_array_new (FALSE, FALSE, sizeof (SppnetTensorSource));
  g_autoptr (GMappedFile) mapped = NULL;
  g_auto (SppnetDarknetNet) net = { NULL };
  g_auto (SppnetConfig) config;
  Values values = { .file = weights };

  g_array_set_clear_func (tensors, free_floats);
  sppnet_config_init (&config);
  config.name = g_strdup (name);
  if (!sppnet_darknet_read_cfg (cfg, conv_layers, &config, &net, error) || !(mapped = map_file (weights, error)))
    return FALSE;
  values.at = (const guint8 *) g_mapped_file_get_contents (mapped);
  values.end = values.at + g_mapped_file_get_length (mapped);
  if (!take_header (&values, error) || !check_length (&values, &net, error)
      || !read_tensors (&values, &net, &config, tensors, error))
    return FALSE;
  config.provenance = describe (cfg, weights, mapped, values.seen);
  return sppnet_model_save (output, &config, (const SppnetTensorSource *) (gconstpointer) tensors->data, tensors->len,
                            dtype, error);
}
