/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/average_precision.h"

#include <math.h>

/* Expected values are computed by hand from the definitions. */

static void
clear_object (gpointer data)
{
  g_free (((SppnetObject *) data)->label);
}

static void
add_object (GPtrArray *annotations, guint picture, const gchar *label, SppnetBox box, gboolean difficult)
{
  SppnetObject object = { g_strdup (label), box, difficult, 1 };

  while (annotations->len <= picture) {
    SppnetAnnotation *annotation = g_new0 (SppnetAnnotation, 1);

    annotation->objects = g_array_new (FALSE, FALSE, sizeof (SppnetObject));
    g_array_set_clear_func (annotation->objects, clear_object);
    g_ptr_array_add (annotations, annotation);
  }
  g_array_append_val (((SppnetAnnotation *) g_ptr_array_index (annotations, picture))->objects, object);
}

static GPtrArray *
create_annotations (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
}

/* Box number i of a row of boxes that do not overlap. */
static SppnetBox
place (guint i)
{
  return (SppnetBox) { 20.0f * i, 5, 10, 10 };
}

#define assert_near(a, b) g_assert_cmpfloat_with_epsilon (a, b, 1e-9)

static void
test_curve (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[] = { { 0, 0.7f, place (1) }, { 0, 0.9f, place (0) }, { 0, 0.8f, place (5) } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", place (0), FALSE);
  add_object (annotations, 0, "dog", place (1), FALSE);
  add_object (annotations, 0, "cat", place (5), FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
  /* right, wrong, right: precision 1 up to recall .5, then 2/3 */
  g_assert_cmpuint (result.objects, ==, 2);
  assert_near (result.ap11, (6 + 5 * 2.0 / 3) / 11);
  assert_near (result.ap, 0.5 + 0.5 * 2.0 / 3);
  assert_near (result.recall, 1);
  g_assert_cmpfloat (boxes[0].score, ==, 0.9f);
  g_assert_cmpfloat (boxes[2].score, ==, 0.7f);
}

static void
test_envelope (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[] = { { 0, 0.9f, place (9) }, { 0, 0.8f, place (0) }, { 0, 0.7f, place (1) } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", place (0), FALSE);
  add_object (annotations, 0, "dog", place (1), FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
  /* wrong, right, right: 0, 1/2, 2/3; the envelope is 2/3 throughout */
  assert_near (result.ap11, 2.0 / 3);
  assert_near (result.ap, 2.0 / 3);
}

static void
test_duplicates (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[] = { { 0, 0.9f, place (0) }, { 0, 0.8f, place (0) }, { 1, 0.7f, place (0) } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", place (0), FALSE);
  add_object (annotations, 1, "dog", place (0), FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
  assert_near (result.ap, 0.5 + 0.5 * 2.0 / 3);
  assert_near (result.ap11, (6 + 5 * 2.0 / 3) / 11);
}

/* A box belongs to the object it overlaps most, even when that is taken and another would do. */
static void
test_best_object_only (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[] = { { 0, 0.9f, { 0, 0, 10, 10 } }, { 0, 0.8f, { 0.75f, 0, 10, 10 } } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", (SppnetBox) { 2, 0, 10, 10 }, FALSE);
  add_object (annotations, 0, "dog", (SppnetBox) { 0, 0, 10, 10 }, FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 2, 0.5f);
  assert_near (result.recall, 0.5);
  assert_near (result.ap, 0.5);
  assert_near (result.ap11, 6.0 / 11);
}

static void
test_difficult (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[] = { { 0, 0.9f, place (0) }, { 0, 0.85f, place (0) }, { 0, 0.8f, place (1) } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", place (0), TRUE);
  add_object (annotations, 0, "dog", place (1), FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
  g_assert_cmpuint (result.objects, ==, 1);
  assert_near (result.ap, 1);
  assert_near (result.ap11, 1);

  /* nothing but difficult objects: none */
  g_ptr_array_set_size (annotations, 0);
  add_object (annotations, 0, "dog", place (0), TRUE);
  result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
  g_assert_cmpuint (result.objects, ==, 0);
  assert_near (result.ap, 0);
  assert_near (result.recall, 0);
}

/* 3 of 10 objects is a recall of .3, which three tenths in floating point would miss. */
static void
test_recall_levels (void)
{
  for (guint found = 1; found <= 10; found++) {
    g_autoptr (GPtrArray) annotations = create_annotations ();
    SppnetScoredBox boxes[10];
    SppnetAveragePrecision result;

    for (guint i = 0; i < 10; i++) {
      add_object (annotations, 0, "dog", place (i), FALSE);
      boxes[i] = (SppnetScoredBox) { 0, 0.5f, place (i) };
    }
    result = sppnet_average_precision (annotations, "dog", boxes, found, 0.5f);
    assert_near (result.ap11, (found + 1) / 11.0);
    assert_near (result.ap, found / 10.0);
    assert_near (result.recall, found / 10.0);
    g_assert_cmpfloat (result.ap11, <=, 1);
    g_assert_cmpfloat (result.ap, <=, 1);
  }
}

static void
test_threshold (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox half = { 0, 1, { 0, 0, 4, 2 } }, less = { 0, 1, { 0, 0, 4, 1.9375f } };

  add_object (annotations, 0, "dog", (SppnetBox) { 0, 0, 4, 4 }, FALSE);
  assert_near (sppnet_average_precision (annotations, "dog", &half, 1, 0.5f).ap, 1); /* IoU .5 exactly: a match */
  assert_near (sppnet_average_precision (annotations, "dog", &less, 1, 0.5f).ap, 0);
}

/* The order of the input never matters, not even among equal scores. */
static void
test_equal_scores (void)
{
  static const guint orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
  const SppnetScoredBox original[] = { { 0, 0.5f, place (0) }, { 0, 0.5f, place (7) }, { 1, 0.5f, place (0) } };
  g_autoptr (GPtrArray) annotations = create_annotations ();

  add_object (annotations, 0, "dog", place (0), FALSE);
  add_object (annotations, 1, "dog", place (0), FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    SppnetScoredBox boxes[3];
    SppnetAveragePrecision result;

    for (guint j = 0; j < 3; j++)
      boxes[j] = original[orders[i][j]];
    result = sppnet_average_precision (annotations, "dog", boxes, 3, 0.5f);
    /* by picture, then from the left: right, wrong, right */
    assert_near (result.ap, 0.5 + 0.5 * 2.0 / 3);
  }
}

static void
test_bad_numbers (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox boxes[]
      = { { 0, NAN, place (3) }, { 0, -INFINITY, place (4) }, { 0, 0.1f, { NAN, 0, 10, 10 } }, { 0, 0.5f, place (0) } };
  SppnetAveragePrecision result;

  add_object (annotations, 0, "dog", place (0), FALSE);
  result = sppnet_average_precision (annotations, "dog", boxes, 4, 0.5f);
  assert_near (result.ap, 1);
  g_assert_true (isnan (boxes[3].score));
}

static void
test_nothing (void)
{
  g_autoptr (GPtrArray) annotations = create_annotations ();
  SppnetScoredBox box = { 0, 1, place (0) };
  SppnetAveragePrecision result;

  result = sppnet_average_precision (annotations, "dog", NULL, 0, 0.5f);
  g_assert_cmpuint (result.objects, ==, 0);
  add_object (annotations, 0, "cat", place (0), FALSE);
  result = sppnet_average_precision (annotations, "dog", &box, 1, 0.5f);
  g_assert_cmpuint (result.objects, ==, 0);
  assert_near (result.ap, 0);
  assert_near (result.ap11, 0);
  result = sppnet_average_precision (annotations, "cat", NULL, 0, 0.5f);
  g_assert_cmpuint (result.objects, ==, 1);
  assert_near (result.ap, 0);
  assert_near (result.recall, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/average-precision/curve", test_curve);
  g_test_add_func ("/average-precision/envelope", test_envelope);
  g_test_add_func ("/average-precision/duplicates", test_duplicates);
  g_test_add_func ("/average-precision/best-object-only", test_best_object_only);
  g_test_add_func ("/average-precision/difficult", test_difficult);
  g_test_add_func ("/average-precision/recall-levels", test_recall_levels);
  g_test_add_func ("/average-precision/threshold", test_threshold);
  g_test_add_func ("/average-precision/equal-scores", test_equal_scores);
  g_test_add_func ("/average-precision/bad-numbers", test_bad_numbers);
  g_test_add_func ("/average-precision/nothing", test_nothing);
  return g_test_run ();
}
