/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of inputs, weights and gradients of every level against their matrices; `--seed` repeats a run. */
#include <math.h>

#include "kernel/conv.h"

#include "arena.h"
#include "winograd_matrices.h"

static Arena in_arena, out_arena;

static gfloat *
random_floats (Arena *arena, gsize n, SppnetRandom *random)
{
  gfloat *values = arena_take (arena, n * sizeof *values);

  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) sppnet_random_normal (random);
  return values;
}

/* taps x taps numbers of filters to their combinations. */
static void
check_spread (const WinogradMatrices *matrices, const gfloat *in, gsize pixel, gsize row, gint taps, gint filters,
              const gfloat *out, gsize plane)
{
  gint cells = matrices->cells;

  for (gint p = 0; p < cells * cells; p++)
    for (gint f = 0; f < filters; f++) {
      gdouble sum = 0.0, magnitude = 0.0;

      for (gint i = 0; i < taps * taps; i++) {
        gdouble term = matrices->weights[p / cells][i / taps] * matrices->weights[p % cells][i % taps]
                       * in[(gsize) (i / taps) * row + (gsize) (i % taps) * pixel + (gsize) f];

        sum += term;
        magnitude += fabs (term);
      }
      g_assert_cmpfloat (fabs (out[(gsize) p * plane + (gsize) f] - sum), <=, 16 * 0x1p-23 * magnitude);
    }
}

static void
check_weights (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  gint filters = 1 + (gint) sppnet_random_below (random, (guint32) kernels->block);
  gint padded = (filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gsize tap = (gsize) filters + sppnet_random_below (random, 9),
        plane = (gsize) padded + sppnet_random_below (random, 9);
  const gfloat *in = random_floats (&in_arena, 8 * tap + (gsize) filters, random);
  WinogradMatrices matrices;
  gsize planes;
  gfloat *out;

  winograd_matrices (&matrices, kernels->winograd->side, 3);
  planes = (gsize) (matrices.cells * matrices.cells);
  out = arena_take (&out_arena, sizeof *out * ((planes - 1) * plane + (gsize) padded));
  kernels->winograd->weights (in, tap, filters, out, plane);
  arena_check (&out_arena);
  check_spread (&matrices, in, tap, 3 * tap, 3, filters, out, plane);
  for (gsize p = 0; p < planes; p++)
    for (gint f = filters; f < padded; f++)
      g_assert_cmpfloat (out[p * plane + (gsize) f], ==, 0.0f);
}

static void
check_gradient (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  gint filters = 1 + (gint) sppnet_random_below (random, (guint32) kernels->block);
  gint padded = (filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes;
  gsize pixel = (gsize) filters + sppnet_random_below (random, 9), row = 4 * pixel + sppnet_random_below (random, 9);
  gsize plane = (gsize) padded + sppnet_random_below (random, 9);
  const gfloat *in = random_floats (&in_arena, 3 * row + 3 * pixel + (gsize) filters, random);
  gfloat *out = arena_take (&out_arena, sizeof *out * (35 * plane + (gsize) padded));
  WinogradMatrices matrices;

  winograd_matrices (&matrices, 4, 4);
  kernels->winograd_gradient->gradient (in, pixel, row, filters, out, plane);
  arena_check (&out_arena);
  check_spread (&matrices, in, pixel, row, 4, filters, out, plane);
}

/* The three taps of F(3, 4) from its six products: the first three rows of the output, infinity's in the third. */
static void
check_taps (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  gsize n = 1 + sppnet_random_below (random, 70), plane = n + sppnet_random_below (random, 9);
  gsize tap = n + sppnet_random_below (random, 9);
  const gfloat *in = random_floats (&in_arena, 35 * plane + n, random);
  gfloat *out = random_floats (&out_arena, 8 * tap + n, random);
  g_autofree gfloat *before = g_memdup2 (out, sizeof *out * (8 * tap + n));
  WinogradMatrices matrices;

  winograd_matrices (&matrices, 4, 4);
  matrices.output[2][5] = 1.0;
  kernels->winograd_gradient->taps (in, plane, out, tap, n);
  arena_check (&out_arena);
  for (gsize t = 0; t < 9; t++)
    for (gsize i = 0; i < n; i++) {
      gdouble sum = before[t * tap + i], magnitude = fabs (sum);

      for (gsize p = 0; p < 36; p++) {
        gdouble term = matrices.output[t / 3][p / 6] * matrices.output[t % 3][p % 6] * in[p * plane + i];

        sum += term;
        magnitude += fabs (term);
      }
      g_assert_cmpfloat (fabs (out[t * tap + i] - sum), <=, 16 * 0x1p-23 * magnitude);
    }
}

static void
check_input_of (gint side,
                void (*input) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out,
                               gsize out_plane),
                SppnetRandom *random)
{
  gint channels = 16 * (1 + (gint) sppnet_random_below (random, 4)), cells = side + 2;
  gsize in_pixel = (gsize) channels + sppnet_random_below (random, 9);
  gsize in_row = (gsize) cells * in_pixel + sppnet_random_below (random, 9);
  gsize plane = (gsize) channels + sppnet_random_below (random, 20), last = (gsize) cells - 1;
  gfloat *in = random_floats (&in_arena, last * (in_row + in_pixel) + (gsize) channels, random);
  gfloat *out = arena_take (&out_arena, sizeof *out * ((gsize) (cells * cells - 1) * plane + (gsize) channels));
  WinogradMatrices matrices;

  winograd_matrices (&matrices, side, 3);
  input (in, in_pixel, in_row, channels, out, plane);
  arena_check (&out_arena);
  for (gint p = 0; p < cells * cells; p++)
    for (gint c = 0; c < channels; c++) {
      gdouble sum = 0.0, magnitude = 0.0;

      for (gint i = 0; i < cells * cells; i++) {
        gdouble term = matrices.input[p / cells][i / cells] * matrices.input[p % cells][i % cells]
                       * in[(gsize) (i / cells) * in_row + (gsize) (i % cells) * in_pixel + (gsize) c];

        sum += term;
        magnitude += fabs (term);
      }
      g_assert_cmpfloat (fabs (out[(gsize) p * plane + (gsize) c] - sum), <=, 16 * 0x1p-23 * magnitude);
    }
}

static void
check_input (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  check_input_of (kernels->winograd->side, kernels->winograd->input, random);
}

static void
check_small_input (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  check_input (kernels->small_tiles, random);
}

static void
check_small_weights (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  check_weights (kernels->small_tiles, random);
}

static void
check_gradient_input (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  check_input_of (4, kernels->winograd_gradient->input, random);
}

static const struct
{
  const gchar *name;
  void (*check) (const SppnetConvKernels *kernels, SppnetRandom *random);
} checks[] = { { "input", check_input },
               { "weights", check_weights },
               { "small-input", check_small_input },
               { "small-weights", check_small_weights },
               { "gradient-input", check_gradient_input },
               { "gradient", check_gradient },
               { "taps", check_taps } };

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
  for (gint i = 0; i < 100; i++)
    checks[check].check (kernels, &random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  arena_init (&in_arena);
  arena_init (&out_arena);
  for (guint isa = SPPNET_ISA_PLAIN; isa < SPPNET_N_ISAS; isa++)
    for (guint i = 0; i < G_N_ELEMENTS (checks); i++) {
      g_autofree gchar *path = g_strdup_printf ("/kernel/winograd/%s/%s", sppnet_isa_name (isa), checks[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (isa * G_N_ELEMENTS (checks) + i), test_level);
    }
  return g_test_run ();
}
