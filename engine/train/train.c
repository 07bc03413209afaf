/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/train.h"

#include <glib/gstdio.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "model/provenance.h"
#include "pooling/pooling.h"
#include "train/add_class.h"
#include "train/checkpoint.h"
#include "train/features.h"
#include "train/ridge.h"
#include "train/svm.h"

/* Boxes around each object: a region proposal network in training proposes few that are any good. */
#define RPN_JITTER 8
#define NEW_HEAD_DROPOUT 0.3f

void
sppnet_train_defaults (SppnetTrainOptions *options)
{
  *options = (SppnetTrainOptions) {
    .dropout = SPPNET_TRAIN_KEEP_DROPOUT,
    .proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH,
    .max_proposals = 2000,
    .around_scale = 3.0,
    .dtype = SPPNET_DTYPE_F16,
  };
  sppnet_end_to_end_defaults (&options->end_to_end);
  sppnet_rpn_defaults (&options->rpn);
}

static void
set_pyramid (SppnetConfig *config, const gint *levels, guint n)
{
  config->pooling = SPPNET_POOLING_SPP;
  config->n_levels = n;
  memcpy (config->levels, levels, sizeof *levels * n);
  for (guint i = 0; i < SPPNET_MAX_LEVELS; i++)
    config->scales[i] = 1.0f;
}

static void
set_head (SppnetConfig *config, const gint *outputs, guint n)
{
  config->n_head = n;
  for (guint i = 0; i < n; i++) {
    SppnetHeadLayer *layer = &config->head[i];

    *layer = (SppnetHeadLayer) { .outputs = outputs[i],
                                 .activation = SPPNET_ACTIVATION_RELU,
                                 .dropout = NEW_HEAD_DROPOUT };
    g_snprintf (layer->name, sizeof layer->name, "fc%u", i + 6);
  }
}

/* Whether the head is asked for anew, so that nothing of init's is taken. */
static gboolean
new_head (const SppnetTrainOptions *options)
{
  return options->n_levels > 0 || options->n_head > 0;
}

/* Pyramid and fully connected layers: what is asked for, or else those of init, or where it has none, those of the
 * default model. Whether they start as what init has learnt is another matter: new_head(). */
static void
choose_head (SppnetConfig *config, const SppnetTrainOptions *options, const SppnetConfig *init)
{
  static const gint levels[] = { 1, 2, 3, 6 }, outputs[] = { 512, 512 };

  if (options->n_levels > 0)
    set_pyramid (config, options->levels, options->n_levels);
  else if (init->n_labels == 0)
    set_pyramid (config, levels, G_N_ELEMENTS (levels));
  if (options->n_head > 0)
    set_head (config, options->head, options->n_head);
  else if (init->n_labels == 0)
    set_head (config, outputs, G_N_ELEMENTS (outputs));
  if (new_head (options) || init->n_labels == 0)
    config->n_region_layers = 0;
  for (guint i = 0; i < config->n_head && options->dropout >= 0.0; i++)
    if (config->head[i].activation != SPPNET_ACTIVATION_LINEAR)
      config->head[i].dropout = (gfloat) options->dropout;
}

/* More levels, of larger windows. The fully connected layers stay. */
static gboolean
add_around (SppnetConfig *config, const SppnetTrainOptions *options, GError **error)
{
  if (options->n_around > 0 && config->pooling != SPPNET_POOLING_SPP) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: the model has RoI pooling, which has one level and no others around it", options->init);
    return FALSE;
  }
  if (config->n_levels + options->n_around > SPPNET_MAX_LEVELS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: the model has %u pyramid levels; with %u more they would be above %d", options->init,
                 config->n_levels, options->n_around, SPPNET_MAX_LEVELS);
    return FALSE;
  }
  for (guint i = 0; i < options->n_around && config->n_region_layers > 0 && options->around_scale == 1.0; i++)
    if (options->around[i] > config->levels[sppnet_config_region_level (config, NULL)]) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                   "%s: the model has region layers, which would see the finer level %d instead of their own",
                   options->init, options->around[i]);
      return FALSE;
    }
  for (guint i = 0; i < options->n_around; i++) {
    config->levels[config->n_levels] = options->around[i];
    config->scales[config->n_levels++] = (gfloat) options->around_scale;
  }
  return TRUE;
}

