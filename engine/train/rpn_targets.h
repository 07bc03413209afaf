/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "base/random.h"
#include "region/anchors.h"

/* Which anchors of one picture a region proposal network learns from in one step (Ren et al. 2015, section 3.1.2), and
 * the scratch memory to choose them. { 0 } before the first use. */
typedef struct
{
  gsize n, n_positive;
  guint32 *anchor;  /* [n]; the positive ones first */
  gfloat (*box)[4]; /* [n_positive]: parameters of the object's box */

  SppnetBuffer anchor_memory, box_memory, overlaps, matches, candidates;
} SppnetRpnTargets;

/* The objects of a picture in the coordinates of the network's input. */
typedef struct
{
  gsize n, n_ignored;
  SppnetBox *boxes; /* [n + n_ignored]; anchors on the last n_ignored are not background */
} SppnetRpnObjects;

/**
 * sppnet_rpn_targets_draw:
 * @wanted: anchors in all; at most half of them are positive
 *
 * Positive: overlap (IoU) with an object of .7 or more, and for each object the few anchors that overlap it most.
 * Background: an overlap below .3 with all of them. Anchors that reach beyond the picture count like others: in the
 * pictures of VOC most of the large ones do.
 */
gboolean sppnet_rpn_targets_draw (SppnetRpnTargets *targets, const SppnetAnchorGrid *grid, const SppnetRpnConfig *rpn,
                                  const SppnetRpnObjects *objects, guint wanted, SppnetRandom *random, GError **error);
void sppnet_rpn_targets_clear (SppnetRpnTargets *targets);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetRpnTargets, sppnet_rpn_targets_clear)
