/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/smooth.h"

/* exp (-i^2 / (2 * .8^2)), i = 0 .. 3, over the sum of all seven taps; the next one would be 2e-6. */
static const gfloat taps[4] = { 0.4986765f, 0.2283107f, 0.0219103f, 0.0004407f };

#define RADIUS 3

static void
smooth_row (const guint8 *in, gint width, gfloat *restrict out)
{
  for (gint x = 0; x < width; x++) {
    gfloat sum;

    if (x == RADIUS && width > 2 * RADIUS)
      break;
    sum = taps[0] * in[x];
    for (gint i = 1; i <= RADIUS; i++)
      sum += taps[i] * (gfloat) (in[MAX (x - i, 0)] + in[MIN (x + i, width - 1)]);
    out[x] = sum;
  }
  if (width <= 2 * RADIUS)
    return;
  for (gint x = RADIUS; x < width - RADIUS; x++)
    out[x] = taps[0] * in[x] + taps[1] * (gfloat) (in[x - 1] + in[x + 1]) + taps[2] * (gfloat) (in[x - 2] + in[x + 2])
             + taps[3] * (gfloat) (in[x - 3] + in[x + 3]);
  for (gint x = width - RADIUS; x < width; x++) {
    gfloat sum = taps[0] * in[x];

    for (gint i = 1; i <= RADIUS; i++)
      sum += taps[i] * (gfloat) (in[MAX (x - i, 0)] + in[MIN (x + i, width - 1)]);
    out[x] = sum;
  }
}

static void
smooth_column (const gfloat *const rows[2 * RADIUS + 1], gint width, gfloat *restrict out)
{
  for (gint x = 0; x < width; x++)
    out[x] = taps[0] * rows[3][x] + taps[1] * (rows[2][x] + rows[4][x]) + taps[2] * (rows[1][x] + rows[5][x])
             + taps[3] * (rows[0][x] + rows[6][x]);
}

void
sppnet_smooth (const guint8 *in, gint width, gint height, gfloat *scratch, gfloat *out)
{
  const gfloat *rows[2 * RADIUS + 1];

  for (gint y = 0; y < height; y++)
    smooth_row (in + (gsize) y * width, width, scratch + (gsize) y * width);
  for (gint y = 0; y < height; y++) {
    for (gint i = -RADIUS; i <= RADIUS; i++)
      rows[i + RADIUS] = scratch + (gsize) CLAMP (y + i, 0, height - 1) * width;
    smooth_column (rows, width, out + (gsize) y * width);
  }
}
