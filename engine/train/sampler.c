/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/sampler.h"

#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "box/nms.h"
#include "box/regression.h"
#include "pooling/pooling.h"

/* How far jittered boxes are moved, of the object's size, and how much larger or smaller they are. */
#define JITTER_SHIFT 0.2
#define JITTER_SIZE 0.3

/* Of two hard regions with more overlap than this, one is enough: both would have much the same loss. */
#define SAME_REGION 0.7f

/* A region's label is learnt by what lies between, of its IoU. */
#define LEAST_IOU 0.3f
#define SURE_IOU 0.7f

/* A region of the scene and the object it overlaps most (-1: none). */
typedef struct
{
  SppnetBox box;
  gint object;
  gfloat iou;
} Candidate;

SppnetSampler *
sppnet_sampler_new (void)
{
  SppnetSampler *sampler = g_new0 (SppnetSampler, 1);

  sppnet_scene_init (&sampler->scene);
  sampler->objects = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  sampler->positive = g_array_new (FALSE, FALSE, sizeof (Candidate));
  sampler->hard = g_array_new (FALSE, FALSE, sizeof (Candidate));
  sampler->easy = g_array_new (FALSE, FALSE, sizeof (Candidate));
  return sampler;
}

void
sppnet_sampler_free (SppnetSampler *sampler)
{
  if (!sampler)
    return;
  sppnet_scene_clear (&sampler->scene);
  sppnet_buffer_clear (&sampler->input);
  sppnet_buffer_clear (&sampler->plain);
  sppnet_buffer_clear (&sampler->order);
  sppnet_buffer_clear (&sampler->boxes);
  sppnet_buffer_clear (&sampler->targets);
  sppnet_buffer_clear (&sampler->box_targets);
  sppnet_buffer_clear (&sampler->weights);
  sppnet_buffer_clear (&sampler->nearest);
  sppnet_buffer_clear (&sampler->certainties);
  sppnet_rpn_targets_clear (&sampler->rpn_targets);
  g_array_unref (sampler->objects);
  g_array_unref (sampler->positive);
  g_array_unref (sampler->hard);
  g_array_unref (sampler->easy);
  g_free (sampler);
}

/* A number within 1 on either side of 0. */
static gfloat
either_way (SppnetRandom *random)
{
  return (gfloat) (2.0 * sppnet_random_uniform (random) - 1.0);
}

/* How the colours of one scene differ from the picture's: the colour of the light, hue and saturation about the luma
 * (Rec. 601), contrast about mid-grey, brightness. */
typedef struct
{
  gfloat red, blue;
  gfloat along, across; /* what of U and V stays, and what each takes from the other */
  gfloat contrast, brightness;
} ColourChange;

static ColourChange
draw_colour_change (gdouble strength, SppnetRandom *random)
{
  gfloat part = (gfloat) strength;
  ColourChange change = { .brightness = part * 128.0f * either_way (random) };
  gfloat saturation, angle;

  change.contrast = 1.0f + part * either_way (random);
  saturation = 1.0f + part * either_way (random);
  angle = part * (gfloat) (G_PI / 4.0) * either_way (random);
  change.red = 1.0f + 0.25f * part * either_way (random);
  change.blue = 1.0f + 0.25f * part * either_way (random);
  change.along = saturation * cosf (angle);
  change.across = saturation * sinf (angle);
  return change;
}

/* rgb: of the picture, then changed; not limited */
static void
change_colour (const ColourChange *change, gfloat rgb[3])
{
  gfloat red = change->red * rgb[0], blue = change->blue * rgb[2];
  gfloat luma = 0.299f * red + 0.587f * rgb[1] + 0.114f * blue;
  gfloat u = 0.492f * (blue - luma), v = 0.877f * (red - luma);
  gfloat to_blue = (change->along * u - change->across * v) / 0.492f;
  gfloat to_red = (change->across * u + change->along * v) / 0.877f;
  gfloat to_green = -(0.299f * to_red + 0.114f * to_blue) / 0.587f;
  gfloat base = (luma - 128.0f) * change->contrast + 128.0f + change->brightness;

  rgb[0] = base + change->contrast * to_red;
  rgb[1] = base + change->contrast * to_green;
  rgb[2] = base + change->contrast * to_blue;
}

