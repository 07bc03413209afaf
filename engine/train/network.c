/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/network.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "backbone/layers.h"
#include "base/memory.h"
#include "kernel/kernel.h"
#include "pooling/pooling.h"

/* A GiB of parameters; gradients and moments take several times that. */
#define MAX_PARAMS (1u << 28)

static gsize
add_segment (SppnetNetwork *network, gsize count, gboolean backbone, gboolean decay)
{
  SppnetSegment *segment = &network->segments[network->n_segments++];

  *segment = (SppnetSegment) { network->n_params, count, backbone, decay };
  network->n_params += count;
  return segment->offset;
}

static SppnetDense
add_dense (SppnetNetwork *network, gint in, gint out)
{
  SppnetDense dense = { in, out, 0, 0 };

  dense.weight = add_segment (network, (gsize) in * out, FALSE, TRUE);
  dense.bias = add_segment (network, out, FALSE, FALSE);
  return dense;
}

/* Numbers that each filter of a layer multiplies. */
static gint
conv_depth (const SppnetConfig *config, guint index)
{
  const SppnetLayer *layer = &config->layers[index];

  return layer->kernel_width * layer->kernel_height
         * sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, index));
}

static void
lay_out_rpn (SppnetNetwork *network)
{
  const SppnetConfig *config = &network->config;

  if (config->rpn.n_anchors == 0)
    return;
  network->rpn_layer = sppnet_config_rpn_layer (config);
  network->rpn = add_dense (network, 9 * sppnet_config_channels (config), config->rpn.filters);
  network->rpn_score = add_dense (network, config->rpn.filters, (gint) config->rpn.n_anchors);
  network->rpn_box = add_dense (network, config->rpn.filters, 4 * (gint) config->rpn.n_anchors);
}

static void
lay_out (SppnetNetwork *network)
{
  const SppnetConfig *config = &network->config;
  gint length = sppnet_config_pooled (config) + sppnet_config_region_features (config);

  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];

    if (sppnet_layer_has_weights (layer)) {
      network->conv_weight[i] = add_segment (network, (gsize) conv_depth (config, i) * layer->filters, TRUE, TRUE);
      network->conv_bias[i] = add_segment (network, layer->filters, TRUE, FALSE);
    }
  }
  for (guint i = 0; i < config->n_region_layers; i++)
    network->region[i]
        = add_dense (network, 9 * sppnet_config_region_channels (config, i), config->region_layers[i].filters);
  for (guint i = 0; i < config->n_head; i++) {
    network->head[i] = add_dense (network, length, config->head[i].outputs);
    length = config->head[i].outputs;
  }
  network->classifier = add_dense (network, length, 1 + (gint) config->n_labels);
  if (config->box_input == SPPNET_BOX_HEAD)
    network->box = add_dense (network, length, 4 * (gint) config->n_labels);
  lay_out_rpn (network);
}

static void
fill_normal (SppnetNetwork *network, gsize offset, gsize count, gdouble sigma, SppnetRandom *random)
{
  for (gsize i = 0; i < count; i++)
    network->params[offset + i] = (gfloat) (sigma * sppnet_random_normal (random));
}

static void
fill_he_normal (SppnetNetwork *network, const SppnetDense *dense, SppnetRandom *random)
{
  fill_normal (network, dense->weight, (gsize) dense->in * dense->out, sqrt (2.0 / dense->in), random);
}

void
sppnet_network_reset_rpn (SppnetNetwork *network, SppnetRandom *random)
{
  const SppnetDense *conv = &network->rpn, *score = &network->rpn_score, *box = &network->rpn_box;
  gsize biases[] = { conv->bias, score->bias, box->bias };
  gint lengths[] = { conv->out, score->out, box->out };

  for (guint i = 0; i < 3; i++)
    memset (network->params + biases[i], 0, sizeof (gfloat) * (gsize) lengths[i]);

  fill_normal (network, conv->weight, (gsize) conv->in * conv->out, sqrt (2.0 / MAX (conv->in, 1)), random);
  fill_normal (network, score->weight, (gsize) score->in * score->out, 0.01, random);
  fill_normal (network, box->weight, (gsize) box->in * box->out, 0.001, random);
}

