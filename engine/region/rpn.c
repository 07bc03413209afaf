/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/rpn.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "backbone/layers.h"
#include "base/threads.h"
#include "box/nms.h"
#include "box/regression.h"
#include "kernel/kernel.h"
#include "region/anchors.h"
#include "region/select.h"

/* Cells that are computed together: enough rows for the matrix product, and enough strips for the threads to share. */
#define STRIP 96

/* Packed weights, shared by all networks of one model. */
typedef struct
{
  gint channels, outputs; /* of the map; 5 per anchor: the scores of all, then the four parameters of each */
  SppnetLayer layer;
  gfloat *weight;     /* [ky][kx][channels][filters] */
  const gfloat *bias; /* [filters], the model's own */
  gfloat *out_weight; /* [filters][outputs] */
  gfloat *out_bias;   /* [outputs] */
  gsize strip_floats; /* of scratch memory per thread */
} Weights;

struct _SppnetRpn
{
  SppnetModel *model;
  const SppnetConfig *config;
  const Weights *weights;
  SppnetBuffer scratch;    /* [threads][strip_floats] */
  SppnetBuffer outputs;    /* [cells][outputs] */
  SppnetBuffer keys;       /* [anchors of the frame] */
  SppnetBuffer boxes;      /* [candidates] */
  SppnetBuffer scores;     /* [candidates] */
  SppnetBuffer suppressor; /* sppnet_nms_sorted()'s */
};

static void
weights_free (gpointer data)
{
  Weights *weights = data;

  sppnet_aligned_free (weights->weight);
  sppnet_aligned_free (weights->out_weight);
  sppnet_aligned_free (weights->out_bias);
  g_free (weights);
}

static const gfloat *
get_tensor (const SppnetModel *model, const gchar *name, const gchar *suffix)
{
  g_autofree gchar *full = g_strconcat (name, suffix, NULL);

  return sppnet_model_get_tensor (model, full, NULL);
}

/* The two output layers side by side, as one product. */
static void
pack_outputs (Weights *weights, const SppnetModel *model, const SppnetRpnConfig *rpn)
{
  gsize anchors = rpn->n_anchors, filters = (gsize) rpn->filters;
  const gfloat *score = get_tensor (model, rpn->name, "_score.weight");
  const gfloat *box = get_tensor (model, rpn->name, "_box.weight");

  for (gsize o = 0; o < 5 * anchors; o++)
    for (gsize f = 0; f < filters; f++)
      weights->out_weight[f * 5 * anchors + o]
          = o < anchors ? score[o * filters + f] : box[(o - anchors) * filters + f];
  memcpy (weights->out_bias, get_tensor (model, rpn->name, "_score.bias"), sizeof (gfloat) * anchors);
  memcpy (weights->out_bias + anchors, get_tensor (model, rpn->name, "_box.bias"), sizeof (gfloat) * 4 * anchors);
}

static gpointer
weights_pack (SppnetModel *model, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  Weights *weights = g_new0 (Weights, 1);
  gsize depth, filters = (gsize) config->rpn.filters;

  weights->channels = sppnet_config_channels (config);
  weights->outputs = 5 * (gint) config->rpn.n_anchors;
  weights->layer = sppnet_config_rpn_layer (config);
  depth = 9 * (gsize) weights->channels;
  weights->strip_floats = STRIP * (depth + filters);
  weights->weight = sppnet_aligned_alloc (sizeof (gfloat) * depth * filters);
  weights->out_weight = sppnet_aligned_alloc (sizeof (gfloat) * filters * (gsize) weights->outputs);
  weights->out_bias = sppnet_aligned_alloc (sizeof (gfloat) * (gsize) weights->outputs);
  if (!weights->weight || !weights->out_weight || !weights->out_bias) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the region proposal network",
                 sppnet_model_get_path (model));
    weights_free (weights);
    return NULL;
  }
  sppnet_conv_pack (&weights->layer, weights->channels, get_tensor (model, config->rpn.name, ".weight"),
                    weights->weight);
  weights->bias = get_tensor (model, config->rpn.name, ".bias");
  pack_outputs (weights, model, &config->rpn);
  return weights;
}

