/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/mistakes.h"

#include <string.h>

/* An object that was found with more confidence is not a mistake, whatever the threshold in use. */
#define FOUND .5f
/* A wrong box is misplaced, not invented, where it overlaps an object by this. */
#define NEAR .1f

static const GArray *
objects_of (const GPtrArray *annotations, guint picture)
{
  return ((const SppnetAnnotation *) g_ptr_array_index (annotations, picture))->objects;
}

static SppnetMistake
judge (const GPtrArray *annotations, const gchar *label, const SppnetScoredBox *box)
{
  const GArray *objects = objects_of (annotations, box->picture);
  SppnetMistake mistake = { SPPNET_MISTAKE_BACKGROUND, box->picture, label, NULL, box->box, box->score };
  gfloat best = SPPNET_MATCH_IOU;

  if (sppnet_match_object (objects, label, &box->box, SPPNET_MATCH_IOU) >= 0) {
    mistake.kind = SPPNET_MISTAKE_TWICE;
    return mistake;
  }
  for (guint i = 0; i < objects->len; i++) {
    const SppnetObject *object = &g_array_index (objects, SppnetObject, i);
    gfloat iou = sppnet_box_iou (&box->box, &object->box);

    if (iou >= best) {
      best = iou;
      mistake.kind = SPPNET_MISTAKE_LABEL;
      mistake.other = object->label;
    }
  }
  if (!mistake.other && sppnet_match_object (objects, label, &box->box, NEAR) >= 0)
    mistake.kind = SPPNET_MISTAKE_PLACE;
  return mistake;
}

/* Notes the objects that matched boxes have found, and adds the boxes that are wrong. */
static void
look_at_boxes (const GPtrArray *annotations, const gchar *label, GArray *boxes, gfloat lowest, gfloat **found,
               GArray *mistakes)
{
  SppnetScoredBox *list = (SppnetScoredBox *) (gpointer) boxes->data;
  g_autofree SppnetMatch *matches = sppnet_match_boxes (annotations, label, list, boxes->len, SPPNET_MATCH_IOU);

  for (guint i = 0; i < boxes->len; i++) {
    const GArray *objects = objects_of (annotations, list[i].picture);

    if (matches[i] == SPPNET_MATCH_TRUE) {
      gint object = sppnet_match_object (objects, label, &list[i].box, SPPNET_MATCH_IOU);

      found[list[i].picture][object] = list[i].score;
    } else if (matches[i] == SPPNET_MATCH_FALSE && list[i].score >= lowest) {
      SppnetMistake mistake = judge (annotations, label, &list[i]);

      g_array_append_val (mistakes, mistake);
    }
  }
}

static void
look_at_objects (const GPtrArray *annotations, const gchar *const *labels, gfloat *const *found, GArray *mistakes)
{
  for (guint p = 0; p < annotations->len; p++) {
    const GArray *objects = objects_of (annotations, p);

    for (guint i = 0; i < objects->len; i++) {
      const SppnetObject *object = &g_array_index (objects, SppnetObject, i);
      SppnetMistake mistake = { SPPNET_MISTAKE_MISSED, p, object->label, NULL, object->box, found[p][i] };

      if (!object->difficult && found[p][i] <= FOUND && g_strv_contains (labels, object->label))
        g_array_append_val (mistakes, mistake);
    }
  }
}

/* Stable, so that the order of equals is that of the labels and pictures. */
static gint
compare (gconstpointer a, gconstpointer b, gpointer direction)
{
  gfloat p = ((const SppnetMistake *) a)->confidence, q = ((const SppnetMistake *) b)->confidence;

  return ((p > q) - (p < q)) * GPOINTER_TO_INT (direction);
}

/* At most most, in order. */
static void
keep_worst (GArray *mistakes, gint direction, guint most)
{
  g_qsort_with_data (mistakes->data, (gint) mistakes->len, sizeof (SppnetMistake), compare,
                     GINT_TO_POINTER (direction));
  if (mistakes->len > most)
    g_array_set_size (mistakes, most);
}

GArray *
sppnet_mistakes_find (const GPtrArray *annotations, const gchar *const *labels, GArray *const *boxes, gfloat lowest,
                      guint most)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free); /* [pictures][objects]: confidence */
  GArray *wrong = g_array_new (FALSE, FALSE, sizeof (SppnetMistake));
  g_autoptr (GArray) missed = g_array_new (FALSE, FALSE, sizeof (SppnetMistake));

  for (guint p = 0; p < annotations->len; p++)
    g_ptr_array_add (found, g_new0 (gfloat, objects_of (annotations, p)->len + 1));
  for (guint i = 0; labels[i]; i++)
    look_at_boxes (annotations, labels[i], boxes[i], lowest, (gfloat **) found->pdata, wrong);
  look_at_objects (annotations, labels, (gfloat *const *) found->pdata, missed);
  keep_worst (wrong, -1, most);
  keep_worst (missed, 1, most);
  g_array_append_vals (wrong, missed->data, missed->len);
  return wrong;
}
