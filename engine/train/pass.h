/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "base/memory.h"
#include "train/network.h"
#include "train/packs.h"
#include "train/rpn_pass.h"

/* Regions of one picture with what they should be. */
typedef struct
{
  gsize n;
  SppnetBox *boxes;            /* [n], pixels of the network's input */
  gint *target;                /* [n], 0: background, else 1 + label */
  gfloat (*box_target)[4];     /* [n], whitened as the configuration says; read where target > 0 */
  gfloat *weight;              /* [n], 0 .. 1: how much each counts */
  gint *nearest;               /* (nullable): [n], as target, of the object that is overlapped most, however little */
  gfloat *certainty;           /* [n], with nearest: the classifier learns it by so much, the rest being background */
  const gfloat *taught;        /* (nullable): [n][1 + labels], probabilities that other models give */
  gfloat taught_part;          /* of what the classifier learns; the rest is target */
  const SppnetRpnTargets *rpn; /* (nullable): anchors that the region proposal network learns from */
} SppnetSamples;

typedef struct
{
  gdouble classification; /* mean cross-entropy over the regions */
  gdouble box;            /* smooth L1, summed over coordinates, per region (Fast R-CNN, equation 2) */
  guint correct;          /* regions whose highest score is the target's */
  SppnetRpnLoss rpn;
} SppnetLoss;

/* Scratch memory for one picture at a time. */
typedef struct _SppnetPass SppnetPass;

/* packs: (nullable): of network, up to date in each run; they must outlive the pass */
SppnetPass *sppnet_pass_new (const SppnetNetwork *network, const SppnetPacks *packs);
void sppnet_pass_free (SppnetPass *pass);

/* The backbone over input [height][width][3]. Returns the map, valid until the next run, or NULL when a layer has no
 * output for this size. Single threaded: training runs one picture per thread. */
const SppnetMap *sppnet_pass_forward (SppnetPass *pass, const SppnetNetwork *network, const gfloat *input, gint width,
                                      gint height, GError **error);

/**
 * sppnet_pass_learn:
 * @samples: may have no regions, or no anchors
 * @dropout: (nullable): random source of dropout; %NULL: none is dropped
 * @scale: factor on the gradient
 * @gradient: (nullable): [n_params], added to
 *
 * The loss of the regions and anchors on the map of sppnet_pass_forward(), and its gradient with respect to all
 * parameters: through head, pooling and backbone.
 */
gboolean sppnet_pass_learn (SppnetPass *pass, const SppnetNetwork *network, const SppnetSamples *samples,
                            SppnetRandom *dropout, gfloat scale, gfloat *gradient, SppnetLoss *loss, GError **error);

/* The same on a feature map that is there already; the backbone's part of the gradient stays as it is. outputs_only:
 * that of the head's layers, too; classifier and box regression alone have one. */
gboolean sppnet_pass_run_head (SppnetPass *pass, const SppnetNetwork *network, const SppnetMap *map,
                               const SppnetSamples *samples, SppnetRandom *dropout, gfloat scale, gboolean outputs_only,
                               gfloat *gradient, SppnetLoss *loss, GError **error);

/* Probabilities [n][1 + labels], background first, of regions on the map of sppnet_pass_forward(); nothing is
 * dropped. */
gboolean sppnet_pass_score (SppnetPass *pass, const SppnetNetwork *network, const SppnetBox *boxes, gsize n,
                            gfloat *probabilities, GError **error);

/* Mean square of the first n pooled vectors of the last run. */
gdouble sppnet_pass_pooled_square (const SppnetPass *pass, const SppnetNetwork *network, gsize n);

/* Mean square of the map of the last run. */
gdouble sppnet_pass_map_square (const SppnetPass *pass);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetPass, sppnet_pass_free)
