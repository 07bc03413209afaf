/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/mistakes.h"

static SppnetAnnotation *
add_picture (GPtrArray *annotations)
{
  SppnetAnnotation *annotation = g_new0 (SppnetAnnotation, 1);

  annotation->objects = g_array_new (FALSE, TRUE, sizeof (SppnetObject));
  g_ptr_array_add (annotations, annotation);
  return annotation;
}

static void
add_object (SppnetAnnotation *annotation, const gchar *label, gfloat x, gboolean difficult)
{
  SppnetObject object = { (gchar *) label, { x, 0, 10, 10 }, difficult, 1 };

  g_array_append_val (annotation->objects, object);
}

static void
add_box (GArray *boxes, guint picture, gfloat score, gfloat x)
{
  SppnetScoredBox box = { picture, score, { x, 0, 10, 10 } };

  g_array_append_val (boxes, box);
}

typedef struct
{
  GPtrArray *annotations;
  GArray *boxes[3]; /* cat, dog, NULL */
} Scene;

/* Two pictures: a cat found twice and a dog called a cat; a cat found badly, a dog missed, a difficult and a strange
 * one. */
static void
set_up (Scene *scene, gconstpointer data)
{
  SppnetAnnotation *first, *second;

  scene->annotations = g_ptr_array_new_with_free_func ((GDestroyNotify) sppnet_annotation_free);
  first = add_picture (scene->annotations);
  second = add_picture (scene->annotations);
  add_object (first, "cat", 0, FALSE);
  add_object (first, "dog", 100, FALSE);
  add_object (second, "cat", 0, FALSE);
  add_object (second, "dog", 200, FALSE);
  add_object (second, "dog", 300, TRUE);
  add_object (second, "unicorn", 400, FALSE);
  for (guint i = 0; i < 2; i++)
    scene->boxes[i] = g_array_new (FALSE, FALSE, sizeof (SppnetScoredBox));
  add_box (scene->boxes[0], 0, .9f, 0);    /* right */
  add_box (scene->boxes[0], 0, .7f, 2);    /* the same cat again */
  add_box (scene->boxes[0], 0, .8f, 100);  /* a dog */
  add_box (scene->boxes[0], 1, .2f, 0);    /* right, with little confidence */
  add_box (scene->boxes[0], 1, .6f, 6);    /* a cat, overlapped by a quarter */
  add_box (scene->boxes[0], 1, .05f, 90);  /* below the lowest */
  add_box (scene->boxes[1], 0, .6f, 100);  /* right */
  add_box (scene->boxes[1], 1, .99f, 50);  /* nothing */
  add_box (scene->boxes[1], 1, .95f, 300); /* difficult */
}

static void
tear_down (Scene *scene, gconstpointer data)
{
  for (guint p = 0; p < scene->annotations->len; p++) {
    SppnetAnnotation *annotation = g_ptr_array_index (scene->annotations, p);

    g_array_set_clear_func (annotation->objects, NULL);
  }
  g_ptr_array_unref (scene->annotations);
  g_array_unref (scene->boxes[0]);
  g_array_unref (scene->boxes[1]);
}

static void
test_kinds (Scene *scene, gconstpointer data)
{
  static const gchar *const labels[] = { "cat", "dog", NULL };
  static const struct
  {
    SppnetMistakeKind kind;
    guint picture;
    const gchar *label, *other;
    gfloat confidence, x;
  } expected[] = {
    { SPPNET_MISTAKE_BACKGROUND, 1, "dog", NULL, .99f, 50 }, { SPPNET_MISTAKE_LABEL, 0, "cat", "dog", .8f, 100 },
    { SPPNET_MISTAKE_TWICE, 0, "cat", NULL, .7f, 2 },        { SPPNET_MISTAKE_PLACE, 1, "cat", NULL, .6f, 6 },
    { SPPNET_MISTAKE_MISSED, 1, "dog", NULL, 0, 200 },       { SPPNET_MISTAKE_MISSED, 1, "cat", NULL, .2f, 0 },
  };
  g_autoptr (GArray) mistakes = sppnet_mistakes_find (scene->annotations, labels, scene->boxes, .1f, 10);

  g_assert_cmpuint (mistakes->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < mistakes->len; i++) {
    const SppnetMistake *mistake = &g_array_index (mistakes, SppnetMistake, i);

    g_assert_cmpint (mistake->kind, ==, expected[i].kind);
    g_assert_cmpuint (mistake->picture, ==, expected[i].picture);
    g_assert_cmpstr (mistake->label, ==, expected[i].label);
    g_assert_cmpstr (mistake->other, ==, expected[i].other);
    g_assert_cmpfloat (mistake->confidence, ==, expected[i].confidence);
    g_assert_cmpfloat (mistake->box.x, ==, expected[i].x);
  }
}

/* The worst of each sort, and labels that are not looked at. */
static void
test_most (Scene *scene, gconstpointer data)
{
  static const gchar *const labels[] = { "cat", "dog", NULL }, *const cats[] = { "cat", NULL };
  g_autoptr (GArray) worst = sppnet_mistakes_find (scene->annotations, labels, scene->boxes, .1f, 1);
  g_autoptr (GArray) of_cats = sppnet_mistakes_find (scene->annotations, cats, scene->boxes, .1f, 10);

  g_assert_cmpuint (worst->len, ==, 2);
  g_assert_cmpfloat (g_array_index (worst, SppnetMistake, 0).confidence, ==, .99f);
  g_assert_cmpint (g_array_index (worst, SppnetMistake, 1).kind, ==, SPPNET_MISTAKE_MISSED);
  g_assert_cmpuint (of_cats->len, ==, 4);
  for (guint i = 0; i < of_cats->len; i++)
    g_assert_cmpstr (g_array_index (of_cats, SppnetMistake, i).label, ==, "cat");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/mistakes/kinds", Scene, NULL, set_up, test_kinds, tear_down);
  g_test_add ("/mistakes/most", Scene, NULL, set_up, test_most, tear_down);
  return g_test_run ();
}
