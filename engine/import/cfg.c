/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/cfg.h"

#include <string.h>

#include "base/file.h"

#define MAX_CFG_BYTES (1 << 20)
#define MAX_SECTIONS 1024

gboolean
sppnet_cfg_fail_at (const gchar *file, guint line, GError **error, SppnetError code, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, SPPNET_ERROR, (gint) code, "%s:%u: %s", file, line, reason);
  return FALSE;
}

static void
free_section (gpointer data)
{
  SppnetCfgSection *section = data;

  g_free (section->type);
  g_hash_table_unref (section->options);
  g_free (section);
}

static gboolean
read_text (const gchar *file, gchar **text, GError **error)
{
  gsize length;

  if (!sppnet_file_read (file, text, &length, error))
    return FALSE;
  if (length <= MAX_CFG_BYTES && g_utf8_validate_len (*text, length, NULL))
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: is not a Darknet .cfg file", file);
  return FALSE;
}

/* One line, stripped, not empty and not a comment. */
static gboolean
read_line (GPtrArray *sections, gchar *line, guint number, const gchar *file, GError **error)
{
  gsize length = strlen (line);
  gchar *equals = strchr (line, '=');
  SppnetCfgSection *section;

  if (line[0] == '[') {
    if (line[length - 1] != ']' || length < 3 || sections->len == MAX_SECTIONS)
      return sppnet_cfg_fail_at (file, number, error, SPPNET_ERROR_CORRUPT, "not a section");
    section = g_new0 (SppnetCfgSection, 1);
    section->type = g_strndup (line + 1, length - 2);
    section->line = number;
    section->options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add (sections, section);
    return TRUE;
  }
  if (!equals || sections->len == 0)
    return sppnet_cfg_fail_at (file, number, error, SPPNET_ERROR_CORRUPT, "neither [section] nor key=value within one");
  section = g_ptr_array_index (sections, sections->len - 1);
  *equals = 0;
  g_hash_table_replace (section->options, g_strdup (g_strstrip (line)), g_strdup (g_strstrip (equals + 1)));
  return TRUE;
}

GPtrArray *
sppnet_cfg_read (const gchar *file, GError **error)
{
  g_autoptr (GPtrArray) sections = g_ptr_array_new_with_free_func (free_section);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!read_text (file, &text, error))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    gchar *line = g_strstrip (lines[i]);

    if (*line && *line != '#' && *line != ';' && !read_line (sections, line, i + 1, file, error))
      return NULL;
  }
  if (sections->len > 0)
    return g_steal_pointer (&sections);
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, "%s: has no sections", file);
  return NULL;
}

gboolean
sppnet_cfg_int (const SppnetCfgContext *context, const gchar *key, gint min, gint max, gint standard, gint *value)
{
  const gchar *text = g_hash_table_lookup (context->section->options, key);
  gint64 number;

  *value = standard;
  if (!text)
    return TRUE;
  if (!g_ascii_string_to_signed (text, 10, min, max, &number, NULL))
    return sppnet_cfg_fail (context, SPPNET_ERROR_CORRUPT, "'%s=%s' must be a whole number from %d to %d", key, text,
                            min, max);
  *value = (gint) number;
  return TRUE;
}

/* An option that must not have any other value. */
gboolean
sppnet_cfg_expect_int (const SppnetCfgContext *context, const gchar *key, gint standard)
{
  gint value;

  if (!sppnet_cfg_int (context, key, G_MININT, G_MAXINT, standard, &value))
    return FALSE;
  return value == standard
         || sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "'%s=%d' is not supported", key, value);
}
