/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "backbone/map.h"
#include "model/model.h"
#include "region/rpn_layers.h"

/* The region proposal network of a model (Ren et al. 2015) and the scratch memory to run it for one stream. The packed
 * weights are shared by all of one model. */
typedef struct _SppnetRpn SppnetRpn;

/* SETTINGS when the model has none. */
SppnetRpn *sppnet_rpn_new (SppnetModel *model, SppnetPrecision precision, GError **error);
/* For layers in training; both must outlive it. */
SppnetRpn *sppnet_rpn_new_for_layers (const SppnetConfig *config, const SppnetRpnLayers *layers);
void sppnet_rpn_free (SppnetRpn *rpn);

/**
 * sppnet_rpn_run:
 * @map: the model's last feature map of a frame
 * @width: of the frame, pixels
 * @height: of the frame, pixels
 * @max_boxes: at most so many; where it is more than the model's own number, more candidates are looked at
 * @min_score: boxes of less objectness are left out; 0: none is
 * @threads: OpenMP budget
 * @boxes: (out) (transfer none): best first, inside the frame, valid until the next run
 * @scores: (out) (optional) (transfer none): objectness of each, 0..1
 *
 * The result does not depend on the number of threads.
 */
gboolean sppnet_rpn_run (SppnetRpn *rpn, const SppnetMap *map, gint width, gint height, guint max_boxes,
                         gfloat min_score, guint threads, const SppnetBox **boxes, const gfloat **scores,
                         gsize *n_boxes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetRpn, sppnet_rpn_free)
