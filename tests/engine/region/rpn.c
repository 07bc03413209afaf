/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "../head/tiny-model.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "box/regression.h"
#include "region/anchors.h"
#include "region/rpn.h"

#define CHANNELS 6
#define FILTERS 10
#define ANCHORS 3

/* A map of stride 8 with CHANNELS channels. */
static void
make_config (SppnetConfig *config, gint stride, SppnetActivation activation)
{
  static const gfloat anchors[ANCHORS][2] = { { 24, 16 }, { 40, 60 }, { 90.5f, 70 } };

  sppnet_config_init (config);
  config->n_layers = 1;
  config->layers[0] = (SppnetLayer) { .kind = SPPNET_LAYER_CONV,
                                      .name = "conv1",
                                      .filters = CHANNELS,
                                      .kernel_width = 3,
                                      .kernel_height = 3,
                                      .stride = 8,
                                      .pad_x = 1,
                                      .pad_y = 1 };
  config->rpn.filters = FILTERS;
  config->rpn.stride = stride;
  config->rpn.activation = activation;
  config->rpn.slope = activation == SPPNET_ACTIVATION_LEAKY ? 0.25f : 0.0f;
  config->rpn.n_anchors = ANCHORS;
  memcpy (config->rpn.anchors, anchors, sizeof anchors);
}

static void
fill (const gchar *name, gfloat *data, gsize n, gpointer user_data)
{
  SppnetRandom random = { g_str_hash (name) };
  gdouble sigma = strstr (name, "box.weight") ? 0.1 : 0.5;

  for (gsize i = 0; i < n; i++)
    data[i] = (gfloat) (sigma * sppnet_random_normal (&random));
}

typedef struct
{
  SppnetMap map;
  gfloat *data;
} RandomMap;

static void
random_map_clear (RandomMap *map)
{
  g_free (map->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RandomMap, random_map_clear)

static RandomMap
random_map (gint width, gint height, guint64 seed)
{
  SppnetRandom random = { seed };
  gsize n = (gsize) width * (gsize) height * CHANNELS;
  RandomMap map = { { NULL, width, height, CHANNELS, { 8, 0, 0 } }, g_new (gfloat, n) };

  for (gsize i = 0; i < n; i++)
    map.data[i] = (gfloat) sppnet_random_normal (&random);
  map.map.data = map.data;
  return map;
}

typedef struct
{
  SppnetBox box;
  gdouble score;
} Proposal;

static int
compare (gconstpointer a, gconstpointer b)
{
  const Proposal *p = a, *q = b;

  return (p->score < q->score) - (p->score > q->score);
}

static gdouble
tap (const SppnetMap *map, gint x, gint y, gint channel)
{
  return x < 0 || y < 0 || x >= map->width || y >= map->height
             ? 0.0
             : map->data[((gsize) y * (gsize) map->width + (gsize) x) * CHANNELS + (gsize) channel];
}

/* Output number o of cell (x, y) by the definition: scores first, then the boxes. */
static gdouble
output (const SppnetModel *model, const SppnetMap *map, gint x, gint y, gint o)
{
  const SppnetRpnConfig *rpn = &sppnet_model_get_config (model)->rpn;
  const gfloat *weight = sppnet_model_get_tensor (model, "rpn.weight", NULL);
  const gfloat *bias = sppnet_model_get_tensor (model, "rpn.bias", NULL);
  gboolean is_box = o >= ANCHORS;
  const gfloat *last = sppnet_model_get_tensor (model, is_box ? "rpn_box.weight" : "rpn_score.weight", NULL);
  gint row = is_box ? o - ANCHORS : o;
  gdouble sum = sppnet_model_get_tensor (model, is_box ? "rpn_box.bias" : "rpn_score.bias", NULL)[row];

  for (gint f = 0; f < FILTERS; f++) {
    gdouble y_f = bias[f];

    for (gint c = 0; c < CHANNELS; c++)
      for (gint k = 0; k < 9; k++)
        y_f += weight[(f * CHANNELS + c) * 9 + k]
               * tap (map, x * rpn->stride + k % 3 - 1, y * rpn->stride + k / 3 - 1, c);
    if (y_f < 0)
      y_f *= rpn->activation == SPPNET_ACTIVATION_LEAKY ? rpn->slope : 0;
    sum += last[row * FILTERS + f] * y_f;
  }
  return sum;
}

/* All boxes with their scores, best first, before suppression. */
static GArray *
naive_candidates (const SppnetModel *model, const SppnetMap *map, gint width, gint height)
{
  const SppnetRpnConfig *rpn = &sppnet_model_get_config (model)->rpn;
  GArray *all = g_array_new (FALSE, FALSE, sizeof (Proposal));

  for (gint y = 0; y * rpn->stride < map->height; y++)
    for (gint x = 0; x * rpn->stride < map->width; x++)
      for (gint a = 0; a < ANCHORS; a++) {
        gfloat w = rpn->anchors[a][0], h = rpn->anchors[a][1], t[4];
        SppnetBox anchor
            = { (gfloat) (8 * rpn->stride * x) + 0.5f - w / 2, (gfloat) (8 * rpn->stride * y) + 0.5f - h / 2, w, h };
        Proposal proposal = { .score = 1 / (1 + exp (-output (model, map, x, y, a))) };

        for (gint c = 0; c < 4; c++)
          t[c] = (gfloat) output (model, map, x, y, ANCHORS + 4 * a + c);
        proposal.box = sppnet_box_decode (&anchor, t);
        proposal.box = sppnet_box_clip (&proposal.box, width, height);
        if (MIN (proposal.box.width, proposal.box.height) >= MIN (rpn->min_size, (gfloat) MIN (width, height)))
          g_array_append_val (all, proposal);
      }
  g_array_sort (all, compare);
  return all;
}

static void
check_naive (gint stride, SppnetActivation activation, gint map_width, gint map_height)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (map_width, map_height, 5);
  gint width = 8 * map_width - 3, height = 8 * map_height - 5;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) rpn = NULL;
  g_autoptr (GArray) expected = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetBox *boxes;
  const gfloat *scores;
  gsize n;

  make_config (&config, stride, activation);
  config.rpn.nms_threshold = 1; /* nothing overlaps more */
  config.rpn.candidates = 100000;
  model = tiny_model_new (&config, fill, NULL);
  rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, &error);
  g_assert_no_error (error);
  g_assert_true (sppnet_rpn_run (rpn, &map.map, width, height, 100000, 0.0f, 1, &boxes, &scores, &n, &error));
  expected = naive_candidates (model, &map.map, width, height);
  g_assert_cmpuint (n, ==, expected->len);
  g_assert_cmpuint (n, >, 0);
  for (gsize i = 0; i < n; i++) {
    const Proposal *proposal = &g_array_index (expected, Proposal, i);

    g_assert_cmpfloat_with_epsilon (scores[i], proposal->score, 1e-5);
    g_assert_cmpfloat_with_epsilon (boxes[i].x, proposal->box.x, 1e-2);
    g_assert_cmpfloat_with_epsilon (boxes[i].y, proposal->box.y, 1e-2);
    g_assert_cmpfloat_with_epsilon (boxes[i].width, proposal->box.width, 1e-2);
    g_assert_cmpfloat_with_epsilon (boxes[i].height, proposal->box.height, 1e-2);
  }
}