SppnetRpn *
sppnet_rpn_new (SppnetModel *model, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const Weights *weights;
  SppnetRpn *rpn;

  if (config->rpn.n_anchors == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: the model has no region proposal network; another method of proposals is needed",
                 sppnet_model_get_path (model));
    return NULL;
  }
  weights = sppnet_model_share (model, "rpn", weights_pack, weights_free, error);
  if (!weights)
    return NULL;
  rpn = g_new0 (SppnetRpn, 1);
  rpn->model = sppnet_model_ref (model);
  rpn->config = config;
  rpn->weights = weights;
  return rpn;
}

void
sppnet_rpn_free (SppnetRpn *rpn)
{
  if (!rpn)
    return;
  sppnet_buffer_clear (&rpn->scratch);
  sppnet_buffer_clear (&rpn->outputs);
  sppnet_buffer_clear (&rpn->keys);
  sppnet_buffer_clear (&rpn->boxes);
  sppnet_buffer_clear (&rpn->scores);
  sppnet_buffer_clear (&rpn->suppressor);
  sppnet_model_unref (rpn->model);
  g_free (rpn);
}

SppnetAnchorGrid
sppnet_anchor_grid (const SppnetConfig *config, const SppnetMap *map)
{
  SppnetLayer layer = sppnet_config_rpn_layer (config);

  /* A 3x3 kernel padded by 1 has its centre at the cell itself. */
  return (SppnetAnchorGrid) { sppnet_layer_output_width (&layer, map->width),
                              sppnet_layer_output_height (&layer, map->height), map->geometry.offset_x + 0.5f,
                              map->geometry.offset_y + 0.5f, (gfloat) (map->geometry.stride * layer.stride) };
}

/* One strip through both layers. The strips are the same for any number of threads. */
static void
run_strip (const Weights *weights, const SppnetRows *in, gint grid_width, gsize first, gint n, gfloat *scratch,
           gfloat *out)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint depth = 9 * weights->channels, filters = weights->layer.filters, outputs = weights->outputs;
  gfloat slope = sppnet_layer_slope (&weights->layer);
  gfloat *col = scratch, *y = scratch + (gsize) STRIP * depth;

  sppnet_im2col (&weights->layer, in, grid_width, first, n, col);
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, n, filters, depth, 1.0f, col, depth, weights->weight, filters,
               0.0f, y, filters);
  kernels->bias_activate (y, weights->bias, slope, (gsize) n, (gsize) filters);
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, n, outputs, filters, 1.0f, y, filters, weights->out_weight,
               outputs, 0.0f, out, outputs);
  kernels->bias_activate (out, weights->out_bias, 1.0f, (gsize) n, (gsize) outputs);
}

/* Returns the outputs of all cells. */
static const gfloat *
run_layers (SppnetRpn *rpn, const SppnetMap *map, const SppnetAnchorGrid *grid, guint threads, GError **error)
{
  const Weights *weights = rpn->weights;
  SppnetRows in = { (gfloat *) map->data, 0, map->height, map->width, map->height, map->channels };
  gsize cells = (gsize) grid->width * (gsize) grid->height;
  gssize n_strips = (gssize) ((cells + STRIP - 1) / STRIP);
  gfloat *scratch = sppnet_buffer_reserve (&rpn->scratch, threads, sizeof (gfloat) * weights->strip_floats, error);
  gfloat *out = scratch
                    ? sppnet_buffer_reserve (&rpn->outputs, cells, sizeof (gfloat) * (gsize) weights->outputs, error)
                    : NULL;

  if (!out)
    return NULL;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gssize s = 0; s < n_strips; s++) {
    gsize first = (gsize) s * STRIP;

    run_strip (weights, &in, grid->width, first, (gint) MIN (STRIP, cells - first),
               scratch + sppnet_thread_index () * weights->strip_floats, out + first * (gsize) weights->outputs);
  }
  return out;
}

