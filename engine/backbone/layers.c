/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/layers.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "kernel/conv.h"
#include "kernel/kernel.h"

gboolean
sppnet_conv_is_pointwise (const SppnetLayer *layer)
{
  return layer->kernel_width == 1 && layer->kernel_height == 1 && layer->stride == 1 && layer->pad_x == 0
         && layer->pad_y == 0;
}

static gint
conv_depth (const SppnetLayer *layer, gint channels)
{
  return layer->kernel_width * layer->kernel_height * channels;
}

gint
sppnet_conv_strip (const SppnetLayer *layer, gint channels)
{
  /* A quarter of a MiB of im2col rows, which leaves room for weights and output in the second-level cache. */
  return CLAMP (65536 / conv_depth (layer, channels), 16, 1024);
}

gsize
sppnet_layer_scratch (const SppnetLayer *layer, gint channels)
{
  if (layer->kind == SPPNET_LAYER_LRN)
    return channels;
  if (layer->kind != SPPNET_LAYER_CONV || sppnet_conv_is_pointwise (layer))
    return 0;
  return (gsize) sppnet_conv_strip (layer, channels) * conv_depth (layer, channels);
}

/* One kernel row of one output pixel: kernel_width cells, those outside the map zero. */
static void
gather_cells (const SppnetLayer *layer, const SppnetRows *in, gint ix, gint iy, gfloat *col)
{
  gint channels = in->channels, kernel = layer->kernel_width;
  gint left = CLAMP (-ix, 0, kernel);
  gint right = CLAMP (in->width - ix, left, kernel);

  if (iy < 0 || iy >= in->height) {
    memset (col, 0, sizeof *col * kernel * channels);
    return;
  }
  memset (col, 0, sizeof *col * left * channels);
  if (right > left)
    memcpy (col + left * channels, sppnet_rows_at (in, iy) + (gssize) (ix + left) * channels,
            sizeof *col * (right - left) * channels);
  memset (col + right * channels, 0, sizeof *col * (kernel - right) * channels);
}

void
sppnet_im2col (const SppnetLayer *layer, const SppnetRows *in, gint out_width, gsize pixel, gint n, gfloat *col)
{
  gint y = (gint) (pixel / out_width), x = (gint) (pixel % out_width);
  gint row = layer->kernel_width * in->channels;

  for (gint i = 0; i < n; i++) {
    gint ix = x * layer->stride - layer->pad_x, iy = y * layer->stride - layer->pad_y;

    for (gint ky = 0; ky < layer->kernel_height; ky++, col += row)
      gather_cells (layer, in, ix, iy + ky, col);
    if (++x == out_width)
      x = 0, y++;
  }
}

void
sppnet_col2im (const SppnetLayer *layer, const gfloat *col, gint out_width, gsize pixel, gint n, const SppnetRows *in)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint y = (gint) (pixel / out_width), x = (gint) (pixel % out_width);
  gint channels = in->channels, kernel = layer->kernel_width;

  for (gint i = 0; i < n; i++) {
    gint ix = x * layer->stride - layer->pad_x, iy = y * layer->stride - layer->pad_y;
    gint left = CLAMP (-ix, 0, kernel);
    gint right = CLAMP (in->width - ix, left, kernel);

    for (gint ky = 0; ky < layer->kernel_height; ky++, col += kernel * channels)
      if (iy + ky >= 0 && iy + ky < in->height && right > left)
        kernels->add_into (sppnet_rows_at (in, iy + ky) + (gssize) (ix + left) * channels, col + left * channels,
                           (gsize) (right - left) * channels);
    if (++x == out_width)
      x = 0, y++;
  }
}

gfloat
sppnet_layer_slope (const SppnetLayer *layer)
{
  return sppnet_activation_slope (layer->activation, layer->slope);
}

static void
conv_run (const SppnetLayer *layer, const gfloat *weight, const gfloat *bias, const SppnetRows *in,
          const SppnetRows *out, gint y0, gint y1, guint threads, gfloat *scratch)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint depth = conv_depth (layer, in->channels), filters = layer->filters;
  gint strip = sppnet_conv_strip (layer, in->channels);
  gsize scratch_size = sppnet_layer_scratch (layer, in->channels);
  gboolean pointwise = sppnet_conv_is_pointwise (layer);
  gsize first = (gsize) y0 * out->width, n_pixels = (gsize) (y1 - y0) * out->width;
  gssize n_strips = (gssize) ((n_pixels + strip - 1) / strip);
  gfloat slope = sppnet_layer_slope (layer);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gssize s = 0; s < n_strips; s++) {
    gsize pixel = first + (gsize) s * strip;
    gint n = (gint) MIN ((gsize) strip, first + n_pixels - pixel);
    gfloat *col = scratch + sppnet_thread_index () * scratch_size;
    gfloat *y = sppnet_rows_at (out, y0) + (pixel - first) * filters;

    if (pointwise)
      col = sppnet_rows_at (in, y0) + (pixel - first) * in->channels;
    else
      sppnet_im2col (layer, in, out->width, pixel, n, col);
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, n, filters, depth, 1.0f, col, depth, weight, filters, 0.0f,
                 y, filters);
    kernels->bias_activate (y, bias, slope, n, filters);
  }
}

