/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares the convolution kernels of every level with the plain ones, and those with their definition; `--seed`
 * repeats a run. With `--bench`, times them instead. */
#include <math.h>
#include <stdlib.h>

#include "kernel/conv.h"

#include "arena.h"
#include "bench_conv.h"
#include "winograd_matrices.h"

static Arena in_arena, weight_arena, bias_arena, out_arena;

static gint
below (SppnetRandom *random, gint n)
{
  return (gint) sppnet_random_below (random, (guint32) n);
}

static gfloat *
random_floats (Arena *arena, gsize n, SppnetRandom *random)
{
  gfloat *values = arena_take (arena, n * sizeof *values);

  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) sppnet_random_normal (random);
  return values;
}

/* A convolution with weights [y][k][filter] that each level packs for itself. */
typedef struct
{
  SppnetConvRow row;
  gint n; /* pixels */
  const gfloat *weight;
  gboolean without_bias;
} Problem;

static void
random_problem (Problem *problem, SppnetRandom *random)
{
  SppnetConvRow *row = &problem->row;

  problem->n = below (random, 60);
  row->rows = below (random, 4);
  row->run = 1 + below (random, 40);
  row->in_pixel = 1 + below (random, 20);
  row->in_row = 1 + below (random, 500);
  row->filters = 1 + below (random, 70);
  row->out_pixel = row->filters + below (random, 3);
  row->weight_skip = row->run * below (random, 2);
  row->slope = 0.5f * (gfloat) below (random, 3);
  row->onto = below (random, 2);
  problem->without_bias = below (random, 4) == 0;
  row->in
      = random_floats (&in_arena, problem->n * row->in_pixel + MAX (row->rows - 1, 0) * row->in_row + row->run, random);
}

