/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/svm.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "box/nms.h"
#include "train/svm_solver.h"
#include "train/svm_trainer.h"

/* Two passes over the pictures, both in one random order. The first takes the positives, the mean norm and a thin
 * random sample of negatives from everywhere; it needs no SVM. The second mines hard negatives for all labels at once.
 *
 * Memory: a label holds at most `capacity` negatives after each training, and before it at most retrain_after and
 * those of one picture more; beyond the capacity the hardest are kept. */
#define MINE_SCORE -1.0001f  /* above: a support vector or nearly one */
#define EVICT_SCORE -1.2f    /* below: no influence any more */
#define NEGATIVE_OVERLAP .7f /* negatives of one picture differ by at least this */

/* The first pass's share of negatives from one picture: rows in random order, none much like another. */
static gsize
sample_rows (SppnetSvmTrainer *trainer, guint32 *rows)
{
  gsize n = trainer->regions.n, wanted = 2 * (gsize) trainer->settings.retrain_after;

  for (gsize i = 0; i < n; i++)
    rows[i] = (guint32) i;
  sppnet_svm_trainer_shuffle (trainer, rows, n);
  wanted = (MIN (wanted, trainer->capacity) + trainer->source->n_pictures - 1) / trainer->source->n_pictures;
  return sppnet_nms (trainer->regions.boxes, rows, n, NEGATIVE_OVERLAP, MAX (wanted, 1));
}

static gboolean
collect_picture (SppnetSvmTrainer *trainer, GError **error)
{
  const SppnetRegions *regions = &trainer->regions;
  guint32 *rows = trainer->order.data;
  gsize n = sample_rows (trainer, rows);

  for (gsize i = 0; i < regions->n_objects; i++)
    if (!sppnet_regions_is_difficult (regions, i)
        && !sppnet_svm_trainer_take (trainer, trainer->labels[regions->object_label[i]].positives, (guint32) i, error))
      return FALSE;

  for (guint l = 0; l < trainer->source->n_labels; l++)
    for (gsize i = 0; i < n && trainer->labels[l].negatives->len < trainer->capacity; i++)
      if (!sppnet_regions_near (regions, rows[i], (gint) l, (gfloat) trainer->settings.negative_iou)
          && !sppnet_svm_trainer_take (trainer, trainer->labels[l].negatives, rows[i], error))
        return FALSE;
  return TRUE;
}

static gboolean
collect (SppnetSvmTrainer *trainer, GError **error)
{
  guint64 n_vectors = 0;
  gdouble norm_sum = 0;

  for (guint i = 0; i < trainer->source->n_pictures; i++) {
    if (!sppnet_svm_trainer_load (trainer, trainer->visits[i], &norm_sum, error) || !collect_picture (trainer, error)
        || !sppnet_svm_trainer_report (trainer, 0, i + 1, error))
      return FALSE;
    n_vectors += trainer->regions.n;
  }
  trainer->scale = norm_sum > 0 ? trainer->settings.norm * n_vectors / norm_sum : 1;
  return TRUE;
}

static gint
compare_scored (gconstpointer a, gconstpointer b)
{
  const SppnetSvmScored *first = a, *second = b;

  if (first->score != second->score)
    return first->score > second->score ? -1 : 1;
  return first->id < second->id ? -1 : first->id > second->id;
}

/* Keeps the negatives that still matter to the SVM, hardest first, at most as many as there is room for. */
static void
evict (SppnetSvmTrainer *trainer, guint label)
{
  GArray *negatives = trainer->labels[label].negatives;
  gsize length = trainer->source->length;
  g_autofree SppnetSvmScored *scored = g_new (SppnetSvmScored, negatives->len);
  guint n = negatives->len;

  sppnet_blas_begin (); /* on one thread sums do not depend on the number of processors */
  for (guint i = 0; i < n; i++) {
    scored[i].id = g_array_index (negatives, guint32, i);
    scored[i].score = trainer->bias[label]
                      + cblas_sdot ((int) length, trainer->weight + label * length, 1,
                                    sppnet_vector_pool_get (&trainer->pool, scored[i].id), 1);
  }
  sppnet_blas_end ();
  qsort (scored, n, sizeof *scored, compare_scored);
  g_array_set_size (negatives, 0);
  for (guint i = 0; i < n; i++) {
    if (i < trainer->capacity && scored[i].score >= EVICT_SCORE)
      g_array_append_val (negatives, scored[i].id);
    else
      sppnet_vector_pool_release (&trainer->pool, scored[i].id);
  }
}

static gboolean
train_label (SppnetSvmTrainer *trainer, guint l, GError **error)
{
  SppnetSvmLabel *label = &trainer->labels[l];
  gsize n = label->positives->len + label->negatives->len;
  g_autofree const gfloat **vectors = g_new (const gfloat *, n);

  if (label->negatives->len == 0) {
    g_autofree gchar *name = sppnet_regions_label (trainer->source, l);

    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "SVM of label %s: every region of every picture overlaps an "
                 "object of this label, so there is nothing to tell it from",
                 name);
    return FALSE;
  }
  for (guint i = 0; i < label->positives->len; i++)
    vectors[i] = sppnet_vector_pool_get (&trainer->pool, g_array_index (label->positives, guint32, i));
  for (guint i = 0; i < label->negatives->len; i++)
    vectors[label->positives->len + i]
        = sppnet_vector_pool_get (&trainer->pool, g_array_index (label->negatives, guint32, i));

  if (!sppnet_svm_solve (vectors, label->positives->len, n, trainer->source->length, trainer->scale, &trainer->settings,
                         trainer->weight + l * trainer->source->length, &trainer->bias[l], error))
    return FALSE;
  label->fresh = 0;
  evict (trainer, l);
  return TRUE;
}

