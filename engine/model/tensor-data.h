/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/safetensors.h"

/* A tensor ready for use. */
typedef struct
{
  const gfloat *data;
  gsize count;
  gfloat *owned; /* what data points to where it was converted, or NULL: it lies in the file */
} SppnetTensorData;

/* Checks that the file has exactly the tensors that config implies and makes floats of them. Returns name ->
 * SppnetTensorData. in_place: (out): whether a tensor points into the file. */
GHashTable *sppnet_tensors_read (const SppnetSafetensors *safetensors, const SppnetConfig *config, const gchar *file,
                                 gboolean *in_place, GError **error);

/* Index of the first value that is not finite; n where there is none. */
gsize sppnet_first_not_finite (const gfloat *values, gsize n);
