/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/head.h"

#include <cblas.h>
#include <math.h>

#include "base/logistic.h"
#include "base/threads.h"
#include "head/weights.h"

struct _SppnetHead
{
  SppnetModel *model;
  const SppnetConfig *config;
  const SppnetHeadWeights *weights;

  SppnetBuffer layer[2];   /* outputs of the layers in turn */
  SppnetBuffer confidence; /* [n][labels] */
  SppnetBuffer deltas;     /* [n_pairs][4] */
  SppnetBuffer region;     /* of each thread: the bins of some regions and what the region layers make of them */
  SppnetBuffer scratch;    /* of each thread: some pooled regions as they are multiplied */
  const gfloat *features;  /* [n_features][inputs of the classifier]: of the last run, for sppnet_head_regress(); NULL
                              without fully connected layers, where they are the pooled vectors */
  gsize n_features;
};

gboolean
sppnet_head_check (SppnetModel *model, GError **error)
{
  if (sppnet_model_get_config (model)->n_labels > 0)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
               "%s: model \"%s\" has no labels and no classifier: it is a backbone to train from",
               sppnet_model_get_path (model), sppnet_model_get_name (model));
  return FALSE;
}

SppnetHead *
sppnet_head_new (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  const SppnetHeadWeights *weights;
  SppnetHead *head;

  if (!sppnet_head_check (model, error))
    return NULL;
  weights = sppnet_head_weights (model, precision, error);
  if (!weights)
    return NULL;
  head = g_new0 (SppnetHead, 1);
  head->model = sppnet_model_ref (model);
  head->config = sppnet_model_get_config (model);
  head->weights = weights;
  return head;
}

void
sppnet_head_free (SppnetHead *head)
{
  if (!head)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (head->layer); i++)
    sppnet_buffer_clear (&head->layer[i]);
  sppnet_buffer_clear (&head->confidence);
  sppnet_buffer_clear (&head->deltas);
  sppnet_buffer_clear (&head->region);
  sppnet_buffer_clear (&head->scratch);
  sppnet_model_unref (head->model);
  g_free (head);
}

/* In place; the largest becomes exp (0), so nothing overflows. FALSE when a value is not finite. */
static gboolean
softmax (gfloat *x, gsize n)
{
  gfloat largest = -INFINITY;
  gfloat sum = 0.0f;

  for (gsize i = 0; i < n; i++) {
    if (!isfinite (x[i]))
      return FALSE;
    largest = MAX (largest, x[i]);
  }
  for (gsize i = 0; i < n; i++) {
    x[i] = expf (x[i] - largest);
    sum += x[i];
  }
  for (gsize i = 0; i < n; i++)
    x[i] /= sum;
  return TRUE;
}

/* The score that calibration applies to: an SVM's is the score itself, a softmax's the log-odds of its probability,
 * because a single output of a softmax has no absolute scale. Either way a = -1, b = 0 changes nothing. */
static gfloat
calibrated (const SppnetConfig *config, guint label, gfloat score)
{
  gfloat a = config->calibration ? config->calibration[2 * label] : -1.0f;
  gfloat b = config->calibration ? config->calibration[2 * label + 1] : 0.0f;

  return sppnet_logistic (-(a * score + b));
}

/* scores: [labels] or, with softmax, [1 + labels], overwritten; confidence: [labels] */
static void
confidence_of_region (const SppnetConfig *config, gfloat *scores, gfloat *confidence)
{
  gboolean is_softmax = config->classifier == SPPNET_CLASSIFIER_SOFTMAX;
  gboolean finite = !is_softmax || softmax (scores, 1 + config->n_labels);

  for (guint label = 0; label < config->n_labels; label++) {
    gfloat score = is_softmax ? scores[1 + label] : scores[label];

    if (!finite || !isfinite (score))
      confidence[label] = 0.0f;
    else if (!is_softmax)
      confidence[label] = calibrated (config, label, score);
    else
      confidence[label] = config->calibration ? calibrated (config, label, sppnet_log_odds (score)) : score;
    if (!isfinite (confidence[label]))
      confidence[label] = 0.0f;
  }
}

static gsize
outputs_of (const SppnetHeadWeights *weights, guint layer)
{
  return layer == 0 ? weights->first.outputs : (gsize) weights->others[layer - 1].outputs;
}

