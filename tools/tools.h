/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Exit statuses of every subcommand. */
enum
{
  SPPNET_TOOL_DONE = 0,
  SPPNET_TOOL_FAILED = 1, /* a file, a picture or a computation; the message says which and why */
  SPPNET_TOOL_USAGE = 2,  /* the command line, or a setting that does not fit the model */
};

/* The subcommands: argv[0] is the name, the rest are its arguments. They return the exit status. */
int sppnet_tool_average (int argc, char **argv);
int sppnet_tool_bench (int argc, char **argv);
int sppnet_tool_calibrate (int argc, char **argv);
int sppnet_tool_compress (int argc, char **argv);
int sppnet_tool_detect (int argc, char **argv);
int sppnet_tool_evaluate (int argc, char **argv);
int sppnet_tool_export (int argc, char **argv);
int sppnet_tool_import (int argc, char **argv);
int sppnet_tool_info (int argc, char **argv);
int sppnet_tool_propose (int argc, char **argv);
int sppnet_tool_train (int argc, char **argv);