void
sppnet_pool_range (gint start, gint kernel, gint length, gint *first, gint *end)
{
  *first = CLAMP (start, 0, length - 1);
  *end = CLAMP (start + kernel, *first + 1, length);
}

static void
pool_cell (const SppnetLayer *layer, const SppnetKernels *kernels, const SppnetRows *in, gint x, gint y, gfloat *out)
{
  gint channels = in->channels, x0, x1, y0, y1;

  sppnet_pool_range (x * layer->stride - layer->pad_x, layer->kernel_width, in->width, &x0, &x1);
  sppnet_pool_range (y * layer->stride - layer->pad_y, layer->kernel_height, in->height, &y0, &y1);
  memcpy (out, sppnet_rows_at (in, y0) + (gsize) x0 * channels, sizeof *out * channels);
  for (gint iy = y0; iy < y1; iy++)
    for (gint ix = x0 + (iy == y0); ix < x1; ix++) {
      const gfloat *cell = sppnet_rows_at (in, iy) + (gsize) ix * channels;

      if (layer->kind == SPPNET_LAYER_MAX_POOL)
        kernels->max_into (out, cell, channels);
      else
        kernels->add_into (out, cell, channels);
    }
  if (layer->kind == SPPNET_LAYER_AVERAGE_POOL) {
    gfloat scale = 1.0f / (gfloat) ((x1 - x0) * (y1 - y0));

    for (gint c = 0; c < channels; c++)
      out[c] *= scale;
  }
}

gboolean
sppnet_layer_is_max_2x2 (const SppnetLayer *layer)
{
  return layer->kind == SPPNET_LAYER_MAX_POOL && layer->kernel_width == 2 && layer->kernel_height == 2
         && layer->stride == 2 && layer->pad_x == 0 && layer->pad_y == 0;
}

static void
pool_run (const SppnetLayer *layer, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1, guint threads)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gboolean quick = sppnet_layer_is_max_2x2 (layer);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gint y = y0; y < y1; y++) {
    gfloat *row = sppnet_rows_at (out, y);
    gint x = 0;

    if (quick && 2 * y + 1 < in->height) {
      x = in->width / 2;
      sppnet_conv_kernels ()->pool_2x2 (row, sppnet_rows_at (in, 2 * y), sppnet_rows_at (in, 2 * y + 1), x,
                                        in->channels);
    }
    for (; x < out->width; x++)
      pool_cell (layer, kernels, in, x, y, row + (gsize) x * out->channels);
  }
}

/* sum[c]: the squares that normalise channel c of cell (x, y). */
static void
lrn_sum (const SppnetLayer *layer, const SppnetRows *in, gint x, gint y, gfloat *sum)
{
  gint reach = layer->lrn_size / 2, channels = in->channels;

  memset (sum, 0, sizeof *sum * channels);
  if (layer->lrn_within_channel) {
    for (gint iy = MAX (y - reach, 0); iy <= MIN (y + reach, in->height - 1); iy++)
      for (gint ix = MAX (x - reach, 0); ix <= MIN (x + reach, in->width - 1); ix++) {
        const gfloat *cell = sppnet_rows_at (in, iy) + (gsize) ix * channels;

        for (gint c = 0; c < channels; c++)
          sum[c] += cell[c] * cell[c];
      }
  } else {
    const gfloat *cell = sppnet_rows_at (in, y) + (gsize) x * channels;

    for (gint c = 0; c < channels; c++)
      for (gint i = MAX (c - reach, 0); i <= MIN (c + reach, channels - 1); i++)
        sum[c] += cell[i] * cell[i];
  }
}

gfloat
sppnet_lrn_alpha (const SppnetLayer *layer)
{
  gint n = layer->lrn_within_channel ? layer->lrn_size * layer->lrn_size : layer->lrn_size;

  return layer->lrn_alpha / (gfloat) n;
}

