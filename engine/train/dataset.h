/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "evaluate/voc.h"
#include "train/regions.h"

/* The pictures to train on, with their objects by label id and their region proposals. */
typedef struct
{
  GPtrArray *annotations; /* (element-type SppnetAnnotation) */
  gchar **labels;         /* NULL-terminated; the order is the model's */
  guint n_labels;
  GArray **objects;   /* [annotations] label id of each object, -1: a label that is not trained; (element-type gint) */
  GArray **proposals; /* [annotations] (element-type SppnetBox); NULL until sppnet_dataset_propose() */
  guint64 *stamps;    /* [annotations] follow from the bytes of the picture's file and its size in the annotation */
} SppnetDataset;

/* annotations: (transfer full). labels: (nullable): the names wanted, of which those from number first_needed on
 * must occur, else all that occur, in alphabetical order. */
SppnetDataset *sppnet_dataset_new (GPtrArray *annotations, gchar **labels, guint first_needed, GError **error);
void sppnet_dataset_free (SppnetDataset *dataset);

/* Whether each picture is there and can have the size that its annotation says: a mistake that would stop a training in
 * the middle. The pixels are not read. */
gboolean sppnet_dataset_check_pictures (const GPtrArray *annotations, GError **error);

/* Text that changes when the list of pictures, or what is in the file of one, changes; not where they are. (transfer
 * full) */
gchar *sppnet_dataset_pictures_key (const SppnetDataset *dataset);
/* Text that changes as well when an object on one does. (transfer full) */
gchar *sppnet_dataset_key (const SppnetDataset *dataset);

/* Region proposals of every picture, from FILE as far as it has them, and FILE rewritten with all of them, or with what
 * there is when something fails. What changes about other pictures, or about objects, leaves a picture's as they are.
 */
gboolean sppnet_dataset_propose (SppnetDataset *dataset, SppnetProposals method, guint max_boxes, guint32 seed,
                                 guint threads, const gchar *file, SppnetProgress progress, gpointer user_data,
                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetDataset, sppnet_dataset_free)