static void
initialise (SppnetNetwork *network, SppnetRandom *random)
{
  const SppnetConfig *config = &network->config;

  /* A merge starts with zeros: the map is the coarse one until the finer one has something to add. */
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    gint depth = conv_depth (config, i);

    if (layer->kind == SPPNET_LAYER_CONV)
      fill_normal (network, network->conv_weight[i], (gsize) depth * layer->filters, sqrt (2.0 / depth), random);
  }
  for (guint i = 0; i < config->n_region_layers; i++)
    fill_he_normal (network, &network->region[i], random);
  for (guint i = 0; i < config->n_head; i++)
    fill_he_normal (network, &network->head[i], random);
  /* New output layers as in Fast R-CNN, section 2.3. */
  fill_normal (network, network->classifier.weight, (gsize) network->classifier.in * network->classifier.out, 0.01,
               random);
  fill_normal (network, network->box.weight, (gsize) network->box.in * network->box.out, 0.001, random);
}

void
sppnet_network_pass_through (SppnetNetwork *network, guint first)
{
  for (guint i = first; i < network->config.n_layers; i++) {
    const SppnetLayer *layer = &network->config.layers[i];
    gfloat *weight = network->params + network->conv_weight[i];
    gint depth = conv_depth (&network->config, i);

    if (layer->kind == SPPNET_LAYER_MERGE && layer->from + 1 == first)
      for (gint c = 0; c < MIN (depth, layer->filters); c++)
        weight[(gsize) c * layer->filters + c] = 1.0f;
    else if (layer->kind == SPPNET_LAYER_CONV && layer->activation == SPPNET_ACTIVATION_LINEAR)
      memset (weight, 0, sizeof *weight * depth * layer->filters);
  }
}

/* Makes room for the parameters that were laid out; frees the network on failure. */
static gboolean
allocate (SppnetNetwork *network, GError **error)
{
  if (network->n_params > MAX_PARAMS)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "a network of %" G_GSIZE_FORMAT " parameters is too large to train; at most %u are possible",
                 network->n_params, MAX_PARAMS);
  else if (!(network->params = sppnet_aligned_alloc (sizeof (gfloat) * network->n_params)))
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " parameters",
                 network->n_params);
  if (!network->params) {
    sppnet_network_free (network);
    return FALSE;
  }
  memset (network->params, 0, sizeof (gfloat) * network->n_params);
  return TRUE;
}

/* Gradients take the sign of an activation's input from its output. */
static gboolean
check_slopes (const SppnetConfig *config, GError **error)
{
  const gchar *name = NULL;

  for (guint i = 0; i < config->n_layers; i++)
    if (config->layers[i].slope < 0.0f)
      name = config->layers[i].name;
  for (guint i = 0; i < config->n_region_layers; i++)
    if (config->region_layers[i].slope < 0.0f)
      name = config->region_layers[i].name;
  for (guint i = 0; i < config->n_head; i++)
    if (config->head[i].slope < 0.0f)
      name = config->head[i].name;
  if (!name)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
               "layer '%s' has a negative slope, with which it cannot be trained", name);
  return FALSE;
}

SppnetNetwork *
sppnet_network_new_rpn (const SppnetConfig *config, SppnetRandom *random, GError **error)
{
  SppnetNetwork *network = g_new0 (SppnetNetwork, 1);

  g_return_val_if_fail (config->rpn.n_anchors > 0, NULL);
  sppnet_config_init (&network->config);
  sppnet_config_copy (&network->config, config);
  network->rpn_only = TRUE;
  lay_out_rpn (network);
  if (!allocate (network, error))
    return NULL;
  sppnet_network_reset_rpn (network, random);
  return network;
}

