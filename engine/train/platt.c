/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/platt.h"

#include <math.h>

/* The targets are not 0 and 1 but what a uniform prior leaves after n examples (Platt, section 2.2), so that separable
 * data has a finite optimum. Scores are standardised first: the Newton steps are then well conditioned in any unit. */
#define MAX_STEPS 100
#define SHORTEST_STEP 1e-10
#define GRADIENT_SMALL 1e-7 /* per example */

typedef struct
{
  const gfloat *scores;
  const gboolean *correct;
  const gfloat *weights;
  gsize n;
  gdouble mean, deviation;    /* of the scores */
  gdouble high, low;          /* targets of the two sides */
  gdouble n_correct, n_wrong; /* sums of the weights */
} Sample;

typedef struct
{
  gdouble a, b; /* gradient */
  gdouble aa, ab, bb;
} Derivatives;

/* 0 for a score that is not finite. */
static gdouble
weight_of (const Sample *sample, gsize i)
{
  if (!isfinite (sample->scores[i]))
    return 0;
  return sample->weights ? sample->weights[i] : 1;
}

static gboolean
sample_init (Sample *sample)
{
  gdouble sum = 0, squares = 0, count;

  for (gsize i = 0; i < sample->n; i++) {
    gdouble weight = weight_of (sample, i);

    if (weight > 0) {
      *(sample->correct[i] ? &sample->n_correct : &sample->n_wrong) += weight;
      sum += weight * sample->scores[i];
    }
  }
  if (sample->n_correct == 0 || sample->n_wrong == 0)
    return FALSE;

  count = sample->n_correct + sample->n_wrong;
  sample->mean = sum / count;
  for (gsize i = 0; i < sample->n; i++) {
    gdouble weight = weight_of (sample, i);

    if (weight > 0)
      squares += weight * (sample->scores[i] - sample->mean) * (sample->scores[i] - sample->mean);
  }
  sample->deviation = squares > 0 ? sqrt (squares / count) : 1;
  sample->high = (sample->n_correct + 1) / (sample->n_correct + 2);
  sample->low = 1 / (sample->n_wrong + 2);
  return TRUE;
}

/* Negative log-likelihood of the standardised problem; neither branch can overflow. */
static gdouble
loss (const Sample *sample, gdouble a, gdouble b)
{
  gdouble sum = 0;

  for (gsize i = 0; i < sample->n; i++) {
    gdouble weight = weight_of (sample, i);

    if (weight > 0) {
      gdouble f = a * (sample->scores[i] - sample->mean) / sample->deviation + b;
      gdouble target = sample->correct[i] ? sample->high : sample->low;

      sum += weight * (f >= 0 ? target * f + log1p (exp (-f)) : (target - 1) * f + log1p (exp (f)));
    }
  }
  return sum;
}

static Derivatives
derive (const Sample *sample, gdouble a, gdouble b)
{
  Derivatives d = { .aa = 1e-12, .bb = 1e-12 };

  for (gsize i = 0; i < sample->n; i++) {
    gdouble weight = weight_of (sample, i);

    if (weight > 0) {
      gdouble score = (sample->scores[i] - sample->mean) / sample->deviation;
      gdouble f = a * score + b, small = exp (-fabs (f));
      gdouble p = f >= 0 ? small / (1 + small) : 1 / (1 + small);
      gdouble slope = weight * ((sample->correct[i] ? sample->high : sample->low) - p), curve = weight * p * (1 - p);

      d.a += score * slope;
      d.b += slope;
      d.aa += score * score * curve;
      d.ab += score * curve;
      d.bb += curve;
    }
  }
  return d;
}

/* Newton's method with a backtracking line search on a convex function of two variables. */
static void
minimise (const Sample *sample, gdouble *a, gdouble *b)
{
  gdouble value = loss (sample, *a, *b), small = GRADIENT_SMALL * (sample->n_correct + sample->n_wrong);

  for (guint step = 0; step < MAX_STEPS; step++) {
    Derivatives d = derive (sample, *a, *b);
    gdouble determinant = d.aa * d.bb - d.ab * d.ab;
    gdouble da = -(d.bb * d.a - d.ab * d.b) / determinant, db = -(d.aa * d.b - d.ab * d.a) / determinant;
    gdouble descent = d.a * da + d.b * db, length = 1, next = 0;

    if ((fabs (d.a) < small && fabs (d.b) < small) || !isfinite (descent))
      return;
    for (; length >= SHORTEST_STEP; length /= 2) {
      next = loss (sample, *a + length * da, *b + length * db);
      if (next < value + 1e-4 * length * descent)
        break;
    }
    if (length < SHORTEST_STEP)
      return;
    *a += length * da;
    *b += length * db;
    value = next;
  }
}

gboolean
sppnet_platt_fit (const gfloat *scores, const gboolean *correct, const gfloat *weights, gsize n, gfloat *a, gfloat *b)
{
  Sample sample = { .scores = scores, .correct = correct, .weights = weights, .n = n };
  gdouble slope = 0, offset;

  *a = -1;
  *b = 0;
  if (!sample_init (&sample))
    return FALSE;

  offset = log ((sample.n_wrong + 1) / (sample.n_correct + 1)); /* the best without a slope, nearly */
  minimise (&sample, &slope, &offset);
  offset -= slope * sample.mean / sample.deviation;
  slope /= sample.deviation;
  if (!isfinite ((gfloat) slope) || !isfinite ((gfloat) offset))
    return FALSE;
  *a = (gfloat) slope;
  *b = (gfloat) offset;
  return TRUE;
}