static gboolean
add_region_layers (SppnetConfig *config, const SppnetTrainOptions *options, GError **error)
{
  if (options->n_region_layers > 0 && config->n_region_layers > 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "%s: the model has region layers already", options->init);
    return FALSE;
  }
  for (guint i = 0; i < options->n_region_layers; i++) {
    g_autofree gchar *name = g_strdup_printf ("region%u", i + 1);

    config->region_layers[config->n_region_layers++]
        = sppnet_config_region_layer (name, options->region_layers[i], SPPNET_ACTIVATION_RELU, 0.0f);
  }
  return TRUE;
}

/* The network to train: init's layers, the head asked for, the data set's labels. A region proposal network of init's
 * is left out where it is not trained, too: the map that it knows changes. */
static void
make_config (SppnetConfig *config, const SppnetTrainOptions *options, const SppnetConfig *init,
             const SppnetDataset *dataset)
{
  gboolean keep_box;

  sppnet_config_copy (config, init);
  if (!options->rpn_joint || options->rpn_new)
    sppnet_config_clear_rpn (config);
  g_free (config->name);
  config->name = g_strdup (options->name);
  choose_head (config, options, init);
  keep_box = !new_head (options) && sppnet_network_same_outputs (init, dataset->labels)
             && init->box_input == SPPNET_BOX_HEAD;
  config->classifier = SPPNET_CLASSIFIER_SOFTMAX;
  sppnet_config_set_labels (config, dataset->labels);
  config->box_input = SPPNET_BOX_HEAD;
  /* Box regression that is trained further stays what it is. */
  if (!keep_box)
    config->box_from = SPPNET_BOX_FROM_WINDOW;
  for (gint c = 0; c < 4 && !keep_box; c++) {
    /* The usual spread of box targets of regions with IoU >= .5 (Girshick's release). */
    config->box_mean[c] = 0.0f;
    config->box_scale[c] = c < 2 ? 0.1f : 0.2f;
  }
  if (config->rpn.n_anchors == 0) {
    config->proposals = options->proposals;
    config->max_proposals = options->max_proposals;
  }
}

static SppnetLayer *
append_layer (SppnetConfig *config, const gchar *kind, gint filters, gint kernel, SppnetActivation activation)
{
  SppnetLayer *layer = &config->layers[config->n_layers++];

  *layer = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                           .filters = filters,
                           .kernel_width = kernel,
                           .kernel_height = kernel,
                           .stride = 1,
                           .pad_x = kernel / 2,
                           .pad_y = kernel / 2,
                           .activation = activation,
                           .slope = activation == SPPNET_ACTIVATION_LEAKY ? 0.1f : 0.0f };
  g_snprintf (layer->name, sizeof layer->name, "%s%u", kind, config->n_layers);
  return layer;
}

/* Appends a stage of twice the stride, whose cells see what is around a region, and adds it to the map that was the
 * last: max pooling, 1x1, 3x3 and 1x1 convolutions, and a merge. */
static gboolean
add_context (SppnetConfig *config, const gint filters[2], GError **error)
{
  guint last = config->n_layers - 1;
  gint channels = sppnet_config_channels (config);
  SppnetLayer *pool, *merge;

  if (config->n_layers + 5 > SPPNET_MAX_LAYERS) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "too many layers to add a stage of context");
    return FALSE;
  }
  pool = append_layer (config, "pool", 0, 2, SPPNET_ACTIVATION_LINEAR);
  *pool = (SppnetLayer) {
    .kind = SPPNET_LAYER_MAX_POOL, .kernel_width = 2, .kernel_height = 2, .stride = 2, .ceil_mode = TRUE
  };
  g_snprintf (pool->name, sizeof pool->name, "pool%u", config->n_layers);
  append_layer (config, "conv", filters[0], 1, SPPNET_ACTIVATION_LEAKY);
  append_layer (config, "conv", filters[1], 3, SPPNET_ACTIVATION_LEAKY);
  append_layer (config, "conv", channels, 1, SPPNET_ACTIVATION_LINEAR);
  merge = append_layer (config, "merge", channels, 1, SPPNET_ACTIVATION_LINEAR);
  merge->kind = SPPNET_LAYER_MERGE;
  merge->from = last;
  merge->factor = 2;
  return TRUE;
}

