/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/pass.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "kernel/kernel.h"
#include "train/gradient.h"
#include "train/region_pass.h"

struct _SppnetPass
{
  const SppnetConfig *config;
  const SppnetPacks *packs; /* (nullable) */
  SppnetRpnPass *rpn;
  SppnetMap map; /* of the last run */
  SppnetRows maps[SPPNET_MAX_LAYERS + 1];
  SppnetBuffer map_buffer[SPPNET_MAX_LAYERS + 1];
  SppnetBuffer map_gradient[2]; /* of a layer's output and its input, in turn */
  SppnetBuffer
      merge_gradient[SPPNET_MAX_LAYERS + 1]; /* of a map that a merge adds: what comes back through the merge */
  SppnetBuffer scratch;
  SppnetRegionPass region;
  SppnetBuffer source;                              /* [n][pooled] */
  SppnetBuffer vectors[SPPNET_MAX_HEAD_LAYERS + 1]; /* [n][pooled], [n][in of the other head layers]; the last: of the
                                                       classifier */
  SppnetBuffer kept[SPPNET_MAX_HEAD_LAYERS];        /* [n][out] 0 or 1 / (1 - p) */
  SppnetBuffer vector_gradient[2];                  /* [n][in or out] */
  SppnetBuffer scores, boxes;                       /* [n][1 + labels], [n][labels][4]; then their gradients */
};

SppnetPass *
sppnet_pass_new (const SppnetNetwork *network, const SppnetPacks *packs)
{
  SppnetPass *pass = g_new0 (SppnetPass, 1);

  pass->packs = packs;
  pass->config = &network->config;
  pass->rpn = sppnet_rpn_pass_new ();
  return pass;
}

void
sppnet_pass_free (SppnetPass *pass)
{
  if (!pass)
    return;
  for (guint i = 0; i <= SPPNET_MAX_LAYERS; i++) {
    sppnet_buffer_clear (&pass->map_buffer[i]);
    sppnet_buffer_clear (&pass->merge_gradient[i]);
  }
  for (guint i = 0; i <= SPPNET_MAX_HEAD_LAYERS; i++)
    sppnet_buffer_clear (&pass->vectors[i]);
  for (guint i = 0; i < SPPNET_MAX_HEAD_LAYERS; i++)
    sppnet_buffer_clear (&pass->kept[i]);
  for (guint i = 0; i < 2; i++) {
    sppnet_buffer_clear (&pass->map_gradient[i]);
    sppnet_buffer_clear (&pass->vector_gradient[i]);
  }
  sppnet_buffer_clear (&pass->scratch);
  sppnet_buffer_clear (&pass->source);
  sppnet_buffer_clear (&pass->scores);
  sppnet_buffer_clear (&pass->boxes);
  sppnet_region_pass_clear (&pass->region);
  sppnet_rpn_pass_free (pass->rpn);
  g_free (pass);
}

static const SppnetPack *
pack_of (const SppnetPass *pass, guint layer)
{
  const SppnetPack *pack = pass->packs ? sppnet_packs_get (pass->packs, layer) : NULL;

  return pack && pack->forward.kernels ? pack : NULL;
}

static gboolean
reserve_maps (SppnetPass *pass, gint width, gint height, GError **error)
{
  const SppnetConfig *config = pass->config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  guint n = sppnet_config_shapes (config, width, height, shapes);
  gsize largest = 0, scratch = 0;

  if (n < config->n_layers) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED, "%dx%d pixels are too few for layer %s", width, height,
                 config->layers[n].name);
    return FALSE;
  }
  for (guint i = 0; i <= n; i++) {
    const SppnetShape *shape = &shapes[i];
    gsize cells = (gsize) shape->width * shape->height;
    gfloat *data = sppnet_buffer_reserve (&pass->map_buffer[i], cells * shape->channels, sizeof (gfloat), error);

    if (!data)
      return FALSE;
    pass->maps[i] = (SppnetRows) { data, 0, shape->height, shape->width, shape->height, shape->channels };
    if (i > 0)
      largest = MAX (largest, cells * shape->channels);
    if (i < n)
      scratch = MAX (scratch, sppnet_layer_gradient_scratch (&config->layers[i], pack_of (pass, i), shape->channels));
  }
  for (guint i = 0; i < n; i++) {
    guint stage = sppnet_config_weighted_stage (config, i);
    gsize count = (gsize) shapes[stage].width * shapes[stage].height * shapes[stage].channels;

    if (config->layers[i].kind != SPPNET_LAYER_MERGE)
      continue;
    if (!sppnet_buffer_reserve (&pass->merge_gradient[stage], count, sizeof (gfloat), error))
      return FALSE;
  }
  return sppnet_buffer_reserve (&pass->map_gradient[0], largest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->map_gradient[1], largest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->scratch, scratch, sizeof (gfloat), error);
}

