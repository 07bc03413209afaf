/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "base/random.h"
#include "train/dataset.h"

/* What one training step sees: one picture of a data set, resized, mirrored or cut, or a mosaic of four, or two that
 * show through each other. */

typedef struct
{
  SppnetBox box; /* the part that is visible, in pixels of the scene */
  gfloat share;  /* of the pixels there, 0 .. 1; the rest is another picture that was laid over it or is below it */
  gint label;    /* -1: neither an object nor background: difficult, tiny or hardly to be seen */
} SppnetSceneObject;

typedef struct
{
  gint width, height;
  GArray *objects;   /* those with a label that is trained; (element-type SppnetSceneObject) */
  GArray *proposals; /* those of the data set that are visible; (element-type SppnetBox) */
  SppnetBuffer rgb;  /* [height][width][3] */
  SppnetBuffer part; /* scratch: one resized picture */
} SppnetScene;

/* What differs between two looks at the same picture, besides its size. */
typedef struct
{
  gboolean flip;  /* left and right, every other time */
  gdouble aspect; /* width over height changes by a factor between 1 / aspect and this, log-uniformly; at least 1 */
} SppnetSceneVariation;

void sppnet_scene_init (SppnetScene *scene);
void sppnet_scene_clear (SppnetScene *scene);

/* The objects and proposals of a picture at this size, without its pixels. */
void sppnet_scene_set (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gint width, gint height,
                       gboolean mirror);

/* The picture resized by scale; what is larger than the picture itself is cut off somewhere, so that no scene takes
 * longer than the picture. */
gboolean sppnet_scene_draw (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                            const SppnetSceneVariation *variation, SppnetRandom *random, GError **error);

/* Four pictures, this one and three at random, each at about half of scale, side by side in the space of this one: more
 * and smaller objects, and other surroundings (Bochkovskiy et al. 2020). */
gboolean sppnet_scene_draw_mosaic (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                                   const SppnetSceneVariation *variation, SppnetRandom *random, GError **error);

/* Lays another picture over the scene, resized by scale, so that both show through: what is below keeps a share of each
 * pixel that is drawn from Beta(1.5, 1.5), the same for all (mixup, Zhang et al. 2018; for detectors Zhang et al. 2019,
 * section 3.1).
 */
gboolean sppnet_scene_blend (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                             const SppnetSceneVariation *variation, SppnetRandom *random, GError **error);

/* Paints a patch of one colour over this part of the objects (Zhong et al. 2017). No patch hides more than a quarter of
 * an object. Their boxes stay: what is hidden is still there. */
void sppnet_scene_erase (SppnetScene *scene, gdouble part, SppnetRandom *random);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetScene, sppnet_scene_clear)
