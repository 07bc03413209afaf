/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* What became of one fully connected layer. */
typedef struct
{
  gchar name[32];
  gint inputs, outputs;
  gint rank;      /* 0: left as it was, because the two layers would have as many weights */
  gdouble energy; /* part of the sum of the squared weights that is kept */
} SppnetCompressedLayer;

/**
 * sppnet_compress:
 * @rank: of every layer; 0: the lowest that keeps @energy, 0..1, of each
 * @layers: (out) (element-type SppnetCompressedLayer) (transfer full): what was done
 *
 * Truncated singular value decomposition of the fully connected layers (Girshick 2015, section 3.1): W = U S V' of u x
 * v becomes a linear layer S V' of rank outputs, called NAME-svd, and U, the rest of the layer. SETTINGS where no layer
 * gets smaller.
 */
gboolean sppnet_compress (SppnetModel *model, gint rank, gdouble energy, const gchar *output, GArray **layers,
                          GError **error);
