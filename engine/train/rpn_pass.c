/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/rpn_pass.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "backbone/layers.h"
#include "kernel/kernel.h"

/* Where smooth L1 turns from a square into a line: 1 / sigma^2 of the authors' release. */
#define BEND (1.0f / 9.0f)

struct _SppnetRpnPass
{
  SppnetBuffer columns; /* [n][9 * channels], then their gradient */
  SppnetBuffer hidden;  /* [n][filters] */
  SppnetBuffer scores;  /* [n][anchors], then their gradient */
  SppnetBuffer boxes;   /* [n][anchors][4], then their gradient */
  SppnetBuffer change;  /* [n][filters]: gradient of hidden */
};

SppnetRpnPass *
sppnet_rpn_pass_new (void)
{
  return g_new0 (SppnetRpnPass, 1);
}

void
sppnet_rpn_pass_free (SppnetRpnPass *pass)
{
  if (!pass)
    return;
  sppnet_buffer_clear (&pass->columns);
  sppnet_buffer_clear (&pass->hidden);
  sppnet_buffer_clear (&pass->scores);
  sppnet_buffer_clear (&pass->boxes);
  sppnet_buffer_clear (&pass->change);
  g_free (pass);
}

static gboolean
reserve (SppnetRpnPass *pass, const SppnetNetwork *network, gsize n, GError **error)
{
  gsize filters = (gsize) network->rpn.out, anchors = (gsize) network->rpn_score.out;

  return sppnet_buffer_reserve (&pass->columns, n * (gsize) network->rpn.in, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->hidden, n * filters, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->change, n * filters, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->scores, n * anchors, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->boxes, n * anchors * 4, sizeof (gfloat), error);
}

/* Scores become their gradient: zero but for the anchor drawn. */
static void
objectness_loss (const SppnetRpnTargets *targets, gfloat *scores, gsize anchors, gfloat share, SppnetRpnLoss *loss)
{
  for (gsize i = 0; i < targets->n; i++, scores += anchors) {
    gsize a = targets->anchor[i] % anchors;
    gdouble target = i < targets->n_positive, x = scores[a];

    loss->objectness += MAX (x, 0.0) - x * target + log1p (exp (-fabs (x)));
    loss->correct += (x > 0.0) == (i < targets->n_positive);
    memset (scores, 0, sizeof *scores * anchors);
    scores[a] = (gfloat) (1.0 / (1.0 + exp (-x)) - target) * share;
  }
}

/* Boxes become their gradient. */
static void
box_loss (const SppnetRpnTargets *targets, gfloat *boxes, gsize anchors, gfloat share, SppnetRpnLoss *loss)
{
  for (gsize i = 0; i < targets->n; i++, boxes += 4 * anchors) {
    gsize a = targets->anchor[i] % anchors;
    gfloat gradient[4] = { 0 };

    for (gint c = 0; c < 4 && i < targets->n_positive; c++) {
      gfloat difference = boxes[4 * a + (gsize) c] - targets->box[i][c], size = fabsf (difference);

      loss->box += size < BEND ? 0.5 * difference * difference / BEND : size - 0.5 * BEND;
      gradient[c] = CLAMP (difference / BEND, -1.0f, 1.0f) * share;
    }
    memset (boxes, 0, sizeof *boxes * 4 * anchors);
    memcpy (boxes + 4 * a, gradient, sizeof gradient);
  }
}

static void
backward (SppnetRpnPass *pass, const SppnetNetwork *network, const SppnetLayer *layer, const SppnetRows *in,
          const SppnetAnchorGrid *grid, const SppnetRpnTargets *targets, gfloat *gradient, gfloat *map_gradient)
{
  gfloat *change = pass->change.data, *hidden = pass->hidden.data, *columns = pass->columns.data;
  gfloat slope = sppnet_layer_slope (layer);
  SppnetRows out = *in;

  sppnet_dense_gradient (network, &network->rpn_score, hidden, pass->scores.data, targets->n, 0.0f, change, gradient);
  sppnet_dense_gradient (network, &network->rpn_box, hidden, pass->boxes.data, targets->n, 1.0f, change, gradient);
  for (gsize i = 0; i < targets->n * (gsize) layer->filters; i++)
    change[i] *= hidden[i] > 0.0f ? 1.0f : slope;
  sppnet_dense_gradient (network, &network->rpn, columns, change, targets->n, 0.0f, map_gradient ? columns : NULL,
                         gradient);
  if (!map_gradient)
    return;
  out.data = map_gradient;
  for (gsize i = 0; i < targets->n; i++)
    sppnet_col2im (layer, columns + i * (gsize) network->rpn.in, grid->width,
                   targets->anchor[i] / network->config.rpn.n_anchors, 1, &out);
}

gboolean
sppnet_rpn_pass_run (SppnetRpnPass *pass, const SppnetNetwork *network, const SppnetMap *map,
                     const SppnetRpnTargets *targets, gfloat scale, gfloat *gradient, gfloat *map_gradient,
                     SppnetRpnLoss *loss, GError **error)
{
  SppnetLayer layer = sppnet_config_rpn_layer (&network->config);
  SppnetAnchorGrid grid = sppnet_anchor_grid (&network->config, map);
  SppnetRows in = { (gfloat *) map->data, 0, map->height, map->width, map->height, map->channels };
  gsize n = targets->n, anchors = network->config.rpn.n_anchors;
  gfloat share = scale / (gfloat) MAX (n, 1);

  *loss = (SppnetRpnLoss) { 0 };
  if (n == 0)
    return TRUE;
  if (!reserve (pass, network, n, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    sppnet_im2col (&layer, &in, grid.width, targets->anchor[i] / anchors, 1,
                   (gfloat *) pass->columns.data + i * (gsize) network->rpn.in);
  sppnet_dense_run (network, &network->rpn, pass->columns.data, n, sppnet_layer_slope (&layer), pass->hidden.data);
  sppnet_dense_run (network, &network->rpn_score, pass->hidden.data, n, 1.0f, pass->scores.data);
  sppnet_dense_run (network, &network->rpn_box, pass->hidden.data, n, 1.0f, pass->boxes.data);
  objectness_loss (targets, pass->scores.data, anchors, share, loss);
  box_loss (targets, pass->boxes.data, anchors, share, loss);
  loss->objectness /= (gdouble) n;
  loss->box /= (gdouble) n;
  if (gradient)
    backward (pass, network, &layer, &in, &grid, targets, gradient, map_gradient);
  return TRUE;
}
