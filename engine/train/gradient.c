/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/gradient.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"
#include "train/winograd_gradient.h"

/* d activation: the sign of the output is the sign of the input for any slope > 0, and ReLU's zero stops the gradient.
 */
static void
activation_gradient (const SppnetLayer *layer, const gfloat *out, gfloat *gradient, gsize n)
{
  if (layer->activation != SPPNET_ACTIVATION_LINEAR)
    sppnet_kernels ()->activation_gradient (gradient, out, sppnet_layer_slope (layer), n);
}

/* weight_gradient and in_gradient may be NULL. out_gradient: before the activation. */
static void
conv_products (const SppnetLayer *layer, const gfloat *weight, const SppnetRows *in, const SppnetRows *out,
               const gfloat *out_gradient, const SppnetRows *in_gradient, gfloat *weight_gradient, gfloat *scratch)
{
  gint depth = layer->kernel_width * layer->kernel_height * in->channels, filters = layer->filters;
  gint strip = sppnet_conv_strip (layer, in->channels);
  gboolean pointwise = sppnet_conv_is_pointwise (layer);
  gsize n_pixels = (gsize) out->width * out->height;
  gfloat *col = scratch, *col_gradient = scratch + sppnet_layer_scratch (layer, in->channels);

  if (!weight_gradient && !in_gradient)
    return;
  if (in_gradient && !pointwise)
    memset (in_gradient->data, 0, sizeof (gfloat) * in->width * in->height * in->channels);
  for (gsize pixel = 0; pixel < n_pixels; pixel += strip) {
    gint n = (gint) MIN ((gsize) strip, n_pixels - pixel);
    const gfloat *dy = out_gradient + pixel * filters;

    if (pointwise) {
      col = in->data + pixel * depth;
      col_gradient = in_gradient ? in_gradient->data + pixel * depth : NULL;
    } else {
      sppnet_im2col (layer, in, out->width, pixel, n, col);
    }
    if (weight_gradient)
      cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, depth, filters, n, 1.0f, col, depth, dy, filters, 1.0f,
                   weight_gradient, filters);
    if (!in_gradient)
      continue;
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, n, depth, filters, 1.0f, dy, filters, weight, filters, 0.0f,
                 col_gradient, depth);
    if (!pointwise)
      sppnet_col2im (layer, col_gradient, out->width, pixel, n, in_gradient);
  }
}

static void
bias_gradient_add (const gfloat *out_gradient, gsize n_pixels, gint filters, gfloat *bias_gradient)
{
  for (gsize i = 0; i < n_pixels; i++)
    sppnet_kernels ()->add_into (bias_gradient, out_gradient + i * filters, filters);
}

static void
conv_gradient (const SppnetLayer *layer, const SppnetPack *pack, const gfloat *weight, const SppnetRows *in,
               const SppnetRows *out, gfloat *out_gradient, const SppnetRows *in_gradient, gfloat *weight_gradient,
               gfloat *bias_gradient, gfloat *scratch)
{
  gsize n_pixels = (gsize) out->width * out->height;
  SppnetRows change = *out;
  gboolean tiles = pack && pack->forward.winograd, back = in_gradient && pack && pack->backward.kernels;

  change.data = out_gradient;
  activation_gradient (layer, out->data, out_gradient, n_pixels * layer->filters);
  bias_gradient_add (out_gradient, n_pixels, layer->filters, bias_gradient);
  if (tiles)
    sppnet_winograd_gradient (&pack->forward, in, &change, weight_gradient, scratch);
  if (back)
    sppnet_conv_run (&pack->backward, &change, in_gradient, 1, scratch);
  conv_products (layer, weight, in, out, out_gradient, back ? NULL : in_gradient, tiles ? NULL : weight_gradient,
                 scratch);
}

