/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/svm_trainer.h"

#include <math.h>
#include <string.h>

#define POOL_BYTES (2.0 * 1024 * 1024 * 1024) /* for the negatives of all labels */
#define SOLVER_BYTES (512.0 * 1024 * 1024)    /* for one label in LIBLINEAR's form, 16 bytes per number */
#define MAX_NEGATIVES 20000
#define MIN_NEGATIVES 500

void
sppnet_svm_trainer_clear (SppnetSvmTrainer *trainer)
{
  for (guint i = 0; trainer->labels && i < trainer->source->n_labels; i++) {
    g_array_unref (trainer->labels[i].positives);
    g_array_unref (trainer->labels[i].negatives);
  }
  g_free (trainer->labels);
  g_free (trainer->visits);
  sppnet_vector_pool_clear (&trainer->pool);
  sppnet_aligned_free (trainer->weight);
  sppnet_aligned_free (trainer->bias);
  sppnet_buffer_clear (&trainer->scores);
  sppnet_buffer_clear (&trainer->order);
  sppnet_buffer_clear (&trainer->candidates);
  sppnet_buffer_clear (&trainer->held);
  sppnet_buffer_clear (&trainer->ids);
}

static gboolean
choose_settings (SppnetSvmSettings *to, const SppnetSvmSettings *from, GError **error)
{
  *to = from ? *from : (SppnetSvmSettings) { 0 };
  to->c = to->c == 0 ? 1e-3 : to->c;
  to->positive_weight = to->positive_weight == 0 ? 2 : to->positive_weight;
  to->bias = to->bias == 0 ? 10 : to->bias;
  to->norm = to->norm == 0 ? 20 : to->norm;
  to->negative_iou = to->negative_iou == 0 ? .3 : to->negative_iou;
  to->retrain_after = to->retrain_after == 0 ? 2000 : to->retrain_after;
  to->passes = to->passes == 0 ? 1 : to->passes;

  /* written so that NaN fails */
  if (to->c > 0 && to->positive_weight > 0 && to->bias > 0 && to->norm > 0 && to->negative_iou > 0
      && to->negative_iou <= 1 && isfinite (to->c * to->positive_weight * to->bias * to->norm))
    return TRUE;
  g_set_error_literal (
      error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
      "SVM training: C, positive weight, bias and norm must be positive, the overlap of negatives 0..1");
  return FALSE;
}

void
sppnet_svm_trainer_shuffle (SppnetSvmTrainer *trainer, guint32 *items, gsize n)
{
  for (gsize i = n; i > 1; i--) {
    guint32 k = sppnet_random_below (&trainer->random, (guint32) i), item = items[k];

    items[k] = items[i - 1];
    items[i - 1] = item;
  }
}

gboolean
sppnet_svm_trainer_init (SppnetSvmTrainer *trainer, const SppnetRegionSource *source, const SppnetSvmSettings *settings,
                         SppnetProgress progress, gpointer user_data, GError **error)
{
  gsize n_labels = source->n_labels, weights;
  gdouble bytes = source->length * sizeof (gfloat);

  *trainer = (SppnetSvmTrainer) { .source = source, .progress = progress, .user_data = user_data };
  sppnet_vector_pool_init (&trainer->pool, source->length);
  if (!choose_settings (&trainer->settings, settings, error))
    return FALSE;
  trainer->random.state = trainer->settings.seed;
  trainer->capacity = (guint) CLAMP (MIN (POOL_BYTES / bytes / MAX (n_labels, 1), SOLVER_BYTES / bytes / 4),
                                     MIN_NEGATIVES, MAX_NEGATIVES);
  trainer->visits = g_new (guint32, source->n_pictures);
  for (guint i = 0; i < source->n_pictures; i++)
    trainer->visits[i] = i;
  sppnet_svm_trainer_shuffle (trainer, trainer->visits, source->n_pictures);

  trainer->labels = g_new0 (SppnetSvmLabel, n_labels);
  for (gsize i = 0; i < n_labels; i++) {
    trainer->labels[i].positives = g_array_new (FALSE, FALSE, sizeof (guint32));
    trainer->labels[i].negatives = g_array_new (FALSE, FALSE, sizeof (guint32));
  }

  if (g_size_checked_mul (&weights, n_labels * sizeof (gfloat), source->length))
    trainer->weight = sppnet_aligned_alloc (weights);
  trainer->bias = sppnet_aligned_alloc (n_labels * sizeof (gfloat));
  if (!trainer->weight || !trainer->bias) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot allocate the weights of the SVMs");
    return FALSE;
  }
  memset (trainer->weight, 0, weights);
  for (gsize i = 0; i < n_labels; i++)
    trainer->bias[i] = -10;
  return TRUE;
}

