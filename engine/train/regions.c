/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/regions.h"

#include <math.h>

static gboolean
refuse (const SppnetRegions *regions, guint picture, GError **error, const gchar *reason)
{
  if (regions->name)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: %s", regions->name, reason);
  else
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "picture %u of the training set: %s", picture, reason);
  return FALSE;
}

gchar *
sppnet_regions_label (const SppnetRegionSource *source, guint label)
{
  return source->labels ? g_strdup_printf ("\"%s\"", source->labels[label]) : g_strdup_printf ("%u", label);
}

/* Squares of floats cannot overflow a double, so the sum is finite exactly where all elements are. */
static gdouble
squared_norm (const gfloat *vector, gsize length)
{
  gdouble sum = 0;

  for (gsize i = 0; i < length; i++)
    sum += (gdouble) vector[i] * vector[i];
  return sum;
}

gboolean
sppnet_regions_load (const SppnetRegionSource *source, guint picture, SppnetRegions *regions, gdouble *norm_sum,
                     GError **error)
{
  *regions = (SppnetRegions) { 0 };
  if (!source->load (source->user_data, picture, regions, error))
    return FALSE;

  if (regions->n_objects > regions->n || regions->n > G_MAXINT32)
    return refuse (regions, picture, error, "wrong number of objects or regions");
  for (gsize i = 0; i < regions->n_objects; i++)
    if (regions->object_label[i] < 0 || (guint) regions->object_label[i] >= source->n_labels)
      return refuse (regions, picture, error, "an object has a label that does not exist");

  for (gsize i = 0; i < regions->n; i++) {
    gdouble squared = squared_norm (regions->features + i * source->length, source->length);

    if (!isfinite (squared)) {
      g_autofree gchar *reason = g_strdup_printf ("the vector of region %" G_GSIZE_FORMAT " is not finite", i);

      return refuse (regions, picture, error, reason);
    }
    if (norm_sum)
      *norm_sum += sqrt (squared);
  }
  return TRUE;
}

gboolean
sppnet_regions_is_difficult (const SppnetRegions *regions, gsize object)
{
  return regions->object_difficult && regions->object_difficult[object];
}

gboolean
sppnet_regions_near (const SppnetRegions *regions, gsize row, gint label, gfloat min_iou)
{
  for (gsize i = 0; i < regions->n_objects; i++)
    if (regions->object_label[i] == label && sppnet_box_iou (&regions->boxes[row], &regions->boxes[i]) >= min_iou)
      return TRUE;
  return FALSE;
}