SppnetNetwork *
sppnet_network_new (const SppnetConfig *config, SppnetRandom *random, GError **error)
{
  SppnetNetwork *network;

  if (config->classifier != SPPNET_CLASSIFIER_SOFTMAX || config->box_input == SPPNET_BOX_POOLED
      || config->n_labels == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "end-to-end training needs labels, a softmax classifier and box regression on the head");
    return NULL;
  }
  if (!check_slopes (config, error))
    return NULL;
  network = g_new0 (SppnetNetwork, 1);
  sppnet_config_init (&network->config);
  sppnet_config_copy (&network->config, config);
  lay_out (network);
  if (!allocate (network, error))
    return NULL;
  initialise (network, random);
  sppnet_network_reset_rpn (network, random);
  return network;
}

void
sppnet_network_free (SppnetNetwork *network)
{
  if (!network)
    return;
  sppnet_config_clear (&network->config);
  sppnet_aligned_free (network->params);
  g_free (network);
}

gfloat
sppnet_head_slope (const SppnetHeadLayer *layer)
{
  return sppnet_activation_slope (layer->activation, layer->slope);
}

void
sppnet_dense_run (const SppnetNetwork *network, const SppnetDense *dense, const gfloat *x, gsize n, gfloat slope,
                  gfloat *y)
{
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (gint) n, dense->out, dense->in, 1.0f, x, dense->in,
               network->params + dense->weight, dense->out, 0.0f, y, dense->out);
  sppnet_kernels ()->bias_activate (y, network->params + dense->bias, slope, n, dense->out);
}

void
sppnet_dense_gradient (const SppnetNetwork *network, const SppnetDense *dense, const gfloat *x, const gfloat *dy,
                       gsize n, gfloat accumulate, gfloat *dx, gfloat *gradient)
{
  cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, dense->in, dense->out, (gint) n, 1.0f, x, dense->in, dy,
               dense->out, 1.0f, gradient + dense->weight, dense->out);
  for (gsize i = 0; i < n; i++)
    sppnet_kernels ()->add_into (gradient + dense->bias, dy + i * dense->out, dense->out);
  if (dx)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (gint) n, dense->in, dense->out, 1.0f, dy, dense->out,
                 network->params + dense->weight, dense->out, accumulate, dx, dense->in);
}

/* Where a tensor of a model file lives in the parameters, and how the two orders relate. */
typedef struct
{
  gsize offset, count;
  const SppnetLayer *layer; /* convolution weights */
  gint channels;
  gint in, out;    /* dense weights: file [out][in], here [in][out] */
  gboolean pooled; /* the inputs are a pooled vector, whose file order differs */
} Place;

static gboolean
dense_place (const SppnetDense *dense, const gchar *name, const gchar *tensor, gboolean pooled, Place *place)
{
  const gchar *rest = g_str_has_prefix (tensor, name) ? tensor + strlen (name) : "";

  if (g_str_equal (rest, ".weight"))
    *place = (Place) { .offset = dense->weight,
                       .count = (gsize) dense->in * dense->out,
                       .in = dense->in,
                       .out = dense->out,
                       .pooled = pooled };
  else if (g_str_equal (rest, ".bias"))
    *place = (Place) { .offset = dense->bias, .count = dense->out };
  else
    return FALSE;
  return dense->out > 0;
}

/* The same for a convolution of so many channels. */
static gboolean
convolution_place (const SppnetDense *dense, const SppnetLayer *layer, gint channels, const gchar *name,
                   const gchar *tensor, Place *place)
{
  if (!dense_place (dense, name, tensor, FALSE, place))
    return FALSE;
  if (place->in)
    *place = (Place) { .offset = place->offset, .count = place->count, .layer = layer, .channels = channels };
  return TRUE;
}

/* PART: the name without the network's own. */
static gboolean
rpn_place (const SppnetNetwork *network, const gchar *tensor, Place *place)
{
  const gchar *name = network->config.rpn.name;
  const gchar *part = g_str_has_prefix (tensor, name) ? tensor + strlen (name) : "";

  return convolution_place (&network->rpn, &network->rpn_layer, sppnet_config_channels (&network->config), "", part,
                            place)
         || dense_place (&network->rpn_score, "_score", part, FALSE, place)
         || dense_place (&network->rpn_box, "_box", part, FALSE, place);
}

