/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/context.h"

#include <sppnet/error.h>

#include "base/logistic.h"
#include "detect/context.h"
#include "train/svm_solver.h"

/* Of correct boxes, and of wrong ones. */
#define FEWEST 40

/* All boxes, by picture and then by label. */
typedef struct
{
  guint n_labels, n_pictures;
  gsize n;
  gsize *pictures;                 /* [n_pictures + 1]: where each begins */
  guint32 *starts;                 /* [n_pictures][n_labels + 1]: labels, from the picture's beginning */
  SppnetBox *boxes;                /* [n] */
  gfloat *confidence;              /* [n] */
  const SppnetJudgedBox **sources; /* [n] */
  gfloat *features;                /* [n][1 + n_labels] */
} Scenes;

static void
scenes_clear (Scenes *scenes)
{
  g_free (scenes->pictures);
  g_free (scenes->starts);
  g_free (scenes->boxes);
  g_free (scenes->confidence);
  g_free (scenes->sources);
  g_free (scenes->features);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scenes, scenes_clear)

static const SppnetJudgedBox *
box_at (const SppnetJudgedLabel *label, guint i)
{
  return &g_array_index (label->boxes, SppnetJudgedBox, i);
}

static void
count_boxes (Scenes *scenes, const SppnetJudgedLabel *labels)
{
  for (guint l = 0; l < scenes->n_labels; l++) {
    scenes->n += labels[l].boxes->len;
    for (guint i = 0; i < labels[l].boxes->len; i++)
      scenes->n_pictures = MAX (scenes->n_pictures, box_at (&labels[l], i)->picture + 1);
  }
}

/* starts, as numbers at first. */
static void
find_places (Scenes *scenes, const SppnetJudgedLabel *labels)
{
  gsize columns = (gsize) scenes->n_labels + 1;

  for (guint l = 0; l < scenes->n_labels; l++)
    for (guint i = 0; i < labels[l].boxes->len; i++)
      scenes->starts[box_at (&labels[l], i)->picture * columns + l]++;
  for (guint p = 0; p < scenes->n_pictures; p++) {
    guint32 sum = 0;

    for (guint l = 0; l <= scenes->n_labels; l++) {
      guint32 count = scenes->starts[p * columns + l];

      scenes->starts[p * columns + l] = sum;
      sum += count;
    }
    scenes->pictures[p + 1] = scenes->pictures[p] + sum;
  }
}

static void
place_boxes (Scenes *scenes, const SppnetJudgedLabel *labels)
{
  gsize columns = (gsize) scenes->n_labels + 1;
  g_autofree guint32 *used = g_new (guint32, MAX (scenes->n_pictures, 1));

  for (guint l = 0; l < scenes->n_labels; l++) {
    memset (used, 0, scenes->n_pictures * sizeof *used);
    for (guint i = 0; i < labels[l].boxes->len; i++) {
      const SppnetJudgedBox *box = box_at (&labels[l], i);
      gsize place = scenes->pictures[box->picture] + scenes->starts[box->picture * columns + l] + used[box->picture]++;

      scenes->boxes[place] = box->box;
      scenes->confidence[place] = sppnet_logistic (box->score);
      scenes->sources[place] = box;
    }
  }
}

static void
find_features (Scenes *scenes)
{
  for (guint p = 0; p < scenes->n_pictures; p++) {
    gsize first = scenes->pictures[p];
    SppnetContextBoxes boxes = { scenes->n_labels, scenes->starts + (gsize) p * (scenes->n_labels + 1),
                                 scenes->boxes + first, scenes->confidence + first };

    for (gsize i = 0; i < scenes->pictures[p + 1] - first; i++) {
      gfloat *features = scenes->features + (first + i) * (scenes->n_labels + 1);

      features[0] = scenes->sources[first + i]->score;
      sppnet_context_elsewhere (&boxes, i, features + 1);
    }
  }
}

static gboolean
scenes_init (Scenes *scenes, const SppnetJudgedLabel *labels, guint n_labels, GError **error)
{
  scenes->n_labels = n_labels;
  count_boxes (scenes, labels);
  scenes->pictures = g_try_new0 (gsize, (gsize) scenes->n_pictures + 1);
  scenes->starts = g_try_new0 (guint32, (gsize) scenes->n_pictures * (n_labels + 1) + 1);
  scenes->boxes = g_try_new (SppnetBox, scenes->n + 1);
  scenes->confidence = g_try_new (gfloat, scenes->n + 1);
  scenes->sources = g_try_new (const SppnetJudgedBox *, scenes->n + 1);
  scenes->features = g_try_new (gfloat, (scenes->n + 1) * (n_labels + 1));
  if (!scenes->pictures || !scenes->starts || !scenes->boxes || !scenes->confidence || !scenes->sources
      || !scenes->features) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot hold %" G_GSIZE_FORMAT " boxes of %u labels",
                 scenes->n, n_labels);
    return FALSE;
  }
  find_places (scenes, labels);
  place_boxes (scenes, labels);
  find_features (scenes);
  return TRUE;
}

/* row: [SPPNET_CONTEXT_COLUMNS] */
static gboolean
fit_label (const Scenes *scenes, guint label, gfloat *row, SppnetContextFit *result, GError **error)
{
  const SppnetSvmSettings settings = { .logistic = TRUE, .c = 1, .positive_weight = 1, .bias = 10 };
  g_autofree const gfloat **vectors = g_new (const gfloat *, scenes->n + 1);
  gsize length = (gsize) scenes->n_labels + 1, columns = length, n = 0;
  g_autofree gfloat *weights = g_new (gfloat, length);

  /* The correct ones first. */
  for (gint correct = 1; correct >= 0; correct--) {
    for (guint p = 0; p < scenes->n_pictures; p++) {
      const guint32 *starts = scenes->starts + p * columns;

      for (gsize i = scenes->pictures[p] + starts[label]; i < scenes->pictures[p] + starts[label + 1]; i++)
        if ((scenes->sources[i]->correct != FALSE) == correct)
          vectors[n++] = scenes->features + i * length;
    }
    if (correct)
      result->n_correct = (guint) n;
  }
  result->n_boxes = (guint) n;
  result->fitted = result->n_correct >= FEWEST && n - result->n_correct >= FEWEST;
  memset (row, 0, SPPNET_CONTEXT_COLUMNS (scenes->n_labels) * sizeof *row);
  row[0] = 1.0f;
  if (!result->fitted)
    return TRUE;
  if (!sppnet_svm_solve (vectors, result->n_correct, n, length, 1, &settings, weights, &row[1], error))
    return FALSE;
  row[0] = weights[0];
  memcpy (row + 2, weights + 1, scenes->n_labels * sizeof *row);
  return TRUE;
}

gboolean
sppnet_context_fit (const SppnetJudgedLabel *labels, guint n, gfloat *context, SppnetContextFit *results,
                    GError **error)
{
  g_auto (Scenes) scenes = { 0 };
  gboolean any = FALSE;

  if (!scenes_init (&scenes, labels, n, error))
    return FALSE;
  for (guint label = 0; label < n; label++) {
    results[label] = (SppnetContextFit) { 0 };
    if (!fit_label (&scenes, label, context + label * SPPNET_CONTEXT_COLUMNS (n), &results[label], error))
      return FALSE;
    any |= results[label].fitted;
  }
  if (any)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
               "no label has %d correct boxes and %d wrong ones: too few to learn from what they occur together with",
               FEWEST, FEWEST);
  return FALSE;
}
