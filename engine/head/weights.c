/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/weights.h"

#include <string.h>

#include "base/memory.h"
#include "pooling/pooled.h"
#include "pooling/pooling.h"

static gboolean
no_memory (const gchar *name, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot allocate a copy of tensor %s", name);
  return FALSE;
}

/* What a matrix multiplies, and so the order of its columns. */
typedef enum
{
  INPUT_FEATURES, /* outputs of a layer: as in the file */
  INPUT_VECTORS,  /* of sppnet_pool_regions() */
  INPUT_STEPS,    /* of sppnet_pooler_run(); 0 for channels that there are not */
} Input;

static gboolean
pack_columns (SppnetMatrix *matrix, const gchar *name, const SppnetConfig *config, Input input, GError **error)
{
  g_autofree guint32 *order = g_try_new (guint32, matrix->inputs);
  gsize columns = input == INPUT_VECTORS ? matrix->inputs : sppnet_steps_of_region (config), bytes;

  if (!order || !g_size_checked_mul (&bytes, matrix->outputs, columns)
      || !g_size_checked_mul (&bytes, bytes, sizeof (gfloat)))
    return no_memory (name, error);
  matrix->packed = sppnet_aligned_alloc (bytes);
  if (!matrix->packed)
    return no_memory (name, error);

  if (input == INPUT_VECTORS)
    sppnet_pooled_from_file_order (config, order);
  else
    sppnet_steps_from_file_order (config, order);
  memset (matrix->packed, 0, bytes);
  for (gsize row = 0; row < matrix->outputs; row++)
    for (gsize i = 0; i < matrix->inputs; i++)
      matrix->packed[row * columns + order[i]] = matrix->weight[row * matrix->inputs + i];
  matrix->weight = matrix->packed;
  matrix->inputs = columns;
  return TRUE;
}

static gboolean
matrix_init (SppnetMatrix *matrix, SppnetModel *model, const gchar *name, gsize outputs, gsize inputs, Input input,
             GError **error)
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
  return input == INPUT_FEATURES || pack_columns (matrix, weight_name, sppnet_model_get_config (model), input, error);
}

/* Layer i, by way of its matrix. */
static gboolean
layer_init (SppnetHeadWeights *weights, guint i, SppnetModel *model, const gchar *name, gsize outputs, gsize inputs,
            gfloat slope, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetMatrix matrix = { NULL };
  gboolean ok = matrix_init (&matrix, model, name, outputs, inputs, i == 0 ? INPUT_STEPS : INPUT_FEATURES, error);

  if (ok && i == 0)
    ok = sppnet_steps_dense_init (&weights->first, sppnet_step_groups ((gsize) sppnet_config_channels (config)),
                                  (gsize) sppnet_config_bins (config), outputs, slope, matrix.weight, matrix.bias)
         || no_memory (name, error);
  else if (ok)
    ok = sppnet_packed_dense_init (&weights->layers[i], (gint) inputs, (gint) outputs, slope, precision, matrix.weight,
                                   matrix.bias)
         || no_memory (name, error);
  sppnet_aligned_free (matrix.packed);
  return ok;
}

static void
weights_free (gpointer data)
{
  SppnetHeadWeights *weights = data;

  for (guint i = 0; i < G_N_ELEMENTS (weights->layers); i++)
    sppnet_packed_dense_clear (&weights->layers[i]);
  sppnet_steps_dense_clear (&weights->first);
  sppnet_aligned_free (weights->box.packed);
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
  return matrix_init (box, model, "box", (gsize) config->n_labels * 4, inputs,
                      on_pooled ? INPUT_VECTORS : INPUT_FEATURES, error);
}

static gpointer
weights_new (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetHeadWeights *weights = g_new0 (SppnetHeadWeights, 1);
  gsize pooled = (gsize) sppnet_config_bins (config) * sppnet_config_channels (config);
  gsize inputs = pooled;
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
