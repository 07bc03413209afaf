/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/calibration.h"

#include <math.h>

#include <sppnet/error.h>

#include "base/logistic.h"
#include "train/platt.h"

#define PRIOR_CORRECT 20.0 /* correct boxes that all labels together are worth */
#define ERROR_BINS 10
#define ERROR_FLOOR .1f /* confidence from which on boxes count for the error */
#define LOWEST_THRESHOLD .2f
#define HIGHEST_THRESHOLD .6f
#define ALL_LABELS G_MAXUINT
#define SHALLOWEST -.01f /* a sigmoid flatter than this does not order boxes by their score */

/* The boxes of all labels in one row. */
typedef struct
{
  gsize n;
  gfloat *scores;
  gboolean *correct;
  guint *label, *picture;
  gfloat *weights;    /* for the label and the half at hand */
  gfloat *confidence; /* calibrated by a sigmoid of all pictures */
  guint32 *order;     /* by falling confidence */
  gdouble n_correct;
} Sample;

static void
sample_init (Sample *sample, const SppnetJudgedLabel *labels, guint n)
{
  gsize i = 0;

  for (guint l = 0; l < n; l++)
    sample->n += labels[l].boxes->len;
  sample->scores = g_new (gfloat, sample->n + 1);
  sample->correct = g_new (gboolean, sample->n + 1);
  sample->label = g_new (guint, sample->n + 1);
  sample->picture = g_new (guint, sample->n + 1);
  sample->weights = g_new (gfloat, sample->n + 1);
  sample->confidence = g_new (gfloat, sample->n + 1);
  sample->order = g_new (guint32, sample->n + 1);
  for (guint l = 0; l < n; l++)
    for (guint k = 0; k < labels[l].boxes->len; k++) {
      const SppnetJudgedBox *box = &g_array_index (labels[l].boxes, SppnetJudgedBox, k);

      if (box->ignored)
        continue;
      sample->scores[i] = box->score;
      sample->correct[i] = box->correct;
      sample->label[i] = l;
      sample->picture[i++] = box->picture;
      sample->n_correct += box->correct;
    }
  sample->n = i;
}

static void
sample_clear (Sample *sample)
{
  g_free (sample->scores);
  g_free (sample->correct);
  g_free (sample->label);
  g_free (sample->picture);
  g_free (sample->weights);
  g_free (sample->confidence);
  g_free (sample->order);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sample, sample_clear)

/* How often the boxes of other labels count. */
static gdouble
prior_weight (const Sample *sample)
{
  return sample->n_correct > 0 ? MIN (PRIOR_CORRECT / sample->n_correct, 1.0) : 0;
}

/* label: or ALL_LABELS. without: 0 or 1 leaves out the pictures with even or odd numbers, 2 none. */
static gboolean
fit (Sample *sample, guint label, guint without, gfloat *a, gfloat *b)
{
  gdouble others = label == ALL_LABELS ? 1 : prior_weight (sample);

  for (gsize i = 0; i < sample->n; i++) {
    gdouble weight = sample->label[i] == label ? 1 + others : others;

    sample->weights[i] = sample->picture[i] % 2 == without ? 0 : (gfloat) weight;
  }
  return sppnet_platt_fit (sample->scores, sample->correct, sample->weights, sample->n, a, b) && *a < SHALLOWEST;
}

static gfloat
sigmoid (gfloat score, gfloat a, gfloat b)
{
  return sppnet_logistic (-(a * score + b));
}

static gint
compare_confidence (gconstpointer one, gconstpointer other, gpointer user_data)
{
  const gfloat *confidence = user_data;
  guint32 i = *(const guint32 *) one, k = *(const guint32 *) other;

  if (confidence[i] != confidence[k])
    return confidence[i] > confidence[k] ? -1 : 1;
  return i < k ? -1 : i > k;
}

/* The threshold with the best F1, where all labels together count as they do in the fit. */
static void
find_threshold (const Sample *sample, const SppnetJudgedLabel *labels, guint n, guint label, SppnetCalibration *result)
{
  gdouble others = label == ALL_LABELS ? 1 : prior_weight (sample), objects = 0, right = 0, all = 0, best = -1;

  result->threshold = HIGHEST_THRESHOLD;
  for (guint l = 0; l < n; l++)
    objects += labels[l].objects * (l == label ? 1 + others : others);
  for (gsize k = 0; k < sample->n; k++) {
    guint32 i = sample->order[k];
    gdouble weight = sample->label[i] == label ? 1 + others : others;
    gfloat confidence = sample->confidence[i];

    right += sample->correct[i] ? weight : 0;
    all += weight;
    if (k + 1 < sample->n && sample->confidence[sample->order[k + 1]] == confidence)
      continue;
    if (2 * right / (all + objects) > best) {
      best = 2 * right / (all + objects);
      result->threshold = CLAMP (confidence, LOWEST_THRESHOLD, HIGHEST_THRESHOLD);
    }
  }
  result->threshold = floorf (result->threshold * 100) / 100; /* more digits would say nothing */
}

