/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/scene.h"

#include <math.h>
#include <string.h>

#include "frame/picture.h"

/* Smallest side of a scene, pixels. */
#define SMALLEST 32
/* An object counts with this part of it visible and sides of so many pixels; from the lower part on it is no
 * background. */
#define VISIBLE 0.5f
#define PARTLY 0.2f
#define LEAST_SIDE 6.0f
/* And with such a share of its pixels, where pictures are blended. */
#define LEAST_SHARE 0.15f
/* Around the pictures of a mosaic. */
#define GREY 114
/* A patch over an object covers such a part of it, and is so many times as wide as the object's shape would have it. */
#define LEAST_ERASED 0.02
#define MOST_ERASED 0.25
#define ERASED_ASPECT 3.0

/* A picture's place in a scene: pixel (x, y) of the scene is the first of the resized picture, of which the pixels
 * within left .. right - 1, top .. bottom - 1 of the scene are visible. What was there before has the share through of
 * each of these pixels: 0, unless pictures are blended. */
typedef struct
{
  guint picture;
  gboolean mirror;
  gint width, height, x, y;
  gint left, top, right, bottom;
  gfloat through;
} Part;

void
sppnet_scene_init (SppnetScene *scene)
{
  *scene = (SppnetScene) { .objects = g_array_new (FALSE, FALSE, sizeof (SppnetSceneObject)),
                           .proposals = g_array_new (FALSE, FALSE, sizeof (SppnetBox)) };
}

void
sppnet_scene_clear (SppnetScene *scene)
{
  g_clear_pointer (&scene->objects, g_array_unref);
  g_clear_pointer (&scene->proposals, g_array_unref);
  sppnet_buffer_clear (&scene->rgb);
  sppnet_buffer_clear (&scene->part);
}

static void
begin (SppnetScene *scene, gint width, gint height)
{
  scene->width = width;
  scene->height = height;
  g_array_set_size (scene->objects, 0);
  g_array_set_size (scene->proposals, 0);
}

/* Moves a box of the picture into the scene. Returns how much of it is visible, 0 .. 1. */
static gfloat
place_box (const SppnetAnnotation *annotation, const Part *part, const SppnetBox *box, SppnetBox *placed)
{
  gfloat sx = (gfloat) part->width / (gfloat) annotation->width;
  gfloat sy = (gfloat) part->height / (gfloat) annotation->height;
  gfloat x = part->mirror ? (gfloat) annotation->width - box->x - box->width : box->x;
  gfloat left = x * sx + (gfloat) part->x, top = box->y * sy + (gfloat) part->y;
  gfloat right = left + box->width * sx, bottom = top + box->height * sy;
  gfloat area = (right - left) * (bottom - top);

  left = MAX (left, (gfloat) part->left);
  top = MAX (top, (gfloat) part->top);
  right = MIN (right, (gfloat) part->right);
  bottom = MIN (bottom, (gfloat) part->bottom);
  *placed = (SppnetBox) { left, top, right - left, bottom - top };
  return right > left && bottom > top ? placed->width * placed->height / area : 0.0f;
}

static void
place_objects (SppnetScene *scene, const SppnetDataset *dataset, const Part *part, gfloat least_side)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, part->picture);
  const GArray *proposals = dataset->proposals[part->picture];

  for (guint k = 0; k < annotation->objects->len; k++) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);
    SppnetSceneObject placed
        = { .share = 1.0f - part->through, .label = g_array_index (dataset->objects[part->picture], gint, k) };
    gfloat visible;

    if (placed.label < 0)
      continue;
    visible = place_box (annotation, part, &object->box, &placed.box);
    if (object->difficult || visible < VISIBLE || placed.share < LEAST_SHARE
        || MIN (placed.box.width, placed.box.height) < least_side)
      placed.label = -1;
    if (visible >= PARTLY)
      g_array_append_val (scene->objects, placed);
  }
  for (guint k = 0; proposals && k < proposals->len; k++) {
    SppnetBox placed;

    if (place_box (annotation, part, &g_array_index (proposals, SppnetBox, k), &placed) >= PARTLY)
      g_array_append_val (scene->proposals, placed);
  }
}

void
sppnet_scene_set (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gint width, gint height,
                  gboolean mirror)
{
  Part part
      = { .picture = picture, .mirror = mirror, .width = width, .height = height, .right = width, .bottom = height };

  begin (scene, width, height);
  place_objects (scene, dataset, &part, 0.0f);
}