static gboolean
find_place (const SppnetNetwork *network, const gchar *tensor, Place *place)
{
  const SppnetConfig *config = &network->config;

  if (rpn_place (network, tensor, place))
    return TRUE;
  if (network->rpn_only)
    return FALSE;
  for (guint i = 0; i < config->n_layers; i++) {
    const SppnetLayer *layer = &config->layers[i];
    const gchar *rest = g_str_has_prefix (tensor, layer->name) ? tensor + strlen (layer->name) : "";

    if (sppnet_layer_has_weights (layer) && g_str_equal (rest, ".weight")) {
      *place = (Place) {
        .offset = network->conv_weight[i],
        .count = (gsize) conv_depth (config, i) * layer->filters,
        .layer = layer,
        .channels = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, i)),
      };
      return TRUE;
    }
    if (sppnet_layer_has_weights (layer) && g_str_equal (rest, ".bias")) {
      *place = (Place) { .offset = network->conv_bias[i], .count = layer->filters };
      return TRUE;
    }
  }
  for (guint i = 0; i < config->n_region_layers; i++)
    if (convolution_place (&network->region[i], &config->region_layers[i], sppnet_config_region_channels (config, i),
                           config->region_layers[i].name, tensor, place))
      return TRUE;
  for (guint i = 0; i < config->n_head; i++)
    if (dense_place (&network->head[i], config->head[i].name, tensor, i == 0, place))
      return TRUE;
  return dense_place (&network->classifier, "classifier", tensor, config->n_head == 0, place)
         || dense_place (&network->box, "box", tensor, config->n_head == 0, place);
}

/* Between file order and the parameters, in either direction. */
static void
copy_tensor (const SppnetNetwork *network, const Place *place, gfloat *params, gfloat *file, gboolean to_file)
{
  g_autofree guint32 *index = NULL;

  if (place->layer) {
    if (to_file)
      sppnet_conv_unpack (place->layer, place->channels, params, file);
    else
      sppnet_conv_pack (place->layer, place->channels, file, params);
    return;
  }
  if (!place->in) {
    memcpy (to_file ? file : params, to_file ? params : file, sizeof (gfloat) * place->count);
    return;
  }
  index = g_new (guint32, place->in);
  for (gint i = 0; i < place->in; i++)
    index[i] = (guint32) i;
  if (place->pooled) {
    gint pooled = sppnet_config_pooled (&network->config);

    sppnet_pooled_from_file_order (&network->config, index);
    if (place->in > pooled)
      sppnet_region_features_from_file_order (&network->config, index + pooled);
    for (gint i = pooled; i < place->in; i++)
      index[i] += (guint32) pooled;
  }
  for (gint o = 0; o < place->out; o++)
    for (gint i = 0; i < place->in; i++, file++) {
      gfloat *here = params + (gsize) index[i] * place->out + o;

      if (to_file)
        *file = *here;
      else
        *here = *file;
    }
}

gboolean
sppnet_network_same_outputs (const SppnetConfig *config, gchar **labels)
{
  return config->classifier == SPPNET_CLASSIFIER_SOFTMAX && config->labels
         && g_strv_equal ((const gchar *const *) config->labels, (const gchar *const *) labels);
}

void
sppnet_network_scale_first_dense (SppnetNetwork *network, gfloat factor)
{
  const SppnetDense *dense = network->config.n_head ? &network->head[0] : &network->classifier;

  for (gsize i = 0; i < (gsize) dense->in * dense->out; i++)
    network->params[dense->weight + i] *= factor;
}

void
sppnet_network_scale_rpn (SppnetNetwork *network, gfloat factor)
{
  for (gsize i = 0; i < (gsize) network->rpn.in * network->rpn.out; i++)
    network->params[network->rpn.weight + i] *= factor;
}

