/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/weights.h"

#include "base/memory.h"
#include "pooling/pooled.h"
#include "pooling/pooling.h"

static gboolean
no_memory (const gchar *name, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot allocate a copy of tensor %s", name);
  return FALSE;
}

/* Columns in the order of sppnet_pool_regions() instead of the file's. */
static gboolean
reorder_columns (SppnetMatrix *matrix, const gchar *name, const SppnetConfig *config, GError **error)
{
  g_autofree guint32 *order = g_try_new (guint32, matrix->inputs);
  gsize bytes;

  if (!order || !g_size_checked_mul (&bytes, matrix->outputs, matrix->inputs)
      || !g_size_checked_mul (&bytes, bytes, sizeof (gfloat)))
    return no_memory (name, error);
  matrix->reordered = sppnet_aligned_alloc (bytes);
  if (!matrix->reordered)
    return no_memory (name, error);
  sppnet_pooled_from_file_order (config, order);
  for (gsize row = 0; row < matrix->outputs; row++)
    for (gsize i = 0; i < matrix->inputs; i++)
      matrix->reordered[row * matrix->inputs + order[i]] = matrix->weight[row * matrix->inputs + i];
  matrix->weight = matrix->reordered;
  return TRUE;
}

static gboolean
matrix_init (SppnetMatrix *matrix, SppnetModel *model, const gchar *name, gsize outputs, gsize inputs, GError **error)
{
  g_autofree gchar *weight_name = g_strconcat (name, ".weight", NULL);
  g_autofree gchar *bias_name = g_strconcat (name, ".bias", NULL);
  gsize n_weights = 0, n_biases = 0;

  matrix->inputs = inputs;
  matrix->outputs = outputs;
  matrix->weight = sppnet_model_get_tensor (model, weight_name, &n_weights);
  matrix->bias = sppnet_model_get_tensor (model, bias_name, &n_biases);
  if (!matrix->weight || !matrix->bias || n_weights != outputs * inputs || n_biases != outputs) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: tensors %s and %s do not fit the configuration",
                 sppnet_model_get_path (model), weight_name, bias_name);
    return FALSE;
  }
  return TRUE;
}

/* What multiplies the pooled vectors that sppnet_pooler_run() gives: all of the layer but the columns of the region
 * layers. */
static gboolean
first_init (SppnetStepsDense *first, const SppnetMatrix *matrix, const SppnetConfig *config, gfloat slope)
{
  gsize pooled = (gsize) sppnet_config_pooled (config);
  g_autofree guint32 *order = g_try_new (guint32, pooled);

  if (!order)
    return FALSE;
  sppnet_steps_from_file_order (config, order);
  return sppnet_steps_dense_init (first, sppnet_step_groups ((gsize) sppnet_config_channels (config)),
                                  (gsize) sppnet_config_bins (config), matrix->outputs, slope, matrix->weight,
                                  matrix->inputs, order, pooled, matrix->bias);
}

static gboolean
layer_init (SppnetHeadWeights *weights, guint i, SppnetModel *model, const gchar *name, gsize outputs, gsize inputs,
            gfloat slope, SppnetPrecision precision, GError **error)
{
  SppnetMatrix matrix = { NULL };

  if (!matrix_init (&matrix, model, name, outputs, inputs, error))
    return FALSE;
  if (i == 0)
    return (first_init (&weights->first, &matrix, sppnet_model_get_config (model), slope) || no_memory (name, error))
           && sppnet_region_layers_init (&weights->region, model, outputs, matrix.weight, inputs, matrix.bias,
                                         precision, error);
  return sppnet_packed_dense_init (&weights->others[i - 1], (gint) inputs, (gint) outputs, slope, precision,
                                   matrix.weight, matrix.bias)
         || no_memory (name, error);
}

static void
weights_free (gpointer data)
{
  SppnetHeadWeights *weights = data;

  for (guint i = 0; i < G_N_ELEMENTS (weights->others); i++)
    sppnet_packed_dense_clear (&weights->others[i]);
  sppnet_region_layers_clear (&weights->region);
  sppnet_steps_dense_clear (&weights->first);
  sppnet_aligned_free (weights->box.reordered);
  g_free (weights);
}

static gboolean
box_init (SppnetMatrix *box, SppnetModel *model, gsize pooled, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  gboolean on_pooled = config->box_input == SPPNET_BOX_POOLED || config->n_head == 0;
  gsize inputs = on_pooled ? pooled : (gsize) config->head[config->n_head - 1].outputs;

  if (config->box_input == SPPNET_BOX_NONE)
    return TRUE;
  return matrix_init (box, model, "box", (gsize) config->n_labels * 4, inputs, error)
         && (!on_pooled || reorder_columns (box, "box.weight", config, error));
}

static gpointer
weights_new (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetHeadWeights *weights = g_new0 (SppnetHeadWeights, 1);
  gsize pooled = (gsize) sppnet_config_pooled (config);
  gsize inputs = pooled + (gsize) sppnet_config_region_features (config);
  gsize classes = config->n_labels + (config->classifier == SPPNET_CLASSIFIER_SOFTMAX ? 1 : 0);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < config->n_head; i++) {
    const SppnetHeadLayer *layer = &config->head[i];

    ok = layer_init (weights, i, model, layer->name, (gsize) layer->outputs, inputs,
                     sppnet_activation_slope (layer->activation, layer->slope), precision, error);
    inputs = (gsize) layer->outputs;
  }
  weights->n_layers = config->n_head + 1;
  ok = ok
       && layer_init (weights, config->n_head, model, "classifier", classes, inputs, 1.0f, SPPNET_PRECISION_FLOAT32,
                      error);
  ok = ok && box_init (&weights->box, model, pooled, error);
  if (!ok)
    g_clear_pointer (&weights, weights_free);
  return weights;
}

const SppnetHeadWeights *
sppnet_head_weights (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  return sppnet_model_share (model, "head", 0, precision, weights_new, weights_free, error);
}