static void
test_naive (void)
{
  check_naive (1, SPPNET_ACTIVATION_RELU, 17, 11);
  check_naive (2, SPPNET_ACTIVATION_RELU, 17, 12);
  check_naive (2, SPPNET_ACTIVATION_LEAKY, 40, 30);
  check_naive (1, SPPNET_ACTIVATION_LEAKY, 1, 1);
  check_naive (2, SPPNET_ACTIVATION_LEAKY, 1, 30);
}

/* Survivors are far apart, in order, inside, and as many as asked for; the same for any number of threads. */
static void
test_result (void)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (60, 50, 9);
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) one = NULL, many = NULL;
  const SppnetBox *a, *b;
  const gfloat *scores;
  gsize n_a, n_b;

  make_config (&config, 2, SPPNET_ACTIVATION_RELU);
  model = tiny_model_new (&config, fill, NULL);
  one = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  many = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_assert_true (sppnet_rpn_run (one, &map.map, 470, 390, 100, 0.0f, 1, &a, &scores, &n_a, NULL));
  g_assert_true (sppnet_rpn_run (many, &map.map, 470, 390, 100, 0.0f, 7, &b, NULL, &n_b, NULL));
  g_assert_cmpuint (n_a, ==, 100);
  g_assert_cmpmem (a, n_a * sizeof *a, b, n_b * sizeof *b);
  for (gsize i = 0; i < n_a; i++) {
    g_assert_true (a[i].x >= 0 && a[i].y >= 0 && a[i].x + a[i].width <= 470 && a[i].y + a[i].height <= 390);
    g_assert_true (a[i].width >= 8 && a[i].height >= 8 && scores[i] > 0 && scores[i] < 1);
    g_assert_true (i == 0 || scores[i] <= scores[i - 1]);
    for (gsize j = 0; j < i; j++)
      g_assert_cmpfloat (sppnet_box_iou (&a[i], &a[j]), <=, 0.7001f);
  }
}

/* More boxes than the model's own number: more candidates, too. */
static void
test_more_boxes (void)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (40, 40, 2);
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) rpn = NULL;
  const SppnetBox *boxes;
  gsize few, many, none;

  make_config (&config, 1, SPPNET_ACTIVATION_RELU);
  config.rpn.candidates = 50;
  config.rpn.boxes = 50;
  model = tiny_model_new (&config, fill, NULL);
  rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 50, 0.0f, 1, &boxes, NULL, &few, NULL));
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 500, 0.0f, 1, &boxes, NULL, &many, NULL));
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 0, 0.0f, 1, &boxes, NULL, &none, NULL));
  g_assert_cmpuint (few, <=, 50);
  g_assert_cmpuint (many, >, 50);
  g_assert_cmpuint (none, ==, 0);
}

