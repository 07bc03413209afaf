/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/pixels.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define CHANNELS 3
/* Cells of a kernel along an axis. */
#define MOST_CELLS 15
#define MOST_PAIRS (MOST_CELLS * ((MOST_CELLS * CHANNELS + 1) / 2))
/* Of a weight on either side of 0, before rounding, which adds up to one. */
#define MOST_STEPS 32766

/* What one channel of the network's input is made of. */
static gint
colour_of (const SppnetConfig *config, gint channel)
{
  return config->input_bgr ? CHANNELS - 1 - channel : channel;
}

static gboolean
supports (const SppnetConvKernels *kernels, const SppnetConfig *config)
{
  const SppnetLayer *layer = &config->layers[0];

  if (!kernels->pixels_row || MAX (layer->kernel_width, layer->kernel_height) > MOST_CELLS
      || sppnet_layer_slope (layer) < 0.0f)
    return FALSE;
  for (gint c = 0; c < CHANNELS && (layer->pad_x > 0 || layer->pad_y > 0); c++) {
    gfloat mean = config->input_mean[c];

    if (!(mean >= 0.0f && mean <= 255.0f && mean == floorf (mean)))
      return FALSE;
  }
  return TRUE;
}

/* How many steps a filter's largest weight may have. weight: [n], of the filter */
static gdouble
steps_of (const gdouble *weight, gsize n, gdouble *largest)
{
  gdouble sum = 0.0;

  *largest = 0.0;
  for (gsize k = 0; k < n; k++) {
    *largest = MAX (*largest, fabs (weight[k]));
    sum += fabs (weight[k]);
  }
  if (*largest == 0.0)
    return MOST_STEPS;
  /* Rounding adds up to a step to each. */
  return MIN (MOST_STEPS, floor ((G_MAXINT32 / 255.0 - n) * *largest / sum));
}

/* The filter's weights in the order of the pixels' values, times the input's scale. out: [taps][3] */
static void
gather_filter (const SppnetConfig *config, const gfloat *weight, gint filter, gdouble *out)
{
  const SppnetLayer *layer = &config->layers[0];
  gint taps = layer->kernel_width * layer->kernel_height;

  for (gint tap = 0; tap < taps; tap++)
    for (gint c = 0; c < CHANNELS; c++)
      out[tap * CHANNELS + colour_of (config, c)]
          = (gdouble) weight[(tap * CHANNELS + c) * layer->filters + filter] * config->input_scale[c];
}

/* values: [taps][3] */
static void
pack_filter (SppnetPixels *pixels, const SppnetConfig *config, const gdouble *values, gfloat bias, gint filter)
{
  const SppnetLayer *layer = pixels->layer;
  gint block = pixels->kernels->block, first = filter / block * block, run = layer->kernel_width * CHANNELS;
  gint width = layer->filters - first > pixels->kernels->lanes ? block : pixels->kernels->lanes;
  gint16 *packed = pixels->weight + (gsize) first * layer->kernel_height * pixels->pairs * 2 + (filter - first) * 2;
  gdouble largest, steps = steps_of (values, (gsize) run * layer->kernel_height, &largest), at_mean = 0.0, left = 0.0;

  /* What rounding leaves goes on to the next weight, one colour after the other: pixels that lie together are much
   * alike, and the errors of their products then cancel. */
  for (gint colour = 0; colour < CHANNELS && largest > 0.0; colour++)
    for (gint tap = 0; tap < layer->kernel_width * layer->kernel_height; tap++) {
      gint y = tap / layer->kernel_width, k = tap % layer->kernel_width * CHANNELS + colour;
      gdouble exact = values[y * run + k] / largest * steps + left, step = rint (exact);

      left = exact - step;
      packed[(gsize) (y * pixels->pairs + k / 2) * width * 2 + k % 2] = (gint16) step;
      at_mean += step * config->input_mean[colour_of (config, colour)];
    }
  pixels->scale[filter] = (gfloat) (largest / steps);
  pixels->bias[filter] = (gfloat) (bias - at_mean * largest / steps);
}

gboolean
sppnet_pixels_init (SppnetPixels *pixels, const SppnetConvKernels *kernels, const SppnetConfig *config,
                    const gfloat *weight, const gfloat *bias)
{
  const SppnetLayer *layer = &config->layers[0];
  g_autofree gdouble *values = NULL;
  gsize filters;

  *pixels = (SppnetPixels) { 0 };
  if (!supports (kernels, config))
    return TRUE;
  pixels->kernels = kernels;
  pixels->layer = layer;
  pixels->pairs = (layer->kernel_width * CHANNELS + 1) / 2;
  for (gint c = 0; c < CHANNELS && (layer->pad_x > 0 || layer->pad_y > 0); c++)
    pixels->beside[colour_of (config, c)] = (gint16) config->input_mean[c];
  filters = sppnet_conv_bias (pixels->kernels, layer);
  pixels->weight = sppnet_aligned_zeros (filters * layer->kernel_height * pixels->pairs * 2 * sizeof (gint16));
  pixels->scale = sppnet_aligned_zeros (filters * sizeof (gfloat));
  pixels->bias = sppnet_aligned_zeros (filters * sizeof (gfloat));
  if (!pixels->weight || !pixels->scale || !pixels->bias)
    return FALSE;
  values = g_new (gdouble, (gsize) layer->kernel_width * layer->kernel_height * CHANNELS);
  for (gint filter = 0; filter < layer->filters; filter++) {
    gather_filter (config, weight, filter, values);
    pack_filter (pixels, config, values, bias[filter], filter);
  }
  return TRUE;
}

