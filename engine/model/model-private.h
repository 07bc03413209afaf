/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/tensor-data.h"

/* What tells one state of a file from another. */
typedef struct
{
  guint64 device, inode, size;
  gint64 modified_s, modified_ns, changed_s, changed_ns;
} SppnetFileIdentity;

struct _SppnetModel
{
  gint references; /* (atomic) */
  gchar *path;
  SppnetConfig config;
  GHashTable *weights; /* name -> SppnetTensorData */
  SppnetDtype dtype;   /* of the file: holds all of its values */
  GBytes *bytes;       /* the mapped file where weights point into it, else NULL */

  GRecMutex share_lock;
  GSList *shares; /* latest first (guarded by share_lock) */

  gboolean cached;             /* (guarded by the cache's lock) */
  SppnetFileIdentity identity; /* key in the cache */
};

void sppnet_model_free (SppnetModel *model);
