/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/compress.h"

#include <string.h>

#include "base/memory.h"
#include "model/provenance.h"

/* LAPACK, which OpenBLAS contains: singular value decomposition of a general matrix. */
void sgesdd_ (const char *jobz, const int *m, const int *n, float *a, const int *lda, float *s, float *u,
              const int *ldu, float *vt, const int *ldvt, float *work, const int *lwork, int *iwork, int *info);

/* Of a weight matrix [outputs][inputs], W = sum over t of s[t] out[.][t] in[t][.]; both sets are orthonormal. */
typedef struct
{
  gint inputs, outputs, n; /* n: the smaller one */
  gfloat *s;               /* [n], falling */
  gfloat *in;              /* [n][inputs] */
  gfloat *out;             /* [outputs][n] */
} Svd;

static void
svd_clear (Svd *svd)
{
  sppnet_aligned_free (svd->s);
  sppnet_aligned_free (svd->in);
  sppnet_aligned_free (svd->out);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Svd, svd_clear)

/* To LAPACK, which goes by columns, the rows of W are the columns of its transpose, so `in` comes out as U and `out` as
 * V'. */
static gboolean
svd_init (Svd *svd, const gfloat *weight, gint inputs, gint outputs, GError **error)
{
  gint n = MIN (inputs, outputs), info = 0, length = -1;
  gsize size = (gsize) inputs * (gsize) outputs;
  g_autofree gint *iwork = g_try_new (gint, 8 * (gsize) n);
  g_autoptr (SppnetFloats) copy = sppnet_aligned_alloc (size * sizeof (gfloat));
  g_autoptr (SppnetFloats) work = NULL;
  gfloat best;

  *svd = (Svd) { inputs,
                 outputs,
                 n,
                 sppnet_aligned_alloc ((gsize) n * sizeof (gfloat)),
                 sppnet_aligned_alloc ((gsize) n * (gsize) inputs * sizeof (gfloat)),
                 sppnet_aligned_alloc ((gsize) n * (gsize) outputs * sizeof (gfloat)) };
  if (iwork && copy && svd->s && svd->in && svd->out) {
    memcpy (copy, weight, size * sizeof (gfloat));
    sgesdd_ ("S", &inputs, &outputs, copy, &inputs, svd->s, svd->in, &inputs, svd->out, &n, &best, &length, iwork,
             &info);
    length = (gint) best + 1;
    work = sppnet_aligned_alloc ((gsize) length * sizeof (gfloat));
  }
  if (!work) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "no memory to decompose a matrix of %d x %d", outputs,
                 inputs);
    return FALSE;
  }
  sgesdd_ ("S", &inputs, &outputs, copy, &inputs, svd->s, svd->in, &inputs, svd->out, &n, work, &length, iwork, &info);
  if (info == 0)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
               "the decomposition of a matrix of %d x %d does not converge", outputs, inputs);
  return FALSE;
}

/* Part of the sum of squares in the first rank terms. */
static gdouble
energy_of (const Svd *svd, gint rank)
{
  gdouble kept = 0, all = 0;

  for (gint t = 0; t < svd->n; t++) {
    gdouble square = (gdouble) svd->s[t] * (gdouble) svd->s[t];

    kept += t < rank ? square : 0;
    all += square;
  }
  return all > 0 ? kept / all : 1;
}

static gint
choose_rank (const Svd *svd, gint rank, gdouble energy)
{
  if (rank > 0)
    return MIN (rank, svd->n);
  for (rank = 1; rank < svd->n && energy_of (svd, rank) < energy; rank++)
    ;
  return rank;
}

/* A model being written. */
typedef struct
{
  SppnetModel *model;
  SppnetConfig config;
  GArray *tensors; /* (element-type SppnetTensorSource): new ones, with their memory */
} Writer;

static gfloat *
add_tensor (Writer *writer, const gchar *name, const gchar *suffix, gsize rows, gsize columns)
{
  SppnetTensorSource source = { g_strconcat (name, suffix, NULL), columns ? 2 : 1, { rows, columns } };
  gfloat *data = g_new0 (gfloat, rows * MAX (columns, 1));

  source.data = data;
  g_array_append_val (writer->tensors, source);
  return data;
}

static void
clear_tensor (gpointer data)
{
  g_free ((gpointer) ((SppnetTensorSource *) data)->name);
  g_free ((gpointer) ((SppnetTensorSource *) data)->data);
}

static gboolean
is_taken (const SppnetConfig *config, const gchar *name)
{
  static const gchar *const rpn[] = { "", "_score", "_box" };

  for (guint i = 0; i < config->n_layers; i++)
    if (g_str_equal (config->layers[i].name, name))
      return TRUE;
  for (guint i = 0; i < config->n_region_layers; i++)
    if (g_str_equal (config->region_layers[i].name, name))
      return TRUE;
  for (guint i = 0; i < config->n_head; i++)
    if (g_str_equal (config->head[i].name, name))
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (rpn) && config->rpn.n_anchors > 0; i++) {
    g_autofree gchar *layer = g_strconcat (config->rpn.name, rpn[i], NULL);

    if (g_str_equal (name, layer))
      return TRUE;
  }
  return FALSE;
}

