/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/conv.h"

#include <string.h>

#include "base/threads.h"
#include "kernel/kernel.h"

/* Input of one stretch of output pixels, per kernel row: it stays in the first-level cache while all filters pass. */
#define STRETCH_FLOATS 8192

static gint
n_blocks (const SppnetConvKernels *kernels, const SppnetLayer *layer)
{
  return (layer->filters + kernels->block - 1) / kernels->block;
}

gsize
sppnet_conv_direct_weights (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels)
{
  return (gsize) n_blocks (kernels, layer) * kernels->block * layer->kernel_width * layer->kernel_height * channels;
}

gsize
sppnet_conv_bias (const SppnetConvKernels *kernels, const SppnetLayer *layer)
{
  return (gsize) n_blocks (kernels, layer) * kernels->block;
}

void
sppnet_conv_pack_bias (const SppnetConvKernels *kernels, const SppnetLayer *layer, const gfloat *bias, gfloat *packed)
{
  memset (packed, 0, sizeof *packed * sppnet_conv_bias (kernels, layer));
  memcpy (packed, bias, sizeof *packed * layer->filters);
}

void
sppnet_conv_direct_pack (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels,
                         const gfloat *weight, gfloat *packed)
{
  gsize depth = (gsize) layer->kernel_width * layer->kernel_height * channels;

  for (gint first = 0; first < layer->filters; first += kernels->block) {
    gint count = MIN (layer->filters - first, kernels->block);
    gint width = count > kernels->lanes ? kernels->block : kernels->lanes;

    for (gsize k = 0; k < depth; k++) {
      memcpy (packed + k * width, weight + k * layer->filters + first, sizeof *packed * count);
      memset (packed + k * width + count, 0, sizeof *packed * (width - count));
    }
    if (kernels->to_pairs)
      kernels->to_pairs (packed, depth, width);
    packed += depth * width;
  }
}

/* Pixels of a stretch are a multiple of the kernels' tile, at most so many tiles. */
#define STRETCH_TILES 8

static gsize
gather_size (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels)
{
  if (sppnet_conv_is_pointwise (layer))
    return 0;
  return (gsize) layer->kernel_height * ((kernels->pixels - 1) * layer->stride + layer->kernel_width) * channels;
}

gsize
sppnet_conv_direct_scratch (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels, gboolean pooled)
{
  gsize rows = pooled ? (gsize) 2 * STRETCH_TILES * kernels->pixels * layer->filters : 0;

  return (gather_size (kernels, layer, channels) + rows + 15) / 16 * 16; /* whole cache lines */
}

/* Copies the input of n pixels from x on, kernel rows iy .. iy + rows - 1, with zeros beside the map. */
static void
gather (const SppnetLayer *layer, const SppnetRows *in, gint x, gint n, gint iy, gint rows, gfloat *to)
{
  gint channels = in->channels, ix = x * layer->stride - layer->pad_x;
  gint width = (n - 1) * layer->stride + layer->kernel_width;
  gint left = CLAMP (-ix, 0, width), right = CLAMP (in->width - ix, left, width);

  for (gint y = 0; y < rows; y++, to += width * channels) {
    memset (to, 0, sizeof *to * left * channels);
    if (right > left)
      memcpy (to + left * channels, sppnet_rows_at (in, iy + y) + (gssize) (ix + left) * channels,
              sizeof *to * (right - left) * channels);
    memset (to + right * channels, 0, sizeof *to * (width - right) * channels);
  }
}

/* The row's settings that do not depend on the pixel. */
static SppnetConvRow
conv_row (const SppnetConv *conv)
{
  const SppnetLayer *layer = conv->layer;
  gsize run = (gsize) layer->kernel_width * conv->channels;

  return (SppnetConvRow) { .in_pixel = (gsize) layer->stride * conv->channels,
                           .rows = layer->kernel_height,
                           .run = (gint) run,
                           .weight = conv->weight,
                           .weight_block = layer->kernel_height * run * conv->kernels->block,
                           .bias = conv->bias,
                           .slope = sppnet_layer_slope (layer),
                           .filters = layer->filters,
                           .out_pixel = layer->filters };
}

