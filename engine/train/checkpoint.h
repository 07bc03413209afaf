/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/optimizer.h"

/* The state of a stopped training run: parameters, moments and the number of steps done. All else follows from the
 * seed. key: text without blanks that names data and settings; a checkpoint of another key is not loaded. */

/* Atomic: an interrupted write leaves the old file. */
gboolean sppnet_checkpoint_save (const gchar *file, const gchar *key, guint step, const SppnetNetwork *network,
                                 const SppnetMoments *moments, GError **error);

/* TRUE with *step = 0 when there is no such file, or only what a complete run with another key has left. SETTINGS for
 * another key of a run that is not complete, CORRUPT for a damaged file: both name it. */
gboolean sppnet_checkpoint_load (const gchar *file, const gchar *key, guint *step, SppnetNetwork *network,
                                 SppnetMoments *moments, GError **error);
/* The same errors, before anything is done that cannot be undone. */
gboolean sppnet_checkpoint_check (const gchar *file, const gchar *key, GError **error);

/* The run is complete whose checkpoints are in folder. */
gboolean sppnet_checkpoint_complete (const gchar *folder, GError **error);
