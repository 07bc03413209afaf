/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/add_class.h"

#include <string.h>

#include "base/memory.h"
#include "detect/context.h"
#include "model/provenance.h"
#include "train/features.h"
#include "train/ridge.h"
#include "train/svm.h"

/* In the provenance: an object of the labels that were added. */
#define ADDED "added"

/* The rows that the new label adds to the four tensors of the outputs, in the file's order. */
typedef struct
{
  gfloat *classifier, *classifier_bias; /* [length], [1] */
  gfloat *box, *box_bias;               /* [4][length], [4] */
} Rows;

static void
rows_clear (Rows *rows)
{
  sppnet_aligned_free (rows->classifier);
  sppnet_aligned_free (rows->classifier_bias);
  sppnet_aligned_free (rows->box);
  sppnet_aligned_free (rows->box_bias);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rows, rows_clear)

gchar **
sppnet_add_class_labels (SppnetModel *init, const gchar *label, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (init);
  gboolean all = config->classifier == SPPNET_CLASSIFIER_SOFTMAX;
  gchar **labels;

  if (config->n_labels == 0 || config->n_labels == SPPNET_MAX_LABELS
      || g_strv_contains ((const gchar *const *) config->labels, label)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "label \"%s\": %s", label,
                 config->n_labels == 0                   ? "the initial model has no labels that it could be added to"
                 : config->n_labels == SPPNET_MAX_LABELS ? "the initial model has as many labels as a model can have"
                                                         : "the initial model has it already");
    return NULL;
  }
  labels = g_new0 (gchar *, (all ? config->n_labels : 0) + 2);
  for (guint i = 0; all && i < config->n_labels; i++)
    labels[i] = g_strdup (config->labels[i]);
  labels[all ? config->n_labels : 0] = g_strdup (label);
  return labels;
}

/* The model's record with what was added. (transfer full) */
static gchar *
describe (const SppnetTrainOptions *options, const gchar *provenance, const SppnetDataset *dataset)
{
  g_autoptr (JsonObject) before = sppnet_provenance_read (provenance);
  JsonObject *record = json_object_new (), *added;

  json_object_set_array_member (record, "sets", sppnet_picture_sets_record (&options->pictures));
  json_object_set_int_member (record, "pictures", dataset->annotations->len);
  json_object_set_double_member (record, "epochs", sppnet_end_to_end_epochs (&options->end_to_end, dataset));
  json_object_set_int_member (record, "seed", options->end_to_end.seed);
  json_object_set_string_member (record, "tool", "sppnet train " SPPNET_VERSION);
  added = json_object_has_member (before, ADDED) ? json_object_ref (json_object_get_object_member (before, ADDED))
                                                 : json_object_new ();
  json_object_set_object_member (added, options->add_class, record);
  return sppnet_provenance_add (provenance, ADDED, added);
}

/* The new label, the last one, neither speaks for the n others nor they for it. */
static void
extend_context (SppnetConfig *config, guint n)
{
  gsize columns = SPPNET_CONTEXT_COLUMNS (n);
  gfloat *context = g_new0 (gfloat, (gsize) (n + 1) * (columns + 1));

  for (guint i = 0; i < n; i++)
    memcpy (context + i * (columns + 1), config->context + i * columns, columns * sizeof *context);
  context[n * (columns + 1)] = 1.0f;
  g_free (config->context);
  config->context = context;
}

/* init's with the new label. Its threshold is the default, its confidence that of the score. */
static void
extend_config (SppnetConfig *config, const SppnetTrainOptions *options, const SppnetConfig *init,
               const SppnetDataset *dataset)
{
  guint n = init->n_labels;

  sppnet_config_copy (config, init);
  config->labels = g_renew (gchar *, config->labels, n + 2);
  config->labels[n] = g_strdup (options->add_class);
  config->labels[n + 1] = NULL;
  config->n_labels = n + 1;
  if (config->thresholds) {
    config->thresholds = g_renew (gfloat, config->thresholds, n + 1);
    config->thresholds[n] = SPPNET_DEFAULT_THRESHOLD;
  }
  if (config->calibration) {
    config->calibration = g_renew (gfloat, config->calibration, 2 * (n + 1));
    config->calibration[2 * n] = -1.0f;
    config->calibration[2 * n + 1] = 0.0f;
  }
  if (config->context)
    extend_context (config, n);
  /* A region proposal network does not propose what it was not trained on. */
  if (config->rpn.n_anchors > 0) {
    config->proposals = options->proposals;
    config->max_proposals = options->max_proposals;
  }
  if (options->name) {
    g_free (config->name);
    config->name = g_strdup (options->name);
  }
  g_free (config->provenance);
  config->provenance = describe (options, init->provenance, dataset);
}

