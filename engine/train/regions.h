/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Where the last stages of training get their vectors from: picture by picture, in any order, as often as they like. */

/* The regions of one picture with their vectors. Ground truth comes first: rows 0 .. n_objects - 1 are the annotated
 * objects themselves, the rest are proposals. Valid until the next load. */
typedef struct
{
  gsize n, n_objects;
  const SppnetBox *boxes;   /* [n] */
  const gfloat *features;   /* [n][length] */
  const gint *object_label; /* [n_objects] label ids */
  /* (nullable) [n_objects]: neither these objects nor regions near them are examples of their label, or of background
   */
  const gboolean *object_difficult;
  const gchar *name; /* of the picture, for messages (nullable) */
} SppnetRegions;

typedef struct
{
  guint n_pictures;
  guint n_labels;
  gsize length; /* of one vector */
  gboolean (*load) (gpointer user_data, guint picture, SppnetRegions *regions, GError **error);
  gpointer user_data;
  gchar **labels; /* names of the labels, for messages (nullable) */
} SppnetRegionSource;

/* Loads a picture and checks it: finite vectors, objects first, labels in range. The error (CORRUPT) names the picture.
 * norm_sum (nullable): the sum of the vectors' lengths is added to it. */
gboolean sppnet_regions_load (const SppnetRegionSource *source, guint picture, SppnetRegions *regions,
                              gdouble *norm_sum, GError **error);

/* A label's name, or its number where the source has no names. (transfer full) */
gchar *sppnet_regions_label (const SppnetRegionSource *source, guint label);

gboolean sppnet_regions_is_difficult (const SppnetRegions *regions, gsize object);
/* TRUE where boxes[row] overlaps an object of this label by at least min_iou. */
gboolean sppnet_regions_near (const SppnetRegions *regions, gsize row, gint label, gfloat min_iou);

/* Called with 0..1 of the running stage; returns FALSE to stop (SPPNET_ERROR_CANCELLED). May be NULL. */
typedef gboolean (*SppnetProgress) (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message);
