/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

/* Darknet's .cfg files: "[type]" lines, each followed by "key=value" lines. */
typedef struct
{
  gchar *type;
  guint line;          /* of the file, from 1 */
  GHashTable *options; /* text -> text; the last of two equal keys counts */
} SppnetCfgSection;

/* The section being read, and where its errors go. */
typedef struct
{
  const gchar *file;
  const SppnetCfgSection *section;
  GError **error;
} SppnetCfgContext;

/* (element-type SppnetCfgSection) (transfer full): at least one; NULL with an error that names file and line */
GPtrArray *sppnet_cfg_read (const gchar *file, GError **error);

/* An option of the section; standard where it is absent. */
gboolean sppnet_cfg_int (const SppnetCfgContext *context, const gchar *key, gint min, gint max, gint standard,
                         gint *value);
/* An option that must not have any other value. */
gboolean sppnet_cfg_expect_int (const SppnetCfgContext *context, const gchar *key, gint standard);

/* Sets an error that begins with file and line; FALSE. */
gboolean sppnet_cfg_fail_at (const gchar *file, guint line, GError **error, SppnetError code, const gchar *format, ...)
    G_GNUC_PRINTF (5, 6);
#define sppnet_cfg_fail(context, code, ...)                                                                            \
  sppnet_cfg_fail_at ((context)->file, (context)->section->line, (context)->error, code, __VA_ARGS__)
