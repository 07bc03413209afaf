/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. Plain loops that both compilers vectorise; the build without
 * vectorisation is the specification. */
#include "kernel/kernel.h"

#include <string.h>

#define TABLE_NAME_(level) sppnet_kernels_##level
#define TABLE_NAME(level) TABLE_NAME_ (level)

extern const SppnetKernels TABLE_NAME (SPPNET_LEVEL);

static void
bias_activate (gfloat *restrict y, const gfloat *restrict bias, gfloat slope, gsize rows, gsize channels)
{
  for (gsize r = 0; r < rows; r++, y += channels)
    for (gsize c = 0; c < channels; c++) {
      gfloat v = y[c] + bias[c];
      gfloat negative = v * slope;

      y[c] = v < 0.0f ? negative : v;
    }
}

static void
max_into (gfloat *restrict out, const gfloat *restrict in, gsize channels)
{
  for (gsize c = 0; c < channels; c++)
    out[c] = in[c] > out[c] ? in[c] : out[c];
}

static void
max_rows (gfloat *restrict out, const gfloat *restrict in, gsize n, gsize stride, gsize channels)
{
  memcpy (out, in, channels * sizeof *out);
  for (gsize i = 1; i < n; i++)
    max_into (out, in + i * stride, channels);
}

static void
add_into (gfloat *restrict out, const gfloat *restrict in, gsize channels)
{
  for (gsize c = 0; c < channels; c++)
    out[c] += in[c];
}

/* Sixteen partial sums: one vector of AVX-512, two of AVX2, four of SSE. */
static gfloat
min_sum (const gfloat *restrict a, const gfloat *restrict b, gsize n)
{
  gfloat partial[16] = { 0 };
  gfloat sum = 0.0f;
  gsize i = 0;

  for (; i + 16 <= n; i += 16)
    for (gsize j = 0; j < 16; j++)
      partial[j] += a[i + j] < b[i + j] ? a[i + j] : b[i + j];
  for (; i < n; i++)
    partial[i % 16] += a[i] < b[i] ? a[i] : b[i];
  for (gsize j = 0; j < 16; j++)
    sum += partial[j];
  return sum;
}

static gfloat
half_value (guint16 h)
{
  guint32 sign = (guint32) (h & 0x8000) << 16;
  guint32 magnitude = h & 0x7fff;
  gfloat value;

  if (magnitude >= 0x7c00) { /* infinity, NaN */
    guint32 bits = sign | 0x7f800000 | (magnitude & 0x3ff) << 13;

    memcpy (&value, &bits, sizeof value);
    return value;
  }
  if (magnitude < 0x400) { /* zero, subnormal: exact in float */
    value = (gfloat) magnitude * 0x1.0p-24f;
    return sign ? -value : value;
  }
  {
    guint32 bits = sign | ((magnitude << 13) + 0x38000000);

    memcpy (&value, &bits, sizeof value);
    return value;
  }
}

static guint16
half_bits (gfloat f)
{
  guint32 bits, sign, rounded;

  memcpy (&bits, &f, sizeof bits);
  sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return (guint16) (sign | 0x7e00 | (bits >> 13 & 0x3ff));
  if (bits >= 0x47800000) /* 65536 and above */
    return (guint16) (sign | 0x7c00);
  if (bits < 0x38800000) { /* below 2^-14: subnormal half, rounded by the addition */
    gfloat magnitude;

    memcpy (&magnitude, &bits, sizeof magnitude);
    magnitude += 0.5f; /* the sum's last bit weighs 2^-24 */
    memcpy (&bits, &magnitude, sizeof bits);
    return (guint16) (sign | (bits - 0x3f000000));
  }
  rounded = bits + 0xfff + (bits >> 13 & 1);
  return (guint16) (sign | ((rounded - 0x38000000) >> 13));
}

static void
half_to_float (gfloat *restrict out, const guint16 *restrict in, gsize n)
{
  for (gsize i = 0; i < n; i++)
    out[i] = half_value (in[i]);
}

static void
float_to_half (guint16 *restrict out, const gfloat *restrict in, gsize n)
{
  for (gsize i = 0; i < n; i++)
    out[i] = half_bits (in[i]);
}

const SppnetKernels TABLE_NAME (SPPNET_LEVEL) = {
  .bias_activate = bias_activate,
  .max_rows = max_rows,
  .max_into = max_into,
  .add_into = add_into,
  .min_sum = min_sum,
  .half_to_float = half_to_float,
  .float_to_half = float_to_half,
};