/* Those of at least a score are the first of all. */
static void
test_min_score (void)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (40, 40, 2);
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) rpn = NULL;
  g_autofree SppnetBox *all = NULL;
  g_autofree gfloat *all_scores = NULL;
  const SppnetBox *boxes;
  const gfloat *scores;
  gsize n_all, n;

  make_config (&config, 1, SPPNET_ACTIVATION_RELU);
  model = tiny_model_new (&config, fill, NULL);
  rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 200, 0.0f, 1, &boxes, &scores, &n_all, NULL));
  g_assert_cmpuint (n_all, >, 10);
  all = g_memdup2 (boxes, n_all * sizeof *boxes);
  all_scores = g_memdup2 (scores, n_all * sizeof *scores);
  for (gsize i = 0; i < n_all; i += 7) {
    gsize expected = 0;

    g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 200, all_scores[i], 1, &boxes, &scores, &n, NULL));
    while (expected < n_all && all_scores[expected] >= all_scores[i])
      expected++;
    g_assert_cmpmem (boxes, n * sizeof *boxes, all, expected * sizeof *all);
    g_assert_cmpmem (scores, n * sizeof *scores, all_scores, expected * sizeof *all_scores);
  }
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 320, 200, 1.0f, 1, &boxes, &scores, &n, NULL));
  g_assert_cmpuint (n, ==, 0);
}

/* Numbers that are not numbers, and frames smaller than the smallest box. */
static void
test_strange (void)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (3, 2, 2);
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) rpn = NULL;
  const SppnetBox *boxes;
  gsize n;

  make_config (&config, 1, SPPNET_ACTIVATION_RELU);
  model = tiny_model_new (&config, fill, NULL);
  rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 1, 1, 300, 0.0f, 2, &boxes, NULL, &n, NULL));
  g_assert_cmpuint (n, >, 0);
  for (gsize i = 0; i < n; i++)
    g_assert_true (boxes[i].x == 0 && boxes[i].y == 0 && boxes[i].width == 1 && boxes[i].height == 1);
  map.data[0] = NAN;
  map.data[20] = INFINITY;
  map.data[25] = -INFINITY;
  g_assert_true (sppnet_rpn_run (rpn, &map.map, 24, 16, 300, 0.0f, 2, &boxes, NULL, &n, NULL));
  for (gsize i = 0; i < n; i++)
    g_assert_true (boxes[i].x >= 0 && boxes[i].y >= 0 && boxes[i].x + boxes[i].width <= 24
                   && boxes[i].y + boxes[i].height <= 16);
  /* What is no number has no score. */
  for (gfloat least = 1e-9f; least < 1.0f; least *= 9.0f) {
    const gfloat *scores;

    g_assert_true (sppnet_rpn_run (rpn, &map.map, 24, 16, 300, least, 2, &boxes, &scores, &n, NULL));
    for (gsize i = 0; i < n; i++)
      g_assert_true (scores[i] >= least);
  }
}

static void
test_allocations (void)
{
  g_auto (SppnetConfig) config;
  g_auto (RandomMap) map = random_map (40, 30, 2);
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (SppnetRpn) rpn = NULL;
  const SppnetBox *boxes;
  guint64 before = 0;
  gsize n;

  make_config (&config, 2, SPPNET_ACTIVATION_RELU);
  model = tiny_model_new (&config, fill, NULL);
  rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, NULL);
  for (guint i = 0; i < 5; i++) {
    g_assert_true (sppnet_rpn_run (rpn, &map.map, 320, 240, 300, 0.0f, 2, &boxes, NULL, &n, NULL));
    if (i == 0)
      before = sppnet_aligned_alloc_count ();
  }
  g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, before);
}

static void
test_none (void)
{
  g_auto (SppnetConfig) config;
  g_autoptr (SppnetModel) model = NULL;
  g_autoptr (GError) error = NULL;

  make_config (&config, 1, SPPNET_ACTIVATION_RELU);
  config.rpn.n_anchors = 0;
  model = tiny_model_new (&config, fill, NULL);
  g_assert_null (sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "has no region proposal network"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/rpn/naive", test_naive);
  g_test_add_func ("/region/rpn/result", test_result);
  g_test_add_func ("/region/rpn/more-boxes", test_more_boxes);
  g_test_add_func ("/region/rpn/min-score", test_min_score);
  g_test_add_func ("/region/rpn/strange", test_strange);
  g_test_add_func ("/region/rpn/allocations", test_allocations);
  g_test_add_func ("/region/rpn/none", test_none);
  return g_test_run ();
}
