/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/backbone.h"

#include <string.h>

#include "backbone/plan.h"
#include "backbone/winograd.h"
#include "base/threads.h"
#include "frame/frame.h"

/* A band's widest map is held to about this much, so that layers find their input in the cache. */
#define BAND_BYTES (1u << 20)

/* Rows are dropped by moving on in memory; they go back to its start when its end is near. So much more memory than is
 * ever needed at a time makes that rare. */
#define SLACK 2

/* The rows of a layer's input that are in memory; the maps below and above it move through in step. */
typedef struct
{
  SppnetRows rows; /* data: of the first row that is still needed */
  gint capacity;   /* rows that are needed at a time */
  gint room;       /* rows that the memory holds */
  gint done;       /* output rows computed so far */
  SppnetBuffer buffer;
} Stage;

struct _SppnetBackbone
{
  SppnetModel *model;
  const SppnetConfig *config;
  const SppnetWeights *weights;
  const SppnetConv *small[SPPNET_MAX_LAYERS]; /* of the steps with small tiles; NULL where no plan had one yet */
  SppnetBackbonePlan plan;
  Stage stages[SPPNET_MAX_LAYERS + 1];  /* stage n_layers is the map */
  gint frame_width, frame_height, band; /* what the stages are planned for */
  gint fixed_band;                      /* 0: by BAND_BYTES */
  guint threads;
  SppnetBuffer scratch; /* [threads][scratch_size] floats */
  SppnetBuffer rgb;     /* [threads][width][3] bytes */
  SppnetBuffer beside;  /* a row above or below the frame, where the first step reads pixels */
};

SppnetBackbone *
sppnet_backbone_new (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  const SppnetWeights *weights = sppnet_weights_get (model, precision, error);
  SppnetBackbone *backbone;

  if (!weights)
    return NULL;
  backbone = g_new0 (SppnetBackbone, 1);
  backbone->model = sppnet_model_ref (model);
  backbone->config = sppnet_model_get_config (model);
  backbone->weights = weights;
  return backbone;
}

void
sppnet_backbone_free (SppnetBackbone *backbone)
{
  if (!backbone)
    return;
  for (guint i = 0; i <= backbone->config->n_layers; i++)
    sppnet_buffer_clear (&backbone->stages[i].buffer);
  sppnet_buffer_clear (&backbone->scratch);
  sppnet_buffer_clear (&backbone->rgb);
  sppnet_buffer_clear (&backbone->beside);
  sppnet_model_unref (backbone->model);
  g_free (backbone);
}

/* What a merge adds to its input; NULL for other layers. */
static Stage *
fine_stage (SppnetBackbone *backbone, guint index)
{
  const SppnetLayer *layer = &backbone->config->layers[index];

  return layer->kind == SPPNET_LAYER_MERGE ? &backbone->stages[layer->from + 1] : NULL;
}

/* How many output rows of a step can be computed from the input rows there are. */
static gint
rows_ready (SppnetBackbone *backbone, const SppnetStep *step)
{
  const Stage *in = &backbone->stages[step->layer], *fine = fine_stage (backbone, step->layer);
  gint out_height = backbone->stages[sppnet_step_output (step)].rows.height;
  gint ready = in->rows.end == in->rows.height ? out_height : in->done;

  while (ready < out_height) {
    gint first, end;

    sppnet_step_input_rows (step, backbone->config, ready, &first, &end);
    if (end > in->rows.end)
      break;
    ready++;
  }
  if (step->method == SPPNET_METHOD_ADD)
    fine = &backbone->stages[sppnet_step_output (step)];
  if (fine)
    ready = MIN (ready, fine->rows.end);
  /* The map before pooling may have one row more than the pooled rows are made of, which is computed with the last. */
  if (step->joins && in->rows.end < in->rows.height)
    ready = MIN (ready, out_height - 1);
  /* Tiles reach further than the rows that their output needs: the last ones wait for all of the input, too. */
  return in->rows.end < in->rows.height ? ready - ready % step->rows : ready;
}

/* Drops the rows of a step's input that no later output row of it, or of a merge, needs. Without data, only the
 * numbers move (planning). */
static void
drop_rows (SppnetBackbone *backbone, const SppnetStep *step)
{
  Stage *stage = &backbone->stages[step->layer];
  gint first, end, drop;

  sppnet_step_input_rows (step, backbone->config, stage->done, &first, &end);
  for (guint i = step->layer; i < backbone->config->n_layers; i++)
    if (fine_stage (backbone, i) == stage)
      first = MIN (first, backbone->stages[i].done);
  drop = CLAMP (first, stage->rows.first, stage->rows.end) - stage->rows.first;
  if (stage->rows.data)
    stage->rows.data += (gsize) drop * stage->rows.width * stage->rows.channels;
  stage->rows.first += drop;
}

