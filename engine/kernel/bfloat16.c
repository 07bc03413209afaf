/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution whose products are of numbers rounded to bfloat16 and whose sums are single precision, for processors
 * with AVX512_BF16: an instruction multiplies twice as many. The caller sees floats; weights are pairs of two steps (k,
 * k + 1) for each filter, in the first half of the floats' memory. */
#define SIDE 4
#include "kernel/conv.h"

#include "kernel/pool.h"
#include "kernel/tile.h"

/* Numbers of a stretch of input on the stack; and pixels at a time, a multiple of PIXELS. */
#define BUFFER 32768
#define MOST_PIXELS 96

typedef guint16 Bfloat16;

INLINE void
store_rounded (Bfloat16 *out, Vector v)
{
  __m256bh rounded = _mm512_cvtneps_pbh ((__m512) v);

  memcpy (out, &rounded, sizeof rounded);
}

/* Adds the products of pairs of steps. pixel: numbers from one pixel's input to the next one's */
INLINE void
add_pairs (const Bfloat16 *in, gsize pixel, gint pairs, const Bfloat16 *weight, const gint n, const gint vectors,
           Vector *low, Vector *high)
{
  for (gint k = 0; k < pairs; k++, in += 2, weight += vectors * 2 * LANES) {
    __m512i w0 = _mm512_loadu_si512 (weight), w1 = vectors > 1 ? _mm512_loadu_si512 (weight + 2 * LANES) : w0;

    UNROLL
    for (gint i = 0; i < n; i++) {
      gint32 two;
      __m512i x;

      memcpy (&two, in + i * pixel, sizeof two);
      x = _mm512_set1_epi32 (two);
      low[i] = (Vector) _mm512_dpbf16_ps ((__m512) low[i], (__m512bh) x, (__m512bh) w0);
      if (vectors > 1)
        high[i] = (Vector) _mm512_dpbf16_ps ((__m512) high[i], (__m512bh) x, (__m512bh) w1);
    }
  }
}

/* The input of some pixels of a row, rounded: pixel and row are numbers between them. */
typedef struct
{
  const Bfloat16 *in;
  gsize pixel, row;
} Rounded;

INLINE void
tile (const SppnetConvRow *row, const Rounded *rounded, gint first, gint filter, gfloat *out, const Bfloat16 *weight,
      const gint n, const gint vectors)
{
  Vector low[PIXELS], high[PIXELS], slope = splat (row->slope);
  gint count = row->filters - filter;

  out += first * row->out_pixel + filter;
  tile_start (row->bias ? row->bias + filter : NULL, row->onto ? out : NULL, row->out_pixel, count, n, vectors, low,
              high);
  for (gint y = 0; y < row->rows; y++)
    add_pairs (rounded->in + first * rounded->pixel + y * rounded->row, rounded->pixel, row->run / 2,
               weight + (gsize) y * row->run * vectors * LANES, n, vectors, low, high);
  UNROLL
  for (gint i = 0; i < n; i++, out += row->out_pixel) {
    store_some (out, activate (low[i], slope), count);
    if (vectors > 1)
      store_some (out + LANES, activate (high[i], slope), count - LANES);
  }
}

static void
wide_block (const SppnetConvRow *row, const Rounded *rounded, gint filter, gfloat *out, const Bfloat16 *weight, gint n)
{
#define WIDE_TILE(n, first) tile (row, rounded, first, filter, out, weight, n, 2)
  TILES (n, WIDE_TILE);
}

static void
narrow_block (const SppnetConvRow *row, const Rounded *rounded, gint filter, gfloat *out, const Bfloat16 *weight,
              gint n)
{
#define NARROW_TILE(n, first) tile (row, rounded, first, filter, out, weight, n, 1)
  TILES (n, NARROW_TILE);
}

static void
round_to (Bfloat16 *out, const gfloat *in, gsize n)
{
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    store_rounded (out + i, load (in + i));
  if (i < n) {
    Bfloat16 rest[LANES];

    store_rounded (rest, load_some (in + i, (gint) (n - i)));
    memcpy (out + i, rest, sizeof *out * (n - i));
  }
}

