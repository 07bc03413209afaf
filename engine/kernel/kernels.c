/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. Plain loops that both compilers vectorise; the build without
 * vectorisation is the specification. */
#include "kernel/kernel.h"

#include "base/half.h"
#include "kernel/vector.h"

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
  .max_rows = max_rows,
  .max_into = max_into,
  .max_cells = max_cells,
  .add_into = add_into,
  .min_sum = min_sum,
  .half_to_float = half_to_float,
  .float_to_half = float_to_half,
};