/* Pixels x0 .. x1 - 1 whose kernel reaches over the side of the map. */
static void
run_side (const SppnetConv *conv, SppnetConvRow *row, const SppnetRows *in, gint iy, gint x0, gint x1, gfloat *out,
          gfloat *scratch)
{
  const SppnetLayer *layer = conv->layer;

  for (gint x = x0; x < x1; x += conv->kernels->pixels) {
    gint n = MIN (conv->kernels->pixels, x1 - x);

    gather (layer, in, x, n, iy, row->rows, scratch);
    row->in = scratch;
    row->in_row = ((gsize) (n - 1) * layer->stride + layer->kernel_width) * conv->channels;
    row->out = out + (gsize) (x - x0) * layer->filters;
    conv->kernels->conv_row (row, n);
  }
}

/* Output pixels of a row whose kernel lies within the map's width: [*first, *end), both may be beyond the row. */
static void
columns_inside (const SppnetLayer *layer, const SppnetRows *in, gint *first, gint *end)
{
  gint span = in->width + layer->pad_x - layer->kernel_width;

  *first = (layer->pad_x + layer->stride - 1) / layer->stride;
  *end = span < 0 ? 0 : span / layer->stride + 1;
}

/* Output pixels x0 .. x1 - 1 of row y, to out [x1 - x0][filters]. */
static void
run_stretch (const SppnetConv *conv, const SppnetRows *in, gint y, gint x0, gint x1, gfloat *out, gfloat *scratch)
{
  const SppnetLayer *layer = conv->layer;
  gint iy = y * layer->stride - layer->pad_y;
  gint top = CLAMP (-iy, 0, layer->kernel_height), bottom = CLAMP (in->height - iy, top, layer->kernel_height);
  SppnetConvRow row = conv_row (conv);
  gint left, right;

  columns_inside (layer, in, &left, &right);
  left = CLAMP (left, x0, x1);
  right = CLAMP (right, left, x1);
  row.rows = bottom - top;
  row.weight_skip = (gsize) top * row.run;
  iy += top;
  run_side (conv, &row, in, iy, x0, left, out, scratch);
  if (right > left) {
    row.in = sppnet_rows_at (in, iy) + ((gssize) left * layer->stride - layer->pad_x) * conv->channels;
    row.in_row = (gsize) in->width * conv->channels;
    row.out = out + (gsize) (left - x0) * layer->filters;
    conv->kernels->conv_row (&row, right - left);
  }
  run_side (conv, &row, in, iy, right, x1, out + (gsize) (right - x0) * layer->filters, scratch);
}

static gint
stretch (const SppnetConv *conv, gsize n_pixels, guint threads)
{
  gint pixels = conv->kernels->pixels;
  gint most = CLAMP (STRETCH_FLOATS / (conv->channels * conv->layer->stride) / pixels, 1, STRETCH_TILES) * pixels;
  gsize share = (n_pixels + threads - 1) / threads;

  return (gint) CLAMP ((share + pixels - 1) / pixels * pixels, (gsize) pixels, (gsize) most);
}

void
sppnet_conv_pointwise_add (const SppnetConv *conv, const gfloat *in, gsize in_pixel, gint first, gint end, gsize n,
                           gfloat *out)
{
  SppnetConvRow row = conv_row (conv);

  row.in = in;
  row.in_pixel = in_pixel;
  row.run = end - first;
  row.weight_skip = first;
  row.out = out;
  if (first > 0) {
    row.bias = NULL;
    row.onto = TRUE;
  }
  if (end < conv->channels)
    row.slope = 1.0f;
  conv->kernels->conv_row (&row, (gint) n);
}

/* The map is one row of pixels: neither kernel nor stride. */
static void
run_pointwise (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1, guint threads)
{
  gsize n_pixels = (gsize) (y1 - y0) * out->width;
  gint length = stretch (conv, n_pixels, threads);
  gssize n_stretches = (gssize) ((n_pixels + length - 1) / length);

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gssize s = 0; s < n_stretches; s++) {
    gsize pixel = (gsize) s * length;
    SppnetConvRow row = conv_row (conv);

    row.in = sppnet_rows_at (in, y0) + pixel * conv->channels;
    row.out = sppnet_rows_at (out, y0) + pixel * conv->layer->filters;
    conv->kernels->conv_row (&row, (gint) MIN ((gsize) length, n_pixels - pixel));
  }
}

