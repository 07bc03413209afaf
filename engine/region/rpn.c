/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/rpn.h"

#include <string.h>

#include "backbone/weights.h"
#include "base/logistic.h"
#include "base/threads.h"
#include "box/nms.h"
#include "box/regression.h"
#include "region/rpn_layers.h"
#include "region/select.h"

struct _SppnetRpn
{
  SppnetModel *model; /* NULL: the layers are somebody else's */
  const SppnetConfig *config;
  const SppnetRpnLayers *layers;
  SppnetRpnScratch scratch;
  SppnetBuffer keys;       /* [anchors of the frame] */
  SppnetBuffer boxes;      /* [candidates] */
  SppnetBuffer scores;     /* [candidates] */
  SppnetBuffer suppressor; /* sppnet_nms_sorted()'s */
};

static void
layers_free (gpointer data)
{
  sppnet_rpn_layers_clear (data);
  g_free (data);
}

static const gfloat *
get_tensor (const SppnetModel *model, const gchar *name, const gchar *suffix)
{
  g_autofree gchar *full = g_strconcat (name, suffix, NULL);

  return sppnet_model_get_tensor (model, full, NULL);
}

/* The two output layers side by side, as one product. */
static gboolean
pack_outputs (SppnetRpnLayers *layers, const SppnetModel *model, const SppnetRpnConfig *rpn)
{
  gsize anchors = rpn->n_anchors, filters = (gsize) rpn->filters, outputs = 5 * anchors;
  const gfloat *score = get_tensor (model, rpn->name, "_score.weight");
  const gfloat *box = get_tensor (model, rpn->name, "_box.weight");
  g_autoptr (SppnetFloats) weight = sppnet_aligned_alloc (sizeof (gfloat) * filters * outputs);
  g_autofree gfloat *bias = g_new (gfloat, outputs);

  if (!weight)
    return FALSE;
  for (gsize o = 0; o < outputs; o++)
    for (gsize f = 0; f < filters; f++)
      weight[f * outputs + o] = o < anchors ? score[o * filters + f] : box[(o - anchors) * filters + f];
  memcpy (bias, get_tensor (model, rpn->name, "_score.bias"), sizeof *bias * anchors);
  memcpy (bias + anchors, get_tensor (model, rpn->name, "_box.bias"), sizeof *bias * 4 * anchors);
  sppnet_conv_update (&layers->output, weight, bias);
  return TRUE;
}

static gpointer
layers_pack (SppnetModel *model, guint part, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  SppnetRpnLayers *layers = g_new0 (SppnetRpnLayers, 1);

  if (!sppnet_rpn_layers_init (layers, config, precision) || !pack_outputs (layers, model, &config->rpn))
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the region proposal network",
                 sppnet_model_get_path (model));
  else if (sppnet_weights_load (&layers->hidden, model, error))
    return layers;
  layers_free (layers);
  return NULL;
}

SppnetRpn *
sppnet_rpn_new_for_layers (const SppnetConfig *config, const SppnetRpnLayers *layers)
{
  SppnetRpn *rpn = g_new0 (SppnetRpn, 1);

  rpn->config = config;
  rpn->layers = layers;
  return rpn;
}

SppnetRpn *
sppnet_rpn_new (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetRpnLayers *layers;
  SppnetRpn *rpn;

  if (config->rpn.n_anchors == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: the model has no region proposal network; another method of proposals is needed",
                 sppnet_model_get_path (model));
    return NULL;
  }
  layers = sppnet_model_share (model, "rpn", 0, precision, layers_pack, layers_free, error);
  if (!layers)
    return NULL;
  rpn = sppnet_rpn_new_for_layers (config, layers);
  rpn->model = sppnet_model_ref (model);
  return rpn;
}

void
sppnet_rpn_free (SppnetRpn *rpn)
{
  if (!rpn)
    return;
  sppnet_rpn_scratch_clear (&rpn->scratch);
  sppnet_buffer_clear (&rpn->keys);
  sppnet_buffer_clear (&rpn->boxes);
  sppnet_buffer_clear (&rpn->scores);
  sppnet_buffer_clear (&rpn->suppressor);
  g_clear_pointer (&rpn->model, sppnet_model_unref);
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

/* Boxes and scores of the best anchors, best first, clipped; those that are small or of less than the score are left
 * out. Returns how many. */
static gsize
decode (const SppnetRpn *rpn, const SppnetAnchorGrid *grid, const gfloat *outputs, const guint64 *keys, gsize n,
        gint width, gint height, gfloat min_score, guint threads, SppnetBox *boxes, gfloat *scores)
{
  const SppnetRpnConfig *config = &rpn->config->rpn;
  gfloat smallest = MIN (config->min_size, (gfloat) MIN (width, height));
  gsize anchors = config->n_anchors, found = 0;

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize i = 0; i < n; i++) {
    gsize number = sppnet_select_index (keys[i]);
    const gfloat *cell = outputs + number / anchors * 5 * anchors;
    SppnetBox box = sppnet_anchor_box (grid, config, number);

    box = sppnet_box_decode (&box, cell + anchors + 4 * (number % anchors));
    boxes[i] = sppnet_box_clip (&box, width, height);
    scores[i] = sppnet_logistic (cell[number % anchors]);
  }
  for (gsize i = 0; i < n; i++) {
    if (!(boxes[i].width >= smallest && boxes[i].height >= smallest) || (min_score > 0.0f && !(scores[i] >= min_score)))
      continue;
    boxes[found] = boxes[i];
    scores[found++] = scores[i];
  }
  return found;
}

/* Of the anchors that may have the score: what is clearly below it, by more than the rounding of scores, is left out.
 * Returns how many. */
static gsize
collect_keys (const gfloat *outputs, gsize cells, gsize anchors, gfloat min_score, guint64 *keys)
{
  gboolean sure = min_score > 1e-3f && min_score < 0.999f;
  gfloat least = sure ? sppnet_log_odds (min_score) - 0.001f : -INFINITY;
  gsize n = 0;

  for (gsize cell = 0; cell < cells; cell++, outputs += 5 * anchors)
    for (gsize a = 0; a < anchors; a++)
      if (!sure || outputs[a] >= least)
        keys[n++] = sppnet_select_key (outputs[a], (guint32) (cell * anchors + a));
  return n;
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
sppnet_rpn_run (SppnetRpn *rpn, const SppnetMap *map, gint width, gint height, guint max_boxes, gfloat min_score,
                guint threads, const SppnetBox **boxes, const gfloat **scores, gsize *n_boxes, GError **error)
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

  g_return_val_if_fail (map->channels == rpn->layers->hidden.channels, FALSE);
  if (!columns)
    return FALSE;
  sppnet_blas_begin ();
  outputs = sppnet_rpn_layers_run (rpn->layers, map, &grid, MAX (threads, 1), &rpn->scratch, error);
  sppnet_blas_end ();
  if (!outputs)
    return FALSE;
  anchors = collect_keys (outputs, (gsize) grid.width * (gsize) grid.height, config->n_anchors, min_score, keys);
  n = MIN (n, anchors);
  sppnet_select_best (keys, anchors, n);
  n = decode (rpn, &grid, outputs, keys, n, width, height, min_score, MAX (threads, 1), box_data, score_data);
  *n_boxes = sppnet_nms_sorted (box_data, score_data, n, config->nms_threshold, max_boxes, columns);
  *boxes = box_data;
  if (scores)
    *scores = score_data;
  return TRUE;
}