static gboolean
reserve_vectors (SppnetPass *pass, const SppnetNetwork *network, gsize n, GError **error)
{
  guint n_head = pass->config->n_head;
  gint widest = network->classifier.in;

  for (guint i = 0; i <= n_head; i++) {
    gint in = i == 0 ? sppnet_config_pooled (pass->config) : i < n_head ? network->head[i].in : network->classifier.in;

    widest = MAX (widest, in);
    if (!sppnet_buffer_reserve (&pass->vectors[i], n * in, sizeof (gfloat), error)
        || (i < n_head && !sppnet_buffer_reserve (&pass->kept[i], n * network->head[i].out, sizeof (gfloat), error)))
      return FALSE;
  }
  return sppnet_region_pass_reserve (&pass->region, network, n, error)
         && sppnet_buffer_reserve (&pass->source, n * sppnet_config_bins (pass->config),
                                   sizeof (gint32) * sppnet_config_channels (pass->config), error)
         && sppnet_buffer_reserve (&pass->vector_gradient[0], n * widest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->vector_gradient[1], n * widest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->scores, n * network->classifier.out, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->boxes, n * network->box.out, sizeof (gfloat), error);
}

static void
backbone_forward (SppnetPass *pass, const SppnetNetwork *network, const gfloat *input)
{
  memcpy (pass->maps[0].data, input,
          sizeof *input * pass->maps[0].width * pass->maps[0].height * pass->maps[0].channels);
  for (guint i = 0; i < pass->config->n_layers; i++) {
    const SppnetLayer *layer = &pass->config->layers[i];
    const gfloat *weight = network->params + network->conv_weight[i], *bias = network->params + network->conv_bias[i];
    const SppnetRows *in = &pass->maps[i], *out = &pass->maps[i + 1];
    const SppnetPack *pack = pack_of (pass, i);

    if (layer->kind == SPPNET_LAYER_MERGE)
      sppnet_merge_run (layer, weight, bias, in, &pass->maps[layer->from + 1], out, 0, out->height, 1);
    else if (pack)
      sppnet_conv_run (&pack->forward, in, out, 1, pass->scratch.data);
    else
      sppnet_layer_run (layer, weight, bias, in, out, 0, out->height, 1, pass->scratch.data);
  }
}

static SppnetMap
last_map (const SppnetPass *pass)
{
  const SppnetRows *rows = &pass->maps[pass->config->n_layers];

  return (SppnetMap) { rows->data, rows->width, rows->height, rows->channels, sppnet_config_geometry (pass->config) };
}

static void
head_forward (SppnetPass *pass, const SppnetNetwork *network, gsize n, SppnetRandom *dropout)
{
  for (guint i = 0; i < pass->config->n_head; i++) {
    const SppnetHeadLayer *layer = &pass->config->head[i];
    gfloat *y = pass->vectors[i + 1].data, *kept = pass->kept[i].data;
    gsize count = n * network->head[i].out;

    if (i == 0)
      sppnet_region_pass_run (&pass->region, network, pass->vectors[i].data, n, y);
    else
      sppnet_dense_run (network, &network->head[i], pass->vectors[i].data, n, sppnet_head_slope (layer), y);
    for (gsize k = 0; k < count; k++) {
      gboolean drop = dropout && layer->dropout > 0.0f && sppnet_random_uniform (dropout) < layer->dropout;

      kept[k] = drop ? 0.0f : dropout ? 1.0f / (1.0f - layer->dropout) : 1.0f;
      y[k] *= kept[k];
    }
  }
  sppnet_dense_run (network, &network->classifier, pass->vectors[pass->config->n_head].data, n, 1.0f,
                    pass->scores.data);
  if (network->box.out)
    sppnet_dense_run (network, &network->box, pass->vectors[pass->config->n_head].data, n, 1.0f, pass->boxes.data);
}