/* Boxes and scores of the best anchors, best first, clipped; small ones are left out. Returns how many. */
static gsize
decode (const SppnetRpn *rpn, const SppnetAnchorGrid *grid, const gfloat *outputs, const guint64 *keys, gsize n,
        gint width, gint height, SppnetBox *boxes, gfloat *scores)
{
  const SppnetRpnConfig *config = &rpn->config->rpn;
  gfloat smallest = MIN (config->min_size, (gfloat) MIN (width, height));
  gsize anchors = config->n_anchors, found = 0;

  for (gsize i = 0; i < n; i++) {
    gsize number = sppnet_select_index (keys[i]);
    const gfloat *cell = outputs + number / anchors * 5 * anchors;
    SppnetBox box = sppnet_anchor_box (grid, config, number);

    box = sppnet_box_decode (&box, cell + anchors + 4 * (number % anchors));
    box = sppnet_box_clip (&box, width, height);
    if (!(box.width >= smallest && box.height >= smallest))
      continue;
    boxes[found] = box;
    scores[found++] = 1.0f / (1.0f + expf (-cell[number % anchors]));
  }
  return found;
}

/* As many candidates for each box as the model asks for. */
static gsize
count_candidates (const SppnetRpnConfig *config, guint max_boxes, gsize anchors)
{
  guint64 wanted = config->candidates;

  if (max_boxes > config->boxes)
    wanted = wanted * max_boxes / config->boxes;
  return (gsize) MIN (wanted, anchors);
}

gboolean
sppnet_rpn_run (SppnetRpn *rpn, const SppnetMap *map, gint width, gint height, guint max_boxes, guint threads,
                const SppnetBox **boxes, const gfloat **scores, gsize *n_boxes, GError **error)
{
  const SppnetRpnConfig *config = &rpn->config->rpn;
  SppnetAnchorGrid grid = sppnet_anchor_grid (rpn->config, map);
  gsize anchors = (gsize) grid.width * (gsize) grid.height * config->n_anchors;
  gsize n = count_candidates (config, max_boxes, anchors);
  SppnetBox *box_data = sppnet_buffer_reserve (&rpn->boxes, n + 1, sizeof *box_data, error);
  gfloat *score_data = box_data ? sppnet_buffer_reserve (&rpn->scores, n + 1, sizeof *score_data, error) : NULL;
  guint64 *keys = score_data ? sppnet_buffer_reserve (&rpn->keys, anchors + 1, sizeof *keys, error) : NULL;
  gfloat *columns
      = keys ? sppnet_buffer_reserve (&rpn->suppressor, SPPNET_NMS_COLUMNS, sizeof (gfloat) * (n + 1), error) : NULL;
  const gfloat *outputs;

  g_return_val_if_fail (map->channels == rpn->weights->channels, FALSE);
  if (!columns)
    return FALSE;
  sppnet_blas_begin ();
  outputs = run_layers (rpn, map, &grid, MAX (threads, 1), error);
  sppnet_blas_end ();
  if (!outputs)
    return FALSE;
  for (gsize i = 0; i < anchors; i++)
    keys[i] = sppnet_select_key (outputs[i / config->n_anchors * 5 * config->n_anchors + i % config->n_anchors],
                                 (guint32) i);
  sppnet_select_best (keys, anchors, n);
  n = decode (rpn, &grid, outputs, keys, n, width, height, box_data, score_data);
  *n_boxes = sppnet_nms_sorted (box_data, score_data, n, config->nms_threshold, max_boxes, columns);
  *boxes = box_data;
  if (scores)
    *scores = score_data;
  return TRUE;
}
