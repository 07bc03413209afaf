/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/end_to_end.h"

#include <math.h>
#include <string.h>

#include "base/threads.h"
#include "region/rpn.h"
#include "train/checkpoint.h"
#include "train/descent.h"
#include "train/schedule.h"

#define EPOCHS 8.0
/* Mosaics and blends end when so much of the run is done: the last pictures are what the model will see. */
#define COMPOSED_PART 0.85
/* Of the region proposal network in training, per scene. */
#define RPN_BOXES 400

/* One picture of a step: drawn, run and differentiated by one thread. */
typedef struct
{
  SppnetSampler *sampler;
  SppnetPass *pass;
  SppnetRpn *rpn;       /* NULL: regions come from the data set's proposals */
  SppnetLesson *lesson; /* NULL: without teachers */
  gfloat *map;          /* of a variant */
  gsize map_floats;
  gfloat *gradient;                   /* [n_params], of the descent */
  SppnetBuffer probabilities, losses; /* of the candidates */
  SppnetLoss loss;
  GError *error;
} Slot;

typedef struct
{
  SppnetNetwork *network;
  const SppnetDataset *dataset;
  SppnetVariants *variants; /* (nullable) */
  SppnetPacks *packs;       /* NULL with variants: the convolution layers are not run */
  const SppnetEndToEndSettings *settings;
  SppnetDescent descent;
  Slot *slots;                           /* [pictures] */
  SppnetShuffle shuffle;                 /* of the pictures */
  gdouble classification, box, accuracy; /* moving means, for the progress line */
  gdouble objectness, anchor_box;        /* of the region proposal network */
  gint64 start;
  SppnetProgress progress;
  gpointer user_data;
} Run;

void
sppnet_end_to_end_defaults (SppnetEndToEndSettings *settings)
{
  *settings = (SppnetEndToEndSettings) {
    .init_key = "",
    .seed = 1,
    .epochs = -1,
    .least_steps = 400,
    .pictures = 2,
    .warm_up = 200,
    .teachers_part = 0.5,
    .sampler = { .regions = 64,
                 .positive_fraction = 0.25,
                 .easy_fraction = 0.25,
                 .jitter = 0,
                 .min_scale = 0.5,
                 .max_scale = 1.25,
                 .variation = { .flip = TRUE, .aspect = 1.0 },
                 .anchors = 256,
                 .colour = 0.2 },
    .optimizer = { .kind = SPPNET_OPTIMIZER_ADAMW,
                   .learning_rate = 3e-4,
                   .backbone_learning_rate = 1e-4,
                   .momentum = 0.9,
                   .second_moment = 0.999,
                   .weight_decay = 0.01,
                   .clip = 10.0 },
    .checkpoint_seconds = 120,
  };
}

void
sppnet_heads_only_defaults (SppnetEndToEndSettings *settings)
{
  sppnet_end_to_end_defaults (settings);
  settings->least_steps = 1400;
  settings->sampler.regions = 128;
  settings->optimizer.learning_rate = 1e-3;
}

gdouble
sppnet_end_to_end_epochs (const SppnetEndToEndSettings *settings, const SppnetDataset *dataset)
{
  /* Few pictures are seen more often: what training takes is steps, of two pictures. */
  return sppnet_schedule_epochs (settings->epochs, EPOCHS, settings->least_steps, 2, dataset->annotations->len);
}

guint
sppnet_end_to_end_steps (const SppnetEndToEndSettings *settings, const SppnetDataset *dataset)
{
  return sppnet_schedule_steps (sppnet_end_to_end_epochs (settings, dataset), settings->pictures,
                                dataset->annotations->len);
}

