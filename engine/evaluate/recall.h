/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "evaluate/voc.h"

/* How well proposals cover the objects of annotated pictures, summed over pictures. { 0 } is the start. Difficult
 * objects do not count. */
typedef struct
{
  guint pictures, objects;
  guint found50, found70; /* objects that a box overlaps by IoU >= .5, >= .7 */
  gdouble overlap;        /* sum over objects of the best IoU */
  guint64 boxes;
} SppnetRecall;

/* Adds one picture with its proposals; without any object it counts for the mean number of boxes only. labels:
 * (nullable) (array zero-terminated=1): only objects of these count. */
void sppnet_recall_add (SppnetRecall *recall, const SppnetAnnotation *annotation, const gchar *const *labels,
                        const SppnetBox *boxes, gsize n);
