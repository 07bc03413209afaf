/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

#include "evaluate/voc.h"

#define SPPNET_MATCH_IOU 0.5f /* the devkit's threshold */

/* A scored box on one picture (index into the annotations). */
typedef struct
{
  guint picture;
  gfloat score;
  SppnetBox box;
} SppnetScoredBox;

/* What a scored box turned out to be. */
typedef enum
{
  SPPNET_MATCH_FALSE,
  SPPNET_MATCH_TRUE,
  SPPNET_MATCH_IGNORED, /* on a difficult object */
} SppnetMatch;

typedef struct
{
  guint objects;  /* not difficult */
  gdouble ap11;   /* VOC07, 11 points; 0 without objects */
  gdouble ap;     /* area under the monotone envelope */
  gdouble recall; /* at the end of the list */
} SppnetAveragePrecision;

/* The VOC devkit's rule for one label: by falling score; each box goes to the object it overlaps most; a match at IoU
 * >= threshold counts once per object, a second one is a false positive; difficult objects count neither way. The
 * scored boxes are sorted in place. */
SppnetAveragePrecision sppnet_average_precision (const GPtrArray *annotations, const gchar *label,
                                                 SppnetScoredBox *boxes, gsize n, gfloat threshold);

/* The rule itself: sorts the boxes in place and tells what each of them is. (transfer full): [n] */
SppnetMatch *sppnet_match_boxes (const GPtrArray *annotations, const gchar *label, SppnetScoredBox *boxes, gsize n,
                                 gfloat threshold);
/* The object of that label which a box overlaps most, the first of equals; -1 if it overlaps none by threshold. */
gint sppnet_match_object (const GArray *objects, const gchar *label, const SppnetBox *box, gfloat threshold);
/* Objects of that label that are not difficult. */
guint sppnet_count_objects (const GPtrArray *annotations, const gchar *label);