/* change: (nullable) */
static void
write_input (const SppnetScene *scene, const SppnetConfig *config, const ColourChange *change, gfloat *input)
{
  const guint8 *rgb = scene->rgb.data;
  gsize n = (gsize) scene->width * (gsize) scene->height;

  for (gsize i = 0; i < n; i++, rgb += 3, input += 3) {
    gfloat pixel[3] = { rgb[0], rgb[1], rgb[2] };

    if (change)
      change_colour (change, pixel);
    for (gint c = 0; c < 3; c++) {
      gfloat v = CLAMP (pixel[config->input_bgr ? 2 - c : c], 0.0f, 255.0f);

      input[c] = (v - config->input_mean[c]) * config->input_scale[c];
    }
  }
}

static void
add_candidate (SppnetSampler *sampler, const SppnetBox *box)
{
  const GArray *objects = sampler->scene.objects;
  Candidate candidate = { *box, -1, 0.0f };

  for (guint k = 0; k < objects->len; k++) {
    gfloat iou = sppnet_box_iou (box, &g_array_index (objects, SppnetSceneObject, k).box);

    if (iou > candidate.iou) {
      candidate.iou = iou;
      candidate.object = (gint) k;
    }
  }
  if (candidate.iou < 0.5f)
    g_array_append_val (candidate.iou >= 0.1f ? sampler->hard : sampler->easy, candidate);
  /* Neither a positive nor a negative of an object that is difficult, tiny or hardly visible: it says nothing. */
  else if (g_array_index (objects, SppnetSceneObject, candidate.object).label >= 0)
    g_array_append_val (sampler->positive, candidate);
}

static void
add_jittered (SppnetSampler *sampler, const SppnetBox *object, SppnetRandom *random)
{
  gfloat dx = (gfloat) (JITTER_SHIFT * sppnet_random_normal (random));
  gfloat dy = (gfloat) (JITTER_SHIFT * sppnet_random_normal (random));
  gfloat width = object->width * (gfloat) exp (JITTER_SIZE * sppnet_random_normal (random));
  gfloat height = object->height * (gfloat) exp (JITTER_SIZE * sppnet_random_normal (random));
  SppnetBox box = { object->x + object->width * (0.5f + dx) - 0.5f * width,
                    object->y + object->height * (0.5f + dy) - 0.5f * height, width, height };

  box = sppnet_box_clip (&box, sampler->scene.width, sampler->scene.height);
  if (box.width >= 1.0f && box.height >= 1.0f)
    add_candidate (sampler, &box);
}

static void
collect_candidates (SppnetSampler *sampler, const SppnetBox *proposals, gsize n, guint jitter, SppnetRandom *random)
{
  const GArray *objects = sampler->scene.objects, *own = sampler->scene.proposals;

  g_array_set_size (sampler->positive, 0);
  g_array_set_size (sampler->hard, 0);
  g_array_set_size (sampler->easy, 0);
  for (guint k = 0; k < objects->len; k++) {
    const SppnetSceneObject *object = &g_array_index (objects, SppnetSceneObject, k);

    add_candidate (sampler, &object->box);
    for (guint j = 0; j < jitter && object->label >= 0; j++)
      add_jittered (sampler, &object->box, random);
  }
  for (guint k = 0; k < own->len; k++)
    add_candidate (sampler, &g_array_index (own, SppnetBox, k));
  for (gsize k = 0; k < n; k++)
    add_candidate (sampler, &proposals[k]);
}

/* The map that the scene will have, without its data. */
static SppnetMap
scene_map (const SppnetSampler *sampler, const SppnetConfig *config)
{
  SppnetMap map = { .geometry = sppnet_config_geometry (config) };

  sppnet_config_map_size (config, sampler->scene.width, sampler->scene.height, &map.width, &map.height);
  return map;
}

static void
set_target (SppnetSampler *sampler, const SppnetMap *map, const SppnetConfig *config, const Candidate *candidate)
{
  const SppnetSceneObject *object = &g_array_index (sampler->scene.objects, SppnetSceneObject, candidate->object);
  SppnetSamples *samples = &sampler->samples;
  SppnetBox base = sppnet_region_base (map, config, &candidate->box);
  gfloat *t = samples->box_target[samples->n];

  samples->target[samples->n] = 1 + object->label;
  samples->weight[samples->n] = object->share;
  sppnet_box_encode (&base, &object->box, t);
  for (gint c = 0; c < 4; c++)
    t[c] = (t[c] - config->box_mean[c]) / config->box_scale[c];
}

