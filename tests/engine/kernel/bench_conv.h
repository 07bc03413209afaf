/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/conv.h"

#include "bench_time.h"

/* Times of the convolution kernels at sizes that a network has. GFLOP/s are those of the convolution by its definition.
 */
#define BENCH_FLOATS (1 << 20)
#define BENCH_TILES 12
static gfloat bench_in[BENCH_FLOATS], bench_weight[64 * 64 * 512], bench_bias[1024], bench_out[BENCH_FLOATS];
static gfloat bench_cells[64 * (BENCH_TILES * 64 + 16)], bench_products[BENCH_TILES * (64 * 32 + 16)];

typedef struct
{
  const gchar *name;
  gint rows, channels, width, filters, n;
  void (*run) (gconstpointer entry);
  gint pixels; /* per n */
  const SppnetConvKernels *kernels;
} Entry;

static inline void
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

static inline void
bench_pixels_pooled (gconstpointer data)
{
  static gint16 pixels[2 * 1024], weight[64 * 2 * 16];
  const Entry *entry = data;
  const gint16 *places[15];
  SppnetPixelsRow row = { .steps = G_N_ELEMENTS (places),
                          .upper = places,
                          .lower = places,
                          .in_pixel = 3,
                          .weight = weight,
                          .scale = bench_bias,
                          .bias = bench_bias,
                          .slope = 0.1f,
                          .filters = entry->filters,
                          .out = bench_out,
                          .out_pixel = entry->filters };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    places[i] = pixels + 2 * i;
  entry->kernels->pixels_row_pooled (&row, entry->n);
}

static inline void
bench_winograd (gconstpointer data)
{
  const Entry *entry = data;
  const SppnetWinogradKernels *winograd = entry->kernels->winograd;
  SppnetWinogradTile tiles[BENCH_TILES];
  gsize plane = (gsize) entry->n * entry->channels + 16;
  gint side = winograd->side, planes = (side + 2) * (side + 2);
  SppnetWinogradBlock block = { .cells = bench_cells,
                                .cells_plane = plane,
                                .channels = entry->channels,
                                .bias = bench_bias,
                                .slope = 0.1f,
                                .products = bench_products,
                                .products_tile = (gsize) planes * entry->kernels->block + 16,
                                .tiles = tiles };

  for (gint i = 0; i < entry->n; i++)
    winograd->input (bench_in + (gsize) i * side * entry->channels, entry->channels,
                     (gsize) (side * entry->n + 2) * entry->channels, entry->channels,
                     bench_cells + (gsize) i * entry->channels, plane);
  for (gint filter = 0; filter < entry->filters; filter += entry->kernels->block) {
    for (gint i = 0; i < entry->n; i++)
      tiles[i] = (SppnetWinogradTile) { bench_out + (gsize) i * side * entry->filters + filter,
                                        (gsize) entry->n * side * entry->filters, entry->filters, FALSE };
    block.weight = bench_weight + (gsize) planes * entry->channels * filter;
    block.filters = entry->filters - filter;
    winograd->block (&block, entry->n);
  }
}

static inline int
bench (void)
{
  static Entry entries[] = {
    { "3x3 3->16, 96 pixels", 3, 3, 3, 16, 96, bench_conv_row, 1 },
    { "pixels 3->16 + pool, 96", 3, 3, 3, 16, 96, bench_pixels_pooled, 4 },
    { "3x3 16->128, 96 pixels", 3, 16, 3, 128, 96, bench_conv_row, 1 },
    { "3x3 64->512, 48 pixels", 3, 64, 3, 512, 48, bench_conv_row, 1 },
    { "1x1 32->16, 96 pixels", 1, 32, 1, 16, 96, bench_conv_row, 1 },
    { "1x1 256->32, 24 pixels", 1, 256, 1, 32, 24, bench_conv_row, 1 },
    { "1x1 512->128, 24 pixels", 1, 512, 1, 128, 24, bench_conv_row, 1 },
    { "winograd 16->32, 12 tiles", 3, 16, 3, 32, 12, bench_winograd, 36 },
    { "winograd 16->128, 12 tiles", 3, 16, 3, 128, 12, bench_winograd, 36 },
    { "winograd 32->256, 12 tiles", 3, 32, 3, 256, 12, bench_winograd, 36 },
    { "winograd 64->512, 12 tiles", 3, 64, 3, 512, 12, bench_winograd, 36 },
  };

  g_print ("%-26s %-8s %12s %8s\n", "kernel", "level", "ns per call", "GFLOP/s");
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    for (guint isa = 0; isa < SPPNET_N_ISAS; isa++) {
      Entry *entry = &entries[i];
      gdouble ns, flop = 2.0 * entry->rows * entry->width * entry->channels * entry->filters * entry->n * entry->pixels;

      entry->kernels = sppnet_conv_kernels_for (isa);
      if (!entry->kernels)
        continue;
      ns = bench_time (entry->run, entry);
      g_print ("%-26s %-8s %12.1f %8.1f\n", entry->name, sppnet_isa_name (isa), ns, flop / ns);
    }
  return 0;
}
