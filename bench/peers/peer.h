/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the programs that are compared have in common: arguments, maps in files, one line of JSON. */
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

typedef struct
{
  const gchar *model;
  gint width, height;
  guint threads, repeat;
  gchar *input, *map; /* (nullable) file names */
} PeerArguments;

/* [--input FILE] [--map FILE] MODEL WIDTHxHEIGHT THREADS REPEAT; ends the program on a mistake. */
static inline PeerArguments
peer_parse (int argc, char **argv)
{
  PeerArguments arg = { 0 };
  const GOptionEntry entries[] = {
    { "input", 0, 0, G_OPTION_ARG_FILENAME, &arg.input, "The network's input, [3][height][width] floats", "FILE" },
    { "map", 0, 0, G_OPTION_ARG_FILENAME, &arg.map, "The feature map, [channels][height][width] floats", "FILE" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("MODEL WIDTHxHEIGHT THREADS REPEAT");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 5
      || sscanf (argv[2], "%dx%d", &arg.width, &arg.height) != 2 || atoi (argv[3]) < 1 || atoi (argv[4]) < 1) {
    g_autofree gchar *help = g_option_context_get_help (context, TRUE, NULL);

    fputs (error ? error->message : help, stderr);
    exit (2);
  }
  arg.model = argv[1];
  arg.threads = (guint) atoi (argv[3]);
  arg.repeat = (guint) atoi (argv[4]);
  return arg;
}

/* The most memory that this process ever had, KiB. */
static inline glong
peer_peak_memory (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL) || !(line = strstr (status, "VmHWM:")))
    return 0;
  return strtol (line + 6, NULL, 10);
}

/* ms: [repeat] */
static inline void
peer_print (const PeerArguments *arg, const gchar *name, const gchar *version, const gdouble *ms)
{
  printf ("{\"name\":\"%s\",\"version\":\"%s\",\"size\":\"%dx%d\",\"threads\":%u,\"peak_kib\":%ld,\"ms\":[", name,
          version, arg->width, arg->height, arg->threads, peer_peak_memory ());
  for (guint i = 0; i < arg->repeat; i++)
    printf ("%s%.4f", i ? "," : "", ms[i]);
  printf ("]}\n");
}

/* data: [n]; ends the program when the file cannot be written. */
static inline void
peer_write (const gchar *path, const gfloat *data, gsize n)
{
  g_autoptr (GError) error = NULL;

  if (g_file_set_contents (path, (const gchar *) data, (gssize) (n * sizeof *data), &error))
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}