static void
count_at_threshold (const Sample *sample, const SppnetJudgedLabel *labels, guint n, guint label,
                    SppnetCalibration *result)
{
  guint right = 0, all = 0, objects = 0;

  for (gsize i = 0; i < sample->n; i++) {
    if (label != ALL_LABELS && sample->label[i] != label)
      continue;
    result->n_boxes++;
    result->n_correct += sample->correct[i] != FALSE;
    if (sample->confidence[i] < result->threshold)
      continue;
    right += sample->correct[i] != FALSE;
    all++;
  }
  for (guint l = 0; l < n; l++)
    objects += label == ALL_LABELS || l == label ? labels[l].objects : 0;
  result->precision = all > 0 ? (gdouble) right / all : 0;
  result->recall = objects > 0 ? (gdouble) right / objects : 0;
}

typedef struct
{
  gdouble confidence[ERROR_BINS], correct[ERROR_BINS];
  gdouble boxes;
} Reliability;

static void
reliability_add (Reliability *reliability, gfloat confidence, gboolean correct)
{
  gint bin = CLAMP ((gint) (confidence * ERROR_BINS), 0, ERROR_BINS - 1);

  reliability->confidence[bin] += confidence;
  reliability->correct[bin] += correct ? 1 : 0;
  reliability->boxes++;
}

static gdouble
reliability_error (const Reliability *reliability)
{
  gdouble sum = 0;

  for (guint bin = 0; bin < ERROR_BINS; bin++)
    sum += fabs (reliability->confidence[bin] - reliability->correct[bin]);
  return reliability->boxes > 0 ? sum / reliability->boxes : 0;
}

/* a, b: of the sigmoids fitted without the pictures with even, then odd numbers. Adds to the label and to all labels.
 */
static void
measure_errors (const Sample *sample, guint label, const gfloat a[2], const gfloat b[2], Reliability own[2],
                Reliability all[2])
{
  for (gsize i = 0; i < sample->n; i++) {
    guint half = sample->picture[i] % 2;
    gfloat before, after;

    if (sample->label[i] != label)
      continue;
    before = sigmoid (sample->scores[i], -1, 0);
    after = sigmoid (sample->scores[i], a[half], b[half]);
    if (before < ERROR_FLOOR && after < ERROR_FLOOR)
      continue;
    reliability_add (&own[0], before, sample->correct[i]);
    reliability_add (&own[1], after, sample->correct[i]);
    reliability_add (&all[0], before, sample->correct[i]);
    reliability_add (&all[1], after, sample->correct[i]);
  }
}

/* Sigmoids of one label, or those of all labels where its own would not order its boxes. */
static void
calibrate_label (Sample *sample, guint label, const gfloat common_a[3], const gfloat common_b[3],
                 SppnetCalibration *result, Reliability all[2])
{
  Reliability own[2] = { 0 };
  gfloat a[3], b[3];

  for (guint without = 0; without < 3; without++)
    if (!fit (sample, label, without, &a[without], &b[without])) {
      a[without] = common_a[without];
      b[without] = common_b[without];
    }
  result->a = a[2];
  result->b = b[2];
  for (gsize i = 0; i < sample->n; i++)
    if (sample->label[i] == label)
      sample->confidence[i] = sigmoid (sample->scores[i], a[2], b[2]);
  measure_errors (sample, label, a, b, own, all);
  for (guint k = 0; k < 2; k++)
    result->error[k] = reliability_error (&own[k]);
}

gboolean
sppnet_calibrate (const SppnetJudgedLabel *labels, guint n, SppnetCalibration *results, GError **error)
{
  g_auto (Sample) sample = { 0 };
  Reliability all[2] = { 0 };
  gfloat a[3], b[3];

  sample_init (&sample, labels, n);
  for (guint i = 0; i <= n; i++)
    results[i] = (SppnetCalibration) { 0 };
  for (guint without = 0; without < 3; without++)
    if (!fit (&sample, ALL_LABELS, without, &a[without], &b[without])) {
      g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                           "the boxes found do not tell how far confidence can be trusted: in both halves of the "
                           "pictures there must be correct and wrong ones, the correct ones with higher confidence");
      return FALSE;
    }
  results[n].a = a[2];
  results[n].b = b[2];
  for (guint label = 0; label < n; label++)
    calibrate_label (&sample, label, a, b, &results[label], all);
  for (guint k = 0; k < 2; k++)
    results[n].error[k] = reliability_error (&all[k]);

  for (gsize i = 0; i < sample.n; i++)
    sample.order[i] = (guint32) i;
  if (sample.n > 0)
    g_qsort_with_data (sample.order, (gint) sample.n, sizeof *sample.order, compare_confidence, sample.confidence);
  for (guint i = 0; i <= n; i++) {
    find_threshold (&sample, labels, n, i < n ? i : ALL_LABELS, &results[i]);
    count_at_threshold (&sample, labels, n, i < n ? i : ALL_LABELS, &results[i]);
  }
  return TRUE;
}
