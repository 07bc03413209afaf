/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/plan.h"

#include <math.h>

#include "backbone/winograd.h"

/* Tiles to wait for where the weights (input channels times filters) are large, unless their output would be. */
#define BATCH_TILES 40
#define LARGE_WEIGHTS 4096
#define MOST_BATCH_BYTES (4u << 20)

/* Reading a weight from far caches or memory takes as long as so many products, measured likewise. */
#define READING 12.0

/* A product of integers, of one of floats, measured likewise. */
#define PIXELS 0.6

/* How many merges read the map as their finer one. */
static guint
count_merges (const SppnetConfig *config, guint stage)
{
  guint n = 0;

  for (guint i = 0; i < config->n_layers; i++)
    n += config->layers[i].kind == SPPNET_LAYER_MERGE && config->layers[i].from + 1 == stage;
  return n;
}

/* Whether the layer after a convolution is pooling that can be part of it: the maximum is taken before the activation,
 * and must be the same. */
static gboolean
is_pooled (const SppnetConfig *config, guint index)
{
  return config->layers[index].kind == SPPNET_LAYER_CONV && sppnet_layer_slope (&config->layers[index]) >= 0.0f
         && index + 1 < config->n_layers && sppnet_layer_is_max_2x2 (&config->layers[index + 1]);
}

/* Whether the layer after a Winograd step without one, at index, is a 1x1 convolution that can be part of it. One that
 * makes more channels than it reads is faster alone: its sums would not stay in the cache. */
static gboolean
can_follow (const SppnetConfig *config, const SppnetWeights *weights, guint index)
{
  const SppnetLayer *layer = &config->layers[index];

  return index < config->n_layers && layer->kind == SPPNET_LAYER_CONV && sppnet_conv_is_pointwise (layer)
         && layer->filters <= weights->conv[index].channels && weights->conv[index].kernels
         && count_merges (config, index) == 0;
}

/* Whether the map of a Winograd step, at index, is pooled, and otherwise needed by the last layer alone, a merge that
 * only adds: its part of that is computed at once, and the map itself never stored. */
static gboolean
can_join (const SppnetConfig *config, const SppnetWeights *weights, guint index)
{
  const SppnetLayer *last = &config->layers[config->n_layers - 1];

  return last->kind == SPPNET_LAYER_MERGE && last->from == index && count_merges (config, index + 1) == 1
         && sppnet_layer_slope (last) == 1.0f && last->filters <= config->layers[index].filters
         && weights->conv[config->n_layers - 1].kernels && is_pooled (config, index);
}

static gdouble
direct_products (const SppnetLayer *layer, gint channels, const SppnetShape *out)
{
  return (gdouble) out->width * out->height * layer->kernel_width * layer->kernel_height * channels * layer->filters;
}

/* The kernels of a Winograd step. */
static const SppnetConvKernels *
kernels_of (const SppnetConv *conv, SppnetMethod method)
{
  return method == SPPNET_METHOD_WINOGRAD_SMALL ? conv->kernels->small_tiles : conv->kernels;
}

static gdouble
n_tiles (const SppnetConvKernels *kernels, const SppnetShape *out)
{
  gint side = sppnet_winograd_rows (kernels);

  return (gdouble) ((out->width + side - 1) / side) * ((out->height + side - 1) / side);
}

/* The transforms of a tile's input and output were measured to take as long as 9 and 10 products of each value. */
static gdouble
winograd_products (const SppnetConv *conv, SppnetMethod method, const SppnetShape *out)
{
  const SppnetConvKernels *kernels = kernels_of (conv, method);
  gdouble channels = conv->channels, filters = conv->layer->filters;

  return n_tiles (kernels, out) * sppnet_winograd_planes (kernels)
         * (channels * filters + 9.0 * channels + 10.0 * filters);
}

/* With what it takes to read the weights, once for so many tiles: on small maps that counts. */
static gdouble
winograd_cost (const SppnetConv *conv, SppnetMethod method, const SppnetShape *out)
{
  const SppnetConvKernels *kernels = kernels_of (conv, method);
  gdouble weights = (gdouble) sppnet_winograd_planes (kernels) * conv->channels * conv->layer->filters;
  gdouble passes = ceil (n_tiles (kernels, out) / sppnet_winograd_tiles (kernels, conv->channels));

  return winograd_products (conv, method, out) + READING * passes * weights;
}