/* Sums the gradient of the factor x factor cells that repeat a coarse one. */
static void
repeat_gradient (gint factor, const SppnetRows *out, const gfloat *out_gradient, const SppnetRows *coarse_gradient)
{
  gint channels = out->channels;

  memset (coarse_gradient->data, 0,
          sizeof (gfloat) * coarse_gradient->width * coarse_gradient->height * coarse_gradient->channels);
  for (gint y = 0; y < out->height; y++) {
    gfloat *row = sppnet_rows_at (coarse_gradient, MIN (y / factor, coarse_gradient->height - 1));

    for (gint x = 0; x < out->width; x++, out_gradient += channels)
      sppnet_kernels ()->add_into (row + (gsize) MIN (x / factor, coarse_gradient->width - 1) * channels, out_gradient,
                                   channels);
  }
}

void
sppnet_merge_gradient (const SppnetLayer *layer, const gfloat *weight, const SppnetRows *fine, const SppnetRows *out,
                       gfloat *out_gradient, const SppnetRows *coarse_gradient, gfloat *fine_gradient,
                       gfloat *weight_gradient, gfloat *bias_gradient)
{
  gint channels = fine->channels, filters = layer->filters, n = out->width * out->height;

  activation_gradient (layer, out->data, out_gradient, (gsize) n * filters);
  cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, channels, filters, n, 1.0f, fine->data, channels, out_gradient,
               filters, 1.0f, weight_gradient, filters);
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, n, channels, filters, 1.0f, out_gradient, filters, weight,
               filters, 1.0f, fine_gradient, channels);
  bias_gradient_add (out_gradient, (gsize) n, filters, bias_gradient);
  repeat_gradient (layer->factor, out, out_gradient, coarse_gradient);
}

/* Adds what one cell under a max-pooling window receives: the gradient of the channels whose maximum it is and that no
 * cell before it was. left: [channels] gradient not yet given. */
static void
take_maximum (const gfloat *restrict in, const gfloat *restrict out, gfloat *restrict left,
              gfloat *restrict in_gradient, gint channels)
{
  for (gint c = 0; c < channels; c++) {
    gfloat taken = in[c] == out[c] ? left[c] : 0.0f;

    in_gradient[c] += taken;
    left[c] -= taken;
  }
}

/* Gives one output cell's gradient to the cells under its window: the first maximum, or all in equal parts. gradient is
 * used up. */
static void
pool_cell_gradient (const SppnetLayer *layer, const SppnetRows *in, gint x, gint y, const gfloat *out, gfloat *gradient,
                    const SppnetRows *in_gradient)
{
  gint channels = in->channels;
  gint x0, x1, y0, y1;
  gfloat share;

  sppnet_pool_range (x * layer->stride - layer->pad_x, layer->kernel_width, in->width, &x0, &x1);
  sppnet_pool_range (y * layer->stride - layer->pad_y, layer->kernel_height, in->height, &y0, &y1);
  share = 1.0f / (gfloat) ((x1 - x0) * (y1 - y0));
  if (layer->kind == SPPNET_LAYER_AVERAGE_POOL)
    for (gint c = 0; c < channels; c++)
      gradient[c] *= share;
  for (gint iy = y0; iy < y1; iy++)
    for (gint ix = x0; ix < x1; ix++) {
      gsize cell = ((gsize) iy * in->width + ix) * channels;

      if (layer->kind == SPPNET_LAYER_AVERAGE_POOL)
        sppnet_kernels ()->add_into (in_gradient->data + cell, gradient, channels);
      else
        take_maximum (in->data + cell, out, gradient, in_gradient->data + cell, channels);
    }
}

/* The windows of 2x2 cells, which no other window has, all at once; 0 at the map's last column or row, where a window
 * may be smaller. */
static void
pool_2x2_gradient (const SppnetRows *in, const SppnetRows *out, const gfloat *out_gradient,
                   const SppnetRows *in_gradient)
{
  gsize row = (gsize) in->width * in->channels;

  for (gint y = 0; y < in->height / 2; y++) {
    gfloat *above = in_gradient->data + 2 * y * row;

    sppnet_kernels ()->max_2x2_gradient (above, above + row, in->data + 2 * y * row, in->data + (2 * y + 1) * row,
                                         sppnet_rows_at (out, y), out_gradient + (gsize) y * out->width * out->channels,
                                         (gsize) (in->width / 2), in->channels);
    if (in->width % 2) {
      memset (above + row - in->channels, 0, sizeof (gfloat) * in->channels);
      memset (above + 2 * row - in->channels, 0, sizeof (gfloat) * in->channels);
    }
  }
  if (in->height % 2)
    memset (in_gradient->data + (in->height - 1) * row, 0, sizeof (gfloat) * row);
}