/* Appends a layer that adds the output of the named layer to the last map. */
static gboolean
add_merge (SppnetConfig *config, const gchar *from, const gchar *file, GError **error)
{
  SppnetLayer merge = { .kind = SPPNET_LAYER_MERGE, .kernel_width = 1, .kernel_height = 1, .stride = 1 };
  gint coarse = sppnet_config_geometry (config).stride, fine;
  guint n = config->n_layers;

  while (merge.from < n && !g_str_equal (config->layers[merge.from].name, from))
    merge.from++;
  if (merge.from >= n - 1 || n == SPPNET_MAX_LAYERS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: '%s' is not a layer that can be merged into the last one", file, from);
    return FALSE;
  }
  config->n_layers = merge.from + 1;
  fine = sppnet_config_geometry (config).stride;
  config->n_layers = n;
  merge.factor = coarse / fine;
  if (merge.factor * fine != coarse || merge.factor > 64) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: a map of stride %d (layer '%s') does not fit into one of stride %d", file, fine, from, coarse);
    return FALSE;
  }
  merge.filters = sppnet_config_channels (config);
  g_snprintf (merge.name, sizeof merge.name, "merge%u", n + 1);
  config->layers[config->n_layers++] = merge;
  return TRUE;
}

/* What made the model, for people: data and settings. */
static gchar *
describe (const SppnetTrainOptions *options, const SppnetDataset *dataset, SppnetModel *init)
{
  const SppnetEndToEndSettings *e = &options->end_to_end;
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *record = json_object_new ();

  json_object_set_string_member (record, "init", sppnet_model_get_name (init));
  json_object_set_array_member (record, "sets", sppnet_picture_sets_record (&options->pictures));
  json_object_set_int_member (record, "pictures", dataset->annotations->len);
  json_object_set_double_member (record, "epochs", sppnet_end_to_end_epochs (e, dataset));
  json_object_set_int_member (record, "pictures_per_step", e->pictures);
  json_object_set_int_member (record, "regions_per_picture", e->sampler.regions);
  if (e->sampler.candidates > 0)
    json_object_set_int_member (record, "candidates_per_picture", e->sampler.candidates);
  if (e->sampler.iou_aware)
    json_object_set_boolean_member (record, "iou_aware", TRUE);
  if (!options->heads_only) {
    JsonArray *scale = json_array_new ();

    json_array_add_double_element (scale, e->sampler.min_scale);
    json_array_add_double_element (scale, e->sampler.max_scale);
    json_object_set_array_member (record, "scale", scale);
    json_object_set_double_member (record, "mosaic", e->sampler.mosaic);
    json_object_set_double_member (record, "blend", e->sampler.blend);
    json_object_set_double_member (record, "colour", e->sampler.colour);
    json_object_set_double_member (record, "aspect", e->sampler.variation.aspect);
    json_object_set_double_member (record, "erase", e->sampler.erase);
  }
  if (options->teachers) {
    JsonArray *teachers = json_array_new ();

    for (guint i = 0; options->teachers[i]; i++) {
      g_autofree gchar *name = g_filename_display_basename (options->teachers[i]);

      json_array_add_string_element (teachers, name);
    }
    json_object_set_double_member (record, "teachers_part", e->teachers_part);
    json_object_set_array_member (record, "teachers", teachers);
  }
  json_object_set_string_member (record, "trained",
                                 options->heads_only  ? "head"
                                 : options->rpn_joint ? "all layers and region proposals"
                                                      : "all layers");
  json_object_set_string_member (record, "optimizer", e->optimizer.kind == SPPNET_OPTIMIZER_SGD ? "sgd" : "adamw");
  json_object_set_double_member (record, "learning_rate", e->optimizer.learning_rate);
  if (!options->heads_only)
    json_object_set_double_member (record, "backbone_learning_rate", e->optimizer.backbone_learning_rate);
  if (e->optimizer.average > 0.0)
    json_object_set_double_member (record, "average", e->optimizer.average);
  json_object_set_int_member (record, "seed", e->seed);
  json_object_set_string_member (record, "tool", "sppnet train " SPPNET_VERSION);
  json_node_take_object (root, record);
  return json_to_string (root, FALSE);
}

/* What made the region proposal network, added to the record of the model that it is made for. */
static gchar *
describe_rpn (const SppnetTrainOptions *options, const SppnetDataset *dataset, const gchar *provenance)
{
  const SppnetRpnSettings *rpn = &options->rpn;
  JsonObject *record = json_object_new ();

  json_object_set_array_member (record, "sets", sppnet_picture_sets_record (&options->pictures));
  json_object_set_int_member (record, "pictures", dataset->annotations->len);
  json_object_set_double_member (record, "epochs", sppnet_rpn_epochs (rpn, dataset->annotations->len));
  json_object_set_int_member (record, "pictures_per_step", rpn->pictures);
  json_object_set_int_member (record, "anchors_per_picture", rpn->samples);
  json_object_set_double_member (record, "learning_rate", rpn->optimizer.learning_rate);
  json_object_set_int_member (record, "seed", rpn->seed);
  json_object_set_string_member (record, "tool", "sppnet train " SPPNET_VERSION);
  return sppnet_provenance_add (provenance, "rpn", record);
}