/* Returns which of n scores is the highest. sum: of their exponentials, relative to its own */
static gint
softmax_sum (const gfloat *scores, gint n, gdouble *sum)
{
  gint best = 0;

  for (gint i = 1; i < n; i++)
    if (scores[i] > scores[best])
      best = i;
  *sum = 0.0;
  for (gint i = 0; i < n; i++)
    *sum += exp ((gdouble) scores[i] - scores[best]);
  return best;
}

/* What the annotation says about class c, 0 .. 1. */
static gfloat
annotated_part (const SppnetSamples *samples, gsize i, gint c)
{
  gfloat certainty;

  if (!samples->nearest)
    return c == samples->target[i] ? 1.0f : 0.0f;
  certainty = samples->nearest[i] > 0 ? samples->certainty[i] : 0.0f;
  return c == 0 ? 1.0f - certainty : c == samples->nearest[i] ? certainty : 0.0f;
}

/* Softmax and cross-entropy of region i of samples, whose annotation counts as much as the region does; scores become
 * their gradient. */
static gdouble
classification_loss (gfloat *scores, gint n, const SppnetSamples *samples, gsize i, gfloat scale, guint *correct)
{
  gfloat part = samples->taught ? samples->taught_part : 0.0f, annotated = (1.0f - part) * samples->weight[i], highest;
  gint target = samples->target[i], best;
  gdouble sum, loss = 0.0;

  best = softmax_sum (scores, n, &sum);
  highest = scores[best];
  *correct += best == target;
  for (gint c = 0; c < n; c++) {
    gdouble relative = (gdouble) scores[c] - highest;
    gfloat wanted = annotated * annotated_part (samples, i, c);

    if (samples->taught)
      wanted += part * samples->taught[i * (gsize) n + (gsize) c];
    if (wanted > 0.0f)
      loss += wanted * (log (sum) - relative);
    scores[c] = (gfloat) ((part + annotated) * exp (relative) / sum - wanted) * scale;
  }
  return loss;
}

/* Smooth L1 of one region's box (Fast R-CNN, equation 3); the outputs of all labels become their gradient. */
static gdouble
box_loss (gfloat *outputs, gint n, gint target, const gfloat *wanted, gfloat scale)
{
  gdouble loss = 0.0;

  for (gint i = 0; i < n; i++) {
    gfloat difference = outputs[i] - (i / 4 == target - 1 ? wanted[i % 4] : outputs[i]);

    loss += fabsf (difference) < 1.0f ? 0.5 * difference * difference : fabs (difference) - 0.5;
    outputs[i] = CLAMP (difference, -1.0f, 1.0f) * scale;
  }
  return loss;
}

static void
measure_loss (SppnetPass *pass, const SppnetNetwork *network, const SppnetSamples *samples, gfloat scale,
              SppnetLoss *loss)
{
  gfloat share = scale / (gfloat) samples->n;

  *loss = (SppnetLoss) { 0 };
  for (gsize i = 0; i < samples->n; i++) {
    gfloat *scores = (gfloat *) pass->scores.data + i * network->classifier.out;
    gfloat *boxes = (gfloat *) pass->boxes.data + i * network->box.out;

    loss->classification += classification_loss (scores, network->classifier.out, samples, i, share, &loss->correct);
    if (network->box.out)
      loss->box += samples->weight[i]
                   * box_loss (boxes, network->box.out, samples->target[i], samples->box_target[i],
                               share * samples->weight[i]);
  }
  loss->classification /= (gdouble) samples->n;
  loss->box /= (gdouble) samples->n;
}

/* What is wanted below classifier and box regression: what is not wanted takes time. */
typedef enum
{
  NOTHING_BELOW,
  HEAD,
  HEAD_AND_POOLED,
} Depth;

