/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/rpn.h"

#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/threads.h"
#include "train/anchors.h"
#include "train/checkpoint.h"
#include "train/descent.h"
#include "train/rpn_pass.h"
#include "train/schedule.h"

/* Pixels between cells: as many as the authors' networks have. A finer map is seen in steps of two cells. */
#define CELL 16
#define EPOCHS 12.0
/* Few pictures are seen more often: what training takes is steps. */
#define LEAST_STEPS 600

/* One picture of a step: matched, run and differentiated by one thread. */
typedef struct
{
  SppnetRpnPass *pass;
  SppnetRpnTargets targets;
  gfloat *map;
  gsize map_floats;
  GArray *boxes;    /* (element-type SppnetBox) */
  gfloat *gradient; /* [n_params], of the descent */
  SppnetRpnLoss loss;
  GError *error;
} Slot;

typedef struct
{
  SppnetNetwork *network;
  SppnetVariants *variants;
  const SppnetRpnSettings *settings;
  SppnetDescent descent;
  SppnetShuffle shuffle;
  Slot *slots;                       /* [pictures] */
  gdouble objectness, box, accuracy; /* moving means, for the progress line */
  SppnetProgress progress;
  gpointer user_data;
} Run;

void
sppnet_rpn_defaults (SppnetRpnSettings *settings)
{
  *settings = (SppnetRpnSettings) {
    .seed = 1,
    .epochs = -1,
    .pictures = 4,
    .warm_up = 100,
    .samples = 256,
    .variants = 3,
    .n_anchors = 16,
    .filters = 128,
    .optimizer = { .kind = SPPNET_OPTIMIZER_ADAMW,
                   .learning_rate = 1e-3,
                   .momentum = 0.9,
                   .second_moment = 0.999,
                   .weight_decay = 0.01,
                   .clip = 10.0 },
    .checkpoint_seconds = 120,
  };
}

gdouble
sppnet_rpn_epochs (const SppnetRpnSettings *settings, guint pictures)
{
  return sppnet_schedule_epochs (settings->epochs, EPOCHS, LEAST_STEPS, settings->pictures, pictures);
}

/* Width and height of the objects that are trained, at each scale. (transfer full) */
static GArray *
collect_sizes (const SppnetDataset *dataset, const gdouble *scales, guint n_scales)
{
  GArray *sizes = g_array_new (FALSE, FALSE, 2 * sizeof (gfloat));

  for (guint i = 0; i < dataset->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);

    for (guint k = 0; k < annotation->objects->len; k++) {
      const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);

      for (guint s = 0; s < n_scales; s++) {
        gfloat scale = (gfloat) scales[s];
        gfloat size[2] = { MAX (1.0f, scale * object->box.width), MAX (1.0f, scale * object->box.height) };

        if (!object->difficult && g_array_index (dataset->objects[i], gint, k) >= 0)
          g_array_append_val (sizes, size);
      }
    }
  }
  return sizes;
}

void
sppnet_rpn_configure (SppnetConfig *config, const SppnetDataset *dataset, const SppnetRpnSettings *settings,
                      const gdouble *scales, guint n_scales)
{
  g_autoptr (GArray) sizes = collect_sizes (dataset, scales, n_scales);
  SppnetRandom random = { settings->seed };
  SppnetConfig defaults;

  sppnet_config_init (&defaults);
  config->rpn = defaults.rpn;
  config->rpn.filters = (gint) settings->filters;
  config->rpn.stride = settings->stride > 0                                 ? (gint) settings->stride
                       : 2 * sppnet_config_geometry (config).stride <= CELL ? 2
                                                                            : 1;
  config->rpn.activation = SPPNET_ACTIVATION_RELU;
  /* On a finer grid, more of the best anchors lie on one object. */
  config->rpn.candidates *= (guint) MAX (CELL / (sppnet_config_geometry (config).stride * config->rpn.stride), 1);
  config->rpn.n_anchors = sppnet_anchors_fit ((const gfloat (*)[2]) (gpointer) sizes->data, sizes->len,
                                              settings->n_anchors, &random, config->rpn.anchors);
  config->proposals = SPPNET_PROPOSALS_RPN;
  config->max_proposals = config->rpn.boxes;
}

