/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/weights.h"

/* How the layers of a network are run on a frame of one size. */

typedef enum
{
  SPPNET_METHOD_LAYER,          /* layers.h */
  SPPNET_METHOD_DIRECT,         /* conv.h */
  SPPNET_METHOD_WINOGRAD,       /* winograd.h */
  SPPNET_METHOD_WINOGRAD_SMALL, /* the same with the kernels' small tiles */
  SPPNET_METHOD_PIXELS,         /* pixels.h */
  SPPNET_METHOD_ADD,            /* a merge of which the finer map's part is there */
} SppnetMethod;

/* A layer, or a convolution with the 2x2 max pooling or the 1x1 convolution after it or both, or with pooling and its
 * part of a last merge: the maps between them are never stored. */
typedef struct
{
  guint layer;
  gboolean pooled;
  guint then;  /* the layer of the 1x1 convolution; 0: none */
  guint joins; /* the network's last layer, a merge, to which the map before pooling is the finer one: its part of the
                * output is computed with the step; 0: none */
  SppnetMethod method;
  gint rows; /* output rows are computed in multiples of it, but for the last ones */
} SppnetStep;

typedef struct
{
  guint n_steps;
  SppnetStep steps[SPPNET_MAX_LAYERS];
} SppnetBackbonePlan;

/* shapes: of the maps, see sppnet_config_shapes() */
void sppnet_backbone_plan_init (SppnetBackbonePlan *plan, const SppnetConfig *config, const SppnetWeights *weights,
                                const SppnetShape *shapes);

/* How a convolution is best run, with its own weights, whose output, before pooling, has this shape. */
SppnetMethod sppnet_plan_method (const SppnetConv *conv, const SppnetShape *out);

/* The map that a step writes, as an index of shapes. */
guint sppnet_step_output (const SppnetStep *step);
/* The layer of the 1x1 convolution that is part of a step, be it its own or that of a merge; 0: none. */
guint sppnet_step_follower (const SppnetStep *step);
/* The input rows that output row y of a step needs: [*first, *end), not clipped to the map. */
void sppnet_step_input_rows (const SppnetStep *step, const SppnetConfig *config, gint y, gint *first, gint *end);

typedef struct
{
  gdouble flop;     /* by the layer's definition; pooling and normalisation count none */
  gdouble products; /* of an input value with a filter, as the method computes them, transforms and reading of weights
                       included */
  gdouble bytes;    /* of input, weights and output */
} SppnetStepCost;

void sppnet_step_cost (const SppnetStep *step, const SppnetConfig *config, const SppnetWeights *weights,
                       const SppnetShape *shapes, SppnetStepCost *cost);

/* Products per second of one thread, measured for a few milliseconds. */
gdouble sppnet_plan_calibrate (void);

gboolean sppnet_method_is_winograd (SppnetMethod method);
const gchar *sppnet_method_name (SppnetMethod method);