/* Makes room for rows up to end, which are then part of the stage. */
static void
extend_rows (Stage *stage, gint end)
{
  gsize row = (gsize) stage->rows.width * stage->rows.channels;
  gfloat *start = stage->buffer.data;

  if (stage->rows.first == stage->rows.end) {
    stage->rows.data = start;
  } else if ((gsize) (stage->rows.data - start) + (gsize) (end - stage->rows.first) * row > stage->room * row) {
    memmove (start, stage->rows.data, sizeof *start * row * (stage->rows.end - stage->rows.first));
    stage->rows.data = start;
  }
  stage->rows.end = end;
}

static void
stages_rewind (SppnetBackbone *backbone, gboolean plan)
{
  for (guint i = 0; i <= backbone->config->n_layers; i++) {
    Stage *stage = &backbone->stages[i];

    stage->rows.first = stage->rows.end = 0;
    stage->rows.data = plan ? NULL : stage->buffer.data;
    stage->done = 0;
  }
}

static const SppnetConv *
step_conv (const SppnetBackbone *backbone, const SppnetStep *step)
{
  return step->method == SPPNET_METHOD_WINOGRAD_SMALL ? backbone->small[step->layer]
                                                      : &backbone->weights->conv[step->layer];
}

static SppnetWinogradAfter
winograd_after (const SppnetBackbone *backbone, const SppnetStep *step)
{
  guint then = sppnet_step_follower (step);

  return (SppnetWinogradAfter) { step->pooled, then ? &backbone->weights->conv[then] : NULL,
                                 step->joins ? &backbone->stages[step->joins + 1].rows : NULL };
}

static void
run_step (SppnetBackbone *backbone, const SppnetStep *step, gint y0, gint y1)
{
  const SppnetLayer *layer = &backbone->config->layers[step->layer];
  const SppnetConv *conv = step_conv (backbone, step);
  const SppnetRows *in = &backbone->stages[step->layer].rows;
  const SppnetRows *out = &backbone->stages[sppnet_step_output (step)].rows;
  Stage *fine = fine_stage (backbone, step->layer);
  SppnetWinogradAfter after = winograd_after (backbone, step);
  guint threads = backbone->threads;

  if (step->method == SPPNET_METHOD_PIXELS)
    sppnet_pixels_run (&backbone->weights->pixels, in, backbone->beside.data, backbone->frame_width, out, y0, y1,
                       step->pooled, threads);
  else if (step->method == SPPNET_METHOD_ADD)
    sppnet_merge_add_run (layer, in, out, y0, y1, threads);
  else if (fine && step->method == SPPNET_METHOD_DIRECT)
    sppnet_merge_direct_run (conv, in, &fine->rows, out, y0, y1, threads);
  else if (sppnet_method_is_winograd (step->method))
    sppnet_winograd_run (conv, &after, in, out, y0, y1, threads, backbone->scratch.data);
  else if (step->method == SPPNET_METHOD_DIRECT)
    sppnet_conv_direct_run (conv, in, out, y0, y1, step->pooled, threads, backbone->scratch.data);
  else if (fine)
    sppnet_merge_run (layer, conv->weight, conv->bias, in, &fine->rows, out, y0, y1, threads);
  else
    sppnet_layer_run (layer, conv->weight, conv->bias, in, out, y0, y1, threads, backbone->scratch.data);
}

/* Makes the rows up to end part of the stage, when planning without data. */
static void
add_rows (Stage *stage, gint end, gboolean plan)
{
  if (!plan) {
    extend_rows (stage, end);
    return;
  }
  stage->rows.end = end;
  stage->capacity = MAX (stage->capacity, stage->rows.end - stage->rows.first);
}

/* Rows of the map before pooling that are computed with so many pooled rows. */
static gint
rows_joined (const SppnetBackbone *backbone, const SppnetStep *step, gint pooled)
{
  gint height = backbone->stages[step->layer + 1].rows.height;

  return pooled == backbone->stages[sppnet_step_output (step)].rows.height ? height : 2 * pooled;
}

