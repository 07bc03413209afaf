/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. Plain loops that both compilers vectorise; the build without
 * vectorisation is the specification. */
#include "kernel/kernel.h"

#include "base/half.h"
#include "kernel/vector.h"

#include <math.h>
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

/* The first cell's vectors stay in registers while the others go by. */
static void
max_cells (gfloat *out, const gfloat *const *cells, gsize n, gsize channels)
{
  enum
  {
    VECTORS = 8
  };
  gsize c = 0;

  for (; c + VECTORS * LANES <= channels; c += VECTORS * LANES) {
    Vector best[VECTORS];

    UNROLL
    for (gint j = 0; j < VECTORS; j++)
      best[j] = load (cells[0] + c + j * LANES);
    for (gsize i = 1; i < n; i++) {
      const gfloat *cell = cells[i] + c;

      UNROLL
      for (gint j = 0; j < VECTORS; j++)
        best[j] = maximum (load (cell + j * LANES), best[j]);
    }
    UNROLL
    for (gint j = 0; j < VECTORS; j++)
      store (out + c + j * LANES, best[j]);
  }
  for (; c < channels; c++) {
    gfloat best = cells[0][c];

    for (gsize i = 1; i < n; i++)
      best = cells[i][c] > best ? cells[i][c] : best;
    out[c] = best;
  }
}

static void
add_into (gfloat *restrict out, const gfloat *restrict in, gsize channels)
{
  for (gsize c = 0; c < channels; c++)
    out[c] += in[c];
}

static void
activation_gradient (gfloat *restrict gradient, const gfloat *restrict out, gfloat slope, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    gfloat scaled = gradient[i] * slope;

    gradient[i] = out[i] > 0.0f ? gradient[i] : scaled;
  }
}

static void
adamw (gfloat *restrict params, gfloat *restrict first, gfloat *restrict second, const gfloat *restrict gradient,
       gsize n, const SppnetAdamW *step)
{
  const SppnetAdamW s = *step;

  for (gsize i = 0; i < n; i++) {
    gfloat g = gradient[i] * s.scale;

    first[i] = s.first * first[i] + (1.0f - s.first) * g;
    second[i] = s.second * second[i] + (1.0f - s.second) * g * g;
    params[i] = s.keep * params[i] - s.rate * s.correct_1 * first[i] / (sqrtf (s.correct_2 * second[i]) + 1e-8f);
  }
}

static void
max_source (gfloat *restrict out, gint32 *restrict source, const gfloat *restrict in, const gint32 *restrict from,
            gint32 cell, gsize channels)
{
  for (gsize c = 0; c < channels; c++) {
    gint32 greater = in[c] > out[c] ? -1 : 0; /* a mask */

    source[c] = (greater & (from ? from[c] : cell)) | (~greater & source[c]);
    out[c] = in[c] > out[c] ? in[c] : out[c];
  }
}

static void
max_2x2_gradient (gfloat *restrict above_gradient, gfloat *restrict below_gradient, const gfloat *restrict above,
                  const gfloat *restrict below, const gfloat *restrict out, const gfloat *restrict gradient, gsize n,
                  gsize channels)
{
  for (gsize i = 0; i < n; i++) {
    for (gsize c = 0; c < channels; c++) {
      gfloat left = gradient[c], first, second, third, last;

      first = above[c] == out[c] ? left : 0.0f;
      left -= first;
      second = above[channels + c] == out[c] ? left : 0.0f;
      left -= second;
      third = below[c] == out[c] ? left : 0.0f;
      left -= third;
      last = below[channels + c] == out[c] ? left : 0.0f;
      above_gradient[c] = first;
      above_gradient[channels + c] = second;
      below_gradient[c] = third;
      below_gradient[channels + c] = last;
    }
    above += 2 * channels;
    below += 2 * channels;
    above_gradient += 2 * channels;
    below_gradient += 2 * channels;
    out += channels;
    gradient += channels;
  }
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

/* Some boxes at a time, so that the search ends soon after it has found one. */
static gboolean
overlaps (const gfloat *restrict columns, gsize stride, gsize n, const gfloat box[5], gfloat share)
{
  const gfloat *restrict left = columns, *restrict top = columns + stride, *restrict right = columns + 2 * stride;
  const gfloat *restrict bottom = columns + 3 * stride, *restrict area = columns + 4 * stride;
  const gsize block = 64;

  for (gsize first = 0; first < n; first += block) {
    gsize end = n - first < block ? n : first + block;
    gint32 found = 0;

    for (gsize i = first; i < end; i++) {
      gfloat width = (right[i] < box[2] ? right[i] : box[2]) - (left[i] > box[0] ? left[i] : box[0]);
      gfloat height = (bottom[i] < box[3] ? bottom[i] : box[3]) - (top[i] > box[1] ? top[i] : box[1]);
      gfloat both = (width > 0.0f ? width : 0.0f) * (height > 0.0f ? height : 0.0f);

      found |= both > share * (area[i] + box[4]);
    }
    if (found)
      return TRUE;
  }
  return FALSE;
}

static void
half_to_float (gfloat *restrict out, const guint16 *restrict in, gsize n)
{
  for (gsize i = 0; i < n; i++)
    out[i] = sppnet_half_to_float (in[i]);
}

static void
float_to_half (guint16 *restrict out, const gfloat *restrict in, gsize n)
{
  for (gsize i = 0; i < n; i++)
    out[i] = sppnet_float_to_half (in[i]);
}

const SppnetKernels TABLE_NAME (SPPNET_LEVEL) = {
  .bias_activate = bias_activate,
  .max_into = max_into,
  .max_cells = max_cells,
  .add_into = add_into,
  .activation_gradient = activation_gradient,
  .adamw = adamw,
  .max_source = max_source,
  .max_2x2_gradient = max_2x2_gradient,
  .min_sum = min_sum,
  .overlaps = overlaps,
  .half_to_float = half_to_float,
  .float_to_half = float_to_half,
};
