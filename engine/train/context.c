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
} Scenes;

static void
scenes_clear (Scenes *scenes)
{
  g_free (scenes->pictures);
  g_free (scenes->starts);
  g_free (scenes->boxes);
  g_free (scenes->confidence);
  g_free (scenes->sources);
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
  if (!scenes->pictures || !scenes->starts || !scenes->boxes || !scenes->confidence || !scenes->sources) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot hold %" G_GSIZE_FORMAT " boxes of %u labels",
                 scenes->n, n_labels);
    return FALSE;
  }
  find_places (scenes, labels);
  place_boxes (scenes, labels);
  return TRUE;
}

/* What the boxes of one label are learnt from. */
typedef struct
{
  gsize n, length;        /* boxes, and features of each */
  gfloat *features;       /* [n][length]: log-odds, then each label's confidence elsewhere */
  const gfloat **vectors; /* [n]: the correct ones first */
} Examples;

static void
examples_clear (Examples *examples)
{
  g_free (examples->features);
  g_free (examples->vectors);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Examples, examples_clear)

/* The features of those boxes of a label that are correct, or wrong. */
static void
add_examples (Examples *examples, const Scenes *scenes, guint label, gboolean correct)
{
  for (guint p = 0; p < scenes->n_pictures; p++) {
    const guint32 *starts = scenes->starts + (gsize) p * (scenes->n_labels + 1);
    gsize first = scenes->pictures[p];
    SppnetContextBoxes boxes = { scenes->n_labels, starts, scenes->boxes + first, scenes->confidence + first };

    for (guint32 i = starts[label]; i < starts[label + 1]; i++) {
      const SppnetJudgedBox *source = scenes->sources[first + i];
      gfloat *features = examples->features + examples->n * examples->length;

      if (source->ignored || (source->correct != FALSE) != correct)
        continue;
      features[0] = source->score;
      sppnet_context_elsewhere (&boxes, i, features + 1);
      examples->vectors[examples->n++] = features;
    }
  }
}

static gboolean
examples_init (Examples *examples, const Scenes *scenes, const SppnetJudgedLabel *judged, guint label,
               SppnetContextFit *result, GError **error)
{
  gsize most = judged->boxes->len;

  examples->length = (gsize) scenes->n_labels + 1;
  examples->features = g_try_new (gfloat, (most + 1) * examples->length);
  examples->vectors = g_try_new (const gfloat *, most + 1);
  if (!examples->features || !examples->vectors) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "cannot hold the features of %" G_GSIZE_FORMAT " boxes",
                 most);
    return FALSE;
  }
  add_examples (examples, scenes, label, TRUE);
  result->n_correct = (guint) examples->n;
  add_examples (examples, scenes, label, FALSE);
  result->n_boxes = (guint) examples->n;
  return TRUE;
}

/* row: [SPPNET_CONTEXT_COLUMNS] */
static gboolean
fit_label (const Scenes *scenes, const SppnetJudgedLabel *judged, guint label, gfloat *row, SppnetContextFit *result,
           GError **error)
{
  const SppnetSvmSettings settings = { .logistic = TRUE, .c = 1, .positive_weight = 1, .bias = 10 };
  g_auto (Examples) examples = { 0 };
  g_autofree gfloat *weights = g_new (gfloat, (gsize) scenes->n_labels + 1);

  *result = (SppnetContextFit) { 0 };
  memset (row, 0, SPPNET_CONTEXT_COLUMNS (scenes->n_labels) * sizeof *row);
  row[0] = 1.0f;
  if (!examples_init (&examples, scenes, judged, label, result, error))
    return FALSE;
  result->fitted = result->n_correct >= FEWEST && result->n_boxes - result->n_correct >= FEWEST;
  if (!result->fitted)
    return TRUE;
  if (!sppnet_svm_solve (examples.vectors, result->n_correct, examples.n, examples.length, 1, &settings, weights,
                         &row[1], error))
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
    if (!fit_label (&scenes, &labels[label], label, context + label * SPPNET_CONTEXT_COLUMNS (n), &results[label],
                    error))
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
