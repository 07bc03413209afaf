/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame/convert.h"

#include <math.h>

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
  return (gint16) lrint (factor * 8192.0);
}

SppnetConvertMatrix
sppnet_convert_matrix (SppnetColorMatrix matrix, SppnetColorRange range)
{
  gboolean limited = range == SPPNET_COLOR_RANGE_LIMITED;
  gdouble luma = limited ? 255.0 / 219.0 : 1.0;
  gdouble chroma = limited ? 255.0 / 224.0 : 1.0;
  gdouble red = weights[matrix].red, blue = weights[matrix].blue, green = 1.0 - red - blue;

  return (SppnetConvertMatrix) {
    .black = limited ? 16 : 0,
    .y = fixed (luma),
    .v_r = fixed (chroma * 2.0 * (1.0 - red)),
    .u_g = fixed (chroma * -2.0 * (1.0 - blue) * blue / green),
    .v_g = fixed (chroma * -2.0 * (1.0 - red) * red / green),
    .u_b = fixed (chroma * 2.0 * (1.0 - blue)),
  };
}

static inline guint8
to_byte (gint32 fixed_point)
{
  gint32 value = (fixed_point + 4096) >> 13;

  return (guint8) CLAMP (value, 0, 255);
}

void
sppnet_convert_ycbcr (const SppnetConvertMatrix *matrix, const guint8 *restrict y, const guint8 *restrict u,
                      const guint8 *restrict v, gint n, guint8 *restrict rgb)
{
  const SppnetConvertMatrix m = *matrix;

  for (gint i = 0; i < n; i++) {
    gint16 luma = (gint16) (y[i] - m.black), cb = (gint16) (u[i] - 128), cr = (gint16) (v[i] - 128);

    rgb[3 * i] = to_byte (luma * m.y + cr * m.v_r);
    rgb[3 * i + 1] = to_byte (luma * m.y + cb * m.u_g + cr * m.v_g);
    rgb[3 * i + 2] = to_byte (luma * m.y + cb * m.u_b);
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