/* The paper's last stages on top of a trained network: SVMs and ridge box regression as asked for. */
static gboolean
train_last_stages (const SppnetTrainOptions *options, SppnetNetwork *network, const SppnetDataset *dataset,
                   const gchar *base_model, SppnetConfig *config, gfloat *svm[2], gfloat *box[2],
                   SppnetProgress progress, gpointer user_data, GError **error)
{
  g_autofree gchar *cache = g_build_filename (options->work, "maps.cache", NULL);
  g_autoptr (SppnetModel) model = sppnet_model_load (base_model, error);
  g_autoptr (SppnetFeatures) features = NULL;

  if (!model)
    return FALSE;
  features = sppnet_features_new (network, model, dataset, options->max_proposals, options->end_to_end.threads, cache,
                                  error);
  if (!features || !sppnet_features_fill (features, progress, user_data, error))
    return FALSE;
  if (options->classifier == SPPNET_TRAIN_SVM) {
    SppnetRegionSource source = sppnet_features_source (features, SPPNET_FEATURES_HEAD);
    SppnetSvmSettings settings = { .seed = options->end_to_end.seed };

    config->classifier = SPPNET_CLASSIFIER_SVM;
    if (!sppnet_svm_train (&source, &settings, progress, user_data, &svm[0], &svm[1], error))
      return FALSE;
    if (config->n_head == 0)
      sppnet_rows_to_file_order (config, svm[0], config->n_labels, source.length);
  }
  if (options->box == SPPNET_TRAIN_BOX_RIDGE) {
    SppnetRegionSource source = sppnet_features_source (features, SPPNET_FEATURES_POOLED);
    SppnetRidgeSettings settings = { 0 };

    config->box_input = SPPNET_BOX_POOLED;
    config->box_from = SPPNET_BOX_FROM_REGION;
    if (!sppnet_ridge_train (&source, &settings, progress, user_data, &box[0], &box[1], config->box_mean,
                             config->box_scale, error))
      return FALSE;
    sppnet_rows_to_file_order (config, box[0], (gsize) config->n_labels * 4, source.length);
  }
  return TRUE;
}

/* Writes the network with the outputs that the last stages made (NULL: its own). */
static gboolean
write_model (const gchar *path, SppnetNetwork *network, const SppnetConfig *config, gfloat *svm[2], gfloat *box[2],
             SppnetDtype dtype, GError **error)
{
  g_autoptr (GArray) trained = sppnet_network_tensors (network);
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);

  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    for (guint k = 0; k < trained->len; k++)
      if (g_str_equal (tensor->name, g_array_index (trained, SppnetTensorSource, k).name))
        tensor->data = g_array_index (trained, SppnetTensorSource, k).data;
    if (svm[0] && sppnet_tensor_is_of (tensor->name, "classifier"))
      tensor->data = g_str_has_suffix (tensor->name, ".weight") ? svm[0] : svm[1];
    if (box[0] && sppnet_tensor_is_of (tensor->name, "box"))
      tensor->data = g_str_has_suffix (tensor->name, ".weight") ? box[0] : box[1];
  }
  return sppnet_model_save (path, config, (const SppnetTensorSource *) tensors->data, tensors->len, dtype, error);
}

/* Trains what is not fixed: all layers, or the head on feature maps that are made once. */
static gboolean
train_network (const SppnetTrainOptions *options, SppnetNetwork *network, SppnetModel *init, SppnetDataset *dataset,
               SppnetProgress progress, gpointer user_data, GError **error)
{
  g_autofree gchar *checkpoint
      = g_build_filename (options->work, options->heads_only ? "head.checkpoint" : "end-to-end.checkpoint", NULL);
  g_autofree gchar *proposals = g_build_filename (options->work, "proposals.cache", NULL);
  g_autofree gchar *maps = g_build_filename (options->work, "variants.cache", NULL);
  g_autofree gchar *init_key = sppnet_model_fingerprint (init);
  SppnetEndToEndSettings settings = options->end_to_end;
  g_autoptr (SppnetVariants) variants = NULL;

  settings.init_key = init_key;
  if (options->heads_only)
    settings.optimizer.backbone_learning_rate = 0.0;
  if (!sppnet_end_to_end_check (network, dataset, options->heads_only, &settings, checkpoint, error)
      || (!options->rpn_joint
          && !sppnet_dataset_propose (dataset, options->proposals, options->max_proposals, settings.seed,
                                      settings.threads, proposals, progress, user_data, error)))
    return FALSE;
  if (options->heads_only) {
    variants = sppnet_variants_new (init, dataset, maps, error);
    if (!variants || !sppnet_variants_fill (variants, SPPNET_VARIANTS, settings.threads, progress, user_data, error))
      return FALSE;
  }
  return sppnet_end_to_end_train (network, dataset, variants, &settings, checkpoint, progress, user_data, error);
}