SppnetMethod
sppnet_plan_method (const SppnetConv *conv, const SppnetShape *out)
{
  if (!conv->kernels)
    return SPPNET_METHOD_LAYER;
  if (conv->winograd
      && winograd_products (conv, SPPNET_METHOD_WINOGRAD, out) < direct_products (conv->layer, conv->channels, out))
    return SPPNET_METHOD_WINOGRAD;
  return SPPNET_METHOD_DIRECT;
}

/* The method of a layer, or Winograd with small tiles, whose weights are packed when a plan has it. */
static SppnetMethod
choose (const SppnetConv *conv, const SppnetShape *out)
{
  const SppnetMethod small = SPPNET_METHOD_WINOGRAD_SMALL;
  SppnetMethod method = sppnet_plan_method (conv, out);
  gboolean better;

  if (!conv->kernels || !conv->winograd || !conv->kernels->small_tiles)
    return method;
  if (method == SPPNET_METHOD_WINOGRAD)
    better = winograd_cost (conv, small, out) < winograd_cost (conv, method, out);
  else
    better = winograd_products (conv, small, out) < direct_products (conv->layer, conv->channels, out);
  return better ? small : method;
}

/* Rows of a Winograd step. Weights that are larger than a second-level cache are worth reading only for many tiles at a
 * time. */
static gint
winograd_rows (const SppnetConv *conv, SppnetMethod method, const SppnetShape *out)
{
  gint rows = sppnet_winograd_rows (kernels_of (conv, method)), per_row = (out->width + rows - 1) / rows;
  gsize row_bytes = sizeof (gfloat) * rows * out->width * conv->layer->filters;
  gint most = MAX ((gint) (MOST_BATCH_BYTES / row_bytes), 1);

  if (conv->channels * conv->layer->filters < LARGE_WEIGHTS)
    return rows;
  return rows * CLAMP ((BATCH_TILES + per_row - 1) / per_row, 1, most);
}

void
sppnet_backbone_plan_init (SppnetBackbonePlan *plan, const SppnetConfig *config, const SppnetWeights *weights,
                           const SppnetShape *shapes)
{
  gboolean joined = FALSE;

  plan->n_steps = 0;
  for (guint i = 0; i < config->n_layers;) {
    SppnetStep *step = &plan->steps[plan->n_steps++];

    *step = (SppnetStep) { .layer = i, .method = choose (&weights->conv[i], &shapes[i + 1]), .rows = 1 };
    if (i == 0 && weights->pixels.kernels)
      step->method = SPPNET_METHOD_PIXELS;
    step->pooled = step->method != SPPNET_METHOD_LAYER && is_pooled (config, i) && count_merges (config, i + 1) == 0;
    if (sppnet_method_is_winograd (step->method) && can_join (config, weights, i)) {
      step->pooled = joined = TRUE;
      step->joins = config->n_layers - 1;
    }
    if (joined && i == config->n_layers - 1)
      step->method = SPPNET_METHOD_ADD;
    if (sppnet_method_is_winograd (step->method)) {
      step->rows = winograd_rows (&weights->conv[i], step->method, &shapes[i + 1]) / (step->pooled ? 2 : 1);
      if (!step->joins && can_follow (config, weights, sppnet_step_output (step)))
        step->then = sppnet_step_output (step);
    }
    i = sppnet_step_output (step);
  }
}

gboolean
sppnet_method_is_winograd (SppnetMethod method)
{
  return method == SPPNET_METHOD_WINOGRAD || method == SPPNET_METHOD_WINOGRAD_SMALL;
}

guint
sppnet_step_output (const SppnetStep *step)
{
  return step->then ? step->then + 1 : step->layer + (step->pooled ? 2 : 1);
}

guint
sppnet_step_follower (const SppnetStep *step)
{
  return step->joins ? step->joins : step->then;
}

void
sppnet_step_input_rows (const SppnetStep *step, const SppnetConfig *config, gint y, gint *first, gint *end)
{
  const SppnetLayer *layer = &config->layers[step->layer];
  gint last_first, last_end;

  if (!step->pooled) {
    sppnet_layer_input_rows (layer, y, first, end);
    return;
  }
  sppnet_layer_input_rows (layer, 2 * y, first, &last_end);
  sppnet_layer_input_rows (layer, 2 * y + 1, &last_first, end);
}

static gdouble
shape_floats (const SppnetShape *shape)
{
  return (gdouble) shape->width * shape->height * shape->channels;
}

