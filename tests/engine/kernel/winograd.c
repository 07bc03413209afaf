/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of weights and gradients of every level against their matrices; `--seed` repeats a run. */
#include <math.h>

#include "kernel/conv.h"

#include "arena.h"

static Arena in_arena, out_arena;

/* The powers of the points 0, 1, -1, 2, -2 and infinity over the products of their differences: of three taps the first
 * three columns (Lavin and Gray, section 4.3), whose last row is infinity's. */
static const gdouble powers[5][4] = { { 1.0 / 4, 0, 0, 0 },
                                      { -1.0 / 6, -1.0 / 6, -1.0 / 6, -1.0 / 6 },
                                      { -1.0 / 6, 1.0 / 6, -1.0 / 6, 1.0 / 6 },
                                      { 1.0 / 24, 2.0 / 24, 4.0 / 24, 8.0 / 24 },
                                      { 1.0 / 24, -2.0 / 24, 4.0 / 24, -8.0 / 24 } };
static const gdouble taps[3][6] = { { 1, 1, 1, 1, 1, 0 }, { 0, 1, -1, 2, -2, 0 }, { 0, 1, 1, 4, 4, 1 } };

static gdouble
power (gint row, gint column, gint columns)
{
  return row < 5 ? powers[row][column] : column == columns - 1;
}

static gfloat *
random_floats (Arena *arena, gsize n, SppnetRandom *random)
{
  gfloat *values = arena_take (arena, n * sizeof *values);

  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) sppnet_random_normal (random);
  return values;
}

/* side x side cells of filters to their 36 combinations. */
static void
check_spread (const gfloat *in, gsize pixel, gsize row, gint side, gint filters, const gfloat *out, gsize plane)
{
  for (gint p = 0; p < 36; p++)
    for (gint f = 0; f < filters; f++) {
      gdouble sum = 0.0, magnitude = 0.0;

      for (gint i = 0; i < side * side; i++) {
        gdouble term = power (p / 6, i / side, side) * power (p % 6, i % side, side)
                       * in[(gsize) (i / side) * row + (gsize) (i % side) * pixel + (gsize) f];

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
  gfloat *out = arena_take (&out_arena, sizeof *out * (35 * plane + (gsize) padded));

  kernels->winograd_weights (in, tap, filters, out, plane);
  arena_check (&out_arena);
  check_spread (in, tap, 3 * tap, 3, filters, out, plane);
  for (gint p = 0; p < 36; p++)
    for (gint f = filters; f < padded; f++)
      g_assert_cmpfloat (out[(gsize) p * plane + (gsize) f], ==, 0.0f);
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

  kernels->winograd_gradient (in, pixel, row, filters, out, plane);
  arena_check (&out_arena);
  check_spread (in, pixel, row, 4, filters, out, plane);
}

static void
check_taps (const SppnetConvKernels *kernels, SppnetRandom *random)
{
  gsize n = 1 + sppnet_random_below (random, 70), plane = n + sppnet_random_below (random, 9);
  gsize tap = n + sppnet_random_below (random, 9);
  const gfloat *in = random_floats (&in_arena, 35 * plane + n, random);
  gfloat *out = random_floats (&out_arena, 8 * tap + n, random);
  g_autofree gfloat *before = g_memdup2 (out, sizeof *out * (8 * tap + n));

  kernels->winograd_taps (in, plane, out, tap, n);
  arena_check (&out_arena);
  for (gsize t = 0; t < 9; t++)
    for (gsize i = 0; i < n; i++) {
      gdouble sum = before[t * tap + i], magnitude = fabs (sum);

      for (gsize p = 0; p < 36; p++) {
        gdouble term = taps[t / 3][p / 6] * taps[t % 3][p % 6] * in[p * plane + i];

        sum += term;
        magnitude += fabs (term);
      }
      g_assert_cmpfloat (fabs (out[t * tap + i] - sum), <=, 16 * 0x1p-23 * magnitude);
    }
}

static const struct
{
  const gchar *name;
  void (*check) (const SppnetConvKernels *kernels, SppnetRandom *random);
} checks[] = { { "weights", check_weights }, { "gradient", check_gradient }, { "taps", check_taps } };

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