gboolean
sppnet_svm_trainer_report (SppnetSvmTrainer *trainer, guint pass, guint visited, GError **error)
{
  guint passes = trainer->settings.passes + 1;
  gdouble fraction = (pass + visited / (gdouble) MAX (1, trainer->source->n_pictures)) / passes;
  g_autofree gchar *message = NULL;

  if (!trainer->progress)
    return TRUE;
  message
      = g_strdup_printf ("%s, picture %u of %u, %u vectors kept", pass == 0 ? "collecting" : "mining hard negatives",
                         visited, trainer->source->n_pictures, trainer->pool.vectors->len - trainer->pool.unused->len);
  if (trainer->progress (trainer->user_data, "svm", MIN (fraction, 1), message))
    return TRUE;
  g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "SVM training was stopped");
  return FALSE;
}

gboolean
sppnet_svm_trainer_load (SppnetSvmTrainer *trainer, guint picture, gdouble *norm_sum, GError **error)
{
  gsize n;
  guint32 *ids;

  trainer->picture = picture;
  if (!sppnet_regions_load (trainer->source, picture, &trainer->regions, norm_sum, error))
    return FALSE;
  n = trainer->regions.n;
  if (!sppnet_buffer_reserve (&trainer->scores, MAX (n, 1) * trainer->source->n_labels, sizeof (gfloat), error)
      || !sppnet_buffer_reserve (&trainer->order, MAX (n, 1), sizeof (guint32), error)
      || !sppnet_buffer_reserve (&trainer->candidates, MAX (n, 1), sizeof (SppnetSvmScored), error)
      || !sppnet_buffer_reserve (&trainer->held, MAX (n, 1), sizeof (gboolean), error)
      || !(ids = sppnet_buffer_reserve (&trainer->ids, MAX (n, 1), sizeof (guint32), error)))
    return FALSE;

  memset (ids, 0, n * sizeof *ids);
  for (guint32 id = 0; id < trainer->pool.vectors->len; id++) {
    const SppnetPooledVector *info = sppnet_vector_pool_info (&trainer->pool, id);

    if (info->users > 0 && info->picture == picture && info->row < n)
      ids[info->row] = id + 1;
  }
  return TRUE;
}

/* Training a label between two calls may have freed a vector of this picture, or given its place to another. */
static gboolean
is_pooled (const SppnetSvmTrainer *trainer, guint32 id, guint32 row)
{
  const SppnetPooledVector *info = sppnet_vector_pool_info (&trainer->pool, id);

  return info->users > 0 && info->picture == trainer->picture && info->row == row;
}

gboolean
sppnet_svm_trainer_take (SppnetSvmTrainer *trainer, GArray *to, guint32 row, GError **error)
{
  guint32 *ids = trainer->ids.data, id;

  if (ids[row] == 0 || !is_pooled (trainer, ids[row] - 1, row)) {
    if (!sppnet_vector_pool_add (&trainer->pool, trainer->picture, row,
                                 trainer->regions.features + row * trainer->source->length, &id, error))
      return FALSE;
    ids[row] = id + 1;
  }
  id = ids[row] - 1;
  sppnet_vector_pool_hold (&trainer->pool, id);
  g_array_append_val (to, id);
  return TRUE;
}
