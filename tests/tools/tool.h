/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs the command `sppnet` as a user does, in a folder of its own with a small model and made-up pictures. */
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/wait.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "../engine/detect/scene.h"
#include "../engine/tree.h"

/* A folder that goes away with the test; what the last run gave. */
typedef struct
{
  gchar *dir;
  gchar *out, *err;
  gint status; /* exit status; -1 where a signal ended it */
} Tool;

/* Pixels of a picture. */
typedef struct
{
  gint x, y, width, height;
} Rectangle;

/* (transfer full): a path in the folder */
static inline gchar *
tool_path (const Tool *tool, const gchar *name)
{
  return g_build_filename (tool->dir, name, NULL);
}

static inline void
tool_write (const Tool *tool, const gchar *name, const gchar *content, gssize length)
{
  g_autofree gchar *path = tool_path (tool, name);
  g_autofree gchar *parent = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_file_set_contents (path, content, length, &error);
  g_assert_no_error (error);
}

/* A black picture with one rectangle of 0xRRGGBB in it; PNG, or JPEG by the name. */
static inline void
tool_write_picture (const Tool *tool, const gchar *name, gint width, gint height, Rectangle where, guint32 color)
{
  g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);
  g_autoptr (GdkPixbuf) inside = gdk_pixbuf_new_subpixbuf (pixbuf, where.x, where.y, where.width, where.height);
  g_autofree gchar *path = tool_path (tool, name);
  g_autofree gchar *parent = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  gdk_pixbuf_fill (pixbuf, 0x000000ff);
  gdk_pixbuf_fill (inside, color << 8 | 0xff);
  gdk_pixbuf_save (pixbuf, path, g_str_has_suffix (name, ".jpg") ? "jpeg" : "png", &error, NULL);
  g_assert_no_error (error);
}

static inline void
tool_set_up (Tool *tool, gconstpointer data)
{
  g_autofree gchar *model = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (SppnetConfig) config;

  tool->dir = g_dir_make_tmp ("sppnet-tool-XXXXXX", &error);
  g_assert_no_error (error);
  model = tool_path (tool, "scene.safetensors");
  scene_config (&config);
  tiny_model_save (model, &config, scene_fill, NULL, &error);
  g_assert_no_error (error);
  tool_write_picture (tool, "red.png", 64, 48, (Rectangle) { 16, 16, 24, 16 }, 0xff0000);
  tool_write_picture (tool, "green.png", 40, 80, (Rectangle) { 8, 8, 16, 16 }, 0x00ff00);
}

static inline void
tool_tear_down (Tool *tool, gconstpointer data)
{
  remove_tree (tool->dir);
  g_free (tool->dir);
  g_free (tool->out);
  g_free (tool->err);
}

/* Runs the command line, split as a shell would, in the folder. */
static inline void
tool_run (Tool *tool, const gchar *line)
{
  g_autofree gchar *command = g_strdup_printf ("'%s' %s", SPPNET_TOOL, line);
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) error = NULL;
  gint status;

  g_clear_pointer (&tool->out, g_free);
  g_clear_pointer (&tool->err, g_free);
  g_shell_parse_argv (command, NULL, &argv, &error);
  g_assert_no_error (error);
  environment = g_environ_setenv (environment, "SPPNET_MODEL_PATH", tool->dir, TRUE);
  g_spawn_sync (tool->dir, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &tool->out, &tool->err, &status, &error);
  g_assert_no_error (error);
  tool->status = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
  g_test_message ("sppnet %s: %d\n%s%s", line, tool->status, tool->out, tool->err);
}

/* It worked, and said nothing on stderr. */
static inline void
tool_run_ok (Tool *tool, const gchar *line)
{
  tool_run (tool, line);
  g_assert_cmpint (tool->status, ==, 0);
  g_assert_cmpstr (tool->err, ==, "");
}

/* It failed with this status, nothing on stdout, and one line on stderr that contains text. */
static inline void
tool_run_fails (Tool *tool, const gchar *line, gint status, const gchar *text)
{
  tool_run (tool, line);
  g_assert_cmpint (tool->status, ==, status);
  g_assert_cmpstr (tool->out, ==, "");
  g_assert_true (g_str_has_prefix (tool->err, "sppnet"));
  g_assert_nonnull (strstr (tool->err, text));
  g_assert_true (strchr (tool->err, '\n') == tool->err + strlen (tool->err) - 1);
}

/* (transfer full): line number i of stdout as JSON */
static inline JsonNode *
tool_json (const Tool *tool, guint i)
{
  g_auto (GStrv) lines = g_strsplit (tool->out, "\n", -1);
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  g_assert_cmpuint (i + 1, <, g_strv_length (lines)); /* every line ends with a line break */
  node = json_from_string (lines[i], &error);
  g_assert_no_error (error);
  g_assert_nonnull (node);
  return node;
}

static inline guint
tool_lines (const Tool *tool)
{
  guint n = 0;

  for (const gchar *c = tool->out; *c; c++)
    n += *c == '\n';
  return n;
}
