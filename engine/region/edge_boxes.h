/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/ranking.h"

/* Edge Boxes (Zitnick and Dollar, ECCV 2014). Scratch memory. */
typedef struct _SppnetEdgeBoxes SppnetEdgeBoxes;

SppnetEdgeBoxes *sppnet_edge_boxes_new (void);
void sppnet_edge_boxes_free (SppnetEdgeBoxes *boxes);

/* rgb: [height][width][3]; fills ranking, best first, without finishing it. */
gboolean sppnet_edge_boxes_run (SppnetEdgeBoxes *boxes, const guint8 *rgb, gint width, gint height, guint max_boxes,
                                guint threads, SppnetRanking *ranking, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetEdgeBoxes, sppnet_edge_boxes_free)
