/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "frame/picture.h"

/* Scores the same regions in two ways, once each, on the same engine and threads:
 * SPPNet: the convolution layers once over the picture, each region pooled from the map, all vectors through the head;
 * R-CNN (Girshick et al. 2014): each region warped to 227x227 pixels and taken through the convolution layers on its
 * own. The head has the same batches in both. Of the timings, frame_ms, backbone_ms, pooling_ms, head_ms and total_ms
 * are filled in; R-CNN's frame_ms includes the warping. */
typedef struct _SppnetRcnn SppnetRcnn;

/* regions: [n], borrowed like the picture */
SppnetRcnn *sppnet_rcnn_new (SppnetModel *model, const SppnetPicture *picture, const SppnetBox *regions, gsize n,
                             guint threads, SppnetPrecision precision, GError **error);
void sppnet_rcnn_free (SppnetRcnn *rcnn);
gboolean sppnet_rcnn_run_sppnet (SppnetRcnn *rcnn, SppnetTimings *timings, GError **error);
gboolean sppnet_rcnn_run_rcnn (SppnetRcnn *rcnn, SppnetTimings *timings, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetRcnn, sppnet_rcnn_free)
