/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sppnet/model.h>

#define DEFAULT_MODEL "voc20.safetensors"

/* place itself where it is a file, the default model in it where it is a folder, else NULL. */
static gchar *
find_in (const gchar *place, GString *tried)
{
  g_autofree gchar *inside = NULL;

  if (g_file_test (place, G_FILE_TEST_IS_REGULAR))
    return g_strdup (place);
  inside = g_build_filename (place, DEFAULT_MODEL, NULL);
  if (g_file_test (inside, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&inside);
  g_string_append_printf (tried, "%s%s", tried->len ? ", " : "", place);
  return NULL;
}

gchar *
sppnet_model_get_default_path (GError **error)
{
  const gchar *variable = g_getenv ("SPPNET_MODEL_PATH");
  g_auto (GStrv) places = g_strsplit (variable ? variable : "", ":", -1);
  g_autoptr (GString) tried = g_string_new (NULL);
  gchar *found = NULL;

  for (guint i = 0; places[i] && !found; i++) {
    if (*places[i])
      found = find_in (places[i], tried);
    /* A folder of a search path need not exist, but who names a file wants none other. */
    if (!found && g_str_has_suffix (places[i], ".safetensors")) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND,
                   "%s: there is no such file (SPPNET_MODEL_PATH names it)", places[i]);
      return NULL;
    }
  }
  if (!found)
    found = find_in (SPPNET_MODEL_DIR, tried);
  if (!found)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_NOT_FOUND,
                 "%s: not found in %s (SPPNET_MODEL_PATH names a file or folders)", DEFAULT_MODEL, tried->str);
  return found;
}