/* Neighbouring pixels share input where their kernels overlap. */
static void
round_pixels (const SppnetConvRow *row, const gfloat *in, gint n, Bfloat16 *to, Rounded *rounded)
{
  gboolean shared = row->in_pixel < (gsize) row->run;
  gsize run = row->run;

  rounded->in = to;
  rounded->pixel = shared ? row->in_pixel : run;
  rounded->row = shared ? (gsize) (n - 1) * row->in_pixel + run : n * run;
  for (gint y = 0; y < row->rows; y++, in += row->in_row, to += rounded->row)
    if (shared)
      round_to (to, in, rounded->row);
    else
      for (gint i = 0; i < n; i++)
        round_to (to + i * run, in + i * row->in_pixel, run);
}

static void conv_row (const SppnetConvRow *row, gint n);

/* A kernel too large for the buffer: the sums of its second half go on from those of the first. */
static void
conv_halves (const SppnetConvRow *row, gint n)
{
  SppnetConvRow first = *row, second = *row;

  if (row->rows > 1) {
    first.rows = row->rows / 2;
    second.rows = row->rows - first.rows;
    second.in += first.rows * row->in_row;
    second.weight_skip += (gsize) first.rows * row->run;
  } else {
    first.run = row->run / 4 * 2;
    second.run = row->run - first.run;
    second.in += first.run;
    second.weight_skip += first.run;
  }
  first.slope = 1.0f;
  second.bias = NULL;
  second.onto = TRUE;
  conv_row (&first, n);
  conv_row (&second, n);
}

static void
conv_row (const SppnetConvRow *row, gint n)
{
  Bfloat16 buffer[BUFFER] __attribute__ ((aligned (64)));
  gsize depth = (gsize) MAX (row->rows, 1) * row->run;
  gint chunk = (gint) MIN (BUFFER / depth / PIXELS * PIXELS, MOST_PIXELS);

  if (chunk == 0) {
    conv_halves (row, n);
    return;
  }
  for (gint first = 0; first < n; first += chunk) {
    gint pixels = MIN (chunk, n - first);
    const gfloat *weight = row->weight;
    gfloat *out = row->out + first * row->out_pixel;
    Rounded rounded;

    round_pixels (row, row->in + first * row->in_pixel, pixels, buffer, &rounded);
    for (gint filter = 0; filter < row->filters; filter += BLOCK, weight += row->weight_block)
      if (row->filters - filter > LANES)
        wide_block (row, &rounded, filter, out, (const Bfloat16 *) weight + row->weight_skip * BLOCK, pixels);
      else
        narrow_block (row, &rounded, filter, out, (const Bfloat16 *) weight + row->weight_skip * LANES, pixels);
  }
}

INLINE void
add_products (const SppnetWinogradBlock *block, gint plane, gint first, const gint n, const gint vectors, Vector *low,
              Vector *high)
{
  add_pairs ((const Bfloat16 *) (block->cells + plane * block->cells_plane + first * block->channels),
             2 * (gsize) block->channels, block->channels / 2,
             (const Bfloat16 *) (block->weight + (gsize) plane * block->channels * vectors * LANES), n, vectors, low,
             high);
}

#define ADD_PRODUCTS add_products
#define STORE_CELL(out, i, vector) store_rounded ((Bfloat16 *) (out) + (i), vector)
#include "kernel/winograd_block.h"

static void
to_pairs (gfloat *block, gsize depth, gsize width)
{
  for (gsize k = 0; k + 2 <= depth; k += 2) {
    const gfloat *first = block + k * width, *second = first + width;
    Bfloat16 *to = (Bfloat16 *) (block + k / 2 * width);

    /* In place: what is written was read before. */
    for (gsize f = 0; f < width; f += LANES) {
      Bfloat16 a[LANES], b[LANES];

      store_rounded (a, load (first + f));
      store_rounded (b, load (second + f));
      for (gint i = 0; i < LANES; i++) {
        to[2 * (f + i)] = a[i];
        to[2 * (f + i) + 1] = b[i];
      }
    }
  }
}

/* The rounding of the larger tiles' transforms, whose factors reach 32, would be too coarse. */
static const SppnetWinogradKernels winograd
    = { .side = SIDE, .input = input_tile, .block = run_block, .weights = weights_tile };

extern const SppnetConvKernels sppnet_conv_kernels_table_bfloat16;

const SppnetConvKernels sppnet_conv_kernels_table_bfloat16 = {
  .lanes = LANES,
  .block = BLOCK,
  .pixels = PIXELS,
  .to_pairs = to_pairs,
  .conv_row = conv_row,
  .pool_2x2 = pool_2x2,
  .winograd = &winograd,
};
