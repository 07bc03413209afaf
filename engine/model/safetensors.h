/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* One tensor of a file, whose place and size are checked. */
typedef struct
{
  gchar *name;
  SppnetDtype dtype;
  guint n_dims;
  guint64 dims[8];
  gsize count;        /* elements */
  guint64 begin, end; /* bytes within the data section */
  const guint8 *data; /* little-endian, not aligned */
} SppnetStoredTensor;

typedef struct
{
  gchar *config;   /* the text under "sppnet" in "__metadata__", or NULL */
  GArray *tensors; /* (element-type SppnetStoredTensor), in the order of their data */
} SppnetSafetensors;

/**
 * sppnet_safetensors_parse:
 * @bytes: the whole file; must outlive @safetensors, whose tensors point into it
 * @file: named in errors
 *
 * Reads the header of a safetensors file and checks that the tensors fill the data section without gap or overlap.
 */
gboolean sppnet_safetensors_parse (SppnetSafetensors *safetensors, const guint8 *bytes, gsize length, const gchar *file,
                                   GError **error);
void sppnet_safetensors_clear (SppnetSafetensors *safetensors);

const gchar *sppnet_dtype_name (SppnetDtype dtype);
gsize sppnet_dtype_size (SppnetDtype dtype);

/* Writes dims as "[1,2,3]". (transfer full) */
gchar *sppnet_shape_to_string (const guint64 *dims, guint n_dims);

/* A model from the bytes of a file; @file is its path and named in errors. Not shared with other loads. */
SppnetModel *sppnet_model_new_from_bytes (GBytes *bytes, const gchar *file, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetSafetensors, sppnet_safetensors_clear)