static gchar *
run_key (const Run *run, const SppnetDataset *dataset, SppnetModel *maps)
{
  const SppnetRpnSettings *s = run->settings;
  const SppnetOptimizerSettings *o = &s->optimizer;
  g_autofree gchar *data = sppnet_dataset_key (dataset);
  g_autofree gchar *config = sppnet_network_describe (run->network);
  g_autofree gchar *weights = sppnet_model_fingerprint (maps);
  g_autofree gchar *text
      = g_strdup_printf ("rpn %s %s %s %u %.9g %u %u %u %u | %d %.9g %.9g %.9g %.9g %.9g", data, config, weights,
                         s->seed, s->epochs, s->pictures, s->warm_up, s->samples, s->variants, o->kind,
                         o->learning_rate, o->momentum, o->second_moment, o->weight_decay, o->clip);

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

static void
run_slot (Run *run, Slot *slot, guint picture, guint64 place)
{
  const SppnetConfig *config = &run->network->config;
  SppnetRandom random = sppnet_schedule_random (run->settings->seed, place);
  guint variant = sppnet_random_below (&random, run->settings->variants);
  SppnetRpnObjects objects = sppnet_variants_objects (run->variants, picture, variant, slot->boxes);
  SppnetAnchorGrid grid;
  SppnetMap map;

  memset (slot->gradient, 0, sizeof (gfloat) * run->network->n_params);
  if (!sppnet_variants_get (run->variants, picture, variant, &map, &slot->map, &slot->map_floats, &slot->error))
    return;
  grid = sppnet_anchor_grid (config, &map);
  if (sppnet_rpn_targets_draw (&slot->targets, &grid, &config->rpn, &objects, run->settings->samples, &random,
                               &slot->error))
    sppnet_rpn_pass_run (slot->pass, run->network, &map, &slot->targets, 1.0f / (gfloat) run->settings->pictures,
                         slot->gradient, NULL, &slot->loss, &slot->error);
}

static gboolean
compute (gpointer user_data, guint step, GError **error)
{
  Run *run = user_data;
  guint pictures = run->settings->pictures, threads = MIN (run->settings->threads, pictures);
  gdouble keep = step < 100 ? 1.0 - 1.0 / (step + 1.0) : 0.99;
  g_autofree guint *picture = g_new (guint, pictures);

  for (guint k = 0; k < pictures; k++)
    picture[k] = sppnet_shuffle_at (&run->shuffle, (guint64) step * pictures + k);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint k = 0; k < pictures; k++)
    run_slot (run, &run->slots[k], picture[k], (guint64) step * pictures + k);
  for (guint k = 0; k < pictures; k++) {
    Slot *slot = &run->slots[k];
    gdouble right = (gdouble) slot->loss.correct / (gdouble) MAX (slot->targets.n, 1);

    if (slot->error) {
      g_propagate_error (error, g_steal_pointer (&slot->error));
      return FALSE;
    }
    run->objectness += (1.0 - keep) * (slot->loss.objectness - run->objectness);
    run->box += (1.0 - keep) * (slot->loss.box - run->box);
    run->accuracy += (1.0 - keep) * (right - run->accuracy);
  }
  return TRUE;
}

/* Mean square of the first maps. */
static gboolean
measure_maps (Run *run, gdouble *mean, GError **error)
{
  Slot *slot = &run->slots[0];
  gdouble square = 0.0, count = 0.0;

  for (guint k = 0; k < MIN (8, run->shuffle.n); k++) {
    SppnetMap map;
    gsize n;

    if (!sppnet_variants_get (run->variants, sppnet_shuffle_at (&run->shuffle, k), 0, &map, &slot->map,
                              &slot->map_floats, error))
      return FALSE;
    n = (gsize) map.width * (gsize) map.height * (gsize) map.channels;
    for (gsize i = 0; i < n; i++)
      square += (gdouble) map.data[i] * map.data[i];
    count += (gdouble) n;
  }
  *mean = square / MAX (count, 1.0);
  return TRUE;
}