/* Returns the gradient of the pooled vectors, or NULL where it is not wanted. */
static gfloat *
head_backward (SppnetPass *pass, const SppnetNetwork *network, gsize n, Depth depth, gfloat *gradient)
{
  gfloat *dy = pass->vector_gradient[0].data, *dx = pass->vector_gradient[1].data;
  const gfloat *last = pass->vectors[pass->config->n_head].data;
  gfloat *below = depth > NOTHING_BELOW ? dy : NULL;

  sppnet_dense_gradient (network, &network->classifier, last, pass->scores.data, n, 0.0f, below, gradient);
  if (network->box.out)
    sppnet_dense_gradient (network, &network->box, last, pass->boxes.data, n, 1.0f, below, gradient);
  if (depth == NOTHING_BELOW)
    return NULL;
  for (guint i = pass->config->n_head; i-- > 0;) {
    const gfloat *y = pass->vectors[i + 1].data, *kept = pass->kept[i].data;
    gfloat slope = sppnet_head_slope (&pass->config->head[i]), *swap = dy;
    gsize count = n * network->head[i].out;

    for (gsize k = 0; k < count; k++)
      dy[k] *= kept[k] * (y[k] > 0.0f ? 1.0f : slope);
    if (i == 0)
      sppnet_region_pass_gradient (&pass->region, network, pass->vectors[i].data, dy, n,
                                   depth == HEAD_AND_POOLED ? dx : NULL, gradient);
    else
      sppnet_dense_gradient (network, &network->head[i], pass->vectors[i].data, dy, n, 0.0f, dx, gradient);
    dy = dx;
    dx = swap;
  }
  return depth == HEAD_AND_POOLED ? dy : NULL;
}

/* The gradient of the input of layer index, from that of its output; what a merge gives to its finer map is kept. */
static void
layer_backward (SppnetPass *pass, const SppnetNetwork *network, guint index, gfloat *out_gradient,
                const SppnetRows *in_gradient, gfloat *gradient)
{
  const SppnetLayer *layer = &pass->config->layers[index];
  const gfloat *weight = network->params + network->conv_weight[index];
  gfloat *weight_gradient = gradient + network->conv_weight[index];
  gfloat *bias_gradient = gradient + network->conv_bias[index];
  const SppnetRows *in = &pass->maps[index], *out = &pass->maps[index + 1];

  if (layer->kind == SPPNET_LAYER_MERGE)
    sppnet_merge_gradient (layer, weight, &pass->maps[layer->from + 1], out, out_gradient, in_gradient,
                           pass->merge_gradient[layer->from + 1].data, weight_gradient, bias_gradient);
  else
    sppnet_layer_gradient (layer, pack_of (pass, index), weight, in, out, out_gradient, in_gradient, weight_gradient,
                           bias_gradient, pass->scratch.data);
}

static void
clear_merge_gradients (SppnetPass *pass)
{
  for (guint i = 0; i < pass->config->n_layers; i++) {
    const SppnetLayer *layer = &pass->config->layers[i];
    const SppnetRows *fine = &pass->maps[layer->from + 1];

    if (layer->kind == SPPNET_LAYER_MERGE)
      memset (pass->merge_gradient[layer->from + 1].data, 0,
              sizeof (gfloat) * fine->width * fine->height * fine->channels);
  }
}

static void
backbone_backward (SppnetPass *pass, const SppnetNetwork *network, gfloat *gradient)
{
  clear_merge_gradients (pass);
  for (guint i = pass->config->n_layers; i-- > 0;) {
    guint side = (pass->config->n_layers - 1 - i) % 2;
    SppnetRows in_gradient = pass->maps[i];
    gboolean merged = FALSE;

    in_gradient.data = pass->map_gradient[1 - side].data;
    layer_backward (pass, network, i, pass->map_gradient[side].data, i > 0 ? &in_gradient : NULL, gradient);
    for (guint k = i; k < pass->config->n_layers; k++)
      merged |= pass->config->layers[k].kind == SPPNET_LAYER_MERGE && pass->config->layers[k].from + 1 == i;
    if (merged)
      sppnet_kernels ()->add_into (in_gradient.data, pass->merge_gradient[i].data,
                                   (gsize) in_gradient.width * in_gradient.height * in_gradient.channels);
  }
}

static void
head_loss (SppnetPass *pass, const SppnetNetwork *network, const SppnetMap *map, const SppnetSamples *samples,
           SppnetRandom *dropout, gfloat scale, SppnetLoss *loss)
{
  sppnet_pool_regions_with_source (map, pass->config, samples->boxes, samples->n, pass->vectors[0].data,
                                   pass->source.data);
  head_forward (pass, network, samples->n, dropout);
  measure_loss (pass, network, samples, scale, loss);
}

