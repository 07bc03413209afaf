/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/average_precision.h"

#include <math.h>
#include <string.h>

static gint
compare_floats (gfloat a, gfloat b)
{
  return (a > b) - (a < b);
}

/* By falling score, NaN last; equal scores in an order that does not depend on the input's. */
static gint
compare_boxes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const SppnetScoredBox *p = a, *q = b;
  gint order;

  if (isnan (p->score) != isnan (q->score))
    return isnan (p->score) ? 1 : -1;
  if ((order = compare_floats (q->score, p->score)) != 0)
    return order;
  if (p->picture != q->picture)
    return p->picture < q->picture ? -1 : 1;
  if ((order = compare_floats (p->box.x, q->box.x)) != 0)
    return order;
  if ((order = compare_floats (p->box.y, q->box.y)) != 0)
    return order;
  if ((order = compare_floats (p->box.width, q->box.width)) != 0)
    return order;
  return compare_floats (p->box.height, q->box.height);
}

gint
sppnet_match_object (const GArray *objects, const gchar *label, const SppnetBox *box, gfloat threshold)
{
  gfloat best = 0;
  gint found = -1;

  for (guint i = 0; i < objects->len; i++) {
    const SppnetObject *object = &g_array_index (objects, SppnetObject, i);
    gfloat iou;

    if (strcmp (object->label, label) != 0)
      continue;
    iou = sppnet_box_iou (box, &object->box);
    if (iou > best) {
      best = iou;
      found = (gint) i;
    }
  }
  return best >= threshold ? found : -1;
}

SppnetMatch *
sppnet_match_boxes (const GPtrArray *annotations, const gchar *label, SppnetScoredBox *boxes, gsize n, gfloat threshold)
{
  g_autofree SppnetMatch *matches = NULL;
  g_autofree gsize *first = NULL;    /* [pictures]: number of its first object */
  g_autofree gboolean *taken = NULL; /* [objects of all pictures] */

  g_return_val_if_fail (annotations && label && (boxes || n == 0), NULL);
  for (gsize i = 0; i < n; i++)
    g_return_val_if_fail (boxes[i].picture < annotations->len, NULL);

  matches = g_new (SppnetMatch, n + 1);
  first = g_new (gsize, annotations->len + 1);
  first[0] = 0;
  for (guint i = 0; i < annotations->len; i++)
    first[i + 1] = first[i] + ((const SppnetAnnotation *) g_ptr_array_index (annotations, i))->objects->len;
  taken = g_new0 (gboolean, first[annotations->len] + 1);
  if (n > 0)
    g_qsort_with_data (boxes, (gint) n, sizeof *boxes, compare_boxes, NULL);

  for (gsize i = 0; i < n; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (annotations, boxes[i].picture);
    gint object = sppnet_match_object (annotation->objects, label, &boxes[i].box, threshold);

    if (object < 0) {
      matches[i] = SPPNET_MATCH_FALSE;
    } else if (g_array_index (annotation->objects, SppnetObject, object).difficult) {
      matches[i] = SPPNET_MATCH_IGNORED;
    } else {
      gboolean *slot = &taken[first[boxes[i].picture] + (gsize) object];

      matches[i] = *slot ? SPPNET_MATCH_FALSE : SPPNET_MATCH_TRUE;
      *slot = TRUE;
    }
  }
  return g_steal_pointer (&matches);
}

guint
sppnet_count_objects (const GPtrArray *annotations, const gchar *label)
{
  guint count = 0;

  for (guint i = 0; i < annotations->len; i++) {
    const GArray *objects = ((const SppnetAnnotation *) g_ptr_array_index (annotations, i))->objects;

    for (guint j = 0; j < objects->len; j++) {
      const SppnetObject *object = &g_array_index (objects, SppnetObject, j);

      count += !object->difficult && strcmp (object->label, label) == 0;
    }
  }
  return count;
}

/* Walks the list from its end, where the precision's running maximum is the envelope. */
static void
integrate (const SppnetMatch *matches, gsize n, SppnetAveragePrecision *result)
{
  gdouble at_level[11] = { 0 }, envelope = 0, area = 0;
  gsize right = 0, wrong = 0;

  for (gsize i = 0; i < n; i++) {
    right += matches[i] == SPPNET_MATCH_TRUE;
    wrong += matches[i] == SPPNET_MATCH_FALSE;
  }
  result->recall = (gdouble) right / result->objects;
  for (gsize i = n; i-- > 0;) {
    if (matches[i] == SPPNET_MATCH_IGNORED)
      continue;
    envelope = MAX (envelope, (gdouble) right / (gdouble) (right + wrong));
    /* recall >= k / 10 in integers: 3 of 10 objects is exactly .3 */
    for (gsize k = 0; k <= 10 && k * result->objects <= right * 10; k++)
      at_level[k] = envelope;
    if (matches[i] == SPPNET_MATCH_TRUE) {
      area += envelope;
      right--;
    } else {
      wrong--;
    }
  }
  for (gsize k = 0; k <= 10; k++)
    result->ap11 += at_level[k];
  result->ap11 /= 11; /* not each term: eleven rounded elevenths are more than 1 */
  result->ap = area / result->objects;
}

SppnetAveragePrecision
sppnet_average_precision (const GPtrArray *annotations, const gchar *label, SppnetScoredBox *boxes, gsize n,
                          gfloat threshold)
{
  SppnetAveragePrecision result = { 0 };
  g_autofree SppnetMatch *matches = NULL;

  g_return_val_if_fail (annotations && label, result);

  result.objects = sppnet_count_objects (annotations, label);
  matches = sppnet_match_boxes (annotations, label, boxes, n, threshold);
  if (matches && n > 0 && result.objects > 0)
    integrate (matches, n, &result);
  return result;
}
