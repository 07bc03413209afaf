/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/dataset.h"
#include "train/optimizer.h"
#include "train/variants.h"

/* A stage that trains a region proposal network on the feature maps of a backbone that stays as it is. */
typedef struct
{
  guint32 seed;
  guint threads;
  gdouble epochs;                    /* passes over the pictures; < 0: 12, and at least 600 steps */
  guint pictures;                    /* per step; each is computed by one thread */
  guint warm_up;                     /* steps, at most a quarter of all, see schedule.h */
  guint samples;                     /* anchors of each picture */
  guint variants;                    /* sizes and mirror images of each picture, at most SPPNET_VARIANTS */
  guint n_anchors;                   /* sizes and shapes */
  guint filters;                     /* of the convolution */
  guint stride;                      /* of the convolution, 1 or 2; 0: so that cells are at most 16 pixels apart */
  SppnetOptimizerSettings optimizer; /* its learning_rate */
  guint checkpoint_seconds;
} SppnetRpnSettings;

void sppnet_rpn_defaults (SppnetRpnSettings *settings);
/* The passes over so many pictures that the settings mean. */
gdouble sppnet_rpn_epochs (const SppnetRpnSettings *settings, guint pictures);

/* Gives a configuration a new network, with anchors fitted to the data set's objects as they are in pictures resized by
 * each of the scales, and recommends its proposals. */
void sppnet_rpn_configure (SppnetConfig *config, const SppnetDataset *dataset, const SppnetRpnSettings *settings,
                           const gdouble *scales, guint n_scales);

/**
 * sppnet_rpn_train:
 * @network: from sppnet_network_new_rpn()
 * @model: whose convolution layers make the maps; they are kept in @work, as the checkpoint is
 *
 * The same seed, data and settings give the same parameters, bit by bit, for any number of threads and however often
 * the run was stopped, on processors with the same instruction sets.
 */
gboolean sppnet_rpn_train (SppnetNetwork *network, SppnetModel *model, const SppnetDataset *dataset,
                           const SppnetRpnSettings *settings, const gchar *work, SppnetProgress progress,
                           gpointer user_data, GError **error);