static void
pool_gradient (const SppnetLayer *layer, const SppnetRows *in, const SppnetRows *out, gfloat *out_gradient,
               const SppnetRows *in_gradient)
{
  gboolean whole = sppnet_layer_is_max_2x2 (layer);
  const gfloat *value = out->data;

  if (whole)
    pool_2x2_gradient (in, out, out_gradient, in_gradient);
  else
    memset (in_gradient->data, 0, sizeof (gfloat) * in->width * in->height * in->channels);
  for (gint y = 0; y < out->height; y++)
    for (gint x = 0; x < out->width; x++, out_gradient += out->channels, value += out->channels)
      if (!whole || x >= in->width / 2 || y >= in->height / 2)
        pool_cell_gradient (layer, in, x, y, value, out_gradient, in_gradient);
}

/* With s = k + a * sum of x^2 and y = x s^-b: dx_j = dy_j s_j^-b - 2 a b x_j * sum over the i that j normalises of
 * dy_i x_i s_i^(-b-1) = dy_i y_i / s_i. in_gradient first holds dy_i y_i / s_i, then the sums are taken per cell. */
static void
lrn_gradient (const SppnetLayer *layer, const SppnetRows *in, const SppnetRows *out, const gfloat *out_gradient,
              const SppnetRows *in_gradient)
{
  gint reach = layer->lrn_size / 2, channels = in->channels;
  gsize n = (gsize) in->width * in->height * channels;
  gfloat alpha = sppnet_lrn_alpha (layer), beta = layer->lrn_beta;
  g_autofree gfloat *ratio = g_new (gfloat, n);

  for (gsize i = 0; i < n; i++) {
    /* s from y = x s^-b would be undefined at x = 0; the sums are recomputed instead. */
    gint c = (gint) (i % channels), x = (gint) (i / channels % in->width), y = (gint) (i / channels / in->width);
    gfloat sum = 0.0f, s;

    if (layer->lrn_within_channel) {
      for (gint iy = MAX (y - reach, 0); iy <= MIN (y + reach, in->height - 1); iy++)
        for (gint ix = MAX (x - reach, 0); ix <= MIN (x + reach, in->width - 1); ix++) {
          gfloat v = in->data[((gsize) iy * in->width + ix) * channels + c];

          sum += v * v;
        }
    } else {
      for (gint k = MAX (c - reach, 0); k <= MIN (c + reach, channels - 1); k++)
        sum += in->data[i - c + k] * in->data[i - c + k];
    }
    s = layer->lrn_k + alpha * sum;
    ratio[i] = out_gradient[i] * out->data[i] / s;
    in_gradient->data[i] = out_gradient[i] * powf (s, -beta);
  }
  for (gsize i = 0; i < n; i++) {
    gint c = (gint) (i % channels), x = (gint) (i / channels % in->width), y = (gint) (i / channels / in->width);
    gfloat sum = 0.0f;

    if (layer->lrn_within_channel) {
      for (gint iy = MAX (y - reach, 0); iy <= MIN (y + reach, in->height - 1); iy++)
        for (gint ix = MAX (x - reach, 0); ix <= MIN (x + reach, in->width - 1); ix++)
          sum += ratio[((gsize) iy * in->width + ix) * channels + c];
    } else {
      for (gint k = MAX (c - reach, 0); k <= MIN (c + reach, channels - 1); k++)
        sum += ratio[i - c + k];
    }
    in_gradient->data[i] -= 2.0f * alpha * beta * in->data[i] * sum;
  }
}