/* The layer's name and "-svd", with a number where that is taken: of a model that was compressed before. */
static void
choose_name (const SppnetConfig *config, const gchar *layer, gchar name[32])
{
  g_snprintf (name, 32, "%.27s-svd", layer);
  for (guint i = 2; is_taken (config, name); i++)
    g_snprintf (name, 32, "%.24s-svd%u", layer, i);
}

/* The layer at index of the new head becomes two. */
static void
split_layer (Writer *writer, guint index, const Svd *svd, gint rank)
{
  SppnetHeadLayer *head = writer->config.head, first = { .outputs = rank, .activation = SPPNET_ACTIVATION_LINEAR };
  gfloat *in, *out;

  choose_name (&writer->config, head[index].name, first.name);
  memmove (head + index + 1, head + index, sizeof *head * (writer->config.n_head - index));
  head[index] = first;
  writer->config.n_head++;

  in = add_tensor (writer, first.name, ".weight", (gsize) rank, (gsize) svd->inputs);
  add_tensor (writer, first.name, ".bias", (gsize) rank, 0);
  out = add_tensor (writer, head[index + 1].name, ".weight", (gsize) svd->outputs, (gsize) rank);
  for (gint t = 0; t < rank; t++)
    for (gint i = 0; i < svd->inputs; i++)
      *in++ = svd->s[t] * svd->in[(gsize) t * (gsize) svd->inputs + (gsize) i];
  for (gint o = 0; o < svd->outputs; o++, out += rank)
    memcpy (out, svd->out + (gsize) o * (gsize) svd->n, sizeof *out * (gsize) rank);
}

/* Layer number index of the old head; *at: its place in the new one, moved on. */
static gboolean
compress_layer (Writer *writer, guint index, gint inputs, gint rank, gdouble energy, guint *at,
                SppnetCompressedLayer *result, GError **error)
{
  const SppnetHeadLayer *layer = &sppnet_model_get_config (writer->model)->head[index];
  g_autofree gchar *name = g_strconcat (layer->name, ".weight", NULL);
  g_auto (Svd) svd = { 0 };
  gint chosen;

  *result = (SppnetCompressedLayer) { .inputs = inputs, .outputs = layer->outputs, .energy = 1 };
  g_strlcpy (result->name, layer->name, sizeof result->name);
  if (!svd_init (&svd, sppnet_model_get_tensor (writer->model, name, NULL), inputs, layer->outputs, error))
    return FALSE;
  chosen = choose_rank (&svd, rank, energy);
  if ((gint64) chosen * ((gint64) inputs + layer->outputs) >= (gint64) inputs * layer->outputs) {
    ++*at;
    return TRUE;
  }
  if (writer->config.n_head == SPPNET_MAX_HEAD_LAYERS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%s: a head cannot have more than %d layers",
                 sppnet_model_get_path (writer->model), SPPNET_MAX_HEAD_LAYERS);
    return FALSE;
  }
  result->rank = chosen;
  result->energy = energy_of (&svd, chosen);
  split_layer (writer, *at, &svd, chosen);
  *at += 2;
  return TRUE;
}

/* Adds to the record of the model what was done to it. */
static gchar *
describe (const gchar *provenance, const GArray *layers)
{
  JsonObject *record = json_object_new ();

  for (guint i = 0; i < layers->len; i++) {
    const SppnetCompressedLayer *layer = &g_array_index (layers, SppnetCompressedLayer, i);

    if (layer->rank > 0)
      json_object_set_int_member (record, layer->name, layer->rank);
  }
  return sppnet_provenance_add (provenance, "compressed", record);
}

static gboolean
compress_head (Writer *writer, gint rank, gdouble energy, GArray *layers, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (writer->model);
  gint inputs = sppnet_config_pooled (config) + sppnet_config_region_features (config);
  guint at = 0;

  for (guint i = 0; i < config->n_head; i++) {
    SppnetCompressedLayer result;

    if (!compress_layer (writer, i, inputs, rank, energy, &at, &result, error))
      return FALSE;
    g_array_append_val (layers, result);
    inputs = config->head[i].outputs;
  }
  if (writer->config.n_head > config->n_head)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "%s: no fully connected layer gets smaller that way",
               sppnet_model_get_path (writer->model));
  return FALSE;
}

gboolean
sppnet_compress (SppnetModel *model, gint rank, gdouble energy, const gchar *output, GArray **layers, GError **error)
{
  g_autoptr (GArray) tensors = g_array_new (FALSE, FALSE, sizeof (SppnetTensorSource));
  g_autoptr (GArray) results = g_array_new (FALSE, FALSE, sizeof (SppnetCompressedLayer));
  Writer writer = { .model = model, .tensors = tensors };
  gchar *provenance;
  gboolean ok;

  g_array_set_clear_func (tensors, clear_tensor);
  sppnet_config_init (&writer.config);
  sppnet_config_copy (&writer.config, sppnet_model_get_config (model));
  ok = compress_head (&writer, rank, energy, results, error);
  if (ok) {
    provenance = describe (writer.config.provenance, results);
    g_free (writer.config.provenance);
    writer.config.provenance = provenance;
    ok = sppnet_model_save_with (model, &writer.config, (const SppnetTensorSource *) (gconstpointer) tensors->data,
                                 tensors->len, output, error);
  }
  sppnet_config_clear (&writer.config);
  if (ok)
    *layers = g_steal_pointer (&results);
  return ok;
}