/* One band through all steps, after stage 0 has received its rows. */
static void
run_band (SppnetBackbone *backbone, gboolean plan)
{
  const SppnetBackbonePlan *steps = &backbone->plan;

  for (guint i = 0; i < steps->n_steps; i++) {
    const SppnetStep *step = &steps->steps[i];
    Stage *in = &backbone->stages[step->layer], *out = &backbone->stages[sppnet_step_output (step)];
    gint ready = rows_ready (backbone, step);

    if (ready <= in->done)
      continue;
    if (step->method != SPPNET_METHOD_ADD)
      add_rows (out, ready, plan);
    if (step->joins)
      add_rows (&backbone->stages[step->joins + 1], rows_joined (backbone, step, ready), plan);
    if (!plan)
      run_step (backbone, step, in->done, ready);
    in->done = ready;
  }
  for (guint i = 0; i < steps->n_steps; i++)
    drop_rows (backbone, &steps->steps[i]);
}

static gboolean
reads_pixels (const SppnetBackbone *backbone)
{
  return backbone->plan.n_steps > 0 && backbone->plan.steps[0].method == SPPNET_METHOD_PIXELS;
}

/* Sizes of all maps, and how they are made; UNSUPPORTED where a layer has no output. */
static gboolean
measure_stages (SppnetBackbone *backbone, gint width, gint height, gsize *row_bytes, GError **error)
{
  const SppnetConfig *config = backbone->config;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  guint n = sppnet_config_shapes (config, width, height, shapes);

  if (n < config->n_layers) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "a frame of %dx%d is too small for layer %s of model %s: its input would be %dx%d", width, height,
                 config->layers[n].name, sppnet_model_get_name (backbone->model), shapes[n].width, shapes[n].height);
    return FALSE;
  }
  for (guint i = 0; i <= n; i++) {
    const SppnetShape *shape = &shapes[i];
    Stage *stage = &backbone->stages[i];

    stage->rows.width = shape->width;
    stage->rows.height = shape->height;
    stage->rows.channels = shape->channels;
    stage->capacity = 0;
  }
  sppnet_backbone_plan_init (&backbone->plan, config, backbone->weights, shapes);
  if (reads_pixels (backbone)) {
    backbone->stages[0].rows.width = sppnet_pixels_row_floats (&backbone->weights->pixels, width);
    backbone->stages[0].rows.channels = 1;
  }
  *row_bytes = sizeof (gfloat) * 3 * width;
  for (guint i = 0; i < backbone->plan.n_steps; i++) {
    const SppnetStep *step = &backbone->plan.steps[i];
    const SppnetShape *shape = &shapes[sppnet_step_output (step)];
    const SppnetConv **small = &backbone->small[step->layer];

    if (step->method == SPPNET_METHOD_WINOGRAD_SMALL && !*small
        && !(*small = sppnet_weights_get_small (backbone->model, step->layer, error)))
      return FALSE;

    /* Bytes of this map for one row of the frame. */
    *row_bytes = MAX (*row_bytes, sizeof (gfloat) * shape->width * shape->channels * shape->height / height);
  }
  return TRUE;
}

/* Runs the bands without data to learn how many rows each stage ever holds. */
static void
plan_bands (SppnetBackbone *backbone)
{
  Stage *input = &backbone->stages[0];

  stages_rewind (backbone, TRUE);
  while (input->rows.end < input->rows.height) {
    input->rows.end = MIN (input->rows.end + backbone->band, input->rows.height);
    input->capacity = MAX (input->capacity, input->rows.end - input->rows.first);
    run_band (backbone, TRUE);
  }
}

static gsize
step_scratch (const SppnetBackbone *backbone, const SppnetStep *step)
{
  const SppnetConv *conv = step_conv (backbone, step);
  SppnetWinogradAfter after = winograd_after (backbone, step);

  if (step->method == SPPNET_METHOD_PIXELS || step->method == SPPNET_METHOD_ADD)
    return 0;
  if (sppnet_method_is_winograd (step->method))
    return sppnet_winograd_scratch (conv, &after);
  if (step->method == SPPNET_METHOD_DIRECT)
    return sppnet_conv_direct_scratch (conv->kernels, conv->layer, conv->channels, step->pooled);
  return sppnet_layer_scratch (&backbone->config->layers[step->layer], backbone->stages[step->layer].rows.channels);
}