/* fixed: on feature maps of variants, which stay as they are */
static gchar *
make_key (const SppnetNetwork *network, const SppnetDataset *dataset, gboolean fixed, const SppnetEndToEndSettings *s)
{
  const SppnetSamplerSettings *p = &s->sampler;
  const SppnetOptimizerSettings *o = &s->optimizer;
  g_autofree gchar *data = sppnet_dataset_key (dataset);
  g_autofree gchar *config = sppnet_network_describe (network);
  g_autofree gchar *regions = g_strdup_printf ("%u %u %.9g %.9g %u %u", p->regions, p->candidates, p->positive_fraction,
                                               p->easy_fraction, p->jitter, p->anchors);
  g_autofree gchar *scenes
      = fixed ? g_strdup ("variants")
              : g_strdup_printf ("%.9g %.9g %.9g %d %.9g %.9g %.9g", p->min_scale, p->max_scale, p->mosaic,
                                 p->variation.flip, p->variation.aspect, p->erase, p->colour);
  g_autofree gchar *blend = p->blend > 0.0 && !fixed ? g_strdup_printf (" | %.9g", p->blend) : g_strdup ("");
  const gchar *iou_aware = p->iou_aware ? " | iou" : "";
  g_autofree gchar *teachers = s->teachers
                                   ? g_strdup_printf (" | %s%.9g", sppnet_teachers_key (s->teachers), s->teachers_part)
                                   : g_strdup ("");
  g_autofree gchar *optimizer
      = g_strdup_printf ("%d %.9g %.9g %.9g %.9g %.9g %.9g %.9g", o->kind, o->learning_rate, o->backbone_learning_rate,
                         o->momentum, o->second_moment, o->weight_decay, o->clip, o->average);
  g_autofree gchar *text
      = g_strdup_printf ("%s %s %s %u %.9g %u %u | %s | %s | %s | %d %u %d %d%s%s%s", data, config, s->init_key,
                         s->seed, s->epochs, s->pictures, s->warm_up, regions, scenes, optimizer, s->outputs_only,
                         s->first_label, s->new_head, s->new_rpn, teachers, blend, iou_aware);

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

gboolean
sppnet_end_to_end_check (const SppnetNetwork *network, const SppnetDataset *dataset, gboolean fixed,
                         const SppnetEndToEndSettings *settings, const gchar *checkpoint, GError **error)
{
  g_autofree gchar *key = make_key (network, dataset, fixed, settings);

  return sppnet_checkpoint_check (checkpoint, key, error);
}

static SppnetSceneDraw
draw_at (const Run *run, guint step)
{
  const SppnetSamplerSettings *sampler = &run->settings->sampler;
  SppnetRandom random = sppnet_schedule_random (run->settings->seed, ((guint64) 1 << 63) + step);
  gboolean composed = step < COMPOSED_PART * run->descent.n_steps;
  SppnetSceneDraw draw;

  draw.scale = sampler->min_scale * pow (sampler->max_scale / sampler->min_scale, sppnet_random_uniform (&random));
  draw.mosaic = composed && sppnet_random_uniform (&random) < sampler->mosaic;
  draw.blend = composed ? sampler->blend : 0.0;
  return draw;
}

/* Another variant of the picture each time, regions as always; forward and back through the head. */
static gboolean
run_variant (Run *run, Slot *slot, guint picture, SppnetRandom *random)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (run->dataset->annotations, picture);
  guint variant = sppnet_random_below (random, SPPNET_VARIANTS);
  gint width, height;
  SppnetMap map;

  sppnet_variants_size (annotation, variant, &width, &height);
  sppnet_scene_set (&slot->sampler->scene, run->dataset, picture, width, height, sppnet_variants_mirrored (variant));
  if (!sppnet_sampler_draw_regions (slot->sampler, NULL, 0, &run->network->config, &run->settings->sampler, random,
                                    &slot->error))
    return FALSE;
  if (slot->sampler->samples.n == 0)
    return TRUE;
  return sppnet_variants_get (run->variants, picture, variant, &map, &slot->map, &slot->map_floats, &slot->error)
         && sppnet_pass_run_head (slot->pass, run->network, &map, &slot->sampler->samples, random,
                                  1.0f / (gfloat) run->settings->pictures, run->settings->outputs_only, slot->gradient,
                                  &slot->loss, &slot->error);
}

