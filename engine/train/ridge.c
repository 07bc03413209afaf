/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/ridge.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "box/regression.h"
#include "train/normal_equations.h"

#define DEFAULT_MEMORY (2.0 * 1024 * 1024 * 1024)
#define MIN_PAIRS 10

typedef struct
{
  const SppnetRegionSource *source;
  SppnetRidgeSettings settings;
  SppnetProgress progress;
  gpointer user_data;
  SppnetNormalEquations *equations; /* [n_equations], of labels first .. first + n_equations - 1 */
  guint first, n_equations;
  gdouble sum[4], squares[4]; /* of the targets of all labels */
  gdouble n;
  gfloat *weight; /* [n_labels][4][length] */
  gfloat *bias;   /* [n_labels][4] */
} Trainer;

static void
release_equations (Trainer *trainer)
{
  for (guint i = 0; i < trainer->n_equations; i++)
    sppnet_normal_equations_clear (&trainer->equations[i]);
  g_clear_pointer (&trainer->equations, g_free);
  trainer->n_equations = 0;
}

static void
trainer_clear (Trainer *trainer)
{
  release_equations (trainer);
  sppnet_aligned_free (trainer->weight);
  sppnet_aligned_free (trainer->bias);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Trainer, trainer_clear)

/* Makes equations for the labels from trainer->first on: at least one, as many as the memory allows. */
static gboolean
acquire_equations (Trainer *trainer, GError **error)
{
  gdouble bytes = 8.0 * trainer->source->length * trainer->source->length;
  guint wanted = (guint) CLAMP (trainer->settings.memory / bytes, 1, trainer->source->n_labels - trainer->first);

  trainer->equations = g_new0 (SppnetNormalEquations, wanted);
  while (trainer->n_equations < wanted
         && sppnet_normal_equations_init (&trainer->equations[trainer->n_equations], trainer->source->length, 4))
    trainer->n_equations++;
  if (trainer->n_equations > 0)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY,
               "box regression on vectors of %" G_GSIZE_FORMAT " numbers needs %.0f MiB, which cannot be had",
               trainer->source->length, bytes / (1024 * 1024));
  return FALSE;
}

/* The object of this label that overlaps the region most, or NULL when that is less than the settings ask for or the
 * object is difficult. */
static const SppnetBox *
find_object (const SppnetRegions *regions, gsize row, gint label, gdouble min_iou)
{
  const SppnetBox *best = NULL;
  gfloat best_iou = 0;

  for (gsize i = 0; i < regions->n_objects; i++)
    if (regions->object_label[i] == label) {
      gfloat iou = sppnet_box_iou (&regions->boxes[row], &regions->boxes[i]);

      if (iou >= min_iou && iou > best_iou) {
        best = sppnet_regions_is_difficult (regions, i) ? NULL : &regions->boxes[i];
        best_iou = iou;
      }
    }
  return best;
}

static gboolean
has_label (const SppnetRegions *regions, gint label)
{
  for (gsize i = 0; i < regions->n_objects; i++)
    if (regions->object_label[i] == label)
      return TRUE;
  return FALSE;
}

static void
add_pairs (Trainer *trainer, const SppnetRegions *regions, guint label)
{
  for (gsize row = regions->n_objects; row < regions->n; row++) {
    const SppnetBox *object = find_object (regions, row, (gint) label, trainer->settings.min_iou);
    gfloat target[4];

    if (!object)
      continue;
    sppnet_box_encode (&regions->boxes[row], object, target);
    if (trainer->first == 0) { /* the first pass sees the targets of every label */
      for (guint j = 0; j < 4; j++) {
        trainer->sum[j] += target[j];
        trainer->squares[j] += (gdouble) target[j] * target[j];
      }
      trainer->n++;
    }
    if (label >= trainer->first && label - trainer->first < trainer->n_equations)
      sppnet_normal_equations_add (&trainer->equations[label - trainer->first],
                                   regions->features + row * trainer->source->length, target);
  }
}

static gboolean
report (Trainer *trainer, guint visited, GError **error)
{
  const SppnetRegionSource *source = trainer->source;
  gdouble part = visited / (gdouble) MAX (1, source->n_pictures);
  g_autofree gchar *message = NULL;

  if (!trainer->progress)
    return TRUE;
  message = g_strdup_printf ("picture %u of %u, labels %u to %u of %u", visited, source->n_pictures, trainer->first + 1,
                             trainer->first + trainer->n_equations, source->n_labels);
  if (trainer->progress (trainer->user_data, "boxes", (trainer->first + part * trainer->n_equations) / source->n_labels,
                         message))
    return TRUE;
  g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "training of the box regression was stopped");
  return FALSE;
}

