/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include "base/random.h"
#include "model/model.h"

/* Whether a tensor is a layer's weights or biases. Names of layers may have dots. */
static inline gboolean
sppnet_tensor_is_of (const gchar *tensor, const gchar *layer)
{
  gsize n = strlen (layer);

  return strncmp (tensor, layer, n) == 0 && (g_str_equal (tensor + n, ".weight") || g_str_equal (tensor + n, ".bias"));
}

/* Parameters that the optimiser treats alike. */
typedef struct
{
  gsize offset, count;
  gboolean backbone; /* of the convolution layers */
  gboolean decay;    /* weights; biases are not decayed */
} SppnetSegment;

/* One product with a bias: weight [in][out] and bias [out] at these places of the parameters. */
typedef struct
{
  gint in, out;
  gsize weight, bias;
} SppnetDense;

/**
 * SppnetNetwork:
 *
 * A network in training: its configuration and all its parameters in one array, in the order that the engine's kernels
 * want, so that a gradient, a momentum or a checkpoint is another array of the same length.
 */
typedef struct
{
  SppnetConfig config;
  gfloat *params;
  gsize n_params;
  gsize conv_weight[SPPNET_MAX_LAYERS]; /* [ky][kx][in][out] */
  gsize conv_bias[SPPNET_MAX_LAYERS];
  SppnetDense region[SPPNET_MAX_REGION_LAYERS]; /* in: 9 * channels in the order [ky][kx][in] */
  SppnetDense
      head[SPPNET_MAX_HEAD_LAYERS]; /* in of the first: the pooled vector, then what the last region layer gives */
  SppnetDense classifier;           /* out: 1 + labels, background first */
  SppnetDense box;                  /* out: labels * 4; out is 0 without box regression on the head */
  gboolean rpn_only;                /* nothing but the following three; the other layers are fixed, and elsewhere */
  SppnetLayer rpn_layer;            /* region proposal network */
  SppnetDense rpn;                  /* its convolution, in: 9 * channels in the order [ky][kx][in] */
  SppnetDense rpn_score;            /* out: anchors */
  SppnetDense rpn_box;              /* out: anchors * 4 */
  guint n_segments;
  SppnetSegment segments[2 * (SPPNET_MAX_LAYERS + SPPNET_MAX_HEAD_LAYERS + SPPNET_MAX_REGION_LAYERS + 5)];
} SppnetNetwork;

/* config is copied and must have a softmax classifier and no, or head, box regression. Parameters: He-normal
 * convolution and fully connected weights, classifier N(0, .01), box regression N(0, .001), biases 0. */
SppnetNetwork *sppnet_network_new (const SppnetConfig *config, SppnetRandom *random, GError **error);
/* Only the region proposal network of config, for training on the maps of a fixed backbone. */
SppnetNetwork *sppnet_network_new_rpn (const SppnetConfig *config, SppnetRandom *random, GError **error);
void sppnet_network_free (SppnetNetwork *network);

/* Multiplies the weights of the first fully connected layer; of the region proposal network's convolution. */
void sppnet_network_scale_first_dense (SppnetNetwork *network, gfloat factor);
/* Initial parameters of the region proposal network, whatever was adopted. */
void sppnet_network_reset_rpn (SppnetNetwork *network, SppnetRandom *random);
void sppnet_network_scale_rpn (SppnetNetwork *network, gfloat factor);

/* Layers from first on that are new: a merge of the map before them starts as that map, a linear convolution with 0. */
void sppnet_network_pass_through (SppnetNetwork *network, guint first);

/* Whether a model has a softmax over just these labels, so that its outputs can be trained further. */
gboolean sppnet_network_same_outputs (const SppnetConfig *config, gchar **labels);

/* The configuration as JSON, without name and record, which make no difference to a run. (transfer full) */
gchar *sppnet_network_describe (const SppnetNetwork *network);

/* Takes the tensors that model has under the same name and size: convolution layers, and, where head is TRUE, head
 * layers and, when the labels are the same, classifier and box regression. Returns whether the first fully connected
 * layer was among them. */
gboolean sppnet_network_adopt (SppnetNetwork *network, SppnetModel *model, gboolean head);

/* Takes the rows of classifier and box regression of the labels that both have. Both softmax, or only the box
 * regression is taken; the same head. */
void sppnet_network_adopt_outputs (SppnetNetwork *network, SppnetModel *model);

/* Puts rows of pooled vectors, [rows][length], into the file's order. */
void sppnet_rows_to_file_order (const SppnetConfig *config, gfloat *weight, gsize rows, gsize length);

/* The parameters as tensors in file order (of config's tensors, those that the network has), for sppnet_model_save().
 * Free with g_array_unref(). (element-type SppnetTensorSource) */
GArray *sppnet_network_tensors (const SppnetNetwork *network);

/* y [n][out] = act (x [n][in] . weight + bias); slope: of the activation's negative side. */
void sppnet_dense_run (const SppnetNetwork *network, const SppnetDense *dense, const gfloat *x, gsize n, gfloat slope,
                       gfloat *y);
/* Adds to the gradients of weight and bias; dx [n][in] = dy . weight^T + accumulate * dx; may be %NULL, or x, which is
 * then used up. */
void sppnet_dense_gradient (const SppnetNetwork *network, const SppnetDense *dense, const gfloat *x, const gfloat *dy,
                            gsize n, gfloat accumulate, gfloat *dx, gfloat *gradient);
gfloat sppnet_head_slope (const SppnetHeadLayer *layer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetNetwork, sppnet_network_free)
