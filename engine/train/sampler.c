/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/sampler.h"

#include <math.h>
#include <string.h>

#include "backbone/backbone.h"
#include "box/regression.h"
#include "frame/picture.h"

/* A region of the picture and the object it overlaps most (-1: none). */
typedef struct
{
  SppnetBox box;
  gint object;
} Candidate;

SppnetSampler *
sppnet_sampler_new (void)
{
  SppnetSampler *sampler = g_new0 (SppnetSampler, 1);

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
  sppnet_buffer_clear (&sampler->input);
  sppnet_buffer_clear (&sampler->rgb);
  sppnet_buffer_clear (&sampler->boxes);
  sppnet_buffer_clear (&sampler->targets);
  sppnet_buffer_clear (&sampler->box_targets);
  sppnet_rpn_targets_clear (&sampler->rpn_targets);
  g_array_unref (sampler->objects);
  g_array_unref (sampler->positive);
  g_array_unref (sampler->hard);
  g_array_unref (sampler->easy);
  g_free (sampler);
}

/* The picture at the new size, mirrored or not, into sampler->rgb. */
static gboolean
load_resized (SppnetSampler *sampler, const SppnetAnnotation *annotation, gboolean mirror, GError **error)
{
  guint8 *rgb = sppnet_buffer_reserve (&sampler->rgb, (gsize) sampler->width * sampler->height, 3, error);

  return rgb && sppnet_picture_load_resized (annotation->picture, sampler->width, sampler->height, mirror, rgb, error);
}

/* Brightness, contrast about mid-grey and saturation about the luma, then the network's normalisation. */
static void
colour_and_normalise (SppnetSampler *sampler, const SppnetConfig *config, gdouble strength, SppnetRandom *random)
{
  gfloat brightness = (gfloat) (strength * 128.0 * (2.0 * sppnet_random_uniform (random) - 1.0));
  gfloat contrast = (gfloat) (1.0 + strength * (2.0 * sppnet_random_uniform (random) - 1.0));
  gfloat saturation = (gfloat) (1.0 + strength * (2.0 * sppnet_random_uniform (random) - 1.0));
  const guint8 *rgb = sampler->rgb.data;
  gfloat *input = sampler->input.data;
  gsize n = (gsize) sampler->width * sampler->height;

  for (gsize i = 0; i < n; i++, rgb += 3, input += 3) {
    gfloat luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];

    for (gint c = 0; c < 3; c++) {
      gint channel = config->input_bgr ? 2 - c : c;
      gfloat v = luma + saturation * (rgb[channel] - luma);

      v = CLAMP ((v - 128.0f) * contrast + 128.0f + brightness, 0.0f, 255.0f);
      input[c] = (v - config->input_mean[c]) * config->input_scale[c];
    }
  }
}

static void
add_candidate (SppnetSampler *sampler, const SppnetAnnotation *annotation, const GArray *labels, const SppnetBox *box)
{
  Candidate candidate = { *box, -1 };
  gfloat best = 0.0f;

  for (guint k = 0; k < annotation->objects->len; k++) {
    gfloat iou = sppnet_box_iou (box, &g_array_index (annotation->objects, SppnetObject, k).box);

    if (iou > best) {
      best = iou;
      candidate.object = (gint) k;
    }
  }
  if (best >= 0.5f) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, candidate.object);

    /* Neither a positive of a label that is not trained nor a negative: it says nothing. */
    if (!object->difficult && g_array_index (labels, gint, candidate.object) >= 0)
      g_array_append_val (sampler->positive, candidate);
  } else {
    g_array_append_val (best >= 0.1f ? sampler->hard : sampler->easy, candidate);
  }
}

static void
collect_candidates (SppnetSampler *sampler, const SppnetDataset *dataset, guint i)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);

  g_array_set_size (sampler->positive, 0);
  g_array_set_size (sampler->hard, 0);
  g_array_set_size (sampler->easy, 0);
  for (guint k = 0; k < annotation->objects->len; k++)
    add_candidate (sampler, annotation, dataset->objects[i], &g_array_index (annotation->objects, SppnetObject, k).box);
  for (guint k = 0; k < dataset->proposals[i]->len; k++)
    add_candidate (sampler, annotation, dataset->objects[i], &g_array_index (dataset->proposals[i], SppnetBox, k));
}

/* Moves a box of the picture into the drawn one. */
static SppnetBox
transform_box (const SppnetSampler *sampler, const SppnetAnnotation *annotation, gboolean mirror, const SppnetBox *box)
{
  gfloat sx = (gfloat) sampler->width / (gfloat) annotation->width;
  gfloat sy = (gfloat) sampler->height / (gfloat) annotation->height;
  gfloat x = mirror ? (gfloat) annotation->width - box->x - box->width : box->x;

  return (SppnetBox) { x * sx, box->y * sy, box->width * sx, box->height * sy };
}

