/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A model whose answers are predictable, and frames for it: label "red" fires on windows that hold red and nothing
 * dark, "green" likewise, so both fire on yellow. A cell of the map is the mean of 4x4 pixels. */
#include <string.h>

#include "../head/tiny-model.h"

#include <sppnet/detector.h>

#define SCENE_CELL 4
#define SCENE_CHANNELS 3 /* red, green, darkness */

static const gchar *const scene_labels[] = { "red", "green", NULL };

static inline void
scene_config (SppnetConfig *config)
{
  sppnet_config_init (config);
  config->name = g_strdup ("scene");
  config->n_layers = 2;
  config->layers[0] = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                                      .name = "conv1",
                                      .filters = SCENE_CHANNELS,
                                      .kernel_width = 1,
                                      .kernel_height = 1,
                                      .stride = 1,
                                      .activation = SPPNET_ACTIVATION_RELU };
  config->layers[1] = (SppnetLayer) { .kind = SPPNET_LAYER_AVERAGE_POOL,
                                      .name = "pool1",
                                      .kernel_width = SCENE_CELL,
                                      .kernel_height = SCENE_CELL,
                                      .stride = SCENE_CELL,
                                      .ceil_mode = TRUE };
  config->n_levels = 2;
  config->levels[0] = 1;
  config->levels[1] = 2;
  config->proposals = SPPNET_PROPOSALS_REGIONS;
  tiny_labels (config, scene_labels);
}

/* A region proposal network that prefers what is not dark: its filters are the map's channels, seen through the
 * kernel's centre. Two anchors, whose boxes it leaves as they are. */
static inline void
scene_add_rpn (SppnetConfig *config)
{
  config->rpn.filters = SCENE_CHANNELS;
  config->rpn.n_anchors = 2;
  config->rpn.anchors[0][0] = 20;
  config->rpn.anchors[0][1] = 24;
  config->rpn.anchors[1][0] = config->rpn.anchors[1][1] = 12;
}

/* One row of the classifier: red, green and dark weigh on the whole window's maxima, which come first in file order. */
static inline void
scene_row (gfloat *row, gfloat red, gfloat green, gfloat dark)
{
  row[0] = red;
  row[1] = green;
  row[2] = dark;
}

/* Scores: 10 or so on the colour, -10 elsewhere. user_data: (nullable) gfloat [2][4], the box regression's output. */
static inline void
scene_fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  const gsize vector = 5 * SCENE_CHANNELS;

  if (g_str_equal (name, "conv1.weight")) {
    data[0] = 1.0f;                      /* red */
    data[4] = 1.0f;                      /* green */
    data[6] = data[7] = data[8] = -1.0f; /* darkness: 1 - sum, through ReLU */
  } else if (g_str_equal (name, "conv1.bias")) {
    data[2] = 1.0f;
  } else if (g_str_equal (name, "classifier.weight")) {
    gfloat *rows = n == 3 * vector ? data + vector : data; /* row 0 of a softmax is background */

    scene_row (rows, 20.0f, 0.0f, -20.0f);
    scene_row (rows + vector, 0.0f, 20.0f, -20.0f);
  } else if (g_str_equal (name, "classifier.bias")) {
    gfloat *bias = n == 3 ? data + 1 : data;

    bias[0] = -10.0f;
    bias[1] = -10.0f;
  } else if (g_str_equal (name, "rpn.weight")) {
    for (gsize c = 0; c < SCENE_CHANNELS; c++)
      data[(c * SCENE_CHANNELS + c) * 9 + 4] = 1.0f;
  } else if (g_str_equal (name, "rpn_score.weight")) {
    scene_row (data, 4.0f, 3.0f, -5.0f);
    scene_row (data + SCENE_CHANNELS, 3.0f, 3.0f, -5.0f);
  } else if (user_data && g_str_equal (name, "box.bias")) {
    memcpy (data, user_data, n * sizeof *data);
  }
}

static inline SppnetModel *
scene_model (void)
{
  g_auto (SppnetConfig) config;

  scene_config (&config);
  return tiny_model_new (&config, scene_fill, NULL);
}

/* A black RGB frame. */
typedef struct
{
  gint width, height;
  guint8 *rgb;
} Scene;

static inline void
scene_init (Scene *scene, gint width, gint height)
{
  scene->width = width;
  scene->height = height;
  scene->rgb = g_malloc0 ((gsize) width * height * 3);
}

static inline void
scene_clear (Scene *scene)
{
  g_clear_pointer (&scene->rgb, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

static inline void
scene_draw (Scene *scene, gint x0, gint y0, gint width, gint height, guint8 red, guint8 green)
{
  for (gint y = y0; y < y0 + height; y++)
    for (gint x = x0; x < x0 + width; x++) {
      guint8 *pixel = scene->rgb + ((gsize) y * scene->width + x) * 3;

      pixel[0] = red;
      pixel[1] = green;
      pixel[2] = 0;
    }
}

static inline SppnetFrame
scene_frame (const Scene *scene)
{
  return (SppnetFrame) { SPPNET_PIXEL_FORMAT_RGB, scene->width, scene->height, { scene->rgb }, { scene->width * 3 } };
}

/* Noise and some squares: many proposals, many detections. */
static inline void
scene_draw_noise (Scene *scene, guint32 seed)
{
  for (gsize i = 0; i < (gsize) scene->width * scene->height * 3; i++) {
    seed = seed * 1664525u + 1013904223u;
    scene->rgb[i] = (guint8) (seed >> 24) / 8;
  }
  for (gint i = 0; i + 24 < MIN (scene->width, scene->height); i += 32)
    scene_draw (scene, i, i / 2, 20, 24, i % 64 ? 255 : 40, 255);
}

/* The same detections to the last bit (the struct has padding). */
static inline void
scene_assert_same (const SppnetDetection *a, gsize n_a, const SppnetDetection *b, gsize n_b)
{
  g_assert_cmpuint (n_a, ==, n_b);
  for (gsize i = 0; i < n_a; i++) {
    g_assert_cmpmem (&a[i].box, sizeof a[i].box, &b[i].box, sizeof b[i].box);
    g_assert_cmpstr (a[i].label, ==, b[i].label);
    g_assert_cmpuint (a[i].label_id, ==, b[i].label_id);
    g_assert_cmpmem (&a[i].confidence, sizeof (gfloat), &b[i].confidence, sizeof (gfloat));
    g_assert_cmpint (a[i].region, ==, b[i].region);
  }
}
