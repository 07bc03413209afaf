/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares the convolution kernels of every level with the plain ones, and those with their definition; `--seed`
 * repeats a run. With `--bench`, times them instead. */
#include <math.h>
#include <stdlib.h>

#include "kernel/conv.h"

#include "arena.h"
#include "bench_time.h"

#define ROUNDS 400

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
  row->slope = below (random, 2) ? 0.1f : 1.0f;
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

/* out [n][out_pixel]; the numbers between pixels stay 7. */
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
  row.bias = padded_bias;
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
  gdouble sum = bias[filter];

  *magnitude = fabs (sum);
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

static void
test_level (gconstpointer data)
{
  const SppnetConvKernels *kernels = sppnet_conv_kernels_for (GPOINTER_TO_UINT (data));
  SppnetRandom random = { (guint32) g_test_rand_int () };

  if (!kernels) {
    g_test_skip ("this processor does not have it");
    return;
  }
  for (guint i = 0; i < ROUNDS; i++)
    check_conv_row (kernels, &random);
}

static void
test_table (void)
{
  for (guint isa = 0; isa < SPPNET_N_ISAS; isa++)
    g_assert_true ((sppnet_conv_kernels_for (isa) != NULL) == (isa <= (guint) sppnet_cpu_highest_isa ()));
  g_assert_null (sppnet_conv_kernels_for (SPPNET_N_ISAS));
  g_assert_true (sppnet_conv_kernels () == sppnet_conv_kernels_for (sppnet_cpu_isa ()));
}

#define BENCH_FLOATS (1 << 20)
static gfloat bench_in[BENCH_FLOATS], bench_weight[BENCH_FLOATS], bench_bias[1024], bench_out[BENCH_FLOATS];

typedef struct
{
  const gchar *name;
  gint rows, channels, width, filters, n;
  const SppnetConvKernels *kernels;
} Entry;

static void
bench_conv_row (gconstpointer data)
{
  const Entry *entry = data;
  SppnetConvRow row = { .in = bench_in,
                        .in_pixel = entry->channels,
                        .in_row = (gsize) (entry->n + entry->width) * entry->channels,
                        .rows = entry->rows,
                        .run = entry->width * entry->channels,
                        .weight = bench_weight,
                        .weight_block = (gsize) entry->rows * entry->width * entry->channels * entry->kernels->block,
                        .bias = bench_bias,
                        .slope = 0.1f,
                        .filters = entry->filters,
                        .out = bench_out,
                        .out_pixel = entry->filters };

  entry->kernels->conv_row (&row, entry->n);
}

static int
bench (void)
{
  static Entry entries[] = {
    { "3x3 3->16, 96 pixels", 3, 3, 3, 16, 96 },     { "3x3 16->128, 96 pixels", 3, 16, 3, 128, 96 },
    { "3x3 64->512, 48 pixels", 3, 64, 3, 512, 48 }, { "1x1 32->16, 96 pixels", 1, 32, 1, 16, 96 },
    { "1x1 256->32, 24 pixels", 1, 256, 1, 32, 24 }, { "1x1 512->128, 24 pixels", 1, 512, 1, 128, 24 },
  };

  g_print ("%-26s %-8s %12s %8s\n", "kernel", "level", "ns per call", "GFLOP/s");
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
      Entry *entry = &entries[i];
      gdouble ns, flop = 2.0 * entry->rows * entry->width * entry->channels * entry->filters * entry->n;

      entry->kernels = sppnet_conv_kernels_for (isa);
      if (!entry->kernels)
        continue;
      ns = bench_time (bench_conv_row, entry);
      g_print ("%-26s %-8s %12.1f %8.1f\n", entry->name, sppnet_isa_name (isa), ns, flop / ns);
    }
  return 0;
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
  for (guint isa = SPPNET_ISA_PLAIN; isa < SPPNET_N_ISAS; isa++) {
    g_autofree gchar *path = g_strdup_printf ("/kernel/conv/%s/conv_row", sppnet_isa_name (isa));

    g_test_add_data_func (path, GUINT_TO_POINTER (isa), test_level);
  }
  return g_test_run ();
}
