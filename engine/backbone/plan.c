/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/plan.h"

#include "backbone/winograd.h"

/* Tiles to wait for where the weights (input channels times filters) are large, unless their output would be. */
#define BATCH_TILES 96
#define LARGE_WEIGHTS 4096
#define MOST_BATCH_BYTES (4u << 20)

static gboolean
is_merged (const SppnetConfig *config, guint stage)
{
  for (guint i = 0; i < config->n_layers; i++)
    if (config->layers[i].kind == SPPNET_LAYER_MERGE && config->layers[i].from + 1 == stage)
      return TRUE;
  return FALSE;
}

/* Whether the layer after a convolution is pooling that can be part of it. */
static gboolean
can_pool (const SppnetConfig *config, guint index)
{
  const SppnetLayer *pool = &config->layers[index + 1];

  return index + 1 < config->n_layers && pool->kind == SPPNET_LAYER_MAX_POOL && pool->kernel_width == 2
         && pool->kernel_height == 2 && pool->stride == 2 && pool->pad_x == 0 && pool->pad_y == 0
         && !is_merged (config, index + 1);
}

/* Cost of the tiles against that of the pixels, in products of one input value with one filter: 36 per tile, and the
 * transforms of input and output, which were measured to take as long as 5 and 8 products of each value. */
static gboolean
winograd_wins (const SppnetLayer *layer, gint channels, const SppnetShape *out)
{
  gdouble tiles = (gdouble) ((out->width + 3) / 4) * ((out->height + 3) / 4);
  gdouble pixels = (gdouble) out->width * out->height;

  return tiles * 36.0 * ((gdouble) channels * layer->filters + 5.0 * channels + 8.0 * layer->filters)
         < pixels * 9.0 * channels * layer->filters;
}

static SppnetMethod
choose (const SppnetConv *conv, const SppnetShape *out)
{
  if (!conv->kernels)
    return SPPNET_METHOD_LAYER;
  return conv->winograd && winograd_wins (conv->layer, conv->channels, out) ? SPPNET_METHOD_WINOGRAD
                                                                            : SPPNET_METHOD_DIRECT;
}

/* Rows of a Winograd step. Weights that are larger than a second-level cache are worth reading only for many tiles at a
 * time. */
static gint
winograd_rows (const SppnetLayer *layer, gint channels, const SppnetShape *out)
{
  gint per_row = (out->width + SPPNET_WINOGRAD_ROWS - 1) / SPPNET_WINOGRAD_ROWS;
  gsize row_bytes = sizeof (gfloat) * SPPNET_WINOGRAD_ROWS * out->width * layer->filters;
  gint most = MAX ((gint) (MOST_BATCH_BYTES / row_bytes), 1);

  if (channels * layer->filters < LARGE_WEIGHTS)
    return SPPNET_WINOGRAD_ROWS;
  return SPPNET_WINOGRAD_ROWS * CLAMP ((BATCH_TILES + per_row - 1) / per_row, 1, most);
}

void
sppnet_backbone_plan_init (SppnetBackbonePlan *plan, const SppnetConfig *config, const SppnetWeights *weights,
                           const SppnetShape *shapes)
{
  plan->n_steps = 0;
  for (guint i = 0; i < config->n_layers;) {
    SppnetStep *step = &plan->steps[plan->n_steps++];

    *step = (SppnetStep) { .layer = i, .method = choose (&weights->conv[i], &shapes[i + 1]), .rows = 1 };
    step->pooled = step->method != SPPNET_METHOD_LAYER && can_pool (config, i);
    if (step->method == SPPNET_METHOD_WINOGRAD)
      step->rows
          = winograd_rows (&config->layers[i], weights->conv[i].channels, &shapes[i + 1]) / (step->pooled ? 2 : 1);
    i = sppnet_step_output (step);
  }
}

guint
sppnet_step_output (const SppnetStep *step)
{
  return step->layer + (step->pooled ? 2 : 1);
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

const gchar *
sppnet_method_name (SppnetMethod method)
{
  static const gchar *const names[] = { "layer", "direct", "winograd" };

  return names[method];
}
