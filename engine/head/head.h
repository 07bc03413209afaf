/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "model/model.h"
#include "pooling/pooled.h"

/* Fully connected layers, classifier and box regression of a model: weights packed once per model
 * (sppnet_model_share()), scratch per stream. */
typedef struct _SppnetHead SppnetHead;

/* One class of one region: row of the pooled vectors, index of the label. */
typedef struct
{
  guint32 region, label;
} SppnetRegionLabel;

SppnetHead *sppnet_head_new (SppnetModel *model, SppnetPrecision precision, GError **error);
/* FALSE, with SETTINGS, for a model without labels, which has no head. */
gboolean sppnet_head_check (SppnetModel *model, GError **error);
void sppnet_head_free (SppnetHead *head);

/* Memory for runs of at most n regions, which run() asks for itself where there is less. */
gboolean sppnet_head_reserve (SppnetHead *head, gsize n, guint threads, GError **error);
/* Bytes of it that each region takes. */
gsize sppnet_head_region_bytes (const SppnetHead *head);

/**
 * sppnet_head_run:
 * @pooled: n regions
 * @confidence: (out): [n][labels], 0..1, valid until the next run: softmax probability or SVM score, calibrated as the
 *   configuration says; 0 where a score is not finite
 *
 * The numbers do not depend on @threads.
 */
gboolean sppnet_head_run (SppnetHead *head, const SppnetPooled *pooled, guint threads, const gfloat **confidence,
                          GError **error);

/**
 * sppnet_head_regress:
 * @pooled: those of the last sppnet_head_run()
 * @pairs: [n_pairs] regions of the last run with the class to regress them for
 * @deltas: (out): [n_pairs][4] box parameters, scaled back, valid until the next call; NULL without box regression
 *
 * Box regression for the few pairs that passed their threshold: all of them would cost labels x 4 products per region.
 */
gboolean sppnet_head_regress (SppnetHead *head, const SppnetPooled *pooled, const SppnetRegionLabel *pairs,
                              gsize n_pairs, guint threads, const gfloat **deltas, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetHead, sppnet_head_free)
