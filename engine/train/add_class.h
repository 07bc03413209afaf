/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/train.h"

/* The labels that the stage trains with: those of a softmax model and the new one, as its scores compete; the new one
 * alone for SVMs, which do not. NULL where the model has the label already, or no labels at all. (transfer full) */
gchar **sppnet_add_class_labels (SppnetModel *init, const gchar *label, GError **error);

/**
 * sppnet_train_add_class:
 * @dataset: of sppnet_add_class_labels(), without proposals
 *
 * Gives @init one more label, the last one, and writes it to the output, in init's type. All weights that there were
 * stay as they are, to the bit: the scores of the other labels before the softmax, SVM scores and box regression do not
 * change.
 */
gboolean sppnet_train_add_class (const SppnetTrainOptions *options, SppnetModel *init, SppnetDataset *dataset,
                                 SppnetProgress progress, gpointer user_data, GError **error);