/* Objects that are not trained on say nothing, as where they are positives. */
static void
set_certainty (SppnetSampler *sampler, const Candidate *candidate)
{
  const GArray *objects = sampler->scene.objects;
  const SppnetSceneObject *object
      = candidate->object < 0 ? NULL : &g_array_index (objects, SppnetSceneObject, candidate->object);
  SppnetSamples *samples = &sampler->samples;
  gfloat certainty = CLAMP ((candidate->iou - LEAST_IOU) / (SURE_IOU - LEAST_IOU), 0.0f, 1.0f);

  samples->nearest[samples->n] = object ? 1 + object->label : 0;
  /* A positive counts by its share as a whole. */
  samples->certainty[samples->n] = object && samples->target[samples->n] == 0 ? certainty * object->share : certainty;
}

/* Draws up to n candidates without repetition, by swapping the drawn ones to the end. */
static void
draw_from (SppnetSampler *sampler, GArray *candidates, guint n, const SppnetMap *map, const SppnetConfig *config,
           SppnetRandom *random)
{
  SppnetSamples *samples = &sampler->samples;

  for (guint left = candidates->len; n > 0 && left > 0; n--, left--) {
    guint pick = sppnet_random_below (random, left);
    Candidate candidate = g_array_index (candidates, Candidate, pick);

    g_array_index (candidates, Candidate, pick) = g_array_index (candidates, Candidate, left - 1);
    samples->boxes[samples->n] = candidate.box;
    samples->target[samples->n] = 0;
    samples->weight[samples->n] = 1.0f;
    if (candidates == sampler->positive)
      set_target (sampler, map, config, &candidate);
    if (samples->nearest)
      set_certainty (sampler, &candidate);
    samples->n++;
  }
}

static gboolean
reserve (SppnetSampler *sampler, guint regions, gboolean iou_aware, GError **error)
{
  SppnetSamples *samples = &sampler->samples;

  samples->n = 0;
  samples->boxes = sppnet_buffer_reserve (&sampler->boxes, regions, sizeof *samples->boxes, error);
  samples->target = sppnet_buffer_reserve (&sampler->targets, regions, sizeof *samples->target, error);
  samples->box_target = sppnet_buffer_reserve (&sampler->box_targets, regions, sizeof *samples->box_target, error);
  samples->weight = sppnet_buffer_reserve (&sampler->weights, regions, sizeof *samples->weight, error);
  samples->nearest = NULL;
  if (iou_aware) {
    samples->nearest = sppnet_buffer_reserve (&sampler->nearest, regions, sizeof *samples->nearest, error);
    samples->certainty = sppnet_buffer_reserve (&sampler->certainties, regions, sizeof *samples->certainty, error);
    if (!samples->nearest || !samples->certainty)
      return FALSE;
  }
  return samples->boxes && samples->target && samples->box_target && samples->weight;
}

/* The objects that are trained, or the others, into sampler->objects. */
static guint
place_objects (SppnetSampler *sampler, gboolean trained)
{
  const GArray *objects = sampler->scene.objects;
  guint before = sampler->objects->len;

  for (guint k = 0; k < objects->len; k++) {
    const SppnetSceneObject *object = &g_array_index (objects, SppnetSceneObject, k);

    if (trained == (object->label >= 0))
      g_array_append_val (sampler->objects, object->box);
  }
  return sampler->objects->len - before;
}

static gboolean
draw_anchors (SppnetSampler *sampler, const SppnetConfig *config, guint wanted, SppnetRandom *random, GError **error)
{
  SppnetMap map = scene_map (sampler, config);
  SppnetAnchorGrid grid = sppnet_anchor_grid (config, &map);
  SppnetRpnObjects objects;

  g_array_set_size (sampler->objects, 0);
  objects.n = place_objects (sampler, TRUE);
  objects.n_ignored = place_objects (sampler, FALSE);
  objects.boxes = (SppnetBox *) sampler->objects->data;
  sampler->samples.rpn = &sampler->rpn_targets;
  return sppnet_rpn_targets_draw (&sampler->rpn_targets, &grid, &config->rpn, &objects, wanted, random, error);
}

