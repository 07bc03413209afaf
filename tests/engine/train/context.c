/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/context.h"

#include <math.h>

#include <sppnet/error.h>

#include "base/random.h"
#include "detect/context.h"

#define LABELS 3
#define COLUMNS SPPNET_CONTEXT_COLUMNS (LABELS)
#define PICTURES 4000

static void
init_labels (SppnetJudgedLabel *labels)
{
  for (guint l = 0; l < LABELS; l++)
    labels[l] = (SppnetJudgedLabel) { g_array_new (FALSE, FALSE, sizeof (SppnetJudgedBox)), 0 };
}

static void
clear_labels (SppnetJudgedLabel *labels)
{
  for (guint l = 0; l < LABELS; l++)
    g_array_unref (labels[l].boxes);
}

static void
add (SppnetJudgedLabel *label, guint picture, gfloat x, gdouble score, gboolean correct)
{
  SppnetJudgedBox box = { picture, { x, 0, 10, 10 }, (gfloat) score, correct, FALSE };

  g_array_append_val (label->boxes, box);
}

/* Pictures with a box of label 0, whose correctness depends on its score and on whether label 1 is elsewhere, as if the
 * context were 1, -1 and 3; label 1 right at its place says nothing, and label 2 is hardly seen. */
static void
draw (SppnetJudgedLabel *labels, SppnetRandom *random)
{
  for (guint p = 0; p < PICTURES; p++) {
    gdouble score = 2 * sppnet_random_normal (random);
    gboolean other = sppnet_random_below (random, 2), here = sppnet_random_below (random, 2);
    gdouble sum = score - 1 + (other ? 3 * 0.9 : 0.0);

    add (&labels[0], p, 0, score, sppnet_random_uniform (random) < 1 / (1 + exp (-sum)));
    if (other)
      add (&labels[1], p, 100, log (9), p % 4 != 0);
    if (here)
      add (&labels[1], p, 0, 1, p % 4 == 0);
    if (p % 200 == 0)
      add (&labels[2], p, 50, 0, TRUE);
  }
}

static void
test_fit (void)
{
  SppnetJudgedLabel labels[LABELS];
  SppnetContextFit results[LABELS];
  gfloat context[LABELS * COLUMNS];
  SppnetRandom random = { 3 };
  g_autoptr (GError) error = NULL;

  init_labels (labels);
  draw (labels, &random);
  g_assert_true (sppnet_context_fit (labels, LABELS, context, results, &error));
  g_assert_no_error (error);
  g_assert_true (results[0].fitted);
  g_assert_cmpuint (results[0].n_boxes, ==, PICTURES);
  g_assert_cmpfloat_with_epsilon (context[0], 1, 0.15);
  g_assert_cmpfloat_with_epsilon (context[1], -1, 0.2);
  g_assert_cmpfloat_with_epsilon (context[2], 0, 0.3);
  g_assert_cmpfloat_with_epsilon (context[3], 3, 0.3);
  g_assert_true (results[1].fitted);

  /* Too few: its confidence stays. */
  g_assert_false (results[2].fitted);
  g_assert_cmpuint (results[2].n_boxes, ==, PICTURES / 200);
  g_assert_cmpuint (results[2].n_correct, ==, PICTURES / 200);
  g_assert_cmpfloat (context[2 * COLUMNS], ==, 1.0f);
  for (guint i = 1; i < COLUMNS; i++)
    g_assert_cmpfloat (context[2 * COLUMNS + i], ==, 0.0f);
  clear_labels (labels);
}

/* Boxes on objects that do not count are evidence, but nothing is learnt from them. */
static void
test_ignored (void)
{
  SppnetJudgedLabel labels[LABELS];
  SppnetContextFit results[LABELS];
  gfloat context[LABELS * COLUMNS];
  SppnetRandom random = { 3 };

  init_labels (labels);
  draw (labels, &random);
  for (guint i = 0; i < labels[1].boxes->len; i++)
    g_array_index (labels[1].boxes, SppnetJudgedBox, i).ignored = TRUE;
  g_assert_true (sppnet_context_fit (labels, LABELS, context, results, NULL));
  g_assert_cmpfloat_with_epsilon (context[3], 3, 0.3);
  g_assert_false (results[1].fitted);
  g_assert_cmpuint (results[1].n_boxes, ==, 0);
  clear_labels (labels);
}

static void
test_too_few (void)
{
  SppnetJudgedLabel labels[LABELS];
  SppnetContextFit results[LABELS];
  gfloat context[LABELS * COLUMNS];
  g_autoptr (GError) error = NULL;

  init_labels (labels);
  g_assert_false (sppnet_context_fit (labels, LABELS, context, results, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  for (guint p = 0; p < 200; p++)
    add (&labels[p % LABELS], p, 0, p % 7, p % 2);
  g_assert_false (sppnet_context_fit (labels, LABELS, context, results, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
  clear_labels (labels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/context/fit", test_fit);
  g_test_add_func ("/train/context/ignored", test_ignored);
  g_test_add_func ("/train/context/too-few", test_too_few);
  return g_test_run ();
}