static SppnetNetwork *
make_network (SppnetTrainOptions *options, SppnetModel *init, const SppnetDataset *dataset, GError **error)
{
  SppnetRandom random = { options->end_to_end.seed };
  g_auto (SppnetConfig) config;
  SppnetNetwork *network;
  gboolean new_rpn = FALSE;

  sppnet_config_init (&config);
  make_config (&config, options, sppnet_model_get_config (init), dataset);
  if ((options->merge || options->context[0] > 0) && options->heads_only) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                         "a new layer is trained with the convolution layers, not with heads only");
    return NULL;
  }
  if (!add_around (&config, options, error) || !add_region_layers (&config, options, error))
    return NULL;
  if (options->context[0] > 0 && !add_context (&config, options->context, error))
    return NULL;
  if (options->merge && !add_merge (&config, options->merge, options->init, error))
    return NULL;
  if (options->rpn_joint && config.rpn.n_anchors == 0) {
    const SppnetSamplerSettings *s = &options->end_to_end.sampler;
    const gdouble scales[] = { s->min_scale, sqrt (s->min_scale * s->max_scale), s->max_scale };

    sppnet_rpn_configure (&config, dataset, &options->rpn, scales, G_N_ELEMENTS (scales));
    new_rpn = TRUE;
  }
  g_free (config.provenance);
  config.provenance = describe (options, dataset, init);
  /* Now, and not when all is trained. */
  network = sppnet_config_check (&config, options->output, error) ? sppnet_network_new (&config, &random, error) : NULL;
  if (network) {
    options->end_to_end.new_head = !sppnet_network_adopt (network, init, !new_head (options));
    options->end_to_end.new_rpn = new_rpn;
    if (new_rpn)
      sppnet_network_reset_rpn (network, &random);
    if (options->context[0] > 0)
      sppnet_network_pass_through (network, sppnet_model_get_config (init)->n_layers);
  }
  return network;
}

static SppnetDataset *
load_dataset (const SppnetTrainOptions *options, SppnetModel *init, GError **error)
{
  g_auto (GStrv) added = options->add_class ? sppnet_add_class_labels (init, options->add_class, error) : NULL;
  g_autoptr (GPtrArray) annotations = NULL;
  guint first_needed = options->any_labels ? G_MAXUINT : 0;

  if (options->add_class && !added)
    return NULL;
  if (added)
    first_needed = g_strv_length (added) - 1; /* the new one is the last */
  annotations = sppnet_picture_sets_load (&options->pictures, error);
  if (annotations && options->validation > 0.0)
    annotations = sppnet_picture_sets_split (annotations, options->validation, options->split_seed, FALSE);
  if (!annotations || !sppnet_dataset_check_pictures (annotations, error))
    return NULL;
  return sppnet_dataset_new (g_steal_pointer (&annotations), added ? added : options->labels, first_needed, error);
}

/* A region proposal network for a model of which all else stays as it is, but for the proposals that it recommends.
 * maps: a model of the same convolution layers, whose feature maps may be there already. */
static gboolean
train_rpn (const SppnetTrainOptions *options, SppnetModel *init, SppnetModel *maps, const SppnetDataset *dataset,
           SppnetProgress progress, gpointer user_data, GError **error)
{
  SppnetRandom random = { options->rpn.seed };
  g_autoptr (SppnetNetwork) network = NULL;
  g_autoptr (GArray) trained = NULL;
  gdouble scales[SPPNET_VARIANTS];
  g_auto (SppnetConfig) config;

  sppnet_config_copy (&config, sppnet_model_get_config (init));
  for (guint v = 0; v < options->rpn.variants; v++)
    scales[v] = sppnet_variants_scale (v);
  sppnet_rpn_configure (&config, dataset, &options->rpn, scales, options->rpn.variants);
  g_free (config.provenance);
  config.provenance = describe_rpn (options, dataset, sppnet_model_get_config (init)->provenance);
  if (options->name) {
    g_free (config.name);
    config.name = g_strdup (options->name);
  }
  network
      = sppnet_config_check (&config, options->output, error) ? sppnet_network_new_rpn (&config, &random, error) : NULL;
  if (!network || !sppnet_rpn_train (network, maps, dataset, &options->rpn, options->work, progress, user_data, error))
    return FALSE;
  trained = sppnet_network_tensors (network);
  return sppnet_model_save_with (init, &config, (const SppnetTensorSource *) (gconstpointer) trained->data,
                                 trained->len, options->output, error);
}