/* The maxima of 2x2 pixels: pixels x0 .. x1 - 1 of row y of out. scratch: what is gathered, then two rows. */
static void
run_pooled_side (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y, gint x0, gint x1,
                 gfloat *scratch)
{
  gint filters = conv->layer->filters;
  gint width = sppnet_layer_output_width (conv->layer, in->width);
  gint height = sppnet_layer_output_height (conv->layer, in->height);
  gint n = MIN (2 * x1, width) - 2 * x0;
  gfloat *above = scratch + gather_size (conv->kernels, conv->layer, conv->channels);
  gfloat *below = above + (gssize) n * filters, *to = sppnet_rows_at (out, y) + (gsize) x0 * filters;

  if (x1 <= x0)
    return;
  run_stretch (conv, in, 2 * y, 2 * x0, 2 * x0 + n, above, scratch);
  if (2 * y + 1 < height)
    run_stretch (conv, in, 2 * y + 1, 2 * x0, 2 * x0 + n, below, scratch);
  else
    below = above;
  conv->kernels->pool_2x2 (to, above, below, n / 2, filters);
  if (n % 2) {
    gsize last = (gsize) (n - 1) * filters;

    memcpy (to + (gsize) (n / 2) * filters, above + last, sizeof *to * filters);
    sppnet_kernels ()->max_into (to + (gsize) (n / 2) * filters, below + last, filters);
  }
}

/* Pixels of row y of out whose four convolutions lie within the map and can be one step with their maximum: [*first,
 * *end), of those from x0 to x1. */
static void
pooled_inside (const SppnetConv *conv, const SppnetRows *in, gint y, gint x0, gint x1, gint *first, gint *end)
{
  const SppnetLayer *layer = conv->layer;
  gint top = 2 * y * layer->stride - layer->pad_y, bottom = top + layer->stride + layer->kernel_height;
  gint left, right;

  *first = *end = x0;
  if (!conv->kernels->conv_row_pooled || top < 0 || bottom > in->height)
    return;
  columns_inside (layer, in, &left, &right);
  *first = CLAMP ((left + 1) / 2, x0, x1);
  *end = CLAMP (right / 2, *first, x1);
}

static void
run_pooled (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y, gint x0, gint x1,
            gfloat *scratch)
{
  const SppnetLayer *layer = conv->layer;
  gsize in_row = (gsize) in->width * conv->channels;
  gint first, end;

  pooled_inside (conv, in, y, x0, x1, &first, &end);
  if (end > first) {
    SppnetConvRow row = conv_row (conv);

    row.in = sppnet_rows_at (in, 2 * y * layer->stride - layer->pad_y)
             + ((gssize) 2 * first * layer->stride - layer->pad_x) * conv->channels;
    row.in_row = in_row;
    row.out = sppnet_rows_at (out, y) + (gsize) first * layer->filters;
    conv->kernels->conv_row_pooled (&row, layer->stride * in_row, end - first);
  }
  run_pooled_side (conv, in, out, y, x0, first, scratch);
  run_pooled_side (conv, in, out, y, end, x1, scratch);
}

void
sppnet_conv_direct_run (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1,
                        gboolean pooled, guint threads, gfloat *scratch)
{
  gsize scratch_size = sppnet_conv_direct_scratch (conv->kernels, conv->layer, conv->channels, pooled);
  gint length = stretch (conv, (gsize) (y1 - y0) * out->width, threads) / (pooled ? 2 : 1);
  gssize per_row = (out->width + length - 1) / length;

  if (sppnet_conv_is_pointwise (conv->layer) && !pooled) {
    run_pointwise (conv, in, out, y0, y1, threads);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gssize s = 0; s < (y1 - y0) * per_row; s++) {
    gint y = y0 + (gint) (s / per_row), x = (gint) (s % per_row) * length, end = MIN (x + length, out->width);
    gfloat *own = scratch + sppnet_thread_index () * scratch_size;

    if (pooled)
      run_pooled (conv, in, out, y, x, end, own);
    else
      run_stretch (conv, in, y, x, end, sppnet_rows_at (out, y) + (gsize) x * conv->layer->filters, own);
  }
}

void
sppnet_merge_direct_run (const SppnetConv *conv, const SppnetRows *coarse, const SppnetRows *fine,
                         const SppnetRows *out, gint y0, gint y1, guint threads)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gint y = y0; y < y1; y++) {
    SppnetConvRow row = conv_row (conv);

    sppnet_merge_repeat (conv->layer, coarse, out, y);
    row.in = sppnet_rows_at (fine, y);
    row.out = sppnet_rows_at (out, y);
    row.onto = TRUE;
    conv->kernels->conv_row (&row, out->width);
  }
}
