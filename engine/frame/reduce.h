/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/frame.h>

#include "base/memory.h"

/* The memory of a reduced frame. */
typedef struct
{
  SppnetBuffer pixels;
  SppnetBuffer rows; /* of each thread: sums, and rows in RGB where the frame has others */
} SppnetReducedMemory;

/* A frame of a factor^2 of the pixels, in RGB: each is the mean of factor x factor of them, at the right and bottom
 * edge of those that there are. factor: 1 to 256. Its pixels lie in memory. */
gboolean sppnet_frame_reduce (const SppnetFrame *frame, gint factor, guint threads, SppnetReducedMemory *memory,
                              SppnetFrame *reduced, GError **error);
void sppnet_reduced_memory_clear (SppnetReducedMemory *memory);
