/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small models for tests: a configuration, and a function that fills its tensors; written to a file and loaded again.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "model/model.h"

typedef void (*TinyFill) (const gchar *name, gfloat *data, gsize n, gpointer user_data);

static inline gsize
tiny_count (const SppnetTensorSource *tensor)
{
  gsize n = 1;

  for (guint i = 0; i < tensor->n_dims; i++)
    n *= tensor->dims[i];
  return n;
}

/* FALSE with the error of sppnet_model_save(). */
static inline gboolean
tiny_model_save (const gchar *path, const SppnetConfig *config, TinyFill fill, gpointer user_data, GError **error)
{
  g_autoptr (GArray) tensors = sppnet_config_tensors (config);
  g_autoptr (GPtrArray) memory = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gfloat *data = g_new0 (gfloat, tiny_count (tensor));

    g_ptr_array_add (memory, data);
    fill (tensor->name, data, tiny_count (tensor), user_data);
    tensor->data = data;
  }
  return sppnet_model_save (path, config, (const SppnetTensorSource *) (gpointer) tensors->data, tensors->len,
                            SPPNET_DTYPE_F32, error);
}

/* (transfer full): saved, loaded and the file removed */
static inline SppnetModel *
tiny_model_new (const SppnetConfig *config, TinyFill fill, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = NULL;
  SppnetModel *model;
  gint fd = g_file_open_tmp ("sppnet-tiny-XXXXXX.safetensors", &path, &error);

  g_assert_no_error (error);
  close (fd);
  tiny_model_save (path, config, fill, user_data, &error);
  g_assert_no_error (error);
  model = sppnet_model_load (path, &error);
  g_assert_no_error (error);
  g_unlink (path);
  return model;
}

/* (transfer full): where a function that is tested may write a model, in a folder of its own. */
static inline gchar *
tiny_output (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("sppnet-tiny-XXXXXX", NULL);

  return g_build_filename (folder, "output.safetensors", NULL);
}

/* (transfer full): what was written there, or NULL with the error that there is; the folder goes, and holds nothing
 * else. */
static inline SppnetModel *
tiny_output_take (const gchar *path, gboolean written, GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  SppnetModel *model = written ? sppnet_model_load (path, error) : NULL;

  g_assert_true (!written || model);
  g_assert_cmpint (g_unlink (path), ==, written ? 0 : -1);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return model;
}

static inline void
tiny_labels (SppnetConfig *config, const gchar *const *labels)
{
  config->labels = g_strdupv ((gchar **) labels);
  config->n_labels = g_strv_length ((gchar **) labels);
}