/* Whether the pyramid of a model begins like the network's. */
static gboolean
same_levels (const SppnetConfig *to, const SppnetConfig *from)
{
  return from->n_levels <= to->n_levels && from->pooling == to->pooling
         && memcmp (from->levels, to->levels, sizeof (gint) * from->n_levels) == 0
         && memcmp (from->scales, to->scales, sizeof (gfloat) * from->n_levels) == 0
         && sppnet_config_channels (from) == sppnet_config_channels (to);
}

/* Whether a model has the network's region layers, whose features its first fully connected layer then sees. */
static gboolean
same_region_layers (const SppnetConfig *to, const SppnetConfig *from)
{
  gboolean same = from->n_region_layers == to->n_region_layers
                  && sppnet_config_region_features (from) == sppnet_config_region_features (to);

  for (guint i = 0; same && i < from->n_region_layers; i++)
    same = g_str_equal (from->region_layers[i].name, to->region_layers[i].name)
           && from->region_layers[i].filters == to->region_layers[i].filters;
  return same;
}

/* The first fully connected layer of a model whose pyramid may have fewer levels, the same ones first, and which may
 * have no region layers: the inputs of the others start with weights of 0. */
static gboolean
adopt_pooled (SppnetNetwork *network, const SppnetConfig *from, const Place *place, const gfloat *data, gsize count)
{
  const SppnetConfig *to = &network->config;
  gsize pooled = (gsize) sppnet_config_pooled (from), features = (gsize) sppnet_config_region_features (from);
  gsize inputs = pooled + features;
  g_autofree gfloat *file = NULL;

  if (!same_levels (to, from) || count != inputs * place->out || (features > 0 && !same_region_layers (to, from)))
    return FALSE;
  file = g_new0 (gfloat, place->count);
  for (gint o = 0; o < place->out; o++) {
    gfloat *row = file + (gsize) o * place->in;

    memcpy (row, data + (gsize) o * inputs, sizeof (gfloat) * pooled);
    memcpy (row + sppnet_config_pooled (to), data + (gsize) o * inputs + pooled, sizeof (gfloat) * features);
  }
  copy_tensor (network, place, network->params + place->offset, file, FALSE);
  return TRUE;
}

gchar *
sppnet_network_describe (const SppnetNetwork *network)
{
  g_auto (SppnetConfig) config;

  sppnet_config_copy (&config, &network->config);
  g_clear_pointer (&config.name, g_free);
  g_clear_pointer (&config.provenance, g_free);
  return sppnet_config_to_json (&config);
}

static gboolean
is_output (const gchar *tensor)
{
  return sppnet_tensor_is_of (tensor, "classifier") || sppnet_tensor_is_of (tensor, "box");
}

/* Of the network's region layers, fully connected layers and outputs. */
static gboolean
is_of_head (const SppnetNetwork *network, const gchar *tensor)
{
  gboolean is = is_output (tensor);
  Place place;

  for (guint i = 0; i < network->config.n_region_layers && !is; i++)
    is = sppnet_tensor_is_of (tensor, network->config.region_layers[i].name);
  for (guint i = 0; i < network->config.n_head && !is; i++)
    is = dense_place (&network->head[i], network->config.head[i].name, tensor, FALSE, &place);
  return is;
}

gboolean
sppnet_network_adopt (SppnetNetwork *network, SppnetModel *model, gboolean head)
{
  const SppnetConfig *from = sppnet_model_get_config (model);
  g_autoptr (GArray) tensors = sppnet_config_tensors (from);
  gboolean outputs = sppnet_network_same_outputs (from, network->config.labels), head_taken = FALSE;

  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    const gchar *name = tensor->name;
    const gfloat *data;
    gsize count;
    Place place;

    data = sppnet_model_get_tensor (model, name, &count);
    if ((is_output (name) && !outputs) || (!head && is_of_head (network, name)) || !find_place (network, name, &place))
      continue;
    /* Box regression on pooled vectors is no start for one on what the head makes of them, though sizes may agree. */
    if (g_str_has_prefix (name, "box.") && from->box_input != network->config.box_input)
      continue;
    if (place.pooled && place.in) {
      if (!adopt_pooled (network, from, &place, data, count))
        continue;
    } else if (place.count == count) {
      copy_tensor (network, &place, network->params + place.offset, (gfloat *) data, FALSE);
    } else {
      continue;
    }
    head_taken |= place.pooled && place.in;
  }
  return head_taken;
}