void
sppnet_layer_gradient (const SppnetLayer *layer, const SppnetPack *pack, const gfloat *weight, const SppnetRows *in,
                       const SppnetRows *out, gfloat *out_gradient, const SppnetRows *in_gradient,
                       gfloat *weight_gradient, gfloat *bias_gradient, gfloat *scratch)
{
  if (layer->kind == SPPNET_LAYER_CONV)
    conv_gradient (layer, pack, weight, in, out, out_gradient, in_gradient, weight_gradient, bias_gradient, scratch);
  else if (!in_gradient)
    return;
  else if (layer->kind == SPPNET_LAYER_LRN)
    lrn_gradient (layer, in, out, out_gradient, in_gradient);
  else
    pool_gradient (layer, in, out, out_gradient, in_gradient);
}

gsize
sppnet_layer_gradient_scratch (const SppnetLayer *layer, const SppnetPack *pack, gint channels)
{
  gsize scratch = 2 * sppnet_layer_scratch (layer, channels);

  if (pack && pack->forward.kernels)
    scratch = MAX (scratch, sppnet_conv_scratch (&pack->forward));
  if (pack && pack->backward.kernels)
    scratch = MAX (scratch, sppnet_conv_scratch (&pack->backward));
  if (pack && pack->forward.winograd)
    scratch = MAX (scratch, sppnet_winograd_gradient_scratch (&pack->forward));
  return scratch;
}

/* Maxima of one bin over the cells of a map, or over the bins of a finer level with sources of their own. */
static void
bin_with_source (const gfloat *cells, const gint32 *from, gint width, gint channels, const SppnetWindow *bin,
                 gfloat *out, gint32 *source)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gboolean empty = bin->x0 >= bin->x1 || bin->y0 >= bin->y1;

  for (gint c = 0; c < channels; c++) {
    out[c] = empty ? 0.0f : -G_MAXFLOAT;
    source[c] = -1;
  }
  for (gint y = bin->y0; y < bin->y1; y++)
    for (gint x = bin->x0; x < bin->x1; x++) {
      gint32 cell = y * width + x;
      gsize at = (gsize) cell * channels;

      kernels->max_source (out, source, cells + at, from ? from + at : NULL, cell, channels);
    }
}

void
sppnet_pool_regions_with_source (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n,
                                 gfloat *out, gint32 *source)
{
  gint n_bins = sppnet_config_bins (config), channels = map->channels;
  SppnetPyramidStep steps[SPPNET_MAX_LEVELS];

  sppnet_pyramid_plan (config, steps);
  for (gsize i = 0; i < n; i++, out += n_bins * channels, source += n_bins * channels) {
    SppnetWindow bins[SPPNET_MAX_BINS];

    sppnet_region_bins (map, config, &boxes[i], bins);
    for (guint s = 0; s < config->n_levels; s++) {
      const SppnetPyramidStep *step = &steps[s];
      gint level = config->levels[step->level], finer = step->source < 0 ? 0 : config->levels[step->source];
      gint r = finer / level;

      for (gint b = 0; b < level * level; b++) {
        gsize at = (step->first + (gsize) b) * (gsize) channels;
        gsize from = step->source_first * (gsize) channels;
        SppnetWindow nested = { b % level * r, b / level * r, b % level * r + r, b / level * r + r };

        if (step->source < 0)
          bin_with_source (map->data, NULL, map->width, channels, &bins[step->first + (gsize) b], out + at,
                           source + at);
        else
          bin_with_source (out + from, source + from, finer, channels, &nested, out + at, source + at);
      }
    }
  }
}

void
sppnet_pool_regions_gradient (const SppnetMap *map, gint n_bins, gsize n, const gint32 *source,
                              const gfloat *out_gradient, gfloat *map_gradient)
{
  gint channels = map->channels;

  for (gsize i = 0; i < n * n_bins; i++, source += channels, out_gradient += channels)
    for (gint c = 0; c < channels; c++)
      if (source[c] >= 0)
        map_gradient[(gsize) source[c] * channels + c] += out_gradient[c];
}