/* What a part takes from the objects that are there already. */
static void
fade_objects (SppnetScene *scene, const Part *part)
{
  gfloat left = (gfloat) MAX (part->left, part->x), right = (gfloat) MIN (part->right, part->x + part->width);
  gfloat top = (gfloat) MAX (part->top, part->y), bottom = (gfloat) MIN (part->bottom, part->y + part->height);

  for (guint k = 0; k < scene->objects->len; k++) {
    SppnetSceneObject *object = &g_array_index (scene->objects, SppnetSceneObject, k);
    const SppnetBox *box = &object->box;
    gfloat width = MIN (box->x + box->width, right) - MAX (box->x, left);
    gfloat height = MIN (box->y + box->height, bottom) - MAX (box->y, top);
    gfloat covered = MAX (width, 0.0f) * MAX (height, 0.0f) / (box->width * box->height);

    object->share *= 1.0f - (1.0f - part->through) * covered;
    if (object->share < LEAST_SHARE)
      object->label = -1;
  }
}

/* through: in parts of 256 */
static void
draw_pixels (guint8 *to, const guint8 *from, gsize n, gint through)
{
  if (through == 0)
    memcpy (to, from, n);
  else
    for (gsize i = 0; i < n; i++)
      to[i] = (guint8) ((to[i] * through + from[i] * (256 - through) + 128) >> 8);
}

/* The visible pixels of a part. */
static gboolean
draw_part (SppnetScene *scene, const SppnetDataset *dataset, const Part *part, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, part->picture);
  guint8 *from = sppnet_buffer_reserve (&scene->part, (gsize) part->width * (gsize) part->height, 3, error);
  gint left = MAX (part->left, part->x), right = MIN (part->right, part->x + part->width);

  if (!from
      || !sppnet_picture_load_resized (annotation->picture, annotation->width, annotation->height, part->width,
                                       part->height, part->mirror, from, error))
    return FALSE;
  for (gint y = MAX (part->top, part->y); y < MIN (part->bottom, part->y + part->height) && right > left; y++)
    draw_pixels ((guint8 *) scene->rgb.data + ((gsize) y * (gsize) scene->width + (gsize) left) * 3,
                 from + ((gsize) (y - part->y) * (gsize) part->width + (gsize) (left - part->x)) * 3,
                 (gsize) (right - left) * 3, (gint) lroundf (256.0f * part->through));
  fade_objects (scene, part);
  place_objects (scene, dataset, part, LEAST_SIDE);
  return TRUE;
}

static gint
resized (gint length, gdouble scale)
{
  return MAX (SMALLEST, (gint) lround (scale * length));
}

/* Where a length comes to lie in a space from first to end: anywhere in it, or so that it covers it. */
static gint
place_length (gint length, gint first, gint end, SppnetRandom *random)
{
  gint slack = end - first - length;

  return first
         + (slack < 0 ? -(gint) sppnet_random_below (random, (guint32) -slack + 1)
                      : (gint) sppnet_random_below (random, (guint32) slack + 1));
}

/* Between 1 / limit and limit, log-uniformly. */
static gdouble
any_factor (gdouble limit, SppnetRandom *random)
{
  return pow (limit, 2.0 * sppnet_random_uniform (random) - 1.0);
}

/* part: its picture and visible pixels are set */
static gboolean
draw_picture (SppnetScene *scene, const SppnetDataset *dataset, Part *part, gdouble scale, gdouble stretch,
              gboolean flip, SppnetRandom *random, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, part->picture);

  part->mirror = flip && sppnet_random_uniform (random) < 0.5;
  part->width = resized (annotation->width, scale * stretch);
  part->height = resized (annotation->height, scale / stretch);
  part->x = place_length (part->width, part->left, part->right, random);
  part->y = place_length (part->height, part->top, part->bottom, random);
  return draw_part (scene, dataset, part, error);
}

gboolean
sppnet_scene_draw (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                   const SppnetSceneVariation *variation, SppnetRandom *random, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, picture);
  gdouble stretch = sqrt (any_factor (variation->aspect, random));
  Part part = { .picture = picture };

  begin (scene, resized (annotation->width, MIN (scale, 1.0) * stretch),
         resized (annotation->height, MIN (scale, 1.0) / stretch));
  part.right = scene->width;
  part.bottom = scene->height;
  return sppnet_buffer_reserve (&scene->rgb, (gsize) scene->width * (gsize) scene->height, 3, error)
         && draw_picture (scene, dataset, &part, scale, stretch, variation->flip, random, error);
}