/* A network of init's layers with the outputs to train. */
static SppnetNetwork *
make_network (const SppnetTrainOptions *options, SppnetModel *init, const SppnetDataset *dataset, GError **error)
{
  SppnetRandom random = { options->end_to_end.seed };
  g_auto (SppnetConfig) config;
  SppnetNetwork *network;

  sppnet_config_init (&config);
  sppnet_config_copy (&config, sppnet_model_get_config (init));
  sppnet_config_set_labels (&config, dataset->labels);
  config.classifier = SPPNET_CLASSIFIER_SOFTMAX;
  if (config.box_input == SPPNET_BOX_POOLED)
    config.box_input = SPPNET_BOX_NONE;
  /* Nor is it trained on what the initial model's network proposes: extend_config(). */
  sppnet_config_clear_rpn (&config);
  config.proposals = options->proposals;
  config.max_proposals = options->max_proposals;
  network = sppnet_network_new (&config, &random, error);
  if (network) {
    sppnet_network_adopt (network, init, TRUE);
    sppnet_network_adopt_outputs (network, init);
  }
  return network;
}

/* The last elements of a trained tensor. */
static gfloat *
take_tail (GArray *tensors, const gchar *name, gsize rows)
{
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize length = tensor->n_dims > 0 ? tensor->dims[tensor->n_dims - 1] : 1, count = tensor->n_dims > 0 ? 1 : 0;
    gfloat *tail;

    if (!g_str_equal (tensor->name, name))
      continue;
    for (guint d = 0; d < tensor->n_dims; d++)
      count *= tensor->dims[d];
    length = g_str_has_suffix (name, ".bias") ? 1 : length;
    tail = sppnet_aligned_alloc (sizeof (gfloat) * rows * length);
    g_assert (tail); /* a copy of a part of parameters that are already in memory */
    memcpy (tail, tensor->data + count - rows * length, sizeof (gfloat) * rows * length);
    return tail;
  }
  return NULL;
}

/* What gradients train: the softmax's row, and box regression on the head. */
static gboolean
train_rows (const SppnetTrainOptions *options, SppnetNetwork *network, SppnetModel *init, const SppnetDataset *dataset,
            Rows *rows, SppnetProgress progress, gpointer user_data, GError **error)
{
  gboolean softmax = sppnet_model_get_config (init)->classifier == SPPNET_CLASSIFIER_SOFTMAX;
  g_autofree gchar *checkpoint = g_build_filename (options->work, "class.checkpoint", NULL);
  g_autofree gchar *maps = g_build_filename (options->work, "variants.cache", NULL);
  g_autofree gchar *init_key = sppnet_model_fingerprint (init);
  SppnetEndToEndSettings settings = options->end_to_end;
  g_autoptr (SppnetVariants) variants = NULL;
  g_autoptr (GArray) tensors = NULL;

  if (!softmax && !network->box.out)
    return TRUE;
  settings.init_key = init_key;
  settings.optimizer.backbone_learning_rate = 0.0;
  settings.optimizer.weight_decay = 0.0; /* which would change what stays */
  settings.outputs_only = TRUE;
  settings.first_label = dataset->n_labels - 1;
  if (!sppnet_end_to_end_check (network, dataset, TRUE, &settings, checkpoint, error))
    return FALSE;
  variants = sppnet_variants_new (init, dataset, maps, error);
  if (!variants || !sppnet_variants_fill (variants, SPPNET_VARIANTS, settings.threads, progress, user_data, error)
      || !sppnet_end_to_end_train (network, dataset, variants, &settings, checkpoint, progress, user_data, error))
    return FALSE;
  tensors = sppnet_network_tensors (network);
  if (softmax) {
    rows->classifier = take_tail (tensors, "classifier.weight", 1);
    rows->classifier_bias = take_tail (tensors, "classifier.bias", 1);
  }
  if (network->box.out) {
    rows->box = take_tail (tensors, "box.weight", 4);
    rows->box_bias = take_tail (tensors, "box.bias", 4);
  }
  return TRUE;
}

