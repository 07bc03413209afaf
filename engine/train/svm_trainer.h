/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "base/random.h"
#include "train/svm.h"
#include "train/vector_pool.h"

/* What the stages of SVM training share: the vectors held, the SVMs so far and the picture at hand. */

typedef struct
{
  GArray *positives, *negatives; /* of guint32: ids in the pool */
  guint fresh;                   /* negatives that the SVM has not been trained on */
} SppnetSvmLabel;

typedef struct
{
  gfloat score;
  guint32 id; /* of a vector in the pool, or a row of the picture at hand */
} SppnetSvmScored;

typedef struct
{
  const SppnetRegionSource *source;
  SppnetSvmSettings settings;
  SppnetProgress progress;
  gpointer user_data;
  SppnetRandom random;
  guint32 *visits; /* [n_pictures], the order of visits */
  SppnetVectorPool pool;
  SppnetSvmLabel *labels; /* [n_labels] */
  guint capacity;         /* negatives per label */
  gdouble scale;          /* of the features within LIBLINEAR */
  gfloat *weight;         /* [n_labels][length] */
  gfloat *bias;           /* [n_labels] */

  /* the picture at hand */
  guint picture;
  SppnetRegions regions;
  SppnetBuffer scores;     /* [regions][n_labels] */
  SppnetBuffer order;      /* [regions], rows: those that the label holds, then candidates, best first */
  SppnetBuffer candidates; /* [regions] of SppnetSvmScored, of the label at hand */
  SppnetBuffer held;       /* [regions], gboolean: the label at hand holds the row */
  SppnetBuffer ids;        /* [regions], id in the pool + 1, or 0 */
} SppnetSvmTrainer;

/* Checks the settings and puts in the defaults. source, progress and user_data are borrowed. */
gboolean sppnet_svm_trainer_init (SppnetSvmTrainer *trainer, const SppnetRegionSource *source,
                                  const SppnetSvmSettings *settings, SppnetProgress progress, gpointer user_data,
                                  GError **error);
void sppnet_svm_trainer_clear (SppnetSvmTrainer *trainer);

/* Reports that visited pictures of a pass are done (pass 0 collects, the others mine). CANCELLED */
gboolean sppnet_svm_trainer_report (SppnetSvmTrainer *trainer, guint pass, guint visited, GError **error);
/* norm_sum (nullable): as in sppnet_regions_load() */
gboolean sppnet_svm_trainer_load (SppnetSvmTrainer *trainer, guint picture, gdouble *norm_sum, GError **error);
/* Adds a row of the picture at hand to a label's positives or negatives. */
gboolean sppnet_svm_trainer_take (SppnetSvmTrainer *trainer, GArray *to, guint32 row, GError **error);
void sppnet_svm_trainer_shuffle (SppnetSvmTrainer *trainer, guint32 *items, gsize n);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetSvmTrainer, sppnet_svm_trainer_clear)
