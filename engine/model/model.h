/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/model.h>

#include "model/config.h"

/* Tensor order in files: convolution [out][in][y][x]; fully connected [out][in], where the inputs of the first layer
 * after pooling are level-major, then channel, y, x (reference: the paper's release). */

const SppnetConfig *sppnet_model_get_config (const SppnetModel *model);

/**
 * sppnet_model_get_tensor:
 *
 * The tensor called name as 32-bit floats, converted once at load where the file holds F16 or BF16; all values are
 * finite. count is the number of elements it must have: loading has checked every tensor that the configuration
 * implies, so NULL means that the name is not one of them.
 */
const gfloat *sppnet_model_get_tensor (const SppnetModel *model, const gchar *name, gsize *count);

/**
 * sppnet_model_share:
 *
 * Returns what create made of this model under this key and number for this precision, making it in the first call: the
 * place where a stage keeps what it derives from the weights, once per model however many detectors there are. key is a
 * static string. Thread safe. destroy runs with the model's end.
 */
typedef gpointer (*SppnetShareFunc) (SppnetModel *model, guint part, SppnetPrecision precision, GError **error);

gpointer sppnet_model_share (SppnetModel *model, const gchar *key, guint part, SppnetPrecision precision,
                             SppnetShareFunc create, GDestroyNotify destroy, GError **error);

/* A checksum of the configuration and all weights, as text. (transfer full) */
gchar *sppnet_model_fingerprint (const SppnetModel *model);

typedef enum
{
  SPPNET_DTYPE_F32,
  SPPNET_DTYPE_F16,
  SPPNET_DTYPE_BF16,
} SppnetDtype;

/* One tensor to be written. */
typedef struct
{
  const gchar *name;
  guint n_dims;
  gsize dims[4];
  const gfloat *data;
} SppnetTensorSource;

/* Writes a model file atomically (a temporary file in the same folder, then rename). Refuses non-finite values, values
 * that F16 cannot hold, and a set of tensors that is not exactly what config implies. */
gboolean sppnet_model_save (const gchar *path, const SppnetConfig *config, const SppnetTensorSource *tensors,
                            guint n_tensors, SppnetDtype dtype, GError **error);

/* Of the model's file: holds all of its values. */
SppnetDtype sppnet_model_get_dtype (const SppnetModel *model);

/* Writes the tensors of a model, in the type its file has, with another configuration: one that implies the same
 * tensors. */
gboolean sppnet_model_save_as (const SppnetModel *model, const SppnetConfig *config, const gchar *path, GError **error);
/* The same where some tensors are replaced or new: those among others, [n_others]. */
gboolean sppnet_model_save_with (const SppnetModel *model, const SppnetConfig *config, const SppnetTensorSource *others,
                                 guint n_others, const gchar *path, GError **error);

/* The tensors that config implies, with names and shapes, data NULL: for writers and for checks. (element-type
 * SppnetTensorSource); names are owned by the array. */
GArray *sppnet_config_tensors (const SppnetConfig *config);
