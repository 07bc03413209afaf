/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/regions.h"

/* One SVM per label with hard negatives, as the paper trains them (reference: LIBLINEAR L2-regularised L1-loss). 0:
 * default. */
typedef struct
{
  gdouble c;               /* 1e-3 */
  gboolean logistic;       /* logistic regression instead of an SVM */
  gdouble positive_weight; /* 2 */
  gdouble bias;            /* 10 */
  gdouble norm;            /* features are scaled to this mean norm: 20 */
  gdouble negative_iou;    /* negatives overlap no object of the label by this or more: .3 */
  guint retrain_after;     /* new hard negatives: 2000 */
  guint passes;            /* over the pictures: 1 */
  guint32 seed;
} SppnetSvmSettings;

/* weight: [n_labels][length], bias: [n_labels]; applied to unscaled features (the scale and the bias term are folded
 * in). A label without any object gets zero weights and bias -10, so that it never fires. (transfer full):
 * sppnet_aligned_free() */
gboolean sppnet_svm_train (const SppnetRegionSource *source, const SppnetSvmSettings *settings, SppnetProgress progress,
                           gpointer user_data, gfloat **weight, gfloat **bias, GError **error);
