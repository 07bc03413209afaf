/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sppnet/error.h>

G_BEGIN_DECLS

/**
 * SppnetModel:
 *
 * A network and its labels, read from one safetensors file (see docs/model-format.md). Immutable and
 * reference counted; safe to share between threads and detectors. Loading a file that is already loaded and unchanged
 * returns the same object, so that two elements that name one file hold one copy.
 */
typedef struct _SppnetModel SppnetModel;

#define SPPNET_TYPE_MODEL (sppnet_model_get_type ())
SPPNET_API GType sppnet_model_get_type (void);

/**
 * sppnet_model_load:
 * @path: file name of the model
 * @error: NOT_FOUND, READ, CORRUPT, VERSION, UNSUPPORTED or MEMORY; the message names file, tensor and reason
 *
 * Returns: (transfer full) (nullable): the model
 */
SPPNET_API SppnetModel *sppnet_model_load (const gchar *path, GError **error);

SPPNET_API SppnetModel *sppnet_model_ref (SppnetModel *model);
SPPNET_API void sppnet_model_unref (SppnetModel *model);

/**
 * sppnet_model_get_default_path:
 *
 * Looks for voc20.safetensors in SPPNET_MODEL_PATH (a file, or folders separated by ':') and then in the
 * install prefix.
 *
 * Returns: (transfer full) (nullable): the file name, or %NULL with @error (NOT_FOUND, naming the places tried)
 */
SPPNET_API gchar *sppnet_model_get_default_path (GError **error);

SPPNET_API const gchar *sppnet_model_get_name (const SppnetModel *model);
/* The file the model came from, as first given to sppnet_model_load(): a file that is loaded is not loaded again. */
SPPNET_API const gchar *sppnet_model_get_path (const SppnetModel *model);
SPPNET_API guint sppnet_model_get_n_labels (const SppnetModel *model);
/* Label number @label_id, from 0; %NULL when out of range. The string lives as long as the model. */
SPPNET_API const gchar *sppnet_model_get_label (const SppnetModel *model, guint label_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetModel, sppnet_model_unref)

G_END_DECLS
