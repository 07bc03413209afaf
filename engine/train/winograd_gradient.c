/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/winograd_gradient.h"

#include <string.h>

#define TILE 4
#define CELLS 6
#define PLANES (CELLS * CELLS)
/* Tiles whose products are summed together: enough for the sums to be worth fetching, few enough for the cache. */
#define GROUP 64

static gint
padded_filters (const SppnetConv *conv)
{
  gint lanes = conv->kernels->lanes;

  return (conv->layer->filters + lanes - 1) / lanes * lanes;
}

/* Where the parts of the scratch memory begin. */
typedef struct
{
  const SppnetConv *conv;
  const SppnetRows *in, *gradient;
  gfloat *cells;    /* [36][GROUP][channels] */
  gfloat *filter;   /* [blocks][36][GROUP][width], width: filters of the block, padded to vectors */
  gfloat *sums;     /* [36][channels][filters] */
  gfloat *padded;   /* [6][6][channels] */
  gfloat *padded_4; /* [4][4][filters] */
} Work;

gsize
sppnet_winograd_gradient_scratch (const SppnetConv *conv)
{
  gsize channels = conv->channels, filters = conv->layer->filters;

  return PLANES * GROUP * (channels + padded_filters (conv)) + PLANES * channels * filters + PLANES * channels
         + TILE * TILE * filters;
}

static void
work_init (Work *work, const SppnetConv *conv, const SppnetRows *in, const SppnetRows *gradient, gfloat *scratch)
{
  gsize channels = conv->channels;

  *work = (Work) { .conv = conv, .in = in, .gradient = gradient };
  work->cells = scratch;
  work->filter = work->cells + PLANES * GROUP * channels;
  work->sums = work->filter + PLANES * GROUP * (gsize) padded_filters (conv);
  work->padded = work->sums + PLANES * channels * conv->layer->filters;
  work->padded_4 = work->padded + PLANES * channels;
}

/* size x size cells from (x, y) on; copied, with zeros beside the map, to padded where they do not lie on it. Returns
 * them, and the floats between their rows. */
static const gfloat *
cells_at (const SppnetRows *rows, gint x, gint y, gint size, gfloat *padded, gsize *row)
{
  gint left = CLAMP (-x, 0, size), right = CLAMP (rows->width - x, left, size);

  *row = (gsize) rows->width * rows->channels;
  if (x >= 0 && y >= 0 && x + size <= rows->width && y + size <= rows->height)
    return sppnet_rows_at (rows, y) + (gsize) x * rows->channels;
  *row = (gsize) size * rows->channels;
  memset (padded, 0, sizeof *padded * size * *row);
  for (gint i = MAX (-y, 0); i < MIN (size, rows->height - y); i++)
    if (right > left)
      memcpy (padded + ((gsize) i * size + left) * rows->channels,
              sppnet_rows_at (rows, y + i) + (gsize) (x + left) * rows->channels,
              sizeof *padded * (right - left) * rows->channels);
  return padded;
}

static void
transform_tile (const Work *work, gint slot, gint x, gint y)
{
  const SppnetConv *conv = work->conv;
  const SppnetConvKernels *kernels = conv->kernels;
  gint filters = conv->layer->filters;
  gfloat *to = work->filter;
  const gfloat *from;
  gsize row;

  from = cells_at (work->in, x - conv->layer->pad_x, y - conv->layer->pad_y, CELLS, work->padded, &row);
  kernels->winograd_gradient->input (from, conv->channels, row, conv->channels,
                                     work->cells + (gsize) slot * conv->channels, (gsize) GROUP * conv->channels);
  from = cells_at (work->gradient, x, y, TILE, work->padded_4, &row);
  for (gint first = 0; first < filters; first += kernels->block) {
    gint count = MIN (filters - first, kernels->block);
    gsize width = count > kernels->lanes ? kernels->block : kernels->lanes;

    kernels->winograd_gradient->gradient (from + first, filters, row, count, to + slot * width, GROUP * width);
    to += PLANES * GROUP * width;
  }
}

/* sums [36][channels][filters] += the products of n tiles: a row of convolution whose pixels are the input's channels
 * and whose kernel rows are the tiles. */
static void
add_products (const Work *work, gint n)
{
  const SppnetConv *conv = work->conv;
  gint channels = conv->channels, filters = conv->layer->filters, block = conv->kernels->block;
  SppnetConvRow row
      = { .in_pixel = 1, .in_row = channels, .rows = n, .run = 1, .slope = 1.0f, .out_pixel = filters, .onto = TRUE };

  for (gint p = 0; p < PLANES; p++) {
    const gfloat *blocks = work->filter;

    row.in = work->cells + (gsize) p * GROUP * channels;
    for (gint first = 0; first < filters; first += block) {
      gint count = MIN (filters - first, block);
      gsize width = count > conv->kernels->lanes ? block : conv->kernels->lanes;

      row.weight = blocks + (gsize) p * GROUP * width;
      row.filters = count;
      row.out = work->sums + (gsize) p * channels * filters + first;
      conv->kernels->conv_row (&row, channels);
      blocks += PLANES * GROUP * width;
    }
  }
}

void
sppnet_winograd_gradient (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out_gradient,
                          gfloat *weight_gradient, gfloat *scratch)
{
  gsize taps = (gsize) conv->channels * conv->layer->filters;
  gint across = (out_gradient->width + TILE - 1) / TILE, down = (out_gradient->height + TILE - 1) / TILE;
  Work work;

  work_init (&work, conv, in, out_gradient, scratch);
  memset (work.sums, 0, sizeof *work.sums * PLANES * taps);
  for (gint first = 0; first < across * down; first += GROUP) {
    gint n = MIN (GROUP, across * down - first);

    for (gint i = 0; i < n; i++)
      transform_tile (&work, i, (first + i) % across * TILE, (first + i) / across * TILE);
    add_products (&work, n);
  }
  conv->kernels->winograd_gradient->taps (work.sums, taps, weight_gradient, taps, taps);
}
