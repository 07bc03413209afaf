/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* Writes the model with a context of so many bytes, [labels][SPPNET_CONTEXT_COLUMNS]; to may be from. */
static inline void
model_add_context (const gchar *from, const gchar *to, const gfloat *context, gsize size)
{
  g_autoptr (SppnetModel) model = sppnet_model_load (from, NULL);
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  sppnet_config_init (&config);
  sppnet_config_copy (&config, sppnet_model_get_config (model));
  config.context = g_memdup2 (context, size);
  g_assert_true (sppnet_model_save_as (model, &config, to, &error));
  g_assert_no_error (error);
}
