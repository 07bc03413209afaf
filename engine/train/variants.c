/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/variants.h"

#include <math.h>

#include "backbone/backbone.h"
#include "base/memory.h"
#include "frame/picture.h"

static const struct
{
  gdouble scale;
  gboolean mirror;
} table[SPPNET_VARIANTS] = { { 1.0, FALSE }, { 1.0, TRUE }, { 0.7, FALSE }, { 1.4, TRUE } };

/* Below this side the variant keeps the size: a small picture has no map at all. */
#define SMALLEST 64

struct _SppnetVariants
{
  const SppnetDataset *dataset;
  SppnetBackbone *backbone;
  SppnetMapCache *cache;
  SppnetBuffer rgb;
};

gdouble
sppnet_variants_scale (guint variant)
{
  return table[variant].scale;
}

gboolean
sppnet_variants_mirrored (guint variant)
{
  return table[variant].mirror;
}

/* The model, the pictures and what is made of them. */
static gchar *
cache_key (SppnetModel *model, const SppnetDataset *dataset)
{
  g_autofree gchar *pictures = sppnet_dataset_pictures_key (dataset), *weights = sppnet_model_fingerprint (model);
  GString *key = g_string_new (pictures);

  g_string_append_printf (key, " %s", weights);
  for (guint v = 0; v < SPPNET_VARIANTS; v++)
    g_string_append_printf (key, " %.3f%s", table[v].scale, table[v].mirror ? " mirrored" : "");
  return g_string_free (key, FALSE);
}

SppnetVariants *
sppnet_variants_new (SppnetModel *model, const SppnetDataset *dataset, const gchar *cache_file, GError **error)
{
  g_autoptr (SppnetVariants) variants = g_new0 (SppnetVariants, 1);
  g_autofree gchar *key = cache_key (model, dataset);

  variants->dataset = dataset;
  variants->cache = sppnet_map_cache_open (cache_file, key, dataset->annotations->len * SPPNET_VARIANTS, error);
  variants->backbone = variants->cache ? sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, error) : NULL;
  return variants->backbone ? g_steal_pointer (&variants) : NULL;
}

void
sppnet_variants_free (SppnetVariants *variants)
{
  if (!variants)
    return;
  g_clear_pointer (&variants->cache, sppnet_map_cache_free);
  g_clear_pointer (&variants->backbone, sppnet_backbone_free);
  sppnet_buffer_clear (&variants->rgb);
  g_free (variants);
}

/* All pictures of one variant follow each other. */
static guint
entry_of (const SppnetVariants *variants, guint picture, guint variant)
{
  return variant * variants->dataset->annotations->len + picture;
}

void
sppnet_variants_size (const SppnetAnnotation *annotation, guint variant, gint *width, gint *height)
{
  gdouble scale = table[variant].scale;

  if (scale * MIN (annotation->width, annotation->height) < SMALLEST
      || scale * MAX (annotation->width, annotation->height) > SPPNET_FRAME_MAX_SIZE)
    scale = 1.0;
  *width = (gint) lround (scale * annotation->width);
  *height = (gint) lround (scale * annotation->height);
}

static gboolean
make_map (SppnetVariants *variants, guint picture, guint variant, guint threads, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (variants->dataset->annotations, picture);
  SppnetPicture resized;
  SppnetFrame frame;
  SppnetMap map;

  sppnet_variants_size (annotation, variant, &resized.width, &resized.height);
  resized.rgb = sppnet_buffer_reserve (&variants->rgb, (gsize) resized.width * (gsize) resized.height, 3, error);
  if (!resized.rgb
      || !sppnet_picture_load_resized (annotation->picture, annotation->width, annotation->height, resized.width,
                                       resized.height, table[variant].mirror, resized.rgb, error))
    return FALSE;
  frame = sppnet_picture_frame (&resized);
  if (!sppnet_backbone_run (variants->backbone, &frame, threads, &map, NULL, error)) {
    g_prefix_error (error, "%s: ", annotation->picture);
    return FALSE;
  }
  return sppnet_map_cache_put (variants->cache, entry_of (variants, picture, variant), &map, error);
}

gboolean
sppnet_variants_fill (SppnetVariants *variants, guint n, guint threads, SppnetProgress progress, gpointer user_data,
                      GError **error)
{
  guint pictures = variants->dataset->annotations->len;

  for (guint i = 0; i < n * pictures; i++) {
    if (sppnet_map_cache_has (variants->cache, i))
      continue;
    if (!make_map (variants, i % pictures, i / pictures, threads, error))
      return FALSE;
    if (progress && !progress (user_data, "feature maps", (i + 1.0) / (n * pictures), "")) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "stopped; the same command goes on");
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
sppnet_variants_get (SppnetVariants *variants, guint picture, guint variant, SppnetMap *map, gfloat **data,
                     gsize *data_floats, GError **error)
{
  return sppnet_map_cache_get (variants->cache, entry_of (variants, picture, variant), map, data, data_floats, error);
}

static void
add_boxes (const SppnetVariants *variants, guint picture, guint variant, gboolean ignored, GArray *boxes)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (variants->dataset->annotations, picture);
  const GArray *labels = variants->dataset->objects[picture];
  gint width, height;
  gfloat sx, sy;

  sppnet_variants_size (annotation, variant, &width, &height);
  sx = (gfloat) width / (gfloat) annotation->width;
  sy = (gfloat) height / (gfloat) annotation->height;
  for (guint k = 0; k < annotation->objects->len; k++) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);
    gfloat x = table[variant].mirror ? (gfloat) annotation->width - object->box.x - object->box.width : object->box.x;
    SppnetBox box = { x * sx, object->box.y * sy, object->box.width * sx, object->box.height * sy };

    if (g_array_index (labels, gint, k) >= 0 && object->difficult == ignored)
      g_array_append_val (boxes, box);
  }
}

SppnetRpnObjects
sppnet_variants_objects (const SppnetVariants *variants, guint picture, guint variant, GArray *boxes)
{
  guint n;

  g_array_set_size (boxes, 0);
  add_boxes (variants, picture, variant, FALSE, boxes);
  n = boxes->len;
  add_boxes (variants, picture, variant, TRUE, boxes);
  return (SppnetRpnObjects) { n, boxes->len - n, (SppnetBox *) boxes->data };
}
