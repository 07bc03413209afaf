/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/sets.h"
#include "model/model.h"
#include "train/end_to_end.h"
#include "train/rpn.h"

/* What the classifier and the box regression of the finished model are. */
typedef enum
{
  SPPNET_TRAIN_SOFTMAX, /* the outputs of end-to-end training (Fast R-CNN) */
  SPPNET_TRAIN_SVM,     /* one SVM per label with hard negatives (SPPNet) */
} SppnetTrainClassifier;

typedef enum
{
  SPPNET_TRAIN_BOX_JOINT, /* trained end to end */
  SPPNET_TRAIN_BOX_RIDGE, /* ridge regression on the pooled vectors (SPPNet) */
} SppnetTrainBox;

/* SppnetTrainOptions.dropout */
#define SPPNET_TRAIN_KEEP_DROPOUT (-1.0)

typedef struct
{
  SppnetPictureSets pictures;
  gdouble validation; /* this part of them, chosen by split_seed, is not trained on; 0: all are */
  guint32 split_seed;
  gchar **labels;         /* (nullable): names to train; NULL: all that occur */
  gboolean any_labels;    /* some of them may not occur */
  const gchar *init;      /* model to start from */
  const gchar *output;    /* model to write */
  const gchar *work;      /* folder of caches and checkpoints, created */
  const gchar *name;      /* of the model; NULL, with add_class and rpn_only: the initial one's */
  const gchar *add_class; /* (nullable): a label that init gets; all else of it stays as it is */
  gboolean heads_only;    /* the backbone stays as it is in init */

  /* 0 and 0: the head of init, or where it has none, a new one of levels 1, 2, 3, 6 and layers of 512 and 512. Else a
   * new one, of which what is 0 is as in init, or as above. */
  guint n_levels;
  gint levels[SPPNET_MAX_LEVELS];
  guint n_region_layers; /* convolutions over the bins of a region, with so many filters */
  gint region_layers[SPPNET_MAX_REGION_LAYERS];
  guint n_around; /* levels that pool a window around_scale times as large around each region, after the others */
  gint around[SPPNET_MAX_LEVELS];
  gdouble around_scale;
  guint n_head;
  gint head[SPPNET_MAX_HEAD_LAYERS]; /* outputs of each fully connected layer */
  gdouble dropout;                   /* of layers with an activation; < 0: as it was, .3 of new ones */
  gint context[2];                   /* filters of a new stage of twice the stride, merged into the last map; 0: none */
  const gchar *merge;                /* (nullable): layer whose output a new merge layer at the end adds to the map */

  SppnetProposals proposals;
  guint max_proposals; /* per picture, in training (of the last stages, with rpn_joint) and as the model's default */
  SppnetEndToEndSettings end_to_end;
  const gchar *const
      *teachers;      /* (nullable): models whose probabilities are learnt, too, by end_to_end.teachers_part */
  gboolean rpn_joint; /* a region proposal network, trained with all else: regions are its own proposals; with
                       * heads_only it is trained after the head, on the same feature maps */
  gboolean rpn_new;   /* a new one, even where init has one */
  gboolean rpn_only;  /* only a region proposal network, added to init, of which all else stays as it is */
  SppnetRpnSettings rpn;
  SppnetTrainClassifier classifier;
  SppnetTrainBox box;
  SppnetDtype dtype; /* of the file written */
} SppnetTrainOptions;

/* Selective Search; the rest as sppnet_end_to_end_defaults(). */
void sppnet_train_defaults (SppnetTrainOptions *options);

/* All stages, each going on where an earlier run of the same options was stopped; the output appears when it is
 * complete. */
gboolean sppnet_train (const SppnetTrainOptions *options, SppnetProgress progress, gpointer user_data, GError **error);
