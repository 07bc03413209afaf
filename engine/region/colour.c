/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/colour.h"

#include <math.h>

#define CUBE_ROOT_STEPS 4096

typedef struct
{
  gfloat linear[256];                    /* sRGB code value -> linear light, 0..CUBE_ROOT_STEPS */
  gfloat lightness[CUBE_ROOT_STEPS + 2]; /* f (t) of CIE L*a*b* at t = i / CUBE_ROOT_STEPS */
  guint32 reciprocal[768];               /* 255 * 2^16 / i, rounded; 0 at 0 */
} Tables;

static const Tables *
tables (void)
{
  static Tables table;
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    for (gint i = 0; i < 256; i++) {
      gdouble c = i / 255.0;

      table.linear[i] = (gfloat) (CUBE_ROOT_STEPS * (c <= 0.04045 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4)));
    }
    for (gint i = 0; i < CUBE_ROOT_STEPS + 2; i++) {
      gdouble t = i / (gdouble) CUBE_ROOT_STEPS;

      table.lightness[i] = (gfloat) (t > 216.0 / 24389.0 ? cbrt (t) : (24389.0 / 27.0 * t + 16.0) / 116.0);
    }
    for (guint i = 1; i < 768; i++)
      table.reciprocal[i] = (255u * 65536u + i / 2) / i;
    g_once_init_leave (&ready, 1);
  }
  return &table;
}

guint
sppnet_colour_channels (SppnetColour colour)
{
  return colour == SPPNET_COLOUR_H || colour == SPPNET_COLOUR_I ? 1 : 3;
}

/* Six sectors of 255 / 6 each, red at 0; 0 for grey. */
static guint8
hue (const Tables *t, gint r, gint g, gint b, gint max, gint min)
{
  gint chroma = max - min;
  gint sector, ahead;

  if (chroma == 0)
    return 0;
  if (max == r) {
    sector = g < b ? 6 : 0;
    ahead = g - b;
  } else if (max == g) {
    sector = 2;
    ahead = b - r;
  } else {
    sector = 4;
    ahead = r - g;
  }
  /* (sector + ahead / chroma) * 255 / 6, in 1/65536 */
  return (guint8) ((sector * (255 * 65536 / 6) + ahead * (gint) t->reciprocal[chroma] / 6 + 32768) >> 16);
}

static void
convert_hsv (const Tables *t, const guint8 *rgb, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++) {
    gint r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
    gint max = MAX (r, MAX (g, b)), min = MIN (r, MIN (g, b));

    out[i] = hue (t, r, g, b, max, min);
    out[pixels + i] = (guint8) (((guint32) (max - min) * t->reciprocal[max] + 32768) >> 16);
    out[2 * pixels + i] = (guint8) max;
  }
}

static gfloat
lab_f (const Tables *t, gfloat steps)
{
  gint i = (gint) steps;
  gfloat low = t->lightness[i];

  return low + (steps - (gfloat) i) * (t->lightness[i + 1] - low);
}

static guint8
to_byte (gfloat v)
{
  return (guint8) CLAMP (v + 0.5f, 0.0f, 255.0f);
}

static void
convert_lab (const Tables *t, const guint8 *rgb, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++) {
    gfloat r = t->linear[rgb[3 * i]], g = t->linear[rgb[3 * i + 1]], b = t->linear[rgb[3 * i + 2]];
    /* sRGB primaries to XYZ, each divided by the D65 white, so that white is (1, 1, 1) */
    gfloat fx = lab_f (t, MIN (0.433953f * r + 0.376219f * g + 0.189828f * b, CUBE_ROOT_STEPS));
    gfloat fy = lab_f (t, MIN (0.212671f * r + 0.715160f * g + 0.072169f * b, CUBE_ROOT_STEPS));
    gfloat fz = lab_f (t, MIN (0.017758f * r + 0.109477f * g + 0.872765f * b, CUBE_ROOT_STEPS));

    out[i] = to_byte ((116.0f * fy - 16.0f) * 2.55f);
    out[pixels + i] = to_byte (500.0f * (fx - fy) + 128.0f);
    out[2 * pixels + i] = to_byte (200.0f * (fy - fz) + 128.0f);
  }
}

static void
convert_rgi (const Tables *t, const guint8 *rgb, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++) {
    guint32 r = rgb[3 * i], g = rgb[3 * i + 1], sum = r + g + rgb[3 * i + 2];
    guint32 scale = t->reciprocal[sum];

    /* black has no chromaticity: the neutral third */
    out[i] = sum ? (guint8) ((r * scale + 32768) >> 16) : 85;
    out[pixels + i] = sum ? (guint8) ((g * scale + 32768) >> 16) : 85;
    out[2 * pixels + i] = (guint8) ((sum + 1) / 3);
  }
}

static void
convert_hue (const Tables *t, const guint8 *rgb, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++) {
    gint r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];

    out[i] = hue (t, r, g, b, MAX (r, MAX (g, b)), MIN (r, MIN (g, b)));
  }
}

static void
convert_intensity (const guint8 *rgb, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++)
    out[i] = (guint8) ((rgb[3 * i] + rgb[3 * i + 1] + rgb[3 * i + 2] + 1) / 3);
}

void
sppnet_colour_convert (SppnetColour colour, const guint8 *rgb, gsize pixels, guint8 *out)
{
  const Tables *t = tables ();

  switch (colour) {
  case SPPNET_COLOUR_HSV:
    convert_hsv (t, rgb, pixels, out);
    break;
  case SPPNET_COLOUR_LAB:
    convert_lab (t, rgb, pixels, out);
    break;
  case SPPNET_COLOUR_RGI:
    convert_rgi (t, rgb, pixels, out);
    break;
  case SPPNET_COLOUR_H:
    convert_hue (t, rgb, pixels, out);
    break;
  case SPPNET_COLOUR_I:
    convert_intensity (rgb, pixels, out);
    break;
  default:
    g_assert_not_reached ();
  }
}