static gboolean
allocate (Run *run, GError **error)
{
  if (!sppnet_descent_init (&run->descent, error))
    return FALSE;
  run->slots = g_new0 (Slot, run->settings->pictures);
  for (guint k = 0; k < run->settings->pictures; k++) {
    run->slots[k].pass = sppnet_rpn_pass_new ();
    run->slots[k].boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
    run->slots[k].gradient = run->descent.gradients[k];
  }
  return TRUE;
}

static void
release (Run *run)
{
  for (guint k = 0; run->slots && k < run->settings->pictures; k++) {
    sppnet_rpn_pass_free (run->slots[k].pass);
    sppnet_rpn_targets_clear (&run->slots[k].targets);
    g_array_unref (run->slots[k].boxes);
    sppnet_aligned_free (run->slots[k].map);
    g_clear_error (&run->slots[k].error);
  }
  g_free (run->slots);
  sppnet_shuffle_clear (&run->shuffle);
  sppnet_descent_clear (&run->descent);
  sppnet_variants_free (run->variants);
}

static gboolean
report (gpointer user_data, guint done)
{
  const Run *run = user_data;
  g_autofree gchar *message = NULL;

  if (!run->progress)
    return TRUE;
  message = g_strdup_printf ("step %u of %u, loss %.3f + %.3f, %.1f %% right", done, run->descent.n_steps,
                             run->objectness, run->box, 100.0 * run->accuracy);
  return run->progress (run->user_data, "region proposal network", (gdouble) done / run->descent.n_steps, message);
}

gboolean
sppnet_rpn_train (SppnetNetwork *network, SppnetModel *model, const SppnetDataset *dataset,
                  const SppnetRpnSettings *settings, const gchar *work, SppnetProgress progress, gpointer user_data,
                  GError **error)
{
  g_autofree gchar *maps = g_build_filename (work, "variants.cache", NULL);
  g_autofree gchar *checkpoint = g_build_filename (work, "rpn.checkpoint", NULL);
  guint n = dataset->annotations->len;
  const guint n_steps = sppnet_schedule_steps (sppnet_rpn_epochs (settings, n), settings->pictures, n);
  Run run = { .network = network,
              .settings = settings,
              .shuffle = { n, settings->seed },
              .progress = progress,
              .user_data = user_data };
  g_autofree gchar *key = run_key (&run, dataset, model);
  gdouble square = 0.0;
  gboolean ok;

  run.descent = (SppnetDescent) {
    .network = network,
    .optimizer = &settings->optimizer,
    .pictures = settings->pictures,
    .n_steps = n_steps,
    .warm_up = MIN (settings->warm_up, n_steps / 4),
    .threads = settings->threads,
    .checkpoint = checkpoint,
    .key = key,
    .checkpoint_seconds = settings->checkpoint_seconds,
    .compute = compute,
    .report = report,
    .user_data = &run,
  };
  ok = sppnet_checkpoint_check (checkpoint, key, error);
  run.variants = ok ? sppnet_variants_new (model, dataset, maps, error) : NULL;
  ok = run.variants
       && sppnet_variants_fill (run.variants, settings->variants, settings->threads, progress, user_data, error)
       && allocate (&run, error);
  /* In any case: after the first access, threads may share the cache. */
  ok = ok && measure_maps (&run, &square, error);
  if (ok) {
    /* He's initial weights expect inputs of mean square 1. */
    if (run.descent.done == 0)
      sppnet_network_scale_rpn (network, (gfloat) (1.0 / sqrt (MAX (square, 1e-12))));
    sppnet_blas_begin ();
    ok = sppnet_descent_run (&run.descent, error);
    sppnet_blas_end ();
  }
  release (&run);
  return ok;
}
