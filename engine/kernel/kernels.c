/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled once per ISA with SPPNET_LEVEL set to its name. Plain loops that both compilers vectorise; the build without
 * vectorisation is the specification. */
#include "kernel/kernel.h"

#include "base/half.h"
#include "kernel/dense_tile.h"
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

/* Magnitudes compare like their bits. */
static void
largest_finite (gfloat *restrict largest, const gfloat *restrict in, gsize n, gsize channels)
{
  for (gsize i = 0; i < n; i++, in += channels)
    for (gsize c = 0; c < channels; c++) {
      guint32 bits = sppnet_float_bits (in[c]) & 0x7fffffff, best = sppnet_float_bits (largest[c]);

      bits = bits < 0x7f800000 ? bits : 0;
      largest[c] = sppnet_bits_float (bits > best ? bits : best);
    }
}

static inline guint8
to_step (gfloat value, gfloat reciprocal)
{
  gfloat scaled = value * reciprocal;
  gint32 step;

  scaled = scaled < SPPNET_STEP_LARGEST ? scaled : SPPNET_STEP_LARGEST;
  scaled = scaled > -SPPNET_STEP_LARGEST ? scaled : -SPPNET_STEP_LARGEST;
  /* The sum has 2^-23 * 2^23 = 1 as its last bit, and is rounded to even. */
  step = (gint32) (sppnet_float_bits (scaled + (0x1.8p23f + SPPNET_STEP_ZERO)) & 0xff);
  return (guint8) ((sppnet_float_bits (value) & 0x7fffffff) < 0x7f800000 ? step : SPPNET_STEP_NOT_FINITE);
}

static void
to_steps (guint8 *restrict out, const gfloat *restrict in, gsize stride, gsize n, gsize channels,
          const gfloat *restrict reciprocal)
{
  for (gsize i = 0; i < n; i++, in += stride, out += SPPNET_STEPS) {
    if (channels == SPPNET_STEPS) {
      for (gsize c = 0; c < SPPNET_STEPS; c++)
        out[c] = to_step (in[c], reciprocal[c]);
    } else {
      for (gsize c = 0; c < SPPNET_STEPS; c++)
        out[c] = c < channels ? to_step (in[c], reciprocal[c]) : SPPNET_STEP_ZERO;
    }
  }
}

static void
from_steps (gfloat *restrict out, const guint8 *restrict in, gsize n, const gfloat *restrict step)
{
  for (gsize i = 0; i < n; i++, in += SPPNET_STEPS, out += SPPNET_STEPS)
    for (gsize c = 0; c < SPPNET_STEPS; c += LANES)
      store (out + c, steps_to_floats (in + c, SPPNET_STEP_ZERO, SPPNET_STEP_NOT_FINITE) * load (step + c));
}

static gboolean
steps_to_shorts (gint16 *restrict out, const guint8 *restrict in, gsize n, const gint16 *restrict multiplier)
{
  guint8 largest[SPPNET_STEPS] = { 0 };
  gboolean finite = TRUE;

  for (gsize i = 0; i < n; i++, in += SPPNET_STEPS, out += SPPNET_STEPS)
    for (gsize c = 0; c < SPPNET_STEPS; c++) {
      out[c] = (gint16) ((in[c] - SPPNET_STEP_ZERO) * multiplier[c]);
      largest[c] = MAX (largest[c], in[c]);
    }
  for (gsize c = 0; c < SPPNET_STEPS; c++)
    finite = finite && largest[c] != SPPNET_STEP_NOT_FINITE;
  return finite;
}

static void
max_steps (guint8 *restrict out, const guint8 *const in[4], gsize n)
{
  const guint8 *a = in[0], *b = in[1], *c = in[2], *d = in[3];

  for (gsize i = 0; i < n * SPPNET_STEPS; i += STEPS)
    store_steps (out + i, maximum_steps (maximum_steps (load_steps (a + i), load_steps (b + i)),
                                         maximum_steps (load_steps (c + i), load_steps (d + i))));
}

