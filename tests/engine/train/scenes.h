/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "../tree.h"
#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"

/* A VOC folder of drawn pictures: red disks ("disk") and blue squares ("square") on a noisy grey ground, and a small
 * untrained backbone to start from. */

#define SCENE_WIDTH 160
#define SCENE_HEIGHT 120

static inline void
scene_draw (guint8 *rgb, gboolean disk, gint x0, gint y0, gint size)
{
  for (gint y = y0; y < y0 + size; y++)
    for (gint x = x0; x < x0 + size; x++) {
      gdouble dx = x + 0.5 - x0 - size / 2.0, dy = y + 0.5 - y0 - size / 2.0;
      guint8 *pixel = rgb + 3 * (y * SCENE_WIDTH + x);

      if (disk && dx * dx + dy * dy > size * size / 4.0)
        continue;
      pixel[0] = disk ? 220 : 20;
      pixel[1] = 30;
      pixel[2] = disk ? 20 : 220;
    }
}

/* One picture with a disk on one half and a square on the other; boxes: disk, square as x, y, size. */
static inline void
scene_make (guint8 *rgb, SppnetRandom *random, gint boxes[2][3])
{
  gint disk_left = (gint) sppnet_random_below (random, 2);

  for (gint i = 0; i < SCENE_WIDTH * SCENE_HEIGHT * 3; i++)
    rgb[i] = (guint8) (110 + sppnet_random_below (random, 30));
  for (gint k = 0; k < 2; k++) {
    gint size = 34 + (gint) sppnet_random_below (random, 30);

    boxes[k][0]
        = ((k == 0) == disk_left ? 0 : SCENE_WIDTH / 2) + (gint) sppnet_random_below (random, SCENE_WIDTH / 2 - size);
    boxes[k][1] = (gint) sppnet_random_below (random, SCENE_HEIGHT - size);
    boxes[k][2] = size;
    scene_draw (rgb, k == 0, boxes[k][0], boxes[k][1], size);
  }
}

static inline void
scene_write (const gchar *dir, guint number, SppnetRandom *random, GString *list)
{
  static const gchar *const names[] = { "disk", "square" };
  g_autofree guint8 *rgb = g_malloc (SCENE_WIDTH * SCENE_HEIGHT * 3);
  g_autofree gchar *picture = g_strdup_printf ("%s/JPEGImages/%03u.png", dir, number);
  g_autofree gchar *annotation = g_strdup_printf ("%s/Annotations/%03u.xml", dir, number);
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  g_autoptr (GString) xml = g_string_new (NULL);
  gint boxes[2][3];

  scene_make (rgb, random, boxes);
  pixbuf = gdk_pixbuf_new_from_data (rgb, GDK_COLORSPACE_RGB, FALSE, 8, SCENE_WIDTH, SCENE_HEIGHT, SCENE_WIDTH * 3,
                                     NULL, NULL);
  g_assert_true (gdk_pixbuf_save (pixbuf, picture, "png", NULL, NULL));
  g_string_printf (xml,
                   "<annotation><filename>%03u.png</filename><size><width>%d</width><height>%d</height>"
                   "<depth>3</depth></size>\n",
                   number, SCENE_WIDTH, SCENE_HEIGHT);
  for (gint k = 0; k < 2; k++)
    g_string_append_printf (xml,
                            "<object><name>%s</name><difficult>0</difficult><bndbox><xmin>%d</xmin><ymin>%d</ymin>"
                            "<xmax>%d</xmax><ymax>%d</ymax></bndbox></object>\n",
                            names[k], boxes[k][0] + 1, boxes[k][1] + 1, boxes[k][0] + boxes[k][2],
                            boxes[k][1] + boxes[k][2]);
  g_string_append (xml, "</annotation>\n");
  g_assert_true (g_file_set_contents (annotation, xml->str, -1, NULL));
  g_string_append_printf (list, "%03u\n", number);
}

/* (transfer full): the folder; its set is called "train". */
static inline gchar *
scenes_write (guint n, guint64 seed)
{
  gchar *dir = g_dir_make_tmp ("sppnet-scenes-XXXXXX", NULL);
  static const gchar *const folders[] = { "JPEGImages", "Annotations", "ImageSets/Main" };
  SppnetRandom random = { seed };
  g_autoptr (GString) list = g_string_new (NULL);
  g_autofree gchar *set = g_build_filename (dir, "ImageSets", "Main", "train.txt", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree gchar *folder = g_build_filename (dir, folders[i], NULL);

    g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  }
  for (guint i = 0; i < n; i++)
    scene_write (dir, i, &random, list);
  g_assert_true (g_file_set_contents (set, list->str, -1, NULL));
  return dir;
}

/* Three convolutions of stride 8 in all, He-normal, written as a model without a head. */
static inline void
backbone_write (const gchar *path)
{
  static const gint filters[] = { 12, 16, 24 };
  SppnetRandom random = { 99 };
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  sppnet_config_init (&config);
  for (guint i = 0; i < 3; i++) {
    config.layers[i] = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                                       .filters = filters[i],
                                       .kernel_width = 3,
                                       .kernel_height = 3,
                                       .stride = 2,
                                       .pad_x = 1,
                                       .pad_y = 1,
                                       .activation = SPPNET_ACTIVATION_LEAKY,
                                       .slope = 0.1f };
    g_snprintf (config.layers[i].name, sizeof config.layers[i].name, "conv%u", i + 1);
  }
  config.n_layers = 3;
  tensors = sppnet_config_tensors (&config);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    gsize count = 1, fan_in = 1;
    gfloat *data;

    for (guint d = 0; d < tensor->n_dims; d++) {
      count *= tensor->dims[d];
      fan_in *= d > 0 ? tensor->dims[d] : 1;
    }
    data = g_new0 (gfloat, count);
    for (gsize k = 0; tensor->n_dims > 1 && k < count; k++)
      data[k] = (gfloat) (sqrt (2.0 / (gdouble) fan_in) * sppnet_random_normal (&random));
    tensor->data = data;
    g_ptr_array_add (owned, data);
  }
  sppnet_model_save (path, &config, (const SppnetTensorSource *) tensors->data, tensors->len, SPPNET_DTYPE_F32, &error);
  g_assert_no_error (error);
}