static gboolean
draw_regions (Run *run, Slot *slot, const SppnetMap *map, SppnetRandom *random)
{
  const SppnetScene *scene = &slot->sampler->scene;
  const SppnetBox *boxes = NULL;
  gsize n = 0;

  return (!slot->rpn
          || sppnet_rpn_run (slot->rpn, map, scene->width, scene->height, RPN_BOXES, 0.0f, 1, &boxes, NULL, &n,
                             &slot->error))
         && sppnet_sampler_draw_regions (slot->sampler, boxes, n, &run->network->config, &run->settings->sampler,
                                         random, &slot->error);
}

/* What the network is worst at, of the candidates that were drawn. */
static gboolean
keep_hardest (const Run *run, Slot *slot)
{
  const SppnetSamplerSettings *settings = &run->settings->sampler;
  const SppnetSamples *samples = &slot->sampler->samples;
  gint classes = run->network->classifier.out;
  gfloat *probabilities, *losses;

  if (settings->candidates <= settings->regions || samples->n == 0)
    return TRUE;
  probabilities = sppnet_buffer_reserve (&slot->probabilities, samples->n, sizeof (gfloat) * classes, &slot->error);
  losses = sppnet_buffer_reserve (&slot->losses, samples->n, sizeof (gfloat), &slot->error);
  if (!probabilities || !losses
      || !sppnet_pass_score (slot->pass, run->network, samples->boxes, samples->n, probabilities, &slot->error))
    return FALSE;
  for (gsize i = 0; i < samples->n; i++)
    losses[i] = samples->weight[i] * (1.0f - probabilities[i * (gsize) classes + (gsize) samples->target[i]]);
  return sppnet_sampler_keep_hardest (slot->sampler, losses, settings->regions, &slot->error);
}

static gboolean
ask_teachers (const Run *run, Slot *slot)
{
  SppnetSampler *sampler = slot->sampler;
  SppnetSamples *samples = &sampler->samples;

  if (!slot->lesson || samples->n == 0)
    return TRUE;
  samples->taught_part = (gfloat) run->settings->teachers_part;
  samples->taught = sppnet_lesson_run (slot->lesson, sampler->plain.data, sampler->scene.width, sampler->scene.height,
                                       samples->boxes, samples->n, &slot->error);
  return samples->taught != NULL;
}

static void
run_slot (Run *run, Slot *slot, guint picture, const SppnetSceneDraw *draw, guint64 place)
{
  SppnetRandom random = sppnet_schedule_random (run->settings->seed, place);
  SppnetSampler *sampler = slot->sampler;
  const SppnetMap *map;

  memset (slot->gradient + run->descent.first_param, 0,
          sizeof (gfloat) * (run->network->n_params - run->descent.first_param));
  slot->loss = (SppnetLoss) { 0 };
  if (run->variants) {
    run_variant (run, slot, picture, &random);
    return;
  }
  if (!sppnet_sampler_draw (sampler, run->dataset, picture, draw, &run->network->config, &run->settings->sampler,
                            &random, &slot->error))
    return;
  map = sppnet_pass_forward (slot->pass, run->network, sampler->input.data, sampler->scene.width, sampler->scene.height,
                             &slot->error);
  if (!map)
    g_prefix_error (&slot->error, "%s: ",
                    ((const SppnetAnnotation *) g_ptr_array_index (run->dataset->annotations, picture))->picture);
  /* Every region may overlap an object that is difficult, tiny or hardly visible: such a picture teaches nothing. */
  if (map && draw_regions (run, slot, map, &random) && keep_hardest (run, slot) && ask_teachers (run, slot)
      && (sampler->samples.n > 0 || sampler->samples.rpn))
    sppnet_pass_learn (slot->pass, run->network, &sampler->samples, &random, 1.0f / (gfloat) run->settings->pictures,
                       slot->gradient, &slot->loss, &slot->error);
}

/* No gradient for the outputs of the labels that stay as they are: Adam and momentum then leave them alone, to the bit.
 */
static void
mask_outputs (const SppnetDense *dense, gint first, gfloat *gradient)
{
  for (gint i = 0; i < dense->in; i++)
    memset (gradient + dense->weight + (gsize) i * dense->out, 0, sizeof (gfloat) * first);
  memset (gradient + dense->bias, 0, sizeof (gfloat) * first);
}