gboolean
sppnet_scene_draw_mosaic (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                          const SppnetSceneVariation *variation, SppnetRandom *random, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, picture);
  gint x, y;

  begin (scene, resized (annotation->width, MIN (scale, 1.0)), resized (annotation->height, MIN (scale, 1.0)));
  if (!sppnet_buffer_reserve (&scene->rgb, (gsize) scene->width * (gsize) scene->height, 3, error))
    return FALSE;
  memset (scene->rgb.data, GREY, (gsize) scene->width * (gsize) scene->height * 3);
  x = (gint) lround (scene->width * (0.35 + 0.3 * sppnet_random_uniform (random)));
  y = (gint) lround (scene->height * (0.35 + 0.3 * sppnet_random_uniform (random)));
  for (guint k = 0; k < 4; k++) {
    Part part = { .picture = k ? sppnet_random_below (random, dataset->annotations->len) : picture,
                  .left = k % 2 ? x : 0,
                  .top = k / 2 ? y : 0,
                  .right = k % 2 ? scene->width : x,
                  .bottom = k / 2 ? scene->height : y };
    gdouble half = 0.5 * scale * (0.75 + 0.5 * sppnet_random_uniform (random));
    gdouble stretch = sqrt (any_factor (variation->aspect, random));

    if (!draw_picture (scene, dataset, &part, half, stretch, variation->flip, random, error))
      return FALSE;
  }
  return TRUE;
}

/* Beta(1.5, 1.5) is how the abscissae of points lie that are spread evenly over a disk. */
static gfloat
draw_share (SppnetRandom *random)
{
  gdouble radius = sqrt (sppnet_random_uniform (random)), angle = 2.0 * G_PI * sppnet_random_uniform (random);

  return (gfloat) (0.5 + 0.5 * radius * cos (angle));
}

gboolean
sppnet_scene_blend (SppnetScene *scene, const SppnetDataset *dataset, guint picture, gdouble scale,
                    const SppnetSceneVariation *variation, SppnetRandom *random, GError **error)
{
  Part part = { .picture = picture, .right = scene->width, .bottom = scene->height, .through = draw_share (random) };
  gdouble stretch = sqrt (any_factor (variation->aspect, random));

  return draw_picture (scene, dataset, &part, scale, stretch, variation->flip, random, error);
}

/* One colour over a rectangle of the scene. */
static void
paint (SppnetScene *scene, gint x, gint y, gint width, gint height, SppnetRandom *random)
{
  guint8 colour[3];

  for (gint c = 0; c < 3; c++)
    colour[c] = (guint8) sppnet_random_below (random, 256);
  for (gint row = y; row < y + height; row++) {
    guint8 *pixel = (guint8 *) scene->rgb.data + ((gsize) row * (gsize) scene->width + (gsize) x) * 3;

    for (gint i = 0; i < width; i++)
      memcpy (pixel + (gsize) i * 3, colour, 3);
  }
}

/* Whether a patch would hide too much of another object than number k. */
static gboolean
hides_another (const SppnetScene *scene, guint k, const SppnetBox *patch)
{
  for (guint i = 0; i < scene->objects->len; i++) {
    const SppnetSceneObject *object = &g_array_index (scene->objects, SppnetSceneObject, i);
    const SppnetBox *box = &object->box;
    gfloat width = MIN (box->x + box->width, patch->x + patch->width) - MAX (box->x, patch->x);
    gfloat height = MIN (box->y + box->height, patch->y + patch->height) - MAX (box->y, patch->y);

    if (i != k && object->label >= 0 && MAX (width, 0.0f) * MAX (height, 0.0f) > MOST_ERASED * box->width * box->height)
      return TRUE;
  }
  return FALSE;
}

void
sppnet_scene_erase (SppnetScene *scene, gdouble part, SppnetRandom *random)
{
  for (guint k = 0; k < scene->objects->len; k++) {
    const SppnetSceneObject *object = &g_array_index (scene->objects, SppnetSceneObject, k);
    gdouble side, stretch;
    gint left, top, width, height;

    if (sppnet_random_uniform (random) >= part || object->label < 0)
      continue;
    side = sqrt (LEAST_ERASED + (MOST_ERASED - LEAST_ERASED) * sppnet_random_uniform (random));
    stretch = sqrt (any_factor (ERASED_ASPECT, random));
    width = MAX ((gint) (object->box.width * side * stretch), 1);
    height = MAX ((gint) (object->box.height * side / stretch), 1);
    left = (gint) object->box.x;
    top = (gint) object->box.y;
    left += (gint) sppnet_random_below (random, (guint32) MAX ((gint) object->box.width - width, 0) + 1);
    top += (gint) sppnet_random_below (random, (guint32) MAX ((gint) object->box.height - height, 0) + 1);
    width = MIN (width, scene->width - left);
    height = MIN (height, scene->height - top);
    if (!hides_another (scene, k, &(SppnetBox) { (gfloat) left, (gfloat) top, (gfloat) width, (gfloat) height }))
      paint (scene, left, top, width, height, random);
  }
}
