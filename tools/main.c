/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How often a thread of OpenMP looks whether it may go on before it leaves the processor to others: some tens of
 * microseconds. The default is milliseconds, in which nobody else gets on; not to wait at all costs a fifth. */
#define SPIN_COUNT "3000"

static const struct
{
  const gchar *name;
  int (*run) (int argc, char **argv);
  const gchar *summary;
} commands[] = {
  { "detect", sppnet_tool_detect, "find objects in pictures" },
  { "evaluate", sppnet_tool_evaluate, "average precision, or recall of proposals, on annotated pictures" },
  { "propose", sppnet_tool_propose, "list region proposals of pictures" },
  { "bench", sppnet_tool_bench, "time the stages of the detector" },
  { "info", sppnet_tool_info, "describe a model file" },
  { "import", sppnet_tool_import, "make a model from Darknet weights" },
  { "compress", sppnet_tool_compress, "make the fully connected layers of a model smaller" },
  { "average", sppnet_tool_average, "make one model of several trainings of a network" },
  { "export", sppnet_tool_export, "write a model's convolution layers as ONNX" },
  { "train", sppnet_tool_train, "train a detector on annotated pictures" },
  { "calibrate", sppnet_tool_calibrate, "fit confidences and thresholds of a model to pictures" },
};

static void
print_help (FILE *out)
{
  fputs ("Usage:\n  sppnet COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n", out);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (out, "  %-10s %s\n", commands[i].name, commands[i].summary);
  fputs ("\n\"sppnet COMMAND --help\" lists the options of a command; \"sppnet --version\" names the version.\n", out);
}

static int
dispatch (int argc, char **argv)
{
  if (argc < 2) {
    print_help (stderr);
    return SPPNET_TOOL_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0) {
    print_help (stdout);
    return SPPNET_TOOL_DONE;
  }
  if (strcmp (argv[1], "--version") == 0) {
    puts ("sppnet " SPPNET_VERSION);
    return SPPNET_TOOL_DONE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autofree gchar *name = NULL;

    if (strcmp (argv[1], commands[i].name) != 0)
      continue;
    name = g_strconcat ("sppnet ", argv[1], NULL);
    g_set_prgname (name); /* what the usage line of --help begins with */
    return commands[i].run (argc - 1, argv + 1);
  }
  fprintf (stderr, "sppnet: \"%s\" is no command; see \"sppnet --help\"\n", argv[1]);
  return SPPNET_TOOL_USAGE;
}

/* Begins again with the environment that OpenMP's library has read by the time that main() runs. */
static void
set_spin_count (char **argv)
{
  g_autofree gchar *program = NULL;

  if (g_getenv ("GOMP_SPINCOUNT") || g_getenv ("OMP_WAIT_POLICY"))
    return;
  g_setenv ("GOMP_SPINCOUNT", SPIN_COUNT, TRUE);
  program = g_file_read_link ("/proc/self/exe", NULL);
  if (program)
    execv (program, argv); /* else, and where that fails, it goes on as it is */
}

int
main (int argc, char **argv)
{
  int status;

  set_spin_count (argv);

  /* Characters as the terminal has them; numbers stay as they are everywhere: other programs read them. */
  setlocale (LC_CTYPE, "");
  status = dispatch (argc, argv);
  if ((fflush (stdout) != 0 || ferror (stdout)) && status == SPPNET_TOOL_DONE) {
    fputs ("sppnet: the output could not be written\n", stderr);
    return SPPNET_TOOL_FAILED;
  }
  return status;
}