/* Adds the layer's own, but for its maps. products: as the method computes them */
static void
add_weighted (SppnetStepCost *cost, const SppnetLayer *layer, gint channels, gdouble planes, gdouble products,
              const SppnetShape *out)
{
  cost->products += products;
  cost->flop += 2.0 * direct_products (layer, channels, out);
  cost->bytes += sizeof (gfloat) * planes * channels * layer->filters;
}

void
sppnet_step_cost (const SppnetStep *step, const SppnetConfig *config, const SppnetWeights *weights,
                  const SppnetShape *shapes, SppnetStepCost *cost)
{
  const SppnetConv *packed = &weights->conv[step->layer];
  const SppnetLayer *layer = &config->layers[step->layer];
  const SppnetShape *in = &shapes[step->layer], *conv = &shapes[step->layer + 1];
  const SppnetShape *out = &shapes[sppnet_step_output (step)];
  gint channels = sppnet_config_stage_channels (config, sppnet_config_weighted_stage (config, step->layer));
  gdouble kernel = (gdouble) layer->kernel_width * layer->kernel_height;
  guint follower = sppnet_step_follower (step);

  *cost = (SppnetStepCost) { .bytes = sizeof (gfloat) * (shape_floats (in) + shape_floats (out)) };
  if (step->method == SPPNET_METHOD_PIXELS)
    cost->bytes -= (sizeof (gfloat) - sizeof (gint16)) * shape_floats (in);
  if (step->method == SPPNET_METHOD_ADD || !sppnet_layer_has_weights (layer))
    return;
  if (sppnet_method_is_winograd (step->method))
    add_weighted (cost, layer, channels, sppnet_winograd_planes (kernels_of (packed, step->method)),
                  winograd_cost (packed, step->method, conv), conv);
  else
    add_weighted (cost, layer, channels, kernel,
                  (step->method == SPPNET_METHOD_PIXELS ? PIXELS : 1.0) * direct_products (layer, channels, conv),
                  conv);
  if (layer->kind == SPPNET_LAYER_MERGE)
    cost->bytes += sizeof (gfloat) * shape_floats (&shapes[layer->from + 1]);
  if (follower) {
    const SppnetShape *at = step->joins ? conv : out;

    add_weighted (cost, &config->layers[follower], layer->filters, 1.0,
                  direct_products (&config->layers[follower], layer->filters, at), at);
  }
  if (step->joins)
    cost->bytes += sizeof (gfloat) * shape_floats (&shapes[step->joins + 1]);
}

#define CALIBRATE_PIXELS 96
#define CALIBRATE_CHANNELS 64

gdouble
sppnet_plan_calibrate (void)
{
  static gfloat in[CALIBRATE_PIXELS * CALIBRATE_CHANNELS], out[CALIBRATE_PIXELS * CALIBRATE_CHANNELS];
  static gfloat weight[CALIBRATE_CHANNELS * CALIBRATE_CHANNELS], bias[CALIBRATE_CHANNELS];
  SppnetLayer layer = {
    .kind = SPPNET_LAYER_CONV, .filters = CALIBRATE_CHANNELS, .kernel_width = 1, .kernel_height = 1, .stride = 1
  };
  SppnetRows from = { in, 0, 1, CALIBRATE_PIXELS, 1, CALIBRATE_CHANNELS };
  SppnetRows to = { out, 0, 1, CALIBRATE_PIXELS, 1, CALIBRATE_CHANNELS };
  SppnetConv conv = { sppnet_conv_kernels (), &layer, CALIBRATE_CHANNELS, weight, NULL, bias };
  gint64 best = G_MAXINT64;

  for (gint round = 0; round < 20; round++) {
    gint64 start = g_get_monotonic_time ();

    for (gint i = 0; i < 32; i++)
      if (sppnet_cpu_isa () == SPPNET_ISA_PLAIN)
        sppnet_layer_run (&layer, weight, bias, &from, &to, 0, 1, 1, NULL);
      else
        sppnet_conv_direct_run (&conv, &from, &to, 0, 1, FALSE, 1, NULL);
    best = MIN (best, g_get_monotonic_time () - start);
  }
  return 32e6 * direct_products (&layer, CALIBRATE_CHANNELS, &(SppnetShape) { CALIBRATE_PIXELS, 1, 0 })
         / (gdouble) MAX (best, 1);
}

const gchar *
sppnet_method_name (SppnetMethod method)
{
  static const gchar *const names[] = { "layer", "direct", "winograd", "winograd-4", "pixels", "add" };

  return names[method];
}
