/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/gradient.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* d activation: the sign of the output is the sign of the input for any slope > 0, and ReLU's zero stops the gradient.
 */
static void
activation_gradient (const SppnetLayer *layer, const gfloat *restrict out, gfloat *restrict gradient, gsize n)
{
  gfloat slope = layer->activation == SPPNET_ACTIVATION_LEAKY ? layer->slope : 0.0f;

  if (layer->activation == SPPNET_ACTIVATION_LINEAR)
    return;
  for (gsize i = 0; i < n; i++) {
    gfloat scaled = gradient[i] * slope;

    gradient[i] = out[i] > 0.0f ? gradient[i] : scaled;
  }
}

static void
conv_gradient (const SppnetLayer *layer, const gfloat *weight, const SppnetRows *in, const SppnetRows *out,
               gfloat *out_gradient, const SppnetRows *in_gradient, gfloat *weight_gradient, gfloat *bias_gradient,
               gfloat *scratch)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  gint depth = layer->kernel_width * layer->kernel_height * in->channels, filters = layer->filters;
  gint strip = sppnet_conv_strip (layer, in->channels);
  gboolean pointwise = sppnet_conv_is_pointwise (layer);
  gsize n_pixels = (gsize) out->width * out->height;
  gfloat *col = scratch, *col_gradient = scratch + sppnet_layer_scratch (layer, in->channels);

  activation_gradient (layer, out->data, out_gradient, n_pixels * filters);
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
    cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, depth, filters, n, 1.0f, col, depth, dy, filters, 1.0f,
                 weight_gradient, filters);
    for (gint i = 0; i < n; i++)
      kernels->add_into (bias_gradient, dy + (gsize) i * filters, filters);
    if (!in_gradient)
      continue;
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, n, depth, filters, 1.0f, dy, filters, weight, filters, 0.0f,
                 col_gradient, depth);
    if (!pointwise)
      sppnet_col2im (layer, col_gradient, out->width, pixel, n, in_gradient);
  }
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
  for (gint i = 0; i < n; i++)
    sppnet_kernels ()->add_into (bias_gradient, out_gradient + (gsize) i * filters, filters);
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

static void
pool_gradient (const SppnetLayer *layer, const SppnetRows *in, const SppnetRows *out, gfloat *out_gradient,
               const SppnetRows *in_gradient)
{
  const gfloat *value = out->data;

  memset (in_gradient->data, 0, sizeof (gfloat) * in->width * in->height * in->channels);
  for (gint y = 0; y < out->height; y++)
    for (gint x = 0; x < out->width; x++, out_gradient += out->channels, value += out->channels)
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
sppnet_layer_gradient (const SppnetLayer *layer, const gfloat *weight, const SppnetRows *in, const SppnetRows *out,
                       gfloat *out_gradient, const SppnetRows *in_gradient, gfloat *weight_gradient,
                       gfloat *bias_gradient, gfloat *scratch)
{
  if (layer->kind == SPPNET_LAYER_CONV)
    conv_gradient (layer, weight, in, out, out_gradient, in_gradient, weight_gradient, bias_gradient, scratch);
  else if (!in_gradient)
    return;
  else if (layer->kind == SPPNET_LAYER_LRN)
    lrn_gradient (layer, in, out, out_gradient, in_gradient);
  else
    pool_gradient (layer, in, out, out_gradient, in_gradient);
}

static void
max_with_source (const gfloat *restrict value, gint32 cell, gfloat *restrict out, gint32 *restrict source,
                 gint channels)
{
  for (gint c = 0; c < channels; c++) {
    source[c] = value[c] > out[c] ? cell : source[c];
    out[c] = value[c] > out[c] ? value[c] : out[c];
  }
}

void
sppnet_pool_regions_with_source (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n,
                                 gfloat *out, gint32 *source)
{
  gint n_bins = sppnet_config_bins (config), channels = map->channels;

  for (gsize i = 0; i < n; i++) {
    SppnetWindow bins[SPPNET_MAX_BINS];

    sppnet_region_bins (map, config, &boxes[i], bins);
    for (gint b = 0; b < n_bins; b++, out += channels, source += channels) {
      gboolean empty = bins[b].x0 >= bins[b].x1 || bins[b].y0 >= bins[b].y1;

      for (gint c = 0; c < channels; c++) {
        out[c] = empty ? 0.0f : -G_MAXFLOAT;
        source[c] = -1;
      }
      for (gint y = bins[b].y0; y < bins[b].y1; y++)
        for (gint x = bins[b].x0; x < bins[b].x1; x++) {
          gint32 cell = y * map->width + x;

          max_with_source (map->data + (gsize) cell * channels, cell, out, source, channels);
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
