/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/calibration.h"

#include <math.h>

#include <sppnet/error.h>

#include "base/random.h"

#define LABELS 3

static void
clear_labels (SppnetJudgedLabel *labels)
{
  for (guint l = 0; l < LABELS; l++)
    g_array_unref (labels[l].boxes);
}

static void
init_labels (SppnetJudgedLabel *labels)
{
  for (guint l = 0; l < LABELS; l++)
    labels[l] = (SppnetJudgedLabel) { g_array_new (FALSE, FALSE, sizeof (SppnetJudgedBox)), 0 };
}

/* Adds n boxes that are correct with the probability 1 / (1 + exp (a * score + b)); every correct one is an object. */
static void
draw (SppnetJudgedLabel *label, SppnetRandom *random, guint n, gdouble a, gdouble b)
{
  for (guint i = 0; i < n; i++) {
    SppnetJudgedBox box = { .picture = i, .score = (gfloat) (2 * sppnet_random_normal (random)) };

    box.correct = sppnet_random_uniform (random) < 1 / (1 + exp (a * box.score + b));
    label->objects += box.correct;
    g_array_append_val (label->boxes, box);
    /* Not to be seen. */
    box.correct = !box.correct;
    box.ignored = TRUE;
    if (i % 3 == 0)
      g_array_append_val (label->boxes, box);
  }
}

/* Two labels that are trusted too much, each in its own way: both are put right, and the error falls. */
static void
test_fit (void)
{
  SppnetJudgedLabel labels[LABELS];
  SppnetCalibration results[LABELS + 1];
  SppnetRandom random = { 1 };
  g_autoptr (GError) error = NULL;

  init_labels (labels);
  draw (&labels[0], &random, 5000, -.5, 1);
  draw (&labels[1], &random, 5000, -1.5, 2);
  g_assert_true (sppnet_calibrate (labels, LABELS, results, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (results[0].a, -.5, .1);
  g_assert_cmpfloat_with_epsilon (results[0].b, 1, .1);
  g_assert_cmpfloat_with_epsilon (results[1].a, -1.5, .15);
  g_assert_cmpfloat_with_epsilon (results[1].b, 2, .2);
  for (guint l = 0; l < 2; l++) {
    g_assert_cmpuint (results[l].n_boxes, ==, 5000);
    g_assert_cmpuint (results[l].n_correct, ==, labels[l].objects);
    g_assert_cmpfloat (results[l].error[0], >, .1);
    g_assert_cmpfloat (results[l].error[1], <, .03);
  }
  g_assert_cmpuint (results[LABELS].n_boxes, ==, 10000);
  g_assert_cmpfloat (results[LABELS].error[1], <, .03);
  clear_labels (labels);
}

/* A label that is hardly seen gets what is usual; own boxes that say otherwise count the more the more they are. */
static void
test_few (void)
{
  static const guint counts[] = { 0, 8, 4000 };
  gfloat b[G_N_ELEMENTS (counts)];

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    SppnetJudgedLabel labels[LABELS];
    SppnetCalibration results[LABELS + 1];
    SppnetRandom random = { 2 };

    init_labels (labels);
    draw (&labels[0], &random, 2000, -1, 0);
    draw (&labels[2], &random, counts[i], -1, 4);
    g_assert_true (sppnet_calibrate (labels, LABELS, results, NULL));
    b[i] = results[2].b;
    clear_labels (labels);
  }
  g_assert_cmpfloat_with_epsilon (b[0], 0, .3);
  g_assert_cmpfloat (b[1], >, b[0]);
  g_assert_cmpfloat (b[2], >, b[1] + 1);
  g_assert_cmpfloat_with_epsilon (b[2], 4, .5);
}

/* Of one label alone, by trying every confidence. */
static void
test_threshold (void)
{
  for (guint64 seed = 1; seed <= 5; seed++) {
    SppnetJudgedLabel labels[LABELS];
    SppnetCalibration results[LABELS + 1];
    SppnetRandom random = { seed };
    gdouble best = 0;
    gfloat threshold = 0;

    init_labels (labels);
    draw (&labels[0], &random, 300, -1, 1);
    labels[0].objects += 10 * (guint) seed; /* some are never found */
    g_assert_true (sppnet_calibrate (labels, LABELS, results, NULL));
    for (guint i = 0; i < labels[0].boxes->len; i++) {
      gfloat score = g_array_index (labels[0].boxes, SppnetJudgedBox, i).score;
      guint right = 0, all = 0;

      for (guint k = 0; k < labels[0].boxes->len; k++) {
        const SppnetJudgedBox *box = &g_array_index (labels[0].boxes, SppnetJudgedBox, k);

        all += !box->ignored && box->score >= score;
        right += !box->ignored && box->score >= score && box->correct;
      }
      if (2.0 * right / (all + labels[0].objects) > best) {
        best = 2.0 * right / (all + labels[0].objects);
        threshold = 1 / (1 + expf (results[0].a * score + results[0].b));
      }
    }
    g_assert_cmpfloat_with_epsilon (results[0].threshold, CLAMP (threshold, .2f, .6f), .0101f);
    g_assert_cmpfloat (results[0].precision, >, 0);
    g_assert_cmpfloat (results[0].recall, <, 1);
    clear_labels (labels);
  }
}

static void
assert_refused (const SppnetJudgedLabel *labels)
{
  SppnetCalibration results[LABELS + 1];
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_calibrate (labels, LABELS, results, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
}

static void
test_refused (void)
{
  SppnetJudgedLabel labels[LABELS];
  SppnetRandom random = { 3 };

  init_labels (labels);
  assert_refused (labels);
  draw (&labels[1], &random, 300, 2, 0); /* the better the score, the worse the box */
  assert_refused (labels);
  g_array_set_size (labels[1].boxes, 0);
  draw (&labels[1], &random, 100, 0, -100); /* all are correct */
  assert_refused (labels);
  g_array_set_size (labels[1].boxes, 0);
  draw (&labels[1], &random, 100, 0, 100); /* none is */
  assert_refused (labels);
  clear_labels (labels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/calibration/fit", test_fit);
  g_test_add_func ("/train/calibration/few", test_few);
  g_test_add_func ("/train/calibration/threshold", test_threshold);
  g_test_add_func ("/train/calibration/refused", test_refused);
  return g_test_run ();
}
