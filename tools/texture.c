/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "texture.h"

#include "base/random.h"

#define RECTANGLES 60
#define AMPLITUDE 28 /* of the coarsest noise, grey levels */

static void
fill_rectangle (SppnetPicture *picture, SppnetRandom *random)
{
  gint w = 1 + (gint) sppnet_random_below (random, (guint32) (picture->width + 1) / 2);
  gint h = 1 + (gint) sppnet_random_below (random, (guint32) (picture->height + 1) / 2);
  gint x0 = (gint) sppnet_random_below (random, (guint32) (picture->width - w + 1));
  gint y0 = (gint) sppnet_random_below (random, (guint32) (picture->height - h + 1));
  guint8 color[3];

  for (gint c = 0; c < 3; c++)
    color[c] = (guint8) (40 + sppnet_random_below (random, 176));
  for (gint y = y0; y < y0 + h; y++)
    for (gint x = x0; x < x0 + w; x++)
      for (gint c = 0; c < 3; c++)
        picture->rgb[((gsize) y * (gsize) picture->width + (gsize) x) * 3 + (gsize) c] = color[c];
}

/* A number from -1 to 1 for each cell of a grid. */
static gint
noise (guint32 seed, gint octave, gint x, gint y, gint amplitude)
{
  SppnetRandom random = { (guint64) seed << 32 ^ (guint64) octave << 58 ^ (guint64) (guint32) x << 20 ^ (guint32) y };

  return (gint) sppnet_random_below (&random, 2 * (guint32) amplitude + 1) - amplitude;
}

static void
add_noise (SppnetPicture *picture, guint32 seed)
{
  for (gint y = 0; y < picture->height; y++)
    for (gint x = 0; x < picture->width; x++) {
      guint8 *pixel = picture->rgb + ((gsize) y * (gsize) picture->width + (gsize) x) * 3;
      gint sum = 0;

      for (gint octave = 0; octave < 4; octave++)
        sum += noise (seed, octave, x >> (4 - octave), y >> (4 - octave), AMPLITUDE >> octave);
      for (gint c = 0; c < 3; c++)
        pixel[c] = (guint8) CLAMP (pixel[c] + sum, 0, 255);
    }
}

void
sppnet_texture_fill (SppnetPicture *picture, gint width, gint height, guint32 seed)
{
  SppnetRandom random = { seed };
  gsize bytes = (gsize) width * (gsize) height * 3;

  *picture = (SppnetPicture) { width, height, g_malloc (bytes) };
  for (gsize i = 0; i < bytes; i++)
    picture->rgb[i] = 128;
  for (gint i = 0; i < RECTANGLES; i++)
    fill_rectangle (picture, &random);
  add_noise (picture, seed);
}