void
sppnet_rows_to_file_order (const SppnetConfig *config, gfloat *weight, gsize rows, gsize length)
{
  g_autofree guint32 *index = g_new (guint32, length);
  g_autofree gfloat *row = g_new (gfloat, length);

  sppnet_pooled_from_file_order (config, index);
  for (gsize r = 0; r < rows; r++, weight += length) {
    memcpy (row, weight, sizeof (gfloat) * length);
    for (gsize i = 0; i < length; i++)
      weight[i] = row[index[i]];
  }
}

/* Copies the rows of the labels that both have in one tensor of the outputs. first: rows before those of the labels;
 * rows: of each label. */
static void
adopt_rows (SppnetNetwork *network, SppnetModel *model, const gchar *name, gsize first, gsize rows)
{
  const SppnetConfig *to = &network->config, *from = sppnet_model_get_config (model);
  gsize count, length;
  const gfloat *data = sppnet_model_get_tensor (model, name, &count);
  g_autofree gfloat *file = NULL;
  Place place;

  if (!data || !find_place (network, name, &place))
    return;
  length = place.count / (first + rows * to->n_labels);
  file = g_new (gfloat, place.count);
  copy_tensor (network, &place, network->params + place.offset, file, TRUE);
  memcpy (file, data, sizeof (gfloat) * first * length);
  for (guint i = 0; i < to->n_labels; i++)
    for (guint k = 0; k < from->n_labels; k++)
      if (g_str_equal (to->labels[i], from->labels[k]))
        memcpy (file + (first + rows * i) * length, data + (first + rows * k) * length,
                sizeof (gfloat) * rows * length);
  copy_tensor (network, &place, network->params + place.offset, file, FALSE);
}

void
sppnet_network_adopt_outputs (SppnetNetwork *network, SppnetModel *model)
{
  if (sppnet_model_get_config (model)->classifier == SPPNET_CLASSIFIER_SOFTMAX) {
    adopt_rows (network, model, "classifier.weight", 1, 1);
    adopt_rows (network, model, "classifier.bias", 1, 1);
  }
  if (sppnet_model_get_config (model)->box_input == SPPNET_BOX_HEAD) {
    adopt_rows (network, model, "box.weight", 0, 4);
    adopt_rows (network, model, "box.bias", 0, 4);
  }
}

static void
clear_tensor (gpointer data)
{
  g_free ((gpointer) ((SppnetTensorSource *) data)->name);
  sppnet_aligned_free ((gpointer) ((SppnetTensorSource *) data)->data);
}

GArray *
sppnet_network_tensors (const SppnetNetwork *network)
{
  g_autoptr (GArray) shapes = sppnet_config_tensors (&network->config);
  GArray *tensors = g_array_new (FALSE, TRUE, sizeof (SppnetTensorSource));

  g_array_set_clear_func (tensors, clear_tensor);
  for (guint i = 0; i < shapes->len; i++) {
    SppnetTensorSource tensor = g_array_index (shapes, SppnetTensorSource, i);
    gfloat *data;
    Place place;

    if (!find_place (network, tensor.name, &place))
      continue;
    data = sppnet_aligned_alloc (sizeof (gfloat) * place.count);
    g_assert (data); /* a copy of parameters that are already in memory */
    copy_tensor (network, &place, network->params + place.offset, data, TRUE);
    tensor.name = g_strdup (tensor.name);
    tensor.data = data;
    g_array_append_val (tensors, tensor);
  }
  return tensors;
}
