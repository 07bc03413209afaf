/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include "base/random.h"

/* Small pictures for the tests of edges; [height][width][3]. */

static inline guint8 *
picture_flat (gint width, gint height, guint8 grey)
{
  guint8 *rgb = g_malloc ((gsize) width * height * 3);

  memset (rgb, grey, (gsize) width * height * 3);
  return rgb;
}

/* x1, y1: behind the last pixel */
static inline void
picture_fill (guint8 *rgb, gint width, gint x0, gint y0, gint x1, gint y1, guint8 r, guint8 g, guint8 b)
{
  for (gint y = y0; y < y1; y++)
    for (gint x = x0; x < x1; x++) {
      guint8 *p = rgb + 3 * ((gsize) y * width + x);

      p[0] = r;
      p[1] = g;
      p[2] = b;
    }
}

/* Many rectangles of many colours over one another. */
static inline guint8 *
picture_clutter (gint width, gint height, guint n, guint32 seed)
{
  guint8 *rgb = picture_flat (width, height, 128);
  SppnetRandom random = { seed };

  for (guint i = 0; i < n; i++) {
    gint x = (gint) sppnet_random_below (&random, (guint32) width),
         y = (gint) sppnet_random_below (&random, (guint32) height);
    gint w = 1 + (gint) sppnet_random_below (&random, (guint32) width / 3);
    gint h = 1 + (gint) sppnet_random_below (&random, (guint32) height / 3);
    guint32 colour = sppnet_random_below (&random, 1u << 24);

    picture_fill (rgb, width, x, y, MIN (x + w, width), MIN (y + h, height), (guint8) colour, (guint8) (colour >> 8),
                  (guint8) (colour >> 16));
  }
  return rgb;
}
