/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

typedef struct
{
  gchar *label;
  SppnetBox box; /* from the 1-based inclusive corners: x = xmin - 1, width = xmax - xmin + 1 */
  gboolean difficult;
  gfloat confidence; /* <confidence> of machine-made boxes; 1 where absent */
} SppnetObject;

/* One annotated picture. */
typedef struct
{
  gchar *id;      /* name in the image set */
  gchar *picture; /* path of the picture */
  gint width, height;
  GArray *objects; /* (element-type SppnetObject) */
} SppnetAnnotation;

/**
 * sppnet_voc_load:
 * @dir: folder with Annotations, ImageSets/Main and JPEGImages
 * @set: (nullable): name of the list ImageSets/Main/SET.txt; %NULL: all files Annotations/NAME.xml, in the order of
 * their names
 *
 * Reads all annotations of a set. Errors name file, line and reason: malformed XML, no or non-positive size, a box
 * outside the picture by more than one pixel, an empty box, no name, a picture that does not exist (.jpg, .jpeg, .png
 * tried), a list that names an annotation that does not exist. Whole-pixel overhangs of one pixel are clipped.
 *
 * Returns: (element-type SppnetAnnotation) (transfer full): in the order of the list, each with its name as id
 */
GPtrArray *sppnet_voc_load (const gchar *dir, const gchar *set, GError **error);

void sppnet_annotation_free (SppnetAnnotation *annotation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetAnnotation, sppnet_annotation_free)