gboolean
sppnet_pass_run_head (SppnetPass *pass, const SppnetNetwork *network, const SppnetMap *map,
                      const SppnetSamples *samples, SppnetRandom *dropout, gfloat scale, gboolean outputs_only,
                      gfloat *gradient, SppnetLoss *loss, GError **error)
{
  g_return_val_if_fail (samples->n > 0, FALSE);
  if (!reserve_vectors (pass, network, samples->n, error))
    return FALSE;
  head_loss (pass, network, map, samples, dropout, scale, loss);
  if (gradient)
    head_backward (pass, network, samples->n, outputs_only ? NOTHING_BELOW : HEAD, gradient);
  return TRUE;
}

const SppnetMap *
sppnet_pass_forward (SppnetPass *pass, const SppnetNetwork *network, const gfloat *input, gint width, gint height,
                     GError **error)
{
  if (!reserve_maps (pass, width, height, error))
    return NULL;
  backbone_forward (pass, network, input);
  pass->map = last_map (pass);
  return &pass->map;
}

gboolean
sppnet_pass_score (SppnetPass *pass, const SppnetNetwork *network, const SppnetBox *boxes, gsize n,
                   gfloat *probabilities, GError **error)
{
  gint classes = network->classifier.out;

  if (!reserve_vectors (pass, network, n, error))
    return FALSE;
  sppnet_pool_regions (&pass->map, pass->config, boxes, n, 1, pass->vectors[0].data);
  head_forward (pass, network, n, NULL);
  for (gsize i = 0; i < n; i++) {
    const gfloat *scores = (const gfloat *) pass->scores.data + i * (gsize) classes;
    gdouble sum;
    gfloat highest = scores[softmax_sum (scores, classes, &sum)];

    for (gint c = 0; c < classes; c++)
      probabilities[i * (gsize) classes + (gsize) c] = (gfloat) (exp ((gdouble) scores[c] - highest) / sum);
  }
  return TRUE;
}

static gboolean
learn_regions (SppnetPass *pass, const SppnetNetwork *network, const SppnetSamples *samples, SppnetRandom *dropout,
               gfloat scale, gfloat *gradient, SppnetLoss *loss, GError **error)
{
  gint n_bins = sppnet_config_bins (pass->config);

  if (!reserve_vectors (pass, network, samples->n, error))
    return FALSE;
  head_loss (pass, network, &pass->map, samples, dropout, scale, loss);
  if (gradient)
    sppnet_pool_regions_gradient (&pass->map, n_bins, samples->n, pass->source.data,
                                  head_backward (pass, network, samples->n, HEAD_AND_POOLED, gradient),
                                  pass->map_gradient[0].data);
  return TRUE;
}

gboolean
sppnet_pass_learn (SppnetPass *pass, const SppnetNetwork *network, const SppnetSamples *samples, SppnetRandom *dropout,
                   gfloat scale, gfloat *gradient, SppnetLoss *loss, GError **error)
{
  const SppnetMap *map = &pass->map;
  gfloat *map_gradient = pass->map_gradient[0].data;

  *loss = (SppnetLoss) { 0 };
  if (gradient)
    memset (map_gradient, 0, sizeof (gfloat) * map->width * map->height * map->channels);
  if (samples->n > 0 && !learn_regions (pass, network, samples, dropout, scale, gradient, loss, error))
    return FALSE;
  if (samples->rpn
      && !sppnet_rpn_pass_run (pass->rpn, network, map, samples->rpn, scale, gradient, gradient ? map_gradient : NULL,
                               &loss->rpn, error))
    return FALSE;
  if (gradient)
    backbone_backward (pass, network, gradient);
  return TRUE;
}

gdouble
sppnet_pass_map_square (const SppnetPass *pass)
{
  gsize n = (gsize) pass->map.width * (gsize) pass->map.height * (gsize) pass->map.channels;
  gdouble sum = 0.0;

  for (gsize i = 0; i < n; i++)
    sum += (gdouble) pass->map.data[i] * pass->map.data[i];
  return sum / (gdouble) MAX (n, 1);
}

gdouble
sppnet_pass_pooled_square (const SppnetPass *pass, const SppnetNetwork *network, gsize n)
{
  gsize count = n * (gsize) sppnet_config_pooled (&network->config);
  const gfloat *pooled = pass->vectors[0].data;
  gdouble sum = 0.0;

  for (gsize i = 0; i < count; i++)
    sum += (gdouble) pooled[i] * pooled[i];
  return sum / (gdouble) MAX (count, 1);
}