static void
lrn_run (const SppnetLayer *layer, const SppnetRows *in, const SppnetRows *out, gint y0, gint y1, guint threads,
         gfloat *scratch)
{
  gfloat alpha = sppnet_lrn_alpha (layer);
  gint channels = in->channels;

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gint y = y0; y < y1; y++) {
    gfloat *sum = scratch + sppnet_thread_index () * channels;

    for (gint x = 0; x < in->width; x++) {
      const gfloat *cell = sppnet_rows_at (in, y) + (gsize) x * channels;
      gfloat *result = sppnet_rows_at (out, y) + (gsize) x * channels;

      lrn_sum (layer, in, x, y, sum);
      for (gint c = 0; c < channels; c++)
        result[c] = cell[c] * powf (layer->lrn_k + alpha * sum[c], -layer->lrn_beta);
    }
  }
}

/* The cell of the coarse map under one of a merge's output. */
static const gfloat *
coarse_cell (const SppnetLayer *layer, const SppnetRows *coarse, gint x, gint y)
{
  return sppnet_rows_at (coarse, MIN (y / layer->factor, coarse->height - 1))
         + (gsize) MIN (x / layer->factor, coarse->width - 1) * coarse->channels;
}

void
sppnet_merge_repeat (const SppnetLayer *layer, const SppnetRows *coarse, const SppnetRows *out, gint y)
{
  gsize filters = layer->filters;
  gfloat *row = sppnet_rows_at (out, y);

  for (gint x = 0; x < out->width; x++)
    memcpy (row + (gsize) x * filters, coarse_cell (layer, coarse, x, y), sizeof (gfloat) * filters);
}

void
sppnet_merge_add_run (const SppnetLayer *layer, const SppnetRows *coarse, const SppnetRows *out, gint y0, gint y1,
                      guint threads)
{
  gsize filters = layer->filters;

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gint y = y0; y < y1; y++)
    for (gint x = 0; x < out->width; x++)
      sppnet_kernels ()->add_into (sppnet_rows_at (out, y) + (gsize) x * filters, coarse_cell (layer, coarse, x, y),
                                   filters);
}

void
sppnet_merge_run (const SppnetLayer *layer, const gfloat *weight, const gfloat *bias, const SppnetRows *coarse,
                  const SppnetRows *fine, const SppnetRows *out, gint y0, gint y1, guint threads)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint filters = layer->filters;
  gfloat slope = sppnet_layer_slope (layer);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gint y = y0; y < y1; y++) {
    gfloat *row = sppnet_rows_at (out, y);

    sppnet_merge_repeat (layer, coarse, out, y);
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, out->width, filters, fine->channels, 1.0f,
                 sppnet_rows_at (fine, y), fine->channels, weight, filters, 1.0f, row, filters);
    kernels->bias_activate (row, bias, slope, out->width, filters);
  }
}

void
sppnet_layer_run (const SppnetLayer *layer, const gfloat *weight, const gfloat *bias, const SppnetRows *in,
                  const SppnetRows *out, gint y0, gint y1, guint threads, gfloat *scratch)
{
  switch (layer->kind) {
  case SPPNET_LAYER_CONV:
    conv_run (layer, weight, bias, in, out, y0, y1, threads, scratch);
    break;
  case SPPNET_LAYER_MAX_POOL:
  case SPPNET_LAYER_AVERAGE_POOL:
    pool_run (layer, in, out, y0, y1, threads);
    break;
  case SPPNET_LAYER_LRN:
    lrn_run (layer, in, out, y0, y1, threads, scratch);
    break;
  case SPPNET_LAYER_MERGE:
    g_assert_not_reached ();
  }
}

void
sppnet_conv_pack (const SppnetLayer *layer, gint channels, const gfloat *file, gfloat *packed)
{
  gint area = layer->kernel_width * layer->kernel_height;

  for (gint o = 0; o < layer->filters; o++)
    for (gint i = 0; i < channels; i++)
      for (gint k = 0; k < area; k++)
        packed[((gsize) k * channels + i) * layer->filters + o] = *file++;
}

void
sppnet_conv_unpack (const SppnetLayer *layer, gint channels, const gfloat *packed, gfloat *file)
{
  gint area = layer->kernel_width * layer->kernel_height;

  for (gint o = 0; o < layer->filters; o++)
    for (gint i = 0; i < channels; i++)
      for (gint k = 0; k < area; k++)
        *file++ = packed[((gsize) k * channels + i) * layer->filters + o];
}