static gboolean
compute (gpointer user_data, guint step, GError **error)
{
  Run *run = user_data;
  guint pictures = run->settings->pictures, threads = MIN (run->settings->threads, pictures);
  gint labels = (gint) run->settings->first_label;
  g_autofree guint *picture = g_new (guint, pictures);
  gdouble keep = step < 100 ? 1.0 - 1.0 / (step + 1.0) : 0.99;
  SppnetSceneDraw draw = draw_at (run, step);

  for (guint k = 0; k < pictures; k++)
    picture[k] = sppnet_shuffle_at (&run->shuffle, (guint64) step * pictures + k);
  if (run->packs)
    sppnet_packs_update (run->packs, run->settings->threads);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint k = 0; k < pictures; k++)
    run_slot (run, &run->slots[k], picture[k], &draw, (guint64) step * pictures + k);
  for (guint k = 0; k < pictures; k++) {
    Slot *slot = &run->slots[k];

    if (slot->error) {
      g_propagate_error (error, g_steal_pointer (&slot->error));
      return FALSE;
    }
    if (labels > 0) {
      mask_outputs (&run->network->classifier, 1 + labels, slot->gradient);
      if (run->network->box.out)
        mask_outputs (&run->network->box, 4 * labels, slot->gradient);
    }
    run->objectness += (1.0 - keep) * (slot->loss.rpn.objectness - run->objectness);
    run->anchor_box += (1.0 - keep) * (slot->loss.rpn.box - run->anchor_box);
    if (slot->sampler->samples.n == 0)
      continue;
    run->classification += (1.0 - keep) * (slot->loss.classification - run->classification);
    run->box += (1.0 - keep) * (slot->loss.box - run->box);
    run->accuracy += (1.0 - keep) * ((gdouble) slot->loss.correct / (gdouble) slot->sampler->samples.n - run->accuracy);
  }
  return TRUE;
}

/* He's initial weights expect inputs of mean square 1; maps and pooled vectors of an imported backbone are far from it.
 * A new first fully connected layer, and a region proposal network, are scaled by what the first pictures give. */
static gboolean
scale_new_layers (Run *run, GError **error)
{
  Slot *slot = &run->slots[0];
  SppnetLesson *lesson = g_steal_pointer (&slot->lesson); /* not asked here */
  gdouble square = 0.0, map_square = 0.0;
  guint pictures = 0;
  const guint n = MIN (8, run->dataset->annotations->len);

  if (run->packs)
    sppnet_packs_update (run->packs, run->settings->threads);
  for (guint k = 0; k < n; k++) {
    const SppnetSceneDraw draw = { .scale = 1.0 };

    run_slot (run, slot, sppnet_shuffle_at (&run->shuffle, k), &draw, k);
    if (slot->error)
      break;
    if (slot->sampler->samples.n > 0) {
      square += sppnet_pass_pooled_square (slot->pass, run->network, slot->sampler->samples.n);
      map_square += sppnet_pass_map_square (slot->pass);
      pictures++;
    }
  }
  slot->lesson = lesson;
  if (slot->error) {
    g_propagate_error (error, g_steal_pointer (&slot->error));
    return FALSE;
  }
  if (pictures == 0)
    return TRUE;
  if (run->settings->new_head)
    sppnet_network_scale_first_dense (run->network, (gfloat) (1.0 / sqrt (MAX (square / pictures, 1e-12))));
  if (run->settings->new_rpn)
    sppnet_network_scale_rpn (run->network, (gfloat) (1.0 / sqrt (MAX (map_square / pictures, 1e-12))));
  return TRUE;
}

static gboolean
allocate (Run *run, GError **error)
{
  if (!run->variants) {
    run->packs = sppnet_packs_new (run->network, error);
    if (!run->packs)
      return FALSE;
  }
  if (!sppnet_descent_init (&run->descent, error))
    return FALSE;
  run->slots = g_new0 (Slot, run->settings->pictures);
  for (guint k = 0; k < run->settings->pictures; k++) {
    run->slots[k].sampler = sppnet_sampler_new ();
    run->slots[k].pass = sppnet_pass_new (run->network, run->packs);
    if (run->packs && sppnet_packs_get_rpn (run->packs))
      run->slots[k].rpn = sppnet_rpn_new_for_layers (&run->network->config, sppnet_packs_get_rpn (run->packs));
    if (run->settings->teachers) {
      run->slots[k].sampler->keep_plain = TRUE;
      run->slots[k].lesson = sppnet_lesson_new (run->settings->teachers);
    }
    run->slots[k].gradient = run->descent.gradients[k];
  }
  return TRUE;
}