gboolean
sppnet_sampler_draw_regions (SppnetSampler *sampler, const SppnetBox *proposals, gsize n, const SppnetConfig *config,
                             const SppnetSamplerSettings *settings, SppnetRandom *random, GError **error)
{
  guint regions = MAX (settings->regions, settings->candidates);
  guint positives = (guint) (settings->positive_fraction * regions), left, easy;
  SppnetMap map = scene_map (sampler, config);

  if (!reserve (sampler, regions, settings->iou_aware, error))
    return FALSE;
  collect_candidates (sampler, proposals, n, settings->jitter, random);
  draw_from (sampler, sampler->positive, positives, &map, config, random);
  left = regions - (guint) sampler->samples.n;
  /* Where there are few hard ones, more of the easy ones. */
  easy = MAX ((guint) (settings->easy_fraction * left), left - MIN (left, sampler->hard->len));
  draw_from (sampler, sampler->easy, easy, &map, config, random);
  draw_from (sampler, sampler->hard, regions - (guint) sampler->samples.n, &map, config, random);
  if (sampler->samples.n == 0) {
    /* So few regions that the positives' part rounds to none, and no others: take positives rather than nothing. */
    draw_from (sampler, sampler->positive, regions, &map, config, random);
  }
  return TRUE;
}

static gboolean
draw_scene (SppnetScene *scene, const SppnetDataset *dataset, guint i, const SppnetSceneDraw *draw,
            const SppnetSceneVariation *variation, SppnetRandom *random, GError **error)
{
  guint others = dataset->annotations->len - 1, other;

  if (draw->mosaic)
    return sppnet_scene_draw_mosaic (scene, dataset, i, draw->scale, variation, random, error);
  if (!sppnet_scene_draw (scene, dataset, i, draw->scale, variation, random, error))
    return FALSE;
  if (draw->blend == 0.0 || others == 0 || sppnet_random_uniform (random) >= draw->blend)
    return TRUE;
  other = sppnet_random_below (random, others);
  return sppnet_scene_blend (scene, dataset, other < i ? other : other + 1, draw->scale, variation, random, error);
}

gboolean
sppnet_sampler_draw (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, const SppnetSceneDraw *draw,
                     const SppnetConfig *config, const SppnetSamplerSettings *settings, SppnetRandom *random,
                     GError **error)
{
  SppnetScene *scene = &sampler->scene;
  ColourChange change;
  gsize cells;

  sampler->samples.n = 0;
  sampler->samples.rpn = NULL;
  sampler->samples.taught = NULL;
  if (!draw_scene (scene, dataset, i, draw, &settings->variation, random, error))
    return FALSE;
  cells = (gsize) scene->width * (gsize) scene->height;
  if (sampler->keep_plain) {
    if (!sppnet_buffer_reserve (&sampler->plain, cells, 3 * sizeof (gfloat), error))
      return FALSE;
    write_input (scene, config, NULL, sampler->plain.data);
  }
  sppnet_scene_erase (scene, settings->erase, random);
  change = draw_colour_change (settings->colour, random);
  if (!sppnet_buffer_reserve (&sampler->input, cells, 3 * sizeof (gfloat), error))
    return FALSE;
  write_input (scene, config, &change, sampler->input.data);
  return config->rpn.n_anchors == 0 || draw_anchors (sampler, config, settings->anchors, random, error);
}

gboolean
sppnet_sampler_keep_hardest (SppnetSampler *sampler, const gfloat *losses, guint n, GError **error)
{
  SppnetSamples *samples = &sampler->samples;
  guint32 *order = sppnet_buffer_reserve (&sampler->order, samples->n, sizeof *order, error);
  g_autofree gboolean *kept = g_new0 (gboolean, samples->n);
  gsize n_kept, to = 0;

  if (!order)
    return FALSE;
  sppnet_sort_by_score (losses, order, samples->n);
  n_kept = sppnet_nms (samples->boxes, order, samples->n, SAME_REGION, n);
  for (gsize i = 0; i < n_kept; i++)
    kept[order[i]] = TRUE;
  for (gsize i = 0; i < samples->n; i++) {
    if (!kept[i])
      continue;
    samples->boxes[to] = samples->boxes[i];
    samples->target[to] = samples->target[i];
    samples->weight[to] = samples->weight[i];
    if (samples->nearest) {
      samples->nearest[to] = samples->nearest[i];
      samples->certainty[to] = samples->certainty[i];
    }
    memcpy (samples->box_target[to], samples->box_target[i], sizeof *samples->box_target);
    to++;
  }
  samples->n = n_kept;
  return TRUE;
}
