/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/regions.h"

/* Box regression by ridge, one per label. 0: default. */
typedef struct
{
  gdouble lambda;  /* 1000 */
  gdouble min_iou; /* proposals that overlap an object by at least this: .5 */
  gdouble memory;  /* bytes for the sums of one pass over the pictures, 8 * length^2 per label; less than all need makes
                      more  passes: 2 GiB */
} SppnetRidgeSettings;

/* Targets are whitened per coordinate over all labels: raw = weight . x + bias, t = raw * scale + mean (SppnetConfig's
 * box_mean and box_scale). weight: [n_labels][4][length], bias: [n_labels][4]; zero for a label with fewer than 10
 * pairs, which leaves boxes almost as they are. (transfer full): sppnet_aligned_free() */
gboolean sppnet_ridge_train (const SppnetRegionSource *source, const SppnetRidgeSettings *settings,
                             SppnetProgress progress, gpointer user_data, gfloat **weight, gfloat **bias,
                             gfloat mean[4], gfloat scale[4], GError **error);
