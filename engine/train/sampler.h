/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "base/random.h"
#include "train/dataset.h"
#include "train/pass.h"

/* How a picture and its regions are drawn for one training step. Zero is not a default here: see end_to_end.h. */
typedef struct
{
  guint regions;             /* per picture */
  gdouble positive_fraction; /* at most this part is positive (IoU >= .5): .25 in the paper */
  gdouble easy_fraction;     /* of the negatives, IoU < .1; the others are in [.1, .5) */
  gdouble min_scale,
      max_scale;  /* pictures are resized by a factor drawn log-uniformly, the same for all of a step: equal work */
  gboolean flip;  /* left and right, every other time */
  guint anchors;  /* per picture, where there is a region proposal network */
  gdouble colour; /* brightness, contrast and saturation vary by up to this part */
} SppnetSamplerSettings;

/* Scratch memory and the last drawn example. */
typedef struct
{
  gint width, height;
  SppnetBuffer input; /* [height][width][3] network input */
  SppnetBuffer rgb;   /* [height][width][3] bytes */
  SppnetSamples samples;
  SppnetBuffer boxes, targets, box_targets;
  SppnetRpnTargets rpn_targets;
  GArray *objects;                /* where they are in the drawn picture; (element-type SppnetBox) */
  GArray *positive, *hard, *easy; /* candidates: index and matched object; scratch */
} SppnetSampler;

SppnetSampler *sppnet_sampler_new (void);
void sppnet_sampler_free (SppnetSampler *sampler);

/* Draws picture number i, resized by scale, and its regions. Everything random comes from random. */
gboolean sppnet_sampler_draw (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gdouble scale,
                              const SppnetConfig *config, const SppnetSamplerSettings *settings, SppnetRandom *random,
                              GError **error);

/* The regions alone, for a picture that was drawn before: it has this size, and is mirrored or not. */
gboolean sppnet_sampler_draw_regions (SppnetSampler *sampler, const SppnetDataset *dataset, guint i, gint width,
                                      gint height, gboolean mirror, const SppnetConfig *config,
                                      const SppnetSamplerSettings *settings, SppnetRandom *random, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetSampler, sppnet_sampler_free)