/* Ridge regression whitens its targets as they come; the model's others are whitened as its configuration says. */
static gboolean
train_ridge (SppnetFeatures *features, const SppnetConfig *config, Rows *rows, SppnetProgress progress,
             gpointer user_data, GError **error)
{
  SppnetRegionSource source = sppnet_features_source (features, SPPNET_FEATURES_POOLED);
  guint label = source.n_labels - 1;
  SppnetRidgeSettings settings = { 0 };
  gfloat mean[4], scale[4], *weight, *bias;
  gsize count = 4 * source.length;

  if (!sppnet_ridge_train (&source, &settings, progress, user_data, &weight, &bias, mean, scale, error))
    return FALSE;
  memmove (weight, weight + label * count, sizeof (gfloat) * count);
  memmove (bias, bias + label * 4, sizeof (gfloat) * 4);
  for (guint c = 0; c < 4; c++) {
    for (gsize i = 0; i < source.length; i++)
      weight[c * source.length + i] *= scale[c] / config->box_scale[c];
    bias[c] = (bias[c] * scale[c] + mean[c] - config->box_mean[c]) / config->box_scale[c];
  }
  sppnet_rows_to_file_order (config, weight, 4, source.length);
  rows->box = weight;
  rows->box_bias = bias;
  return TRUE;
}

/* The paper's stages, for a model that was made with them. */
static gboolean
train_last_rows (const SppnetTrainOptions *options, SppnetNetwork *network, SppnetModel *init,
                 const SppnetDataset *dataset, Rows *rows, SppnetProgress progress, gpointer user_data, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (init);
  g_autofree gchar *cache = g_build_filename (options->work, "maps.cache", NULL);
  g_autoptr (SppnetFeatures) features = NULL;

  if (config->classifier == SPPNET_CLASSIFIER_SOFTMAX && config->box_input != SPPNET_BOX_POOLED)
    return TRUE;
  features
      = sppnet_features_new (network, init, dataset, options->max_proposals, options->end_to_end.threads, cache, error);
  if (!features || !sppnet_features_fill (features, progress, user_data, error))
    return FALSE;
  if (config->classifier == SPPNET_CLASSIFIER_SVM) {
    SppnetRegionSource source = sppnet_features_source (features, SPPNET_FEATURES_HEAD);
    SppnetSvmSettings settings = { .seed = options->end_to_end.seed };

    if (!sppnet_svm_train (&source, &settings, progress, user_data, &rows->classifier, &rows->classifier_bias, error))
      return FALSE;
    if (config->n_head == 0)
      sppnet_rows_to_file_order (config, rows->classifier, 1, source.length);
  }
  return config->box_input != SPPNET_BOX_POOLED || train_ridge (features, config, rows, progress, user_data, error);
}

/* init's tensors; those of the outputs with the new rows behind. */
static gboolean
write_model (const SppnetTrainOptions *options, SppnetModel *init, const SppnetConfig *config, const Rows *rows,
             GError **error)
{
  const struct
  {
    const gchar *name;
    const gfloat *rows;
    gsize count;
  } grown[] = {
    { "classifier.weight", rows->classifier, sppnet_config_features (config) },
    { "classifier.bias", rows->classifier_bias, 1 },
    { "box.weight", rows->box, 0 },
    { "box.bias", rows->box_bias, 4 },
  };
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize n;

    tensor->data = sppnet_model_get_tensor (init, tensor->name, &n);
    for (guint k = 0; k < G_N_ELEMENTS (grown); k++)
      if (g_str_equal (tensor->name, grown[k].name)) {
        gsize added = k == 2 ? n / (config->n_labels - 1) : grown[k].count;
        gfloat *data = g_new (gfloat, n + added);

        memcpy (data, tensor->data, sizeof (gfloat) * n);
        memcpy (data + n, grown[k].rows, sizeof (gfloat) * added);
        tensor->data = data;
        g_ptr_array_add (owned, data);
      }
  }
  return sppnet_model_save (options->output, config, (const SppnetTensorSource *) tensors->data, tensors->len,
                            sppnet_model_get_dtype (init), error);
}

gboolean
sppnet_train_add_class (const SppnetTrainOptions *options, SppnetModel *init, SppnetDataset *dataset,
                        SppnetProgress progress, gpointer user_data, GError **error)
{
  g_autofree gchar *proposals = g_build_filename (options->work, "proposals.cache", NULL);
  g_autoptr (SppnetNetwork) network = make_network (options, init, dataset, error);
  g_auto (Rows) rows = { 0 };
  g_auto (SppnetConfig) config;

  sppnet_config_init (&config);
  if (!network)
    return FALSE;
  extend_config (&config, options, sppnet_model_get_config (init), dataset);
  if (!sppnet_config_check (&config, options->output, error)
      || !sppnet_dataset_propose (dataset, options->proposals, options->max_proposals, options->end_to_end.seed,
                                  options->end_to_end.threads, proposals, progress, user_data, error)
      || !train_rows (options, network, init, dataset, &rows, progress, user_data, error)
      || !train_last_rows (options, network, init, dataset, &rows, progress, user_data, error))
    return FALSE;
  return write_model (options, init, &config, &rows, error);
}
