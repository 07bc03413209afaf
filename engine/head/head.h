/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "model/model.h"

/* Fully connected layers, classifier and box regression of a model: weights packed once per model
 * (sppnet_model_share()), scratch per stream. */
typedef struct _SppnetHead SppnetHead;

SppnetHead *sppnet_head_new (SppnetModel *model, GError **error);
void sppnet_head_free (SppnetHead *head);

/**
 * sppnet_head_run:
 * @pooled: [n][bins][channels] as sppnet_pool_regions() makes them
 * @confidence: (out): [n][labels], 0..1, valid until the next run: softmax probability or SVM score, calibrated as the
 *   configuration says
 * @deltas: (out): [n][labels][4] box parameters, scaled back; NULL without box regression
 */
gboolean sppnet_head_run (SppnetHead *head, const gfloat *pooled, gsize n, guint threads, const gfloat **confidence,
                          const gfloat **deltas, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetHead, sppnet_head_free)
