/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/optimizer.h"
#include "train/sampler.h"
#include "train/teachers.h"
#include "train/variants.h"

/* One stage that trains backbone and fully connected layers together (Girshick 2015, section 2.3): a few pictures a
 * step, many regions of each, softmax and box regression as one loss. */
typedef struct
{
  const gchar *init_key; /* what the network started from, for the checkpoint; "" */
  guint32 seed;
  guint threads;
  gdouble epochs; /* passes over the pictures; below 0: 8, and at least least_steps of two pictures */
  guint least_steps;
  guint pictures;    /* per step; each is computed by one thread */
  gboolean new_head; /* the first fully connected layer has its initial weights: fit their scale to the vectors */
  gboolean new_rpn;  /* a region proposal network is trained with the rest: likewise, to the maps */
  guint warm_up; /* steps in which the learning rate rises from 0, at most a quarter of all; then it falls to 1 % along
                  * half a cosine, or stays with optimizer.average */
  SppnetSamplerSettings sampler;
  SppnetOptimizerSettings optimizer;
  const SppnetTeachers *teachers; /* (nullable): not with variants */
  gdouble teachers_part;          /* of what the classifier learns */
  gboolean outputs_only;          /* with variants: the fully connected layers stay as they are, too */
  guint first_label;        /* with outputs_only: so do the outputs of the labels before this one, and of background */
  guint checkpoint_seconds; /* between checkpoints; one is also written when stopped */
} SppnetEndToEndSettings;

/* Seed 1, all processors. */
void sppnet_end_to_end_defaults (SppnetEndToEndSettings *settings);
/* Of fully connected layers on feature maps that are made once: steps are cheap, so more of them, on more regions; and
 * what is learnt from features that stay as they are can be learnt faster. */
void sppnet_heads_only_defaults (SppnetEndToEndSettings *settings);

gdouble sppnet_end_to_end_epochs (const SppnetEndToEndSettings *settings, const SppnetDataset *dataset);
guint sppnet_end_to_end_steps (const SppnetEndToEndSettings *settings, const SppnetDataset *dataset);

/* The errors of sppnet_checkpoint_check(), before feature maps are made for nothing. fixed: with variants. */
gboolean sppnet_end_to_end_check (const SppnetNetwork *network, const SppnetDataset *dataset, gboolean fixed,
                                  const SppnetEndToEndSettings *settings, const gchar *checkpoint, GError **error);

/**
 * sppnet_end_to_end_train:
 * @dataset: with proposals, unless the network has a region proposal network
 * @variants: (nullable): the feature maps of a backbone that stays as it is, filled; %NULL: it is trained, too
 * @checkpoint: (nullable): file to resume from, if it is there, and to write
 *
 * The same seed, data and settings give the same parameters, bit by bit, for any number of threads and however often
 * the run was stopped, on processors with the same instruction sets.
 */
gboolean sppnet_end_to_end_train (SppnetNetwork *network, const SppnetDataset *dataset, SppnetVariants *variants,
                                  const SppnetEndToEndSettings *settings, const gchar *checkpoint,
                                  SppnetProgress progress, gpointer user_data, GError **error);
