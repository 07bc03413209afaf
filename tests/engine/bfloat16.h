/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

/* To the nearest numbers that bfloat16 has: the kernels change them no further. Not for NaN. */
static inline void
round_to_bfloat16 (gfloat *data, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    guint32 bits;

    memcpy (&bits, &data[i], sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy (&data[i], &bits, sizeof bits);
  }
}