/* Inlined with constants for what is frequent: loops over so few cells cost more than the cells. */
INLINE void
max_bins (guint8 *restrict out, const guint8 *restrict in, const SppnetBinPlan *plan, gsize n_across, gsize n_down,
          gsize level)
{
  const guint32 *down = plan->down;

  for (gsize y = 0; y < level; y++, down += n_down) {
    const guint32 *across = plan->across;

    for (gsize x = 0; x < level; x++, across += n_across, out += SPPNET_STEPS)
      for (gsize k = 0; k < SPPNET_STEPS; k += STEPS) {
        Steps best = load_steps (in + k + down[0] + across[0]);

        for (gsize i = 0; i < n_across; i++)
          for (gsize j = i == 0; j < n_down; j++)
            best = maximum_steps (best, load_steps (in + k + down[j] + across[i]));
        store_steps (out + k, best);
      }
  }
}

/* Of the level that is finest by default, which has most bins, and of any. */
#define FREQUENT(across, down)                                                                                         \
  case 8 * (across) + (down):                                                                                          \
    if (plan->level == 6)                                                                                              \
      max_bins (out, in, plan, (across), (down), 6);                                                                   \
    else                                                                                                               \
      max_bins (out, in, plan, (across), (down), plan->level);                                                         \
    return

static void
max_level (guint8 *out, const guint8 *in, const SppnetBinPlan *plan)
{
  switch (plan->n_across < 8 && plan->n_down < 8 ? 8 * plan->n_across + plan->n_down : 0) {
    FREQUENT (2, 2);
    FREQUENT (2, 3);
    FREQUENT (2, 4);
    FREQUENT (3, 2);
    FREQUENT (3, 3);
    FREQUENT (3, 4);
    FREQUENT (4, 2);
    FREQUENT (4, 3);
    FREQUENT (4, 4);
  default:
    if (plan->n_down == 2)
      max_bins (out, in, plan, plan->n_across, 2, plan->level);
    else if (plan->n_across == 2)
      max_bins (out, in, plan, 2, plan->n_down, plan->level);
    else
      max_bins (out, in, plan, plan->n_across, plan->n_down, plan->level);
  }
}

/* Inlined with constants for the paper's levels. */
INLINE void
max_unions (guint8 *restrict out, const guint8 *restrict in, gsize level, gsize side)
{
  gsize row = level * side * SPPNET_STEPS;

  for (gsize y = 0; y < level; y++, in += side * row)
    for (gsize x = 0; x < level; x++, out += SPPNET_STEPS)
      for (gsize k = 0; k < SPPNET_STEPS; k += STEPS) {
        const guint8 *first = in + x * side * SPPNET_STEPS + k;
        Steps best = load_steps (first);

        for (gsize j = 0; j < side; j++)
          for (gsize i = 0; i < side; i++)
            best = maximum_steps (best, load_steps (first + j * row + i * SPPNET_STEPS));
        store_steps (out + k, best);
      }
}

static void
max_union_level (guint8 *out, const SppnetUnionPlan *plan)
{
  const guint8 *in = out + plan->source;

  out += plan->out;
  if (plan->level == 3 && plan->side == 2)
    max_unions (out, in, 3, 2);
  else if (plan->level == 2 && plan->side == 3)
    max_unions (out, in, 2, 3);
  else if (plan->level == 1 && plan->side == 2)
    max_unions (out, in, 1, 2);
  else
    max_unions (out, in, plan->level, plan->side);
}

static void
max_pyramid (guint8 *out, const guint8 *in, const SppnetBinPlan *levels, gsize n_levels, const SppnetUnionPlan *unions,
             gsize n_unions)
{
  for (gsize l = 0; l < n_levels; l++) {
    const SppnetBinPlan *plan = &levels[l];
    guint32 all = (guint32) (((guint64) 1 << plan->level) - 1);

    if (plan->columns != 0 && plan->rows != 0)
      max_level (out + plan->out, in + plan->first, plan);
    if (G_LIKELY ((plan->columns & plan->rows) == all))
      continue;
    for (gsize i = 0; i < plan->level * plan->level; i++)
      if ((plan->columns >> (i % plan->level) & 1) == 0 || (plan->rows >> (i / plan->level) & 1) == 0)
        memset (out + plan->out + i * SPPNET_STEPS, SPPNET_STEP_ZERO, SPPNET_STEPS);
  }
  for (gsize u = 0; u < n_unions; u++)
    max_union_level (out, &unions[u]);
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
  .largest_finite = largest_finite,
  .to_steps = to_steps,
  .from_steps = from_steps,
  .steps_to_shorts = steps_to_shorts,
  .dense_shorts = dense_shorts,
  .dense_block = DENSE_BLOCK,
  .dense_rows = DENSE_ROWS,
  .max_steps = max_steps,
  .max_pyramid = max_pyramid,
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
