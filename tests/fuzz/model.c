/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/safetensors.h"

/* libFuzzer's entry. A first byte 'c': the rest is a configuration; else it is a whole model file. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_error (GError *error)
{
  if (!error || error->domain != SPPNET_ERROR || !g_str_has_prefix (error->message, "file: "))
    abort ();
  g_error_free (error);
}

static void
run_config (const gchar *json, gsize length)
{
  g_auto (SppnetConfig) config;
  g_auto (SppnetConfig) again = { NULL };
  g_autofree gchar *text = NULL;
  GError *error = NULL;

  if (!sppnet_config_parse (&config, json, (gssize) length, "file", &error)) {
    check_error (error);
    return;
  }
  text = sppnet_config_to_json (&config);
  if (!sppnet_config_parse (&again, text, -1, "file", NULL))
    abort ();
}

static void
run_model (const guint8 *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, length);
  g_autoptr (GArray) tensors = NULL;
  SppnetModel *model;
  GError *error = NULL;

  model = sppnet_model_new_from_bytes (bytes, "file", &error);
  if (!model) {
    check_error (error);
    return;
  }
  tensors = sppnet_config_tensors (sppnet_model_get_config (model));
  for (guint i = 0; i < tensors->len; i++) {
    gsize count;
    const gfloat *values = sppnet_model_get_tensor (model, g_array_index (tensors, SppnetTensorSource, i).name, &count);

    for (gsize v = 0; v < count; v++)
      if (!isfinite (values[v]))
        abort ();
  }
  sppnet_model_unref (model);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size > 0 && data[0] == 'c')
    run_config ((const gchar *) data + 1, size - 1);
  else
    run_model (data, size);
  return 0;
}