static gboolean
reserve_beside (SppnetBackbone *backbone, GError **error)
{
  gint width = backbone->frame_width;

  if (!reads_pixels (backbone))
    return TRUE;
  if (!sppnet_buffer_reserve (&backbone->beside, (gsize) backbone->stages[0].rows.width, sizeof (gfloat), error))
    return FALSE;
  sppnet_pixels_read_row (&backbone->weights->pixels, NULL, 0, width, NULL, backbone->beside.data);
  return TRUE;
}

static gboolean
reserve (SppnetBackbone *backbone, GError **error)
{
  gsize scratch = 0;

  for (guint i = 0; i < backbone->plan.n_steps; i++)
    scratch = MAX (scratch, step_scratch (backbone, &backbone->plan.steps[i]));
  /* The maps that are part of a step have no rows. */
  for (guint i = 0; i <= backbone->config->n_layers; i++) {
    Stage *stage = &backbone->stages[i];

    stage->room = MIN (SLACK * stage->capacity, stage->rows.height);
    if (!sppnet_buffer_reserve (&stage->buffer, (gsize) stage->room * stage->rows.width,
                                sizeof (gfloat) * stage->rows.channels, error))
      return FALSE;
  }
  return reserve_beside (backbone, error)
         && sppnet_buffer_reserve (&backbone->scratch, scratch * backbone->threads, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&backbone->rgb, (gsize) backbone->frame_width * 3, backbone->threads, error);
}

static gboolean
prepare (SppnetBackbone *backbone, const SppnetFrame *frame, guint threads, GError **error)
{
  gsize row_bytes;

  if (backbone->frame_width == frame->width && backbone->frame_height == frame->height && backbone->threads == threads)
    return TRUE;
  backbone->frame_width = 0;
  if (!measure_stages (backbone, frame->width, frame->height, &row_bytes, error))
    return FALSE;
  backbone->band = CLAMP ((gint) (BAND_BYTES / MAX (row_bytes, 1)), 16, SPPNET_FRAME_MAX_SIZE);
  if (backbone->fixed_band > 0)
    backbone->band = backbone->fixed_band;
  backbone->threads = threads;
  plan_bands (backbone);
  backbone->frame_width = frame->width;
  if (!reserve (backbone, error)) {
    backbone->frame_width = 0;
    return FALSE;
  }
  backbone->frame_height = frame->height;
  return TRUE;
}

void
sppnet_backbone_set_band (SppnetBackbone *backbone, gint rows)
{
  backbone->fixed_band = rows;
  backbone->frame_width = 0;
}

/* Appends frame rows to the network's input. */
static void
read_rows (SppnetBackbone *backbone, const SppnetFrame *frame)
{
  const SppnetConfig *config = backbone->config;
  SppnetRows *rows = &backbone->stages[0].rows;
  gint first = rows->end, end = MIN (first + backbone->band, rows->height);

  extend_rows (&backbone->stages[0], end);
#pragma omp parallel for num_threads(backbone->threads) schedule(static)
  for (gint y = first; y < end; y++) {
    guint8 *rgb = (guint8 *) backbone->rgb.data + (gsize) sppnet_thread_index () * frame->width * 3;
    gfloat *row = sppnet_rows_at (rows, y);

    if (reads_pixels (backbone)) {
      sppnet_pixels_read_row (&backbone->weights->pixels, frame, y, frame->width, rgb, row);
    } else {
      sppnet_frame_read_rgb (frame, y, 1, rgb);
      sppnet_frame_normalize (rgb, frame->width, config->input_bgr, config->input_mean, config->input_scale, row);
    }
  }
}

gboolean
sppnet_backbone_run (SppnetBackbone *backbone, const SppnetFrame *frame, guint threads, SppnetMap *map,
                     gdouble *frame_ms, GError **error)
{
  Stage *input = &backbone->stages[0], *output = &backbone->stages[backbone->config->n_layers];
  gint64 read_us = 0;

  if (!sppnet_frame_check (frame, error) || !prepare (backbone, frame, threads, error))
    return FALSE;

  stages_rewind (backbone, FALSE);
  sppnet_blas_begin ();
  while (input->rows.end < input->rows.height) {
    gint64 start = g_get_monotonic_time ();

    read_rows (backbone, frame);
    read_us += g_get_monotonic_time () - start;
    run_band (backbone, FALSE);
  }
  sppnet_blas_end ();

  map->data = output->rows.data;
  map->width = output->rows.width;
  map->height = output->rows.height;
  map->channels = output->rows.channels;
  map->geometry = sppnet_config_geometry (backbone->config);
  if (frame_ms)
    *frame_ms = (gdouble) read_us / 1000.0;
  return TRUE;
}