gboolean
sppnet_head_reserve (SppnetHead *head, gsize n, guint threads, GError **error)
{
  gsize region = sppnet_region_layers_scratch (&head->weights->region) * sizeof (gfloat);

  if (!sppnet_buffer_reserve (&head->confidence, MAX (n, 1) * head->config->n_labels, sizeof (gfloat), error)
      || !sppnet_buffer_reserve (&head->scratch, threads, SPPNET_STEPS_SCRATCH * sizeof (gint16), error)
      || !sppnet_buffer_reserve (&head->region, threads, MAX (region, 1), error))
    return FALSE;
  for (guint i = 0; i < head->weights->n_layers; i++)
    if (!sppnet_buffer_reserve (&head->layer[i % 2], MAX (n, 1) * outputs_of (head->weights, i), sizeof (gfloat),
                                error))
      return FALSE;
  return TRUE;
}

gsize
sppnet_head_region_bytes (const SppnetHead *head)
{
  gsize largest[2] = { 0, 0 };

  for (guint i = 0; i < head->weights->n_layers; i++)
    largest[i % 2] = MAX (largest[i % 2], outputs_of (head->weights, i));
  return (head->config->n_labels + largest[0] + largest[1]) * sizeof (gfloat);
}

gboolean
sppnet_head_run (SppnetHead *head, const SppnetPooled *pooled, guint threads, const gfloat **confidence, GError **error)
{
  const SppnetHeadWeights *weights = head->weights;
  gsize n = pooled->n, classes = outputs_of (weights, weights->n_layers - 1);
  gfloat *scores, *out;

  head->n_features = 0;
  if (!sppnet_head_reserve (head, n, threads, error))
    return FALSE;
  out = head->confidence.data;
  head->features = NULL;
  scores = head->layer[0].data;
  if (weights->region.n > 0)
    sppnet_region_layers_run (&weights->region, pooled, threads, head->region.data, scores);
  sppnet_steps_dense_run (&weights->first, pooled, weights->region.n > 0, threads, head->scratch.data, scores);
  for (guint i = 1; i < weights->n_layers; i++) {
    head->features = scores;
    scores = head->layer[i % 2].data;
    sppnet_packed_dense_run (&weights->others[i - 1], head->features, outputs_of (weights, i - 1), n, threads, scores);
  }

#pragma omp parallel for num_threads(threads)
  for (gsize r = 0; r < n; r++)
    confidence_of_region (head->config, scores + r * classes, out + r * head->config->n_labels);
  head->n_features = n;
  *confidence = out;
  return TRUE;
}

gboolean
sppnet_head_regress (SppnetHead *head, const SppnetPooled *pooled, const SppnetRegionLabel *pairs, gsize n_pairs,
                     guint threads, const gfloat **deltas, GError **error)
{
  const SppnetMatrix *box = &head->weights->box;
  const gfloat *features = head->config->box_input == SPPNET_BOX_POOLED ? NULL : head->features;
  const gfloat *mean = head->config->box_mean, *scale = head->config->box_scale;
  gfloat *out, *vectors = NULL;

  *deltas = NULL;
  if (head->config->box_input == SPPNET_BOX_NONE)
    return TRUE;
  out = sppnet_buffer_reserve (&head->deltas, MAX (n_pairs, 1) * 4, sizeof (gfloat), error);
  if (!out)
    return FALSE;

  if (!features) {
    vectors = sppnet_buffer_reserve (&head->scratch, threads, box->inputs * sizeof (gfloat), error);
    if (!vectors)
      return FALSE;
  }

  sppnet_blas_begin ();
#pragma omp parallel for num_threads(threads)
  for (gsize i = 0; i < n_pairs; i++) {
    gsize row = (gsize) pairs[i].label * 4;
    gfloat *vector = vectors ? vectors + sppnet_thread_index () * box->inputs : NULL;
    gfloat *t = out + 4 * i;

    g_assert (pairs[i].region < head->n_features && pairs[i].label < head->config->n_labels);
    if (vector)
      sppnet_pooled_to_floats (pooled, pairs[i].region, vector);
    cblas_sgemv (CblasRowMajor, CblasNoTrans, 4, (gint) box->inputs, 1.0f, box->weight + row * box->inputs,
                 (gint) box->inputs, vector ? vector : features + pairs[i].region * box->inputs, 1, 0.0f, t, 1);
    for (gsize k = 0; k < 4; k++)
      t[k] = (t[k] + box->bias[row + k]) * scale[k] + mean[k];
  }
  sppnet_blas_end ();
  *deltas = out;
  return TRUE;
}