/* Draws up to n candidates without repetition, by swapping the drawn ones to the end. */
static void
draw_from (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, GArray *candidates, guint n, gboolean mirror,
           const SppnetConfig *config, SppnetRandom *random)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);
  SppnetSamples *samples = &sampler->samples;

  for (guint left = candidates->len; n > 0 && left > 0; n--, left--) {
    guint pick = sppnet_random_below (random, left);
    Candidate candidate = g_array_index (candidates, Candidate, pick);

    g_array_index (candidates, Candidate, pick) = g_array_index (candidates, Candidate, left - 1);
    samples->boxes[samples->n] = transform_box (sampler, annotation, mirror, &candidate.box);
    samples->target[samples->n] = 0;
    if (candidates == sampler->positive) {
      const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, candidate.object);
      SppnetBox wanted = transform_box (sampler, annotation, mirror, &object->box);
      gfloat *t = samples->box_target[samples->n];

      samples->target[samples->n] = 1 + g_array_index (dataset->objects[i], gint, candidate.object);
      sppnet_box_encode (&samples->boxes[samples->n], &wanted, t);
      for (gint c = 0; c < 4; c++)
        t[c] = (t[c] - config->box_mean[c]) / config->box_scale[c];
    }
    samples->n++;
  }
}

static gboolean
reserve (SppnetSampler *sampler, guint regions, GError **error)
{
  SppnetSamples *samples = &sampler->samples;

  samples->n = 0;
  samples->rpn = NULL;
  samples->boxes = sppnet_buffer_reserve (&sampler->boxes, regions, sizeof *samples->boxes, error);
  samples->target = sppnet_buffer_reserve (&sampler->targets, regions, sizeof *samples->target, error);
  samples->box_target = sppnet_buffer_reserve (&sampler->box_targets, regions, sizeof *samples->box_target, error);
  return samples->boxes && samples->target && samples->box_target;
}

/* The objects that are trained, or the others, into sampler->objects. */
static guint
place_objects (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gboolean mirror, gboolean trained)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);
  guint before = sampler->objects->len;

  for (guint k = 0; k < annotation->objects->len; k++) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);
    SppnetBox box = transform_box (sampler, annotation, mirror, &object->box);

    if (trained == (!object->difficult && g_array_index (dataset->objects[i], gint, k) >= 0))
      g_array_append_val (sampler->objects, box);
  }
  return sampler->objects->len - before;
}

static gboolean
draw_anchors (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gboolean mirror,
              const SppnetConfig *config, guint wanted, SppnetRandom *random, GError **error)
{
  SppnetMap map = { .geometry = sppnet_config_geometry (config) };
  SppnetRpnObjects objects;
  SppnetAnchorGrid grid;

  sppnet_config_map_size (config, sampler->width, sampler->height, &map.width, &map.height);
  grid = sppnet_anchor_grid (config, &map);
  g_array_set_size (sampler->objects, 0);
  objects.n = place_objects (sampler, dataset, i, mirror, TRUE);
  objects.n_ignored = place_objects (sampler, dataset, i, mirror, FALSE);
  objects.boxes = (SppnetBox *) sampler->objects->data;
  sampler->samples.rpn = &sampler->rpn_targets;
  return sppnet_rpn_targets_draw (&sampler->rpn_targets, &grid, &config->rpn, &objects, wanted, random, error);
}

gboolean
sppnet_sampler_draw_regions (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gint width, gint height,
                             gboolean mirror, const SppnetConfig *config, const SppnetSamplerSettings *settings,
                             SppnetRandom *random, GError **error)
{
  guint positives = (guint) (settings->positive_fraction * settings->regions), easy;

  sampler->width = width;
  sampler->height = height;
  if (!reserve (sampler, settings->regions, error))
    return FALSE;
  collect_candidates (sampler, dataset, i);
  draw_from (sampler, dataset, i, sampler->positive, positives, mirror, config, random);
  easy = (guint) (settings->easy_fraction * (settings->regions - sampler->samples.n));
  draw_from (sampler, dataset, i, sampler->easy, easy, mirror, config, random);
  draw_from (sampler, dataset, i, sampler->hard, settings->regions - (guint) sampler->samples.n, mirror, config,
             random);
  if (sampler->samples.n == 0) {
    /* Nothing but positives of one size: take more of them rather than none. */
    draw_from (sampler, dataset, i, sampler->positive, settings->regions, mirror, config, random);
  }
  return TRUE;
}

gboolean
sppnet_sampler_draw (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gdouble scale,
                     const SppnetConfig *config, const SppnetSamplerSettings *settings, SppnetRandom *random,
                     GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);
  gboolean mirror = settings->flip && sppnet_random_uniform (random) < 0.5;

  sampler->width = MAX (32, (gint) lround (scale * annotation->width));
  sampler->height = MAX (32, (gint) lround (scale * annotation->height));
  if (!sppnet_buffer_reserve (&sampler->input, (gsize) sampler->width * sampler->height, 3 * sizeof (gfloat), error)
      || !load_resized (sampler, annotation, mirror, error))
    return FALSE;
  colour_and_normalise (sampler, config, settings->colour, random);
  return sppnet_sampler_draw_regions (sampler, dataset, i, sampler->width, sampler->height, mirror, config, settings,
                                      random, error)
         && (config->rpn.n_anchors == 0
             || draw_anchors (sampler, dataset, i, mirror, config, settings->anchors, random, error));
}
