/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/recall.h"

#include <math.h>

static void
add (SppnetRecall *recall, const SppnetObject *objects, guint n_objects, const SppnetBox *boxes, gsize n)
{
  SppnetAnnotation annotation = { .objects = g_array_new (FALSE, FALSE, sizeof (SppnetObject)) };

  g_array_append_vals (annotation.objects, objects, n_objects);
  sppnet_recall_add (recall, &annotation, NULL, boxes, n);
  g_array_unref (annotation.objects);
}

static void
test_sums (void)
{
  const SppnetObject objects[] = {
    { NULL, { 0, 0, 10, 10 }, FALSE, 1 },
    { NULL, { 100, 0, 10, 10 }, FALSE, 1 },
    { NULL, { 200, 0, 10, 10 }, FALSE, 1 },
    { NULL, { 300, 0, 10, 10 }, TRUE, 1 }, /* difficult: not counted */
  };
  const SppnetBox boxes[] = {
    { 0, 0, 10, 5 },    /* IoU .5 with the first */
    { 0, 0, 10, 2 },    /* worse */
    { 100, 0, 10, 8 },  /* .8 with the second */
    { 200, 0, 10, 4 },  /* .4 with the third */
    { 300, 0, 10, 10 }, /* the difficult one */
    { NAN, 0, 10, 10 },
  };
  SppnetRecall recall = { 0 };

  add (&recall, objects, 4, boxes, 6);
  g_assert_cmpuint (recall.objects, ==, 3);
  g_assert_cmpuint (recall.found50, ==, 2);
  g_assert_cmpuint (recall.found70, ==, 1);
  g_assert_cmpfloat_with_epsilon (recall.overlap, 0.5 + 0.8 + 0.4, 1e-6);

  /* a picture without objects, one without boxes */
  add (&recall, NULL, 0, boxes, 2);
  add (&recall, objects, 1, NULL, 0);
  g_assert_cmpuint (recall.pictures, ==, 3);
  g_assert_cmpuint (recall.boxes, ==, 8);
  g_assert_cmpuint (recall.objects, ==, 4);
  g_assert_cmpuint (recall.found50, ==, 2);
  g_assert_cmpfloat_with_epsilon (recall.overlap, 1.7, 1e-6);
}

static void
test_labels (void)
{
  static const gchar *const wanted[] = { "cat", "dog", NULL }, *const none[] = { NULL };
  SppnetObject objects[] = {
    { (gchar *) "dog", { 0, 0, 10, 10 }, FALSE, 1 },
    { (gchar *) "cow", { 100, 0, 10, 10 }, FALSE, 1 },
    { (gchar *) "cat", { 200, 0, 10, 10 }, FALSE, 1 },
  };
  SppnetAnnotation annotation = { .objects = g_array_new (FALSE, FALSE, sizeof (SppnetObject)) };
  SppnetRecall recall = { 0 };

  g_array_append_vals (annotation.objects, objects, 3);
  sppnet_recall_add (&recall, &annotation, wanted, &objects[0].box, 1);
  g_assert_cmpuint (recall.objects, ==, 2);
  g_assert_cmpuint (recall.found50, ==, 1);
  sppnet_recall_add (&recall, &annotation, none, &objects[0].box, 1);
  g_assert_cmpuint (recall.objects, ==, 2);
  g_array_unref (annotation.objects);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recall/sums", test_sums);
  g_test_add_func ("/recall/labels", test_labels);
  return g_test_run ();
}