void
sppnet_pixels_clear (SppnetPixels *pixels)
{
  sppnet_aligned_free (pixels->weight);
  sppnet_aligned_free (pixels->scale);
  sppnet_aligned_free (pixels->bias);
  *pixels = (SppnetPixels) { 0 };
}

/* Pixels of a row: the kernel of the last output pixel may reach as far as pad_x beyond the frame, and the second value
 * of its last pair one further. */
static gint
row_pixels (const SppnetPixels *pixels, gint width)
{
  return width + 2 * pixels->layer->pad_x + pixels->layer->kernel_width + 1;
}

gint
sppnet_pixels_row_floats (const SppnetPixels *pixels, gint width)
{
  gint bytes = row_pixels (pixels, width) * CHANNELS * (gint) sizeof (gint16);

  return (bytes + SPPNET_ALIGNMENT - 1) / SPPNET_ALIGNMENT * SPPNET_ALIGNMENT / (gint) sizeof (gfloat);
}

static gint16 *
fill_beside (const SppnetPixels *pixels, gint16 *values, gint n)
{
  for (gint i = 0; i < n; i++, values += CHANNELS)
    memcpy (values, pixels->beside, sizeof pixels->beside);
  return values;
}

void
sppnet_pixels_read_row (const SppnetPixels *pixels, const SppnetFrame *frame, gint y, gint width, guint8 *rgb,
                        gfloat *row)
{
  gint n = row_pixels (pixels, width), left = pixels->layer->pad_x;
  gint16 *values = (gint16 *) row;

  if (!frame) {
    fill_beside (pixels, values, n);
    return;
  }
  sppnet_frame_read_rgb (frame, y, 1, rgb);
  values = fill_beside (pixels, values, left);
  for (gint i = 0; i < CHANNELS * width; i++)
    values[i] = rgb[i];
  fill_beside (pixels, values + CHANNELS * width, n - left - width);
}

/* Where row y of the convolution's output, before pooling, reads the kernel's pairs, from value x on. */
static void
find_pairs (const SppnetPixels *pixels, const SppnetRows *in, const gfloat *beside, gint y, gsize x,
            const gint16 **pairs)
{
  const SppnetLayer *layer = pixels->layer;
  gint first = y * layer->stride - layer->pad_y;

  for (gint k = 0; k < layer->kernel_height; k++) {
    gboolean inside = first + k >= 0 && first + k < in->height;
    const gint16 *values = (const gint16 *) (inside ? sppnet_rows_at (in, first + k) : beside);

    for (gint i = 0; i < pixels->pairs; i++)
      *pairs++ = values + x + 2 * i;
  }
}

/* Output row y, and with pooling the maxima of two rows. */
static void
run_row (const SppnetPixels *pixels, const SppnetRows *in, const gfloat *beside, gint width, const SppnetRows *out,
         gint y, gboolean pooled)
{
  const SppnetLayer *layer = pixels->layer;
  const gint16 *upper[MOST_PAIRS], *lower[MOST_PAIRS];
  gint map_width = sppnet_layer_output_width (layer, width),
       map_height = sppnet_layer_output_height (layer, in->height);
  gint steps = layer->kernel_height * pixels->pairs, x = map_width / 2, below = MIN (2 * y + 1, map_height - 1);
  SppnetPixelsRow row = { .steps = steps,
                          .upper = upper,
                          .lower = lower,
                          .in_pixel = (gsize) layer->stride * CHANNELS,
                          .weight = pixels->weight,
                          .weight_block = (gsize) steps * 2 * pixels->kernels->block,
                          .scale = pixels->scale,
                          .bias = pixels->bias,
                          .slope = sppnet_layer_slope (layer),
                          .filters = layer->filters,
                          .out = sppnet_rows_at (out, y),
                          .out_pixel = layer->filters };

  if (!pooled) {
    find_pairs (pixels, in, beside, y, 0, upper);
    pixels->kernels->pixels_row (&row, out->width);
    return;
  }
  find_pairs (pixels, in, beside, 2 * y, 0, upper);
  find_pairs (pixels, in, beside, below, 0, lower);
  pixels->kernels->pixels_row_pooled (&row, x);
  if (x == out->width)
    return;
  /* Half a pair of columns: the same pixels twice. */
  find_pairs (pixels, in, beside, 2 * y, 2 * x * row.in_pixel, upper);
  find_pairs (pixels, in, beside, below, 2 * x * row.in_pixel, lower);
  row.in_pixel = 0;
  row.out += x * row.out_pixel;
  pixels->kernels->pixels_row_pooled (&row, 1);
}

void
sppnet_pixels_run (const SppnetPixels *pixels, const SppnetRows *in, const gfloat *beside, gint width,
                   const SppnetRows *out, gint y0, gint y1, gboolean pooled, guint threads)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gint y = y0; y < y1; y++)
    run_row (pixels, in, beside, width, out, y, pooled);
}
