/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/frame.h>

#include "backbone/map.h"
#include "model/model.h"

/* The convolution layers of a model and the scratch memory to run them for one stream. The packed weights are shared by
 * all backbones of one model (sppnet_model_share()). */
typedef struct _SppnetBackbone SppnetBackbone;

SppnetBackbone *sppnet_backbone_new (SppnetModel *model, SppnetPrecision precision, GError **error);
void sppnet_backbone_free (SppnetBackbone *backbone);

/**
 * sppnet_backbone_run:
 * @frame: any size from 1x1 to 8192x8192; checked
 * @threads: OpenMP budget
 * @map: (out): the last layer's output; its data is valid until the next run
 * @frame_ms: (out) (optional): the part of the time that went into reading pixels
 *
 * One pass over the frame, in bands of rows so that memory grows with the width only (apart from @map). UNSUPPORTED for
 * a frame on which a layer has no output.
 */
gboolean sppnet_backbone_run (SppnetBackbone *backbone, const SppnetFrame *frame, guint threads, SppnetMap *map,
                              gdouble *frame_ms, GError **error);

/* Frame rows of a band; 0: as many as the cache is made for. The map has the same bits with any number, but at the
 * level plain: for tests. */
void sppnet_backbone_set_band (SppnetBackbone *backbone, gint rows);

/* Geometry of the last layer's cells, and the size of the map that a frame gives (0 where a layer has no output). */
SppnetGeometry sppnet_config_geometry (const SppnetConfig *config);
void sppnet_config_map_size (const SppnetConfig *config, gint width, gint height, gint *map_width, gint *map_height);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetBackbone, sppnet_backbone_free)