/* Rows that this label holds already, then the candidates by falling score. Returns how many; held of them are the
 * former. */
static gsize
find_candidates (SppnetSvmTrainer *trainer, guint l, gsize *n_held)
{
  const SppnetRegions *regions = &trainer->regions;
  const gfloat *scores = trainer->scores.data;
  GArray *negatives = trainer->labels[l].negatives;
  guint32 *rows = trainer->order.data;
  gboolean *held = trainer->held.data;
  SppnetSvmScored *candidates = trainer->candidates.data;
  gsize n = 0, n_candidates = 0;

  memset (held, 0, regions->n * sizeof *held);
  for (guint i = 0; i < negatives->len; i++) {
    const SppnetPooledVector *info = sppnet_vector_pool_info (&trainer->pool, g_array_index (negatives, guint32, i));

    if (info->picture == trainer->picture && info->row < regions->n) {
      held[info->row] = TRUE;
      rows[n++] = info->row;
    }
  }
  *n_held = n;

  for (guint32 row = 0; row < regions->n; row++) {
    gfloat score = scores[(gsize) row * trainer->source->n_labels + l] + trainer->bias[l];

    if (score > MINE_SCORE && !held[row]
        && !sppnet_regions_near (regions, row, (gint) l, (gfloat) trainer->settings.negative_iou))
      candidates[n_candidates++] = (SppnetSvmScored) { score, row };
  }
  qsort (candidates, n_candidates, sizeof *candidates, compare_scored);
  for (gsize i = 0; i < n_candidates; i++)
    rows[n++] = candidates[i].id;
  return n;
}

static gboolean
mine_label (SppnetSvmTrainer *trainer, guint l, GError **error)
{
  SppnetSvmLabel *label = &trainer->labels[l];
  const guint32 *rows = trainer->order.data;
  const gboolean *held = trainer->held.data;
  gsize n_held, n = find_candidates (trainer, l, &n_held);

  if (n == n_held)
    return TRUE;
  n = sppnet_nms (trainer->regions.boxes, trainer->order.data, n, NEGATIVE_OVERLAP, n);
  for (gsize i = 0; i < n; i++) {
    if (held[rows[i]])
      continue;
    if (!sppnet_svm_trainer_take (trainer, label->negatives, rows[i], error))
      return FALSE;
    label->fresh++;
  }
  return label->fresh < MIN (trainer->settings.retrain_after, trainer->capacity) || train_label (trainer, l, error);
}

static gboolean
mine_picture (SppnetSvmTrainer *trainer, GError **error)
{
  const SppnetRegionSource *source = trainer->source;

  if (trainer->regions.n > 0) {
    sppnet_blas_begin ();
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int) trainer->regions.n, (int) source->n_labels,
                 (int) source->length, 1, trainer->regions.features, (int) source->length, trainer->weight,
                 (int) source->length, 0, trainer->scores.data, (int) source->n_labels);
    sppnet_blas_end ();
  }
  for (guint l = 0; l < source->n_labels; l++)
    if (trainer->labels[l].positives->len > 0 && !mine_label (trainer, l, error))
      return FALSE;
  return TRUE;
}

static gboolean
train_stages (SppnetSvmTrainer *trainer, GError **error)
{
  guint n_labels = trainer->source->n_labels;

  if (!collect (trainer, error))
    return FALSE;
  for (guint l = 0; l < n_labels; l++)
    if (trainer->labels[l].positives->len > 0 && !train_label (trainer, l, error))
      return FALSE;

  for (guint pass = 1; pass <= trainer->settings.passes; pass++)
    for (guint i = 0; i < trainer->source->n_pictures; i++)
      if (!sppnet_svm_trainer_load (trainer, trainer->visits[i], NULL, error) || !mine_picture (trainer, error)
          || !sppnet_svm_trainer_report (trainer, pass, i + 1, error))
        return FALSE;

  for (guint l = 0; l < n_labels; l++)
    if (trainer->labels[l].fresh > 0 && !train_label (trainer, l, error))
      return FALSE;
  return TRUE;
}

gboolean
sppnet_svm_train (const SppnetRegionSource *source, const SppnetSvmSettings *settings, SppnetProgress progress,
                  gpointer user_data, gfloat **weight, gfloat **bias, GError **error)
{
  g_auto (SppnetSvmTrainer) trainer = { 0 };

  g_return_val_if_fail (source->n_labels > 0 && source->length > 0, FALSE);
  *weight = *bias = NULL;
  if (!sppnet_svm_trainer_init (&trainer, source, settings, progress, user_data, error)
      || !train_stages (&trainer, error))
    return FALSE;
  *weight = g_steal_pointer (&trainer.weight);
  *bias = g_steal_pointer (&trainer.bias);
  return TRUE;
}
