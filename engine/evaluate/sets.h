/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "evaluate/voc.h"

/* Where annotated pictures come from. All are NULL-terminated, or NULL. */
typedef struct
{
  gchar **voc;    /* VOC folders */
  gchar **sets;   /* the list of each, as many; NULL: all pictures of the folders */
  gchar **coco;   /* COCO files */
  gchar **images; /* folder of the pictures of each, as many; NULL: where the file is */
} SppnetPictureSets;

/* All in one list. (element-type SppnetAnnotation) (transfer full) */
GPtrArray *sppnet_picture_sets_load (const SppnetPictureSets *sets, GError **error);

/* "FOLDER/SET" or the base name of each, for a model's record. (transfer full) */
JsonArray *sppnet_picture_sets_record (const SppnetPictureSets *sets);

/* The part of a random choice that training leaves for validation, or the other one; the same pictures for the same
 * seed. Each part has at least one picture where there are two. Both keep the order. A picture that is there more than
 * once, so that it counts more, is in one part only, and once in that for validation. */
GPtrArray *sppnet_picture_sets_split (GPtrArray *annotations, gdouble fraction, guint32 seed, gboolean validation);

/* The names in a text file, one a line, in their order; errors name file and line: a name that is there twice, text
 * that is not UTF-8, no name at all. (transfer full): NULL-terminated */
gchar **sppnet_labels_load (const gchar *file, GError **error);
