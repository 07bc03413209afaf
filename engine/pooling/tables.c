/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/tables.h"

/* Cells handed to the kernel at once. */
#define BATCH 32

SppnetMaxTables
sppnet_max_tables_none (const SppnetMap *map)
{
  return (SppnetMaxTables) { { map->data }, 1, map->width, map->height, map->channels, sppnet_kernels () };
}

SppnetMaxTables
sppnet_max_tables_build (const SppnetMap *map, guint n, guint threads, gfloat *memory)
{
  SppnetMaxTables tables = sppnet_max_tables_none (map);
  gsize row = (gsize) map->width * map->channels;

  for (; tables.n < n; memory += row * map->height) {
    const gfloat *from = tables.table[tables.n - 1];
    gint half = 1 << (tables.n - 1);
    gint columns = map->width - 2 * half + 1, rows = map->height - 2 * half + 1;

    tables.table[tables.n++] = memory;
    if (columns <= 0)
      continue;
      /* A row is as many channels of one cell. */
#pragma omp parallel for num_threads(threads) schedule(static)
    for (gint y = 0; y < rows; y++) {
      const gfloat *upper = from + y * row, *lower = upper + half * row;
      gsize right = (gsize) half * map->channels;
      const gfloat *cells[] = { upper, upper + right, lower, lower + right };

      tables.kernels->max_cells (memory + y * row, cells, G_N_ELEMENTS (cells), (gsize) columns * map->channels);
    }
  }
  return tables;
}

void
sppnet_max_tables_pool (const SppnetMaxTables *tables, gint x0, gint x1, gint y0, gint y1, gfloat *out)
{
  gsize channels = tables->channels, row = channels * tables->width;
  guint k = MIN (g_bit_storage ((gulong) MIN (x1 - x0, y1 - y0)) - 1, tables->n - 1);
  gint side = 1 << k;
  const gfloat *cells[BATCH];
  guint n = 0;

  /* Four squares at the corners cover most rectangles. Always four, even where fewer would do: a square more costs less
   * than a branch that the processor cannot predict. */
  if (x1 - x0 <= 2 * side && y1 - y0 <= 2 * side) {
    const gfloat *upper = tables->table[k] + y0 * row, *lower = tables->table[k] + (y1 - side) * row;

    cells[0] = upper + x0 * channels;
    cells[1] = upper + (x1 - side) * channels;
    cells[2] = lower + x0 * channels;
    cells[3] = lower + (x1 - side) * channels;
    tables->kernels->max_cells (out, cells, 4, channels);
    return;
  }
  for (gint y = y0; y < y1; y += side) {
    const gfloat *cell = tables->table[k] + MIN (y, y1 - side) * row;

    for (gint x = x0; x < x1; x += side) {
      if (n == BATCH) {
        tables->kernels->max_cells (out, cells, n, channels);
        cells[0] = out;
        n = 1;
      }
      cells[n++] = cell + MIN (x, x1 - side) * channels;
    }
  }
  tables->kernels->max_cells (out, cells, n, channels);
}
