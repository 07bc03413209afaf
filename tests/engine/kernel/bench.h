/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/kernel.h"

#include "bench_time.h"

/* Times of each kernel at sizes that a network has; working sets within the second-level cache. */
#define BENCH_FLOATS 65536

static gfloat bench_a[BENCH_FLOATS], bench_b[BENCH_FLOATS], bench_c[BENCH_FLOATS];
static guint16 bench_h[BENCH_FLOATS];
static guint8 bench_steps[BENCH_FLOATS], bench_more_steps[BENCH_FLOATS];
static gint16 bench_shorts[BENCH_FLOATS], bench_more_shorts[BENCH_FLOATS];
static volatile gfloat bench_sink;

static inline void
bench_bias_activate (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->bias_activate (bench_a, bench_b, 0.1f, 64, 256);
}

static inline void
bench_max_into (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->max_into (bench_a, bench_b, 256);
}

static inline void
bench_max_cells (gconstpointer table)
{
  const SppnetKernels *kernels = table;
  const gfloat *cells[] = { bench_b, bench_b + 512, bench_b + 8192, bench_b + 8704 };

  kernels->max_cells (bench_a, cells, 4, 256);
}

static inline void
bench_largest_finite (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->largest_finite (bench_a, bench_b, 256, 128);
}

static inline void
bench_to_steps (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->to_steps (bench_steps, bench_a, 128, 256, SPPNET_STEPS, bench_b);
}

static inline void
bench_from_steps (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->from_steps (bench_a, bench_steps, 512, bench_b);
}

static inline void
bench_max_steps (gconstpointer table)
{
  const SppnetKernels *kernels = table;
  const guint8 *cells[] = { bench_steps, bench_steps + 64, bench_steps + 8192, bench_steps + 8256 };

  kernels->max_steps (bench_more_steps, cells, 512);
}

static inline void
bench_max_pyramid (gconstpointer table)
{
  static const guint32 across[] = { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352 };
  static const guint32 down[] = { 0, 2560, 5120, 7680, 10240, 12800, 15360, 17920, 20480, 23040, 25600, 28160 };
  const SppnetKernels *kernels = table;
  const SppnetBinPlan plan = { 0, across, down, 6, 2, 2, 0, 63, 63 };
  const SppnetUnionPlan unions[] = { { 3, 2, 36 * 32, 0 }, { 2, 3, 45 * 32, 0 }, { 1, 2, 54 * 32, 45 * 32 } };

  kernels->max_pyramid (bench_more_steps, bench_steps, &plan, 1, unions, 3);
}

static inline void
bench_steps_to_shorts (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->steps_to_shorts (bench_shorts, bench_steps, 512, bench_more_shorts);
}

static inline void
bench_dense_shorts (gconstpointer table)
{
  const SppnetKernels *kernels = table;
  const SppnetShortsRow row
      = { bench_shorts, 448, bench_more_shorts, 448 * kernels->dense_block, bench_a, 1.0f, bench_b, 1.0f, 64, bench_c };

  kernels->dense_shorts (&row, 48);
}

static inline void
bench_add_into (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->add_into (bench_a, bench_b, 256);
}

static inline void
bench_activation_gradient (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->activation_gradient (bench_a, bench_b, 0.1f, 16384);
}

static inline void
bench_adamw (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->adamw (bench_a, bench_a + 8192, bench_a + 16384, bench_b, 8192,
                  &(SppnetAdamW) { 1, 0.9f, 0.99f, 10, 100, 1e-3f, 1 });
}

static inline void
bench_max_source (gconstpointer table)
{
  static gint32 source[256];
  const SppnetKernels *kernels = table;

  kernels->max_source (bench_a, source, bench_b, NULL, 1, 256);
}

static inline void
bench_max_2x2_gradient (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->max_2x2_gradient (bench_a, bench_a + 4096, bench_b, bench_b + 4096, bench_b + 8192, bench_b + 10240, 16,
                             128);
}

static inline void
bench_min_sum (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  bench_sink = kernels->min_sum (bench_a, bench_b, 240);
}

/* Nothing is found: all are looked at. */
static inline void
bench_overlaps (gconstpointer table)
{
  const SppnetKernels *kernels = table;
  const gfloat far[5] = { 1e6f, 1e6f, 1e6f, 1e6f, 1 };

  bench_sink = kernels->overlaps (bench_a, 300, 300, far, 0.4f);
}

static inline void
bench_half_to_float (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->half_to_float (bench_a, bench_h, 16384);
}

static inline void
bench_float_to_half (gconstpointer table)
{
  const SppnetKernels *kernels = table;

  kernels->float_to_half (bench_h, bench_a, 16384);
}

static inline int
bench (void)
{
  /* bytes: read and written by one call */
  static const struct
  {
    const gchar *name;
    void (*run) (gconstpointer table);
    guint bytes;
  } entries[] = {
    { "bias_activate 64x256", bench_bias_activate, 64 * 256 * 8 + 1024 },
    { "max_into 256", bench_max_into, 256 * 12 },
    { "max_cells 4x256", bench_max_cells, 5 * 256 * 4 },
    { "largest_finite 256x128", bench_largest_finite, 256 * 128 * 4 },
    { "to_steps 256x32", bench_to_steps, 256 * 32 * 5 },
    { "from_steps 512x32", bench_from_steps, 512 * 32 * 5 },
    { "steps_to_shorts 512x32", bench_steps_to_shorts, 512 * 32 * 3 },
    { "dense_shorts 48x448x64", bench_dense_shorts, 48 * 448 * 2 + 448 * 64 * 2 },
    { "max_steps 512x32", bench_max_steps, 5 * 512 * 32 },
    { "max_pyramid 6 3 2 1 x32", bench_max_pyramid, (5 * 36 + 5 * 9 + 10 * 4 + 5) * 32 },
    { "add_into 256", bench_add_into, 256 * 12 },
    { "activation_gradient 16384", bench_activation_gradient, 16384 * 12 },
    { "adamw 8192", bench_adamw, 8192 * 28 },
    { "max_source 256", bench_max_source, 256 * 20 },
    { "max_2x2_gradient 16x128", bench_max_2x2_gradient, 16 * 128 * 40 },
    { "min_sum 240", bench_min_sum, 240 * 8 },
    { "overlaps 300", bench_overlaps, 300 * 20 },
    { "half_to_float 16384", bench_half_to_float, 16384 * 6 },
    { "float_to_half 16384", bench_float_to_half, 16384 * 6 },
  };

  g_print ("%-26s %-8s %12s %8s\n", "kernel", "level", "ns per call", "GB/s");
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
      const SppnetKernels *kernels = sppnet_kernels_for (isa);
      gdouble ns;

      if (!kernels)
        continue;
      ns = bench_time (entries[i].run, kernels);
      g_print ("%-26s %-8s %12.1f %8.1f\n", entries[i].name, sppnet_isa_name (isa), ns, entries[i].bytes / ns);
    }
  return 0;
}
