/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/vector.h"

/* SppnetConvKernels.pool_2x2 */
static void
pool_2x2 (gfloat *out, const gfloat *above, const gfloat *below, gint n, gint channels)
{
  for (gint i = 0; i < n; i++, out += channels, above += 2 * channels, below += 2 * channels) {
    gint c = 0;

    for (; c + LANES <= channels; c += LANES)
      store (out + c, maximum (maximum (load (above + c), load (above + channels + c)),
                               maximum (load (below + c), load (below + channels + c))));
    for (; c < channels; c++)
      out[c] = MAX (MAX (above[c], above[channels + c]), MAX (below[c], below[channels + c]));
  }
}
