/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/voc.h"

/* What the readers of annotation files share. */

/* The most that a JPEG file can have, and far from the limits of gint. */
#define SPPNET_ANNOTATION_MAX_SIDE 65535

/* Without picture, size and objects. */
SppnetAnnotation *sppnet_annotation_new (const gchar *id);
/* The corners as a box, clipped to the annotation's size where it hangs over by at most one pixel; returns what is
 * wrong with them, or NULL. */
const gchar *sppnet_annotation_clip (const SppnetAnnotation *annotation, gdouble x0, gdouble y0, gdouble x1, gdouble y1,
                                     SppnetBox *box);

/* Fills in size and objects of an annotation from the XML text of a file, which errors name. */
gboolean sppnet_annotation_parse (SppnetAnnotation *annotation, const gchar *file, const gchar *xml, gsize length,
                                  GError **error);
