/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/frame.h"

#include "frame/convert.h"

/* Sixteen pixels: after 48 bytes the pattern of the channels and the vectors of any width both start anew. */
#define PIXELS 16
#define BYTES (3 * PIXELS)

void
sppnet_frame_normalize (const guint8 *rgb, gsize pixels, gboolean bgr, const gfloat mean[3], const gfloat scale[3],
                        gfloat *restrict out)
{
  gfloat means[BYTES], scales[BYTES];
  guint8 swapped[BYTES];

  for (guint i = 0; i < BYTES; i++) {
    means[i] = mean[i % 3];
    scales[i] = scale[i % 3];
  }
  while (pixels > 0) {
    gint n = (gint) MIN (pixels, PIXELS);
    const guint8 *in = rgb;

    if (bgr) {
      sppnet_convert_swap (rgb, n, swapped);
      in = swapped;
    }
    if (n == PIXELS)
      for (gint i = 0; i < BYTES; i++)
        out[i] = ((gfloat) in[i] - means[i]) * scales[i];
    else
      for (gint i = 0; i < 3 * n; i++)
        out[i] = ((gfloat) in[i] - means[i]) * scales[i];
    rgb += 3 * n;
    out += 3 * n;
    pixels -= n;
  }
}