static gboolean
visit_pictures (Trainer *trainer, GError **error)
{
  for (guint i = 0; i < trainer->source->n_pictures; i++) {
    SppnetRegions regions;

    if (!sppnet_regions_load (trainer->source, i, &regions, NULL, error))
      return FALSE;
    for (guint label = 0; label < trainer->source->n_labels; label++)
      if (has_label (&regions, (gint) label))
        add_pairs (trainer, &regions, label);
    if (!report (trainer, i + 1, error))
      return FALSE;
  }
  return TRUE;
}

static void
whiten (const Trainer *trainer, gfloat mean[4], gfloat scale[4])
{
  for (guint j = 0; j < 4; j++) {
    gdouble centre = trainer->n > 0 ? trainer->sum[j] / trainer->n : 0;
    gdouble variance = trainer->n > 0 ? trainer->squares[j] / trainer->n - centre * centre : 0;

    mean[j] = (gfloat) centre;
    scale[j] = variance > 1e-12 ? (gfloat) sqrt (variance) : 1;
  }
}

static gboolean
solve_labels (Trainer *trainer, const gfloat mean[4], const gfloat scale[4], GError **error)
{
  gsize length = trainer->source->length;

  for (guint i = 0; i < trainer->n_equations; i++) {
    guint label = trainer->first + i;

    if (trainer->equations[i].n < MIN_PAIRS)
      continue;
    if (!sppnet_normal_equations_solve (&trainer->equations[i], trainer->settings.lambda, mean, scale,
                                        trainer->weight + label * 4 * length, trainer->bias + label * 4)) {
      g_autofree gchar *name = sppnet_regions_label (trainer->source, label);

      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                   "box regression of label %s: its equations have no solution (features too large?)", name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
choose_settings (SppnetRidgeSettings *to, const SppnetRidgeSettings *from, GError **error)
{
  *to = from ? *from : (SppnetRidgeSettings) { 0 };
  to->lambda = to->lambda == 0 ? 1000 : to->lambda;
  to->min_iou = to->min_iou == 0 ? .5 : to->min_iou;
  to->memory = to->memory == 0 ? DEFAULT_MEMORY : to->memory;

  /* written so that NaN fails */
  if (to->lambda > 0 && isfinite (to->lambda) && to->min_iou > 0 && to->min_iou <= 1 && to->memory > 0)
    return TRUE;
  g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                       "box regression: lambda and memory must be positive, the overlap of pairs 0..1");
  return FALSE;
}

static gboolean
allocate_weights (Trainer *trainer, GError **error)
{
  gsize n_rows = 4 * (gsize) trainer->source->n_labels, bytes;

  if (g_size_checked_mul (&bytes, n_rows * sizeof (gfloat), trainer->source->length))
    trainer->weight = sppnet_aligned_alloc (bytes);
  trainer->bias = sppnet_aligned_alloc (n_rows * sizeof (gfloat));
  if (!trainer->weight || !trainer->bias) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot allocate the weights of the box regression");
    return FALSE;
  }
  memset (trainer->weight, 0, bytes);
  memset (trainer->bias, 0, n_rows * sizeof (gfloat));
  return TRUE;
}

gboolean
sppnet_ridge_train (const SppnetRegionSource *source, const SppnetRidgeSettings *settings, SppnetProgress progress,
                    gpointer user_data, gfloat **weight, gfloat **bias, gfloat mean[4], gfloat scale[4], GError **error)
{
  g_auto (Trainer) trainer = { .source = source, .progress = progress, .user_data = user_data };

  g_return_val_if_fail (source->n_labels > 0 && source->length > 0, FALSE);
  *weight = *bias = NULL;
  if (!choose_settings (&trainer.settings, settings, error))
    return FALSE;

  while (trainer.first < source->n_labels) {
    if (!acquire_equations (&trainer, error) || (!trainer.weight && !allocate_weights (&trainer, error))
        || !visit_pictures (&trainer, error))
      return FALSE;
    if (trainer.first == 0)
      whiten (&trainer, mean, scale);
    if (!solve_labels (&trainer, mean, scale, error))
      return FALSE;
    trainer.first += trainer.n_equations;
    release_equations (&trainer);
  }
  *weight = g_steal_pointer (&trainer.weight);
  *bias = g_steal_pointer (&trainer.bias);
  return TRUE;
}
