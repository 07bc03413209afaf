/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/convert.h"

#include <math.h>
#include <string.h>

/* Luma weights of red and blue: ITU-R BT.601-7 2.5.1, BT.709-6 3.2, BT.2020-2 table 4. */
static const struct
{
  gdouble red, blue;
} weights[] = {
  [SPPNET_COLOR_MATRIX_BT601] = { .299, .114 },
  [SPPNET_COLOR_MATRIX_BT709] = { .2126, .0722 },
  [SPPNET_COLOR_MATRIX_BT2020] = { .2627, .0593 },
};

static gint16
fixed (gdouble factor)
{
  return (gint16) lrint (factor * 256.0);
}

SppnetConvertMatrix
sppnet_convert_matrix (SppnetColorMatrix matrix, SppnetColorRange range)
{
  gboolean limited = range == SPPNET_COLOR_RANGE_LIMITED;
  gdouble luma = limited ? 255.0 / 219.0 : 1.0;
  gdouble chroma = limited ? 255.0 / 224.0 : 1.0;
  gdouble red = weights[matrix].red, blue = weights[matrix].blue, green = 1.0 - red - blue;

  return (SppnetConvertMatrix) {
    .y = fixed (luma),
    .v_r = fixed (chroma * 2.0 * (1.0 - red)),
    .u_g = fixed (chroma * -2.0 * (1.0 - blue) * blue / green),
    .v_g = fixed (chroma * -2.0 * (1.0 - red) * red / green),
    .u_b = fixed (chroma * 2.0 * (1.0 - blue)),
  };
}

/* A component less 128, its 8 bits repeated in the lower byte: 128 -> 0, 255 -> 0x7f7f, 127 -> 0xffff, 0 -> 0x8080. */
static inline gint16
widen (guint8 component)
{
  return (gint16) ((component ^ 0x80) * 257);
}

/* 8.8 bits times a factor of 8.8 bits, the integer part, rounded down. */
static inline gint16
multiply (gint16 component, gint16 factor)
{
  return (gint16) (component * factor >> 16);
}

/* Limited as 16 bits: SSE2 has the minimum and maximum of those only. */
static inline guint8
to_byte (gint32 level)
{
  gint16 value = (gint16) level;

  value = value > 255 ? 255 : value;
  return (guint8) (value < 0 ? 0 : value);
}

/* Pixels computed into separate components before they are interleaved: the arithmetic is vectorised, the interleaving
 * by three is not on the baseline instruction set. */
#define BLOCK 64

static void
interleave (const guint8 *restrict r, const guint8 *restrict g, const guint8 *restrict b, gint n, guint8 *restrict rgb)
{
  gint i = 0;

  /* One store of four bytes per pixel; the fourth is overwritten by the next pixel. */
  for (; i < n - 1; i++) {
    guint32 pixel = GUINT32_TO_LE (r[i] | (guint32) g[i] << 8 | (guint32) b[i] << 16);

    memcpy (rgb + 3 * i, &pixel, sizeof pixel);
  }
  for (; i < n; i++) {
    rgb[3 * i] = r[i];
    rgb[3 * i + 1] = g[i];
    rgb[3 * i + 2] = b[i];
  }
}

static void
convert_block (SppnetConvertMatrix m, const guint8 *restrict y, const guint8 *restrict u, const guint8 *restrict v,
               gint n, guint8 *restrict r, guint8 *restrict g, guint8 *restrict b)
{
  for (gint i = 0; i < n; i++) {
    gint16 luma = (gint16) (multiply (widen (y[i]), m.y) + 128);
    gint16 cb = widen (u[i]), cr = widen (v[i]);

    r[i] = to_byte (luma + multiply (cr, m.v_r));
    g[i] = to_byte (luma + multiply (cb, m.u_g) + multiply (cr, m.v_g));
    b[i] = to_byte (luma + multiply (cb, m.u_b));
  }
}

void
sppnet_convert_ycbcr (const SppnetConvertMatrix *matrix, const guint8 *restrict y, const guint8 *restrict u,
                      const guint8 *restrict v, gint n, guint8 *restrict rgb)
{
  guint8 r[BLOCK], g[BLOCK], b[BLOCK];

  for (gint start = 0; start < n; start += BLOCK) {
    gint count = MIN (BLOCK, n - start);

    convert_block (*matrix, y + start, u + start, v + start, count, r, g, b);
    interleave (r, g, b, count, rgb + 3 * start);
  }
}

/* The step is a constant in each loop, so that it is vectorised. */
#define REPEAT(step)                                                                                                   \
  for (gint i = 0; i < n / 2; i++)                                                                                     \
  out[2 * i] = out[2 * i + 1] = in[i * (step)]

void
sppnet_convert_repeat (const guint8 *restrict in, gint step, gint n, guint8 *restrict out)
{
  if (step == 1)
    REPEAT (1);
  else if (step == 2)
    REPEAT (2);
  else
    REPEAT (4);
  if (n % 2)
    out[n - 1] = in[n / 2 * step];
}

void
sppnet_convert_every_second (const guint8 *restrict in, gint n, guint8 *restrict out)
{
  for (gint i = 0; i < n; i++)
    out[i] = in[2 * i];
}

void
sppnet_convert_rgb4 (const guint8 *restrict in, guint r, guint g, guint b, gint n, guint8 *restrict rgb)
{
  for (gint i = 0; i < n; i++) {
    rgb[3 * i] = in[4 * i + r];
    rgb[3 * i + 1] = in[4 * i + g];
    rgb[3 * i + 2] = in[4 * i + b];
  }
}

void
sppnet_convert_swap (const guint8 *restrict in, gint n, guint8 *restrict out)
{
  for (gint i = 0; i < n; i++) {
    out[3 * i] = in[3 * i + 2];
    out[3 * i + 1] = in[3 * i + 1];
    out[3 * i + 2] = in[3 * i];
  }
}