static gboolean
run_stages (const SppnetTrainOptions *given, SppnetProgress progress, gpointer user_data, GError **error)
{
  SppnetTrainOptions options = *given;
  g_autofree gchar *base_model = g_build_filename (options.work, "end-to-end.safetensors", NULL);
  g_autofree gchar *head_model = g_build_filename (options.work, "head.safetensors", NULL);
  g_autoptr (SppnetDataset) dataset = NULL;
  g_autoptr (SppnetModel) init = NULL;
  g_autoptr (SppnetNetwork) network = NULL;
  g_autoptr (SppnetTeachers) teachers = NULL;
  g_auto (SppnetConfig) config;
  gfloat *svm[2] = { NULL, NULL }, *box[2] = { NULL, NULL };
  gboolean rpn_after = options.rpn_joint && options.heads_only, ok;

  sppnet_config_init (&config);
  /* With convolution layers that stay as they are, nothing is joint but the feature maps. */
  options.rpn_joint = options.rpn_joint && !rpn_after;
  options.end_to_end.threads = options.rpn.threads = sppnet_threads_budget (options.end_to_end.threads);
  options.rpn.seed = options.end_to_end.seed;
  if (options.teachers && !options.teachers[0])
    options.teachers = NULL;
  if (options.rpn_joint && !options.add_class)
    options.end_to_end.sampler.jitter = RPN_JITTER;
  if ((options.heads_only || options.add_class || options.rpn_only)
      && (options.end_to_end.sampler.candidates > 0 || options.teachers)) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                         "hard candidates and teachers are for the training of all layers");
    return FALSE;
  }
  if (!sppnet_file_check_writable (options.output, error))
    return FALSE;
  if (g_mkdir_with_parents (options.work, 0777) != 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_WRITE, "%s: %s", options.work, g_strerror (errno));
    return FALSE;
  }
  init = sppnet_model_load (options.init, error);
  dataset = init ? load_dataset (&options, init, error) : NULL;
  if (dataset && options.rpn_only)
    return train_rpn (&options, init, init, dataset, progress, user_data, error);
  if (dataset && options.add_class)
    return sppnet_train_add_class (&options, init, dataset, progress, user_data, error);
  network = dataset ? make_network (&options, init, dataset, error) : NULL;
  if (network && options.teachers)
    options.end_to_end.teachers = teachers = sppnet_teachers_new (options.teachers, &network->config, error);
  if (!network || (options.teachers && !teachers)
      || !train_network (&options, network, init, dataset, progress, user_data, error)
      || !write_model (base_model, network, &network->config, svm, box, SPPNET_DTYPE_F32, error))
    return FALSE;

  sppnet_config_copy (&config, &network->config);
  ok = (options.classifier == SPPNET_TRAIN_SOFTMAX && options.box == SPPNET_TRAIN_BOX_JOINT)
       || train_last_stages (&options, network, dataset, base_model, &config, svm, box, progress, user_data, error);
  ok = ok && write_model (rpn_after ? head_model : options.output, network, &config, svm, box, options.dtype, error);
  if (ok && rpn_after) {
    g_autoptr (SppnetModel) head = sppnet_model_load (head_model, error);

    ok = head && train_rpn (&options, head, init, dataset, progress, user_data, error);
  }
  for (guint i = 0; i < 2; i++) {
    sppnet_aligned_free (svm[i]);
    sppnet_aligned_free (box[i]);
  }
  return ok;
}

gboolean
sppnet_train (const SppnetTrainOptions *options, SppnetProgress progress, gpointer user_data, GError **error)
{
  if (!run_stages (options, progress, user_data, error))
    return FALSE;
  /* The model is written. If this fails, another run with this folder is refused until the checkpoints are removed. */
  sppnet_checkpoint_complete (options->work, NULL);
  return TRUE;
}
