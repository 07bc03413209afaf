/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "train/pass.h"
#include "train/scene.h"

/* How a scene and its regions are drawn for one training step. Zero is not a default here: see end_to_end.h. */
typedef struct
{
  guint regions;    /* per scene */
  guint candidates; /* so many are drawn, of which the hardest are kept (Shrivastava et al. 2016); 0: regions */
  gdouble positive_fraction; /* at most this part is positive (IoU >= .5): .25 in the paper */
  gdouble easy_fraction;     /* of the negatives, IoU < .1, or more where the others, in [.1, .5), are few */
  guint jitter;              /* boxes moved and resized at random around each object, added to the proposals */
  gdouble min_scale,
      max_scale;  /* pictures are resized by a factor drawn log-uniformly, the same for all of a step: equal work */
  gdouble mosaic; /* part of the steps whose scenes are of four pictures each */
  gdouble blend;  /* part of the other scenes that another picture is laid over */
  SppnetSceneVariation variation;
  gdouble erase;      /* this part of the objects is partly hidden */
  gboolean iou_aware; /* a region's label is learnt the more surely the better its IoU: not at all at .3, for certain
                       * from .7 on */
  guint anchors;      /* per scene, where there is a region proposal network */
  gdouble colour; /* brightness, contrast and saturation vary by up to this part, hue by up to this part of 45 degrees,
                   * red and blue by up to a quarter of it */
} SppnetSamplerSettings;

/* How the scenes of one step are drawn. */
typedef struct
{
  gdouble scale;
  gboolean mosaic;
  gdouble blend; /* chance of each that another picture is laid over it; not for mosaics */
} SppnetSceneDraw;

/* Scratch memory and the last drawn example. */
typedef struct
{
  SppnetScene scene;
  SppnetBuffer input;  /* [height][width][3] network input */
  gboolean keep_plain; /* set by the owner: plain is wanted */
  SppnetBuffer plain;  /* as input, nothing hidden and no colour changed */
  SppnetSamples samples;
  SppnetBuffer boxes, targets, box_targets, weights, nearest, certainties;
  SppnetRpnTargets rpn_targets;
  GArray *objects;                /* for the anchors; (element-type SppnetBox) */
  SppnetBuffer order;             /* scratch */
  GArray *positive, *hard, *easy; /* candidates: box and matched object; scratch */
} SppnetSampler;

SppnetSampler *sppnet_sampler_new (void);
void sppnet_sampler_free (SppnetSampler *sampler);

/* Draws a scene of picture number i, the network's input and, where there is a region proposal network, its anchors,
 * but no regions. Everything random comes from random. */
gboolean sppnet_sampler_draw (SppnetSampler *sampler, const SppnetDataset *dataset, guint i,
                              const SppnetSceneDraw *draw, const SppnetConfig *config,
                              const SppnetSamplerSettings *settings, SppnetRandom *random, GError **error);

/* The regions of the scene, or the candidates for them: from its objects, its proposals, and proposals [n] that are
 * given. */
gboolean sppnet_sampler_draw_regions (SppnetSampler *sampler, const SppnetBox *proposals, gsize n,
                                      const SppnetConfig *config, const SppnetSamplerSettings *settings,
                                      SppnetRandom *random, GError **error);

/* Of the samples, keeps up to n with the highest losses that do not overlap each other much, in their order. */
gboolean sppnet_sampler_keep_hardest (SppnetSampler *sampler, const gfloat *losses, guint n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetSampler, sppnet_sampler_free)