/* Blocks of this level, with NaN where weights must not matter: before weight_skip. */
static gfloat *
pack (const SppnetConvKernels *kernels, const Problem *problem, Arena *arena)
{
  const SppnetConvRow *row = &problem->row;
  gsize depth = row->weight_skip + (gsize) row->rows * row->run;
  gint filters = row->filters, padded = (filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gfloat *packed = arena_take (arena, sizeof *packed * depth * padded);

  for (gint first = 0; first < filters; first += kernels->block) {
    gint width = MIN (kernels->block, padded - first);

    for (gsize d = 0; d < depth; d++)
      for (gint f = 0; f < width; f++)
        packed[first * depth + d * width + f] = d < row->weight_skip ? NAN
                                                : first + f < filters
                                                    ? problem->weight[(d - row->weight_skip) * filters + first + f]
                                                    : 0.0f;
  }
  return packed;
}

/* out [n][out_pixel], of 7 before; the numbers between pixels stay so. */
static gfloat *
run (const SppnetConvKernels *kernels, const Problem *problem, const gfloat *bias, Arena *arena, gint split)
{
  SppnetConvRow row = problem->row;
  gsize depth = row.weight_skip + (gsize) row.rows * row.run;
  gint padded = (row.filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gsize n_out = problem->n ? (problem->n - 1) * row.out_pixel + row.filters : 0;
  gfloat *out = arena_take (arena, sizeof *out * n_out);
  gfloat *padded_bias = arena_take (&bias_arena, sizeof *bias * padded);

  memset (padded_bias, 0, sizeof *bias * padded);
  memcpy (padded_bias, bias, sizeof *bias * row.filters);
  for (gsize i = 0; i < n_out; i++)
    out[i] = 7.0f;
  row.weight = pack (kernels, problem, &weight_arena);
  row.weight_block = depth * kernels->block;
  row.bias = problem->without_bias ? NULL : padded_bias;
  row.out = out;
  kernels->conv_row (&row, MIN (split, problem->n));
  row.in += MIN (split, problem->n) * row.in_pixel;
  row.out += MIN (split, problem->n) * row.out_pixel;
  kernels->conv_row (&row, problem->n - MIN (split, problem->n));
  arena_check (arena);
  return out;
}

/* One output by definition; magnitude: of its terms. */
static gdouble
expected_sum (const Problem *problem, const gfloat *bias, gint pixel, gint filter, gdouble *magnitude)
{
  const SppnetConvRow *row = &problem->row;
  gdouble sum = (problem->without_bias ? 0.0 : bias[filter]) + (row->onto ? 7.0 : 0.0);

  *magnitude = fabs (sum) + 7.0;
  for (gint y = 0; y < row->rows; y++)
    for (gint k = 0; k < row->run; k++) {
      gdouble term = (gdouble) row->in[pixel * row->in_pixel + y * row->in_row + k]
                     * problem->weight[((gsize) y * row->run + k) * row->filters + filter];

      sum += term;
      *magnitude += fabs (term);
    }
  return sum < 0.0 ? sum * row->slope : sum;
}

static void
check_conv_row (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  g_autofree gfloat *weight = NULL, *bias = g_new (gfloat, 80), *whole = NULL;
  Problem problem = { 0 };
  const SppnetConvRow *row = &problem.row;
  gsize n_weights, n_out;
  gfloat *out;

  random_problem (&problem, random);
  n_weights = (gsize) row->rows * row->run * row->filters;
  weight = g_new (gfloat, n_weights + 1);
  for (gsize i = 0; i < n_weights; i++)
    weight[i] = (gfloat) sppnet_random_normal (random);
  for (gint i = 0; i < row->filters; i++)
    bias[i] = (gfloat) sppnet_random_normal (random);
  problem.weight = weight;
  n_out = problem.n ? (problem.n - 1) * row->out_pixel + row->filters : 0;
  out = run (kernels, &problem, bias, &out_arena, problem.n);
  whole = g_memdup2 (out, sizeof *out * n_out);
  for (gsize i = 0; i < n_out; i++) {
    gint pixel = (gint) (i / row->out_pixel), filter = (gint) (i % row->out_pixel);
    gdouble magnitude, sum;

    if (filter >= row->filters) {
      g_assert_cmpfloat (out[i], ==, 7.0f);
      continue;
    }
    sum = expected_sum (&problem, bias, pixel, filter, &magnitude);
    g_assert_cmpfloat (fabs (out[i] - sum), <=, (row->rows * row->run + 2) * 0x1p-23 * magnitude);
  }
  /* A row in two parts has the same bits. */
  out = run (kernels, &problem, bias, &out_arena, below (random, problem.n + 1));
  g_assert_true (n_out == 0 || memcmp (out, whole, sizeof *out * n_out) == 0);
}

/* A row and the one below it, pooled: the same bits as two rows and pooling. */
static void
check_conv_row_pooled (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  g_autofree gfloat *weight = NULL, *rows = NULL, *pooled = NULL, *bias = g_new0 (gfloat, 160);
  Problem problem = { 0 };
  SppnetConvRow *row = &problem.row;
  gint n, filters;
  gsize below_it;
  gfloat *out;

  random_problem (&problem, random);
  n = problem.n / 2;
  filters = row->filters;
  below_it = 1 + sppnet_random_below (random, 500);
  row->weight_skip = 0;
  row->onto = FALSE;
  row->in = random_floats (
      &in_arena, problem.n * row->in_pixel + MAX (row->rows - 1, 0) * row->in_row + row->run + below_it, random);
  weight = g_new (gfloat, (gsize) row->rows * row->run * filters + 1);
  for (gsize i = 0; i < (gsize) row->rows * row->run * filters; i++)
    weight[i] = (gfloat) sppnet_random_normal (random);
  for (gint i = 0; i < filters; i++)
    bias[i] = (gfloat) sppnet_random_normal (random);
  problem.weight = weight;
  row->weight = pack (kernels, &problem, &weight_arena);
  row->weight_block = (gsize) row->rows * row->run * kernels->block;
  row->bias = bias;
  rows = g_new (gfloat, (gsize) 4 * n * filters + 1);
  pooled = g_new (gfloat, (gsize) n * filters + 1);
  row->out_pixel = filters;
  row->out = rows;
  kernels->conv_row (row, 2 * n);
  row->in += below_it;
  row->out += (gsize) 2 * n * filters;
  kernels->conv_row (row, 2 * n);
  kernels->pool_2x2 (pooled, rows, row->out, n, filters);
  row->in -= below_it;
  row->out_pixel = filters + below (random, 3);
  row->out = out = arena_take (&out_arena, sizeof *out * (n ? (n - 1) * row->out_pixel + filters : 0));
  kernels->conv_row_pooled (row, below_it, n);
  arena_check (&out_arena);
  for (gint i = 0; i < n; i++)
    g_assert_cmpmem (out + i * row->out_pixel, sizeof *out * filters, pooled + (gsize) i * filters,
                     sizeof *out * filters);
}

static void
check_pool_2x2 (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  gint n = below (random, 20), channels = 1 + below (random, 70);
  gfloat *above = random_floats (&in_arena, (gsize) 2 * n * channels, random);
  gfloat *below_it = random_floats (&weight_arena, (gsize) 2 * n * channels, random);
  gfloat *out = arena_take (&out_arena, sizeof *out * n * channels);

  kernels->pool_2x2 (out, above, below_it, n, channels);
  arena_check (&out_arena);
  for (gint i = 0; i < n; i++)
    for (gint c = 0; c < channels; c++) {
      gsize left = (gsize) 2 * i * channels + c, right = left + channels;

      g_assert_true (out[i * channels + c]
                     == MAX (MAX (above[left], above[right]), MAX (below_it[left], below_it[right])));
    }
}

#define TILES_MOST 30

/* cells [planes][n][channels], weight [planes][channels][filters] */
typedef struct
{
  WinogradMatrices matrices;
  gint planes, n, channels, filters;
  gfloat *cells, *weight, bias[64];
} Tiles;

/* The outputs of one tile and filter, before the activation, and the magnitude of each one's terms. */
static void
expected_tile (const Tiles *tiles, gint tile, gint filter, gdouble sums[36], gdouble magnitudes[36])
{
  gint side = tiles->matrices.side, cells = tiles->matrices.cells;

  for (gint p = 0; p < side * side; p++) {
    sums[p] = tiles->bias[filter];
    magnitudes[p] = fabs (sums[p]);
  }
  for (gint plane = 0; plane < tiles->planes; plane++) {
    gdouble product = 0.0, magnitude = 0.0;

    for (gint c = 0; c < tiles->channels; c++) {
      gdouble term = (gdouble) tiles->cells[((gsize) plane * tiles->n + tile) * tiles->channels + c]
                     * tiles->weight[((gsize) plane * tiles->channels + c) * tiles->filters + filter];

      product += term;
      magnitude += fabs (term);
    }
    for (gint p = 0; p < side * side; p++) {
      gdouble factor
          = tiles->matrices.output[p / side][plane / cells] * tiles->matrices.output[p % side][plane % cells];

      sums[p] += factor * product;
      magnitudes[p] += fabs (factor) * magnitude;
    }
  }
}

static gfloat *
pack_tiles (const SppnetConvKernels *kernels, const Tiles *tiles)
{
  gint padded = (tiles->filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gfloat *packed = arena_take (&weight_arena, sizeof *packed * tiles->planes * tiles->channels * padded);

  for (gint i = 0; i < tiles->planes * tiles->channels; i++)
    for (gint f = 0; f < padded; f++)
      packed[i * padded + f] = f < tiles->filters ? tiles->weight[i * tiles->filters + f] : 0.0f;
  return packed;
}

static gboolean
is_pooled (gint tile, gfloat slope)
{
  return tile % 2 && slope >= 0.0f;
}

/* Outputs of every other tile pooled, where the slope allows it: [n][side][side][filters], or [n][side / 2][side /
 * 2][filters] in its place. */
static gfloat *
run_tiles (const SppnetConvKernels *kernels, const Tiles *tiles, gfloat slope)
{
  g_autofree SppnetWinogradTile *places = g_new (SppnetWinogradTile, tiles->n);
  gint side = tiles->matrices.side, padded = (tiles->filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gsize tile = (gsize) tiles->planes * kernels->block + 16;
  g_autofree gfloat *products = g_new (gfloat, tiles->n * tile);
  gfloat *bias = arena_take (&bias_arena, sizeof *bias * padded);
  gfloat *out = arena_take (&out_arena, sizeof *out * tiles->n * side * side * tiles->filters);
  SppnetWinogradBlock block
      = { .cells = arena_copy (&in_arena, tiles->cells, sizeof (gfloat) * tiles->planes * tiles->n * tiles->channels),
          .cells_plane = (gsize) tiles->n * tiles->channels,
          .channels = tiles->channels,
          .weight = pack_tiles (kernels, tiles),
          .bias = bias,
          .slope = slope,
          .filters = tiles->filters,
          .products = products,
          .products_tile = tile,
          .tiles = places };

  memset (bias, 0, sizeof *bias * padded);
  memcpy (bias, tiles->bias, sizeof *bias * tiles->filters);
  for (gint i = 0; i < tiles->n; i++)
    places[i] = (SppnetWinogradTile) { out + (gsize) i * side * side * tiles->filters,
                                       (gsize) (is_pooled (i, slope) ? side / 2 : side) * tiles->filters,
                                       tiles->filters, is_pooled (i, slope) };
  kernels->winograd->block (&block, tiles->n);
  arena_check (&out_arena);
  return out;
}

static void
check_tile (const Tiles *tiles, gint tile, gint filter, gfloat slope, const gfloat *out)
{
  gdouble sums[36], magnitudes[36];
  gint side = tiles->matrices.side, shrink = is_pooled (tile, slope) ? 2 : 1, out_side = side / shrink;

  expected_tile (tiles, tile, filter, sums, magnitudes);
  for (gint p = 0; p < side * side; p++)
    if (sums[p] < 0.0)
      sums[p] *= slope;
  for (gint p = 0; p < out_side * out_side; p++) {
    gint from = p / out_side * shrink * side + p % out_side * shrink;
    gdouble want = sums[from], magnitude = magnitudes[from];

    for (gint k = 0; k < shrink * shrink; k++) {
      want = MAX (want, sums[from + k / 2 * side + k % 2]);
      magnitude = MAX (magnitude, magnitudes[from + k / 2 * side + k % 2]);
    }
    g_assert_cmpfloat (fabs (out[((gsize) tile * side * side + p) * tiles->filters + filter] - want), <=,
                       (tiles->channels + 16) * 0x1p-23 * magnitude);
  }
}

/* Pixels of three values times 16-bit weights [step][filter][2], that each level packs for itself. */
typedef struct
{
  gint n, steps, filters, out_pixel;
  gsize in_pixel;
  gboolean pooled;
  gfloat slope;
  const gint16 *upper[12], *lower[12];
  gint16 *weight;
  gfloat scale[80], bias[80];
} PixelsProblem;

static gint16 *
pack_pixels (const SppnetConvKernels *kernels, const PixelsProblem *problem, Arena *arena)
{
  gint padded = (problem->filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gint16 *packed = arena_take (arena, sizeof *packed * problem->steps * padded * 2);

  memset (packed, 0, sizeof *packed * problem->steps * padded * 2);
  for (gint first = 0; first < problem->filters; first += kernels->block)
    for (gint s = 0; s < problem->steps; s++)
      for (gint f = first; f < MIN (first + kernels->block, problem->filters); f++)
        memcpy (packed
                    + ((gsize) first * problem->steps + (gsize) s * MIN (kernels->block, padded - first) + f - first)
                          * 2,
                problem->weight + ((gsize) s * problem->filters + f) * 2, 2 * sizeof *packed);
  return packed;
}

static gfloat
expected_pixel (const PixelsProblem *problem, gint pixel, gint filter)
{
  gint32 best = G_MININT32;
  gfloat value;

  for (gint i = 0; i < (problem->pooled ? 4 : 1); i++) {
    gsize x = (gsize) (problem->pooled ? 2 * pixel + i % 2 : pixel) * problem->in_pixel;
    gint32 sum = 0;

    for (gint s = 0; s < problem->steps; s++) {
      const gint16 *in = (i / 2 ? problem->lower[s] : problem->upper[s]) + x;
      const gint16 *weight = problem->weight + ((gsize) s * problem->filters + filter) * 2;

      sum += in[0] * weight[0] + in[1] * weight[1];
    }
    best = MAX (best, sum);
  }
  value = (gfloat) best * problem->scale[filter] + problem->bias[filter];
  return value < 0.0f ? value * problem->slope : value;
}

/* Pixels first .. first + n - 1. whole: of all */
static void
run_pixels (const SppnetConvKernels *kernels, const PixelsProblem *problem, const SppnetPixelsRow *whole, gint first,
            gint n)
{
  gsize skip = (gsize) first * problem->in_pixel * (problem->pooled ? 2 : 1);
  const gint16 *upper[G_N_ELEMENTS (problem->upper)], *lower[G_N_ELEMENTS (problem->lower)];
  SppnetPixelsRow row = *whole;

  for (gint s = 0; s < problem->steps; s++) {
    upper[s] = problem->upper[s] + skip;
    lower[s] = problem->lower[s] + skip;
  }
  row.upper = upper;
  row.lower = lower;
  row.out += (gsize) first * problem->out_pixel;
  (problem->pooled ? kernels->pixels_row_pooled : kernels->pixels_row) (&row, n);
}

static void
check_pixels (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  PixelsProblem problem = { .n = below (random, 40),
                            .steps = 1 + below (random, 12),
                            .filters = 1 + below (random, 70),
                            .in_pixel = 1 + below (random, 8),
                            .pooled = below (random, 2),
                            .slope = 0.5f * (gfloat) below (random, 3) };
  gsize values = 2 * (gsize) problem.n * problem.in_pixel + 2, n_out;
  SppnetPixelsRow row = { .steps = problem.steps, .in_pixel = problem.in_pixel, .slope = problem.slope };
  gint split = below (random, problem.n + 1);
  gint16 *in = arena_take (&in_arena, sizeof *in * values);
  gfloat *out;

  for (gsize i = 0; i < values; i++)
    in[i] = (gint16) below (random, 256);
  for (gint s = 0; s < problem.steps; s++) {
    problem.upper[s] = in + below (random, 2);
    problem.lower[s] = in + below (random, 2);
  }
  problem.weight = g_new (gint16, (gsize) problem.steps * problem.filters * 2);
  for (gint i = 0; i < problem.steps * problem.filters * 2; i++)
    problem.weight[i] = (gint16) (below (random, 65535) - 32767);
  for (gint f = 0; f < problem.filters; f++) {
    problem.scale[f] = 1e-6f * (gfloat) below (random, 100);
    problem.bias[f] = (gfloat) sppnet_random_normal (random);
  }
  problem.out_pixel = problem.filters + below (random, 3);
  n_out = problem.n ? (gsize) (problem.n - 1) * problem.out_pixel + problem.filters : 0;
  out = arena_take (&out_arena, sizeof *out * n_out);
  for (gsize i = 0; i < n_out; i++)
    out[i] = 7.0f;
  row.weight = pack_pixels (kernels, &problem, &weight_arena);
  row.weight_block = (gsize) problem.steps * 2 * kernels->block;
  row.scale = problem.scale;
  row.bias = problem.bias;
  row.filters = problem.filters;
  row.out = out;
  row.out_pixel = problem.out_pixel;
  run_pixels (kernels, &problem, &row, 0, split);
  run_pixels (kernels, &problem, &row, split, problem.n - split);
  arena_check (&out_arena);
  for (gint i = 0; i < problem.n; i++)
    for (gint f = 0; f < problem.out_pixel && (i < problem.n - 1 || f < problem.filters); f++) {
      gfloat want = f < problem.filters ? expected_pixel (&problem, i, f) : 7.0f;

      g_assert_cmpfloat_with_epsilon (out[(gsize) i * problem.out_pixel + f], want,
                                      1e-6 * (fabs ((gdouble) want) + 10.0));
    }
  g_free (problem.weight);
}

static void
check_winograd_block (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  Tiles tiles = { .n = 1 + below (random, TILES_MOST),
                  .channels = 16 * (1 + below (random, 3)),
                  .filters = 1 + below (random, kernels->block) };
  g_autofree gfloat *cells = NULL, *weight = NULL;
  gfloat slope = below (random, 2) ? 0.1f : -0.5f;
  gsize n_cells, n_weights;
  const gfloat *out;

  winograd_matrices (&tiles.matrices, kernels->winograd->side, 3);
  tiles.planes = tiles.matrices.cells * tiles.matrices.cells;
  n_cells = (gsize) tiles.planes * tiles.n * tiles.channels;
  n_weights = (gsize) tiles.planes * tiles.channels * tiles.filters;
  tiles.cells = cells = g_new (gfloat, n_cells);
  tiles.weight = weight = g_new (gfloat, n_weights);
  for (gsize i = 0; i < n_cells; i++)
    cells[i] = (gfloat) sppnet_random_normal (random);
  for (gsize i = 0; i < n_weights; i++)
    weight[i] = (gfloat) sppnet_random_normal (random);
  for (gint i = 0; i < tiles.filters; i++)
    tiles.bias[i] = (gfloat) sppnet_random_normal (random);
  out = run_tiles (kernels, &tiles, slope);
  for (gint i = 0; i < tiles.n; i++)
    for (gint f = 0; f < tiles.filters; f++)
      check_tile (&tiles, i, f, slope, out);
}

static void
check_small_winograd_block (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  check_winograd_block (kernels->small_tiles, random);
}

static const struct
{
  const gchar *name;
  void (*check) (const SppnetConvKernels *kernels, SppnetRandom *random);
  gint rounds;
} checks[] = { { "conv_row", check_conv_row, 400 },
               { "conv_row_pooled", check_conv_row_pooled, 400 },
               { "pool_2x2", check_pool_2x2, 400 },
               { "pixels", check_pixels, 400 },
               { "winograd_block", check_winograd_block, 30 },
               { "winograd_block_small", check_small_winograd_block, 30 } };

/* data: the number of a check plus the number of checks times the level */
static void
test_level (gconstpointer data)
{
  guint check = GPOINTER_TO_UINT (data) % G_N_ELEMENTS (checks), isa = GPOINTER_TO_UINT (data) / G_N_ELEMENTS (checks);
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (isa);
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  for (gint i = 0; i < checks[check].rounds; i++)
    checks[check].check (kernels, &random);
}

static void
test_table (void)
{
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++)
    g_assert_true ((sppnet_conv_kernels_for (isa) != NULL) == (isa <= (guint) sppnet_cpu_highest_isa ()));
  g_assert_null (sppnet_conv_kernels_for (SPPNET_N_ISAS));
  g_assert_true (sppnet_conv_kernels () == sppnet_conv_kernels_for (sppnet_cpu_isa ()));
}

int
main (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "--bench"))
    return bench ();
  g_test_init (&argc, &argv, NULL);
  arena_init (&in_arena);
  arena_init (&weight_arena);
  arena_init (&bias_arena);
  arena_init (&out_arena);
  g_test_add_func ("/kernel/conv/table", test_table);
  for (guint isa = SPPNET_ISA_PLAIN; isa < SPPNET_N_ISAS; isa++)
    for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
      g_autofree gchar *path = g_strdup_printf ("/kernel/conv/%s/%s", sppnet_isa_name (isa), checks[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (isa * G_N_ELEMENTS (checks) + i), test_level);
    }
  return g_test_run ();
}
