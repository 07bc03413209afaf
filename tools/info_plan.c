/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "info_plan.h"

#include <stdio.h>

#include "backbone/plan.h"
#include "base/threads.h"
#include "json.h"

/* Memory traffic of one thread that a step is expected to reach at least, bytes per second: steps without products are
 * bound by it. */
#define BANDWIDTH 8e9

typedef struct
{
  const SppnetStep *step;
  const SppnetShape *out;
  gchar name[2 * sizeof ((SppnetLayer *) NULL)->name + 16];
  SppnetStepCost cost;
  gdouble ms;
} Row;

static void
describe (Row *row, const SppnetConfig *config, const SppnetWeights *weights, const SppnetStep *step,
          const SppnetShape *shapes, gdouble speed, guint threads)
{
  guint follower = sppnet_step_follower (step);

  row->step = step;
  row->out = &shapes[sppnet_step_output (step)];
  g_snprintf (row->name, sizeof row->name, "%s%s%s%s", config->layers[step->layer].name, step->pooled ? " + pool" : "",
              follower ? " + " : "", follower ? config->layers[follower].name : "");
  sppnet_step_cost (step, config, weights, shapes, &row->cost);
  row->ms = 1e3 / threads * MAX (row->cost.products / speed, row->cost.bytes / BANDWIDTH);
}

static void
print_table (const Row *rows, guint n, guint threads)
{
  Row sum = { 0 };

  printf ("%u thread%s, %s\n", threads, threads == 1 ? "" : "s", sppnet_isa_name (sppnet_cpu_isa ()));
  printf ("  %-20s %-10s %-16s %10s %10s %10s\n", "layers", "method", "output", "GFLOP", "MB", "ms");
  for (guint i = 0; i < n; i++) {
    const Row *row = &rows[i];
    g_autofree gchar *size = g_strdup_printf ("%dx%dx%d", row->out->width, row->out->height, row->out->channels);

    printf ("  %-20s %-10s %-16s %10.3f %10.2f %10.2f\n", row->name, sppnet_method_name (row->step->method), size,
            row->cost.flop / 1e9, row->cost.bytes / 1e6, row->ms);
    sum.cost.flop += row->cost.flop;
    sum.cost.bytes += row->cost.bytes;
    sum.ms += row->ms;
  }
  printf ("  %-20s %-10s %-16s %10.3f %10.2f %10.2f\n", "", "", "", sum.cost.flop / 1e9, sum.cost.bytes / 1e6, sum.ms);
}

static void
print_json (const Row *rows, guint n, guint threads)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  sppnet_tool_json_integer (builder, "threads", threads);
  sppnet_tool_json_string (builder, "isa", sppnet_isa_name (sppnet_cpu_isa ()));
  json_builder_set_member_name (builder, "steps");
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++) {
    json_builder_begin_object (builder);
    sppnet_tool_json_string (builder, "layers", rows[i].name);
    sppnet_tool_json_string (builder, "method", sppnet_method_name (rows[i].step->method));
    sppnet_tool_json_integer (builder, "width", rows[i].out->width);
    sppnet_tool_json_integer (builder, "height", rows[i].out->height);
    sppnet_tool_json_integer (builder, "channels", rows[i].out->channels);
    sppnet_tool_json_number (builder, "gflop", rows[i].cost.flop / 1e9);
    sppnet_tool_json_number (builder, "bytes", rows[i].cost.bytes);
    sppnet_tool_json_number (builder, "ms", rows[i].ms);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

gboolean
sppnet_tool_info_plan (SppnetModel *model, gint width, gint height, gboolean json, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  const SppnetWeights *weights = sppnet_weights_get (model, SPPNET_PRECISION_FLOAT32, error);
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  g_autofree SppnetBackbonePlan *plan = g_new (SppnetBackbonePlan, 1);
  g_autofree Row *rows = g_new0 (Row, SPPNET_MAX_LAYERS);
  guint threads = sppnet_threads_budget (0), n;
  gdouble speed;

  if (!weights)
    return FALSE;
  n = sppnet_config_shapes (config, width, height, shapes);
  if (n < config->n_layers) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "a frame of %dx%d is too small for layer %s of model %s", width, height, config->layers[n].name,
                 sppnet_model_get_name (model));
    return FALSE;
  }
  sppnet_backbone_plan_init (plan, config, weights, shapes);
  sppnet_blas_begin ();
  speed = sppnet_plan_calibrate ();
  sppnet_blas_end ();
  for (guint i = 0; i < plan->n_steps; i++)
    describe (&rows[i], config, weights, &plan->steps[i], shapes, speed, threads);
  (json ? print_json : print_table) (rows, plan->n_steps, threads);
  return TRUE;
}