static void
release (Run *run)
{
  for (guint k = 0; run->slots && k < run->settings->pictures; k++) {
    sppnet_sampler_free (run->slots[k].sampler);
    sppnet_pass_free (run->slots[k].pass);
    sppnet_rpn_free (run->slots[k].rpn);
    sppnet_lesson_free (run->slots[k].lesson);
    sppnet_buffer_clear (&run->slots[k].probabilities);
    sppnet_buffer_clear (&run->slots[k].losses);
    sppnet_aligned_free (run->slots[k].map);
    g_clear_error (&run->slots[k].error);
  }
  g_free (run->slots);
  sppnet_packs_free (run->packs);
  sppnet_shuffle_clear (&run->shuffle);
  sppnet_descent_clear (&run->descent);
}

static gboolean
report (gpointer user_data, guint done)
{
  const Run *run = user_data;
  gdouble seconds = (gdouble) (g_get_monotonic_time () - run->start) / G_USEC_PER_SEC;
  g_autofree gchar *message = NULL, *anchors = NULL;

  if (!run->progress)
    return TRUE;
  if (run->packs && sppnet_packs_get_rpn (run->packs))
    anchors = g_strdup_printf (", of proposals %.3f + %.3f", run->objectness, run->anchor_box);
  message = g_strdup_printf ("step %u of %u, loss %.3f + %.3f%s, %.1f %% right, %.2f pictures/s", done,
                             run->descent.n_steps, run->classification, run->box, anchors ? anchors : "",
                             100.0 * run->accuracy,
                             (done - run->descent.done) * run->settings->pictures / MAX (seconds, 1e-3));
  return run->progress (run->user_data, run->variants ? "head" : "end-to-end", (gdouble) done / run->descent.n_steps,
                        message);
}

/* After the first access, threads may share the cache. */
static gboolean
open_variants (Run *run, GError **error)
{
  SppnetMap map;

  return sppnet_variants_get (run->variants, 0, 0, &map, &run->slots[0].map, &run->slots[0].map_floats, error);
}

gboolean
sppnet_end_to_end_train (SppnetNetwork *network, const SppnetDataset *dataset, SppnetVariants *variants,
                         const SppnetEndToEndSettings *settings, const gchar *checkpoint, SppnetProgress progress,
                         gpointer user_data, GError **error)
{
  guint n_steps = sppnet_end_to_end_steps (settings, dataset);
  Run run = { .network = network,
              .dataset = dataset,
              .variants = variants,
              .settings = settings,
              .shuffle = { dataset->annotations->len, settings->seed },
              .progress = progress,
              .user_data = user_data };
  g_autofree gchar *key = make_key (network, dataset, variants != NULL, settings);
  gboolean ok;

  run.descent = (SppnetDescent) {
    .network = network,
    .optimizer = &settings->optimizer,
    .pictures = settings->pictures,
    .n_steps = n_steps,
    .warm_up = MIN (settings->warm_up, n_steps / 4),
    .threads = settings->threads,
    .first_param = variants ? sppnet_optimizer_first (network, &settings->optimizer) : 0,
    .checkpoint = checkpoint,
    .key = key,
    .checkpoint_seconds = settings->checkpoint_seconds,
    .compute = compute,
    .report = report,
    .user_data = &run,
  };
  ok = allocate (&run, error) && (!variants || open_variants (&run, error));
  if (ok) {
    sppnet_blas_begin ();
    if (run.descent.done == 0 && (settings->new_head || settings->new_rpn))
      ok = scale_new_layers (&run, error);
    run.start = g_get_monotonic_time ();
    ok = ok && sppnet_descent_run (&run.descent, error);
    sppnet_blas_end ();
  }
  release (&run);
  return ok;
}
