/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "evaluate/voc.h"

/* A scored box on one picture (index into the annotations). */
typedef struct
{
  guint picture;
  gfloat score;
  SppnetBox box;
} SppnetScoredBox;

typedef struct
{
  guint objects;  /* not difficult */
  gdouble ap11;   /* VOC07, 11 points; 0 without objects */
  gdouble ap;     /* area under the monotone envelope */
  gdouble recall; /* at the end of the list */
} SppnetAveragePrecision;

/* The VOC devkit's rule for one label: by falling score; each box goes to the object it overlaps most; a match at IoU >=
 * threshold counts once per object, a second one is a false positive; difficult objects count neither way. The
 * scored boxes are sorted in place. */
SppnetAveragePrecision sppnet_average_precision (const GPtrArray *annotations, const gchar *label, SppnetScoredBox *boxes,
                                                 gsize n, gfloat threshold);
