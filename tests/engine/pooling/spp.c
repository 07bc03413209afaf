/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pooling/pooler.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

/* The paper's test-time rule, checked for every map up to 200 cells and every level up to 12: exactly n bins, none
 * empty, in order, nothing left out, no bin longer than it must be. */
static void
test_bin_rule (void)
{
  for (gint a = 1; a <= 200; a++)
    for (gint n = 1; n <= 12; n++) {
      gint last_first = 0, last_end = 0;

      for (gint i = 0; i < n; i++) {
        gint first, end;

        sppnet_bin_range (i, n, a, &first, &end);
        g_assert_cmpint (first, >=, 0);
        g_assert_cmpint (end, <=, a);
        g_assert_cmpint (first, <, end);
        g_assert_cmpint (first, >=, last_first);
        g_assert_cmpint (end, >=, last_end);
        g_assert_cmpint (first, <=, last_end); /* full cover */
        g_assert_cmpint (end - first, <=, a / n + 2);
        if (a % n == 0)
          g_assert_cmpint (first, ==, last_end); /* no overlap where it can be avoided */
        /* floor and ceil by definition, without a division that could share a mistake */
        g_assert_true (first * n <= i * a && (first + 1) * n > i * a);
        g_assert_true (end * n >= (i + 1) * a && (end - 1) * n < (i + 1) * a);
        last_first = first;
        last_end = end;
      }
      g_assert_cmpint (last_end, ==, a);
    }
}

/* The bins that are pooled, counted up rather than divided, are those of the rule. */
static void
test_ranges (void)
{
  for (gint a = 1; a <= 200; a++)
    for (gint n = 1; n <= SPPNET_MAX_LEVEL; n++) {
      SppnetMap map = { NULL, 3 + a, 5 + a, 1, { 16, 0, 0 } };
      SppnetWindow window = { 3, 5, 2 + a, 4 + a };
      SppnetRange x[SPPNET_MAX_LEVEL], y[SPPNET_MAX_LEVEL];

      sppnet_window_ranges (&map, &window, n, x, y);
      for (gint i = 0; i < n; i++) {
        gint first, end;

        sppnet_bin_range (i, n, a, &first, &end);
        g_assert_cmpint (x[i].first, ==, 3 + first);
        g_assert_cmpint (x[i].end, ==, 3 + end);
        g_assert_cmpint (y[i].first, ==, 5 + first);
        g_assert_cmpint (y[i].end, ==, 5 + end);
      }
    }
}

/* The often quoted rule: window ceil (a / n), stride floor (a / n), as many places as fit (or, with ceil mode, begin
 * within the map as Caffe counts them). Returns the number of bins, or 0 where the stride is 0. */
static gint
quoted_bins (gint a, gint n, gboolean ceil_mode)
{
  gint window = (a + n - 1) / n, stride = a / n;

  if (stride == 0)
    return 0;
  return (a - window + (ceil_mode ? stride - 1 : 0)) / stride + 1;
}

/* Where a level fails for the quoted rule with floor mode, beyond a >= n. */
static void
expect_failures (gint n, const gint *expected, guint n_expected)
{
  guint found = 0;

  for (gint a = n; a <= 200; a++)
    if (quoted_bins (a, n, FALSE) != n) {
      g_assert_cmpuint (found, <, n_expected);
      g_assert_cmpint (a, ==, expected[found]);
      found++;
    }
  g_assert_cmpuint (found, ==, n_expected);
}

static void
test_quoted_rule_fails (void)
{
  static const gint fails_3[] = { 5 }, fails_4[] = { 6, 7, 11 };
  static const gint fails_6[] = { 8, 9, 10, 11, 15, 16, 17, 22, 23, 29 };

  expect_failures (1, NULL, 0);
  expect_failures (2, NULL, 0);
  expect_failures (3, fails_3, G_N_ELEMENTS (fails_3));
  expect_failures (4, fails_4, G_N_ELEMENTS (fails_4));
  expect_failures (6, fails_6, G_N_ELEMENTS (fails_6));
  g_assert_cmpint (quoted_bins (10, 6, FALSE), ==, 9); /* the paper's own 180-pixel network */

  for (gint n = 1; n <= 12; n++)
    for (gint a = 1; a <= 200; a++) {
      if (a < n) {
        g_assert_cmpint (quoted_bins (a, n, FALSE), ==, 0); /* the stride is 0 */
        continue;
      }
      g_assert_cmpint (quoted_bins (a, n, FALSE) == n, ==, a % n <= a / n);
      g_assert_cmpint (quoted_bins (a, n, TRUE) == n, ==, a % n < 2);
    }
}

/* Where the level divides the map, both rules give the same bins; at 13 cells they do for the levels of the paper. */
static void
test_quoted_rule_agrees (void)
{
  static const gint levels_of_13[] = { 1, 2, 3, 6 };

  for (gint n = 1; n <= 12; n++)
    for (gint a = n; a <= 200; a += n)
      for (gint i = 0; i < n; i++) {
        gint first, end;

        sppnet_bin_range (i, n, a, &first, &end);
        g_assert_cmpint (first, ==, i * (a / n));
        g_assert_cmpint (end, ==, first + (a + n - 1) / n);
      }

  for (guint l = 0; l < G_N_ELEMENTS (levels_of_13); l++) {
    gint n = levels_of_13[l], stride = 13 / n, window = (13 + n - 1) / n;

    g_assert_cmpint (quoted_bins (13, n, FALSE), ==, n);
    for (gint i = 0; i < n; i++) {
      gint first, end;

      sppnet_bin_range (i, n, 13, &first, &end);
      g_assert_cmpint (first, ==, i * stride);
      g_assert_cmpint (end, ==, first + window);
    }
  }
}

typedef struct
{
  SppnetMap map;
  gfloat *data;
} TestMap;

static TestMap
make_map (SppnetRandom *random, gint width, gint height, gint channels)
{
  TestMap made = { { NULL, width, height, channels, { 16, 0, 0 } }, NULL };

  made.map.data = made.data = g_new (gfloat, (gsize) width * height * channels);
  for (gsize i = 0; i < (gsize) width * height * channels; i++)
    made.data[i] = (gfloat) sppnet_random_normal (random);
  return made;
}

/* All layers are defaults: the number of channels is then set by one convolution. */
static void
configure (SppnetConfig *config, SppnetPooling pooling, const gint *levels, guint n_levels, gint channels)
{
  sppnet_config_init (config);
  config->pooling = pooling;
  config->n_layers = 1;
  config->layers[0].kind = SPPNET_LAYER_CONV;
  config->layers[0].filters = channels;
  config->n_levels = n_levels;
  memcpy (config->levels, levels, n_levels * sizeof *levels);
}

static gfloat
naive_max (const SppnetMap *map, gint x0, gint x1, gint y0, gint y1, gint channel)
{
  gfloat best = -INFINITY;

  for (gint y = y0; y < y1; y++)
    for (gint x = x0; x < x1; x++)
      best = MAX (best, map->data[((gsize) y * map->width + x) * map->channels + channel]);
  return best;
}

/* Spatial pyramid over a box's window of cells, one number at a time. */
static void
naive_spp (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, gfloat *out)
{
  SppnetWindow region = sppnet_window_from_box (box, &map->geometry, map->width, map->height);

  for (guint l = 0; l < config->n_levels; l++) {
    gint dx = (gint) roundf ((config->scales[l] - 1) * (gfloat) (region.x1 - region.x0 + 1) / 2);
    gint dy = (gint) roundf ((config->scales[l] - 1) * (gfloat) (region.y1 - region.y0 + 1) / 2);
    SppnetWindow window = { MAX (region.x0 - dx, 0), MAX (region.y0 - dy, 0), MIN (region.x1 + dx, map->width - 1),
                            MIN (region.y1 + dy, map->height - 1) };
    gint w = window.x1 - window.x0 + 1, h = window.y1 - window.y0 + 1;
    gint n = config->levels[l];

    for (gint i = 0; i < n; i++)
      for (gint j = 0; j < n; j++)
        for (gint c = 0; c < map->channels; c++) {
          gint x0 = (gint) floor ((gdouble) j * w / n), x1 = (gint) ceil ((j + 1.0) * w / n);
          gint y0 = (gint) floor ((gdouble) i * h / n), y1 = (gint) ceil ((i + 1.0) * h / n);

          *out++ = naive_max (map, window.x0 + x0, window.x0 + x1, window.y0 + y0, window.y0 + y1, c);
        }
  }
}

static gint
limit (gdouble value, gint most)
{
  return (gint) CLAMP (value, 0, most);
}

/* RoI pooling as reference.md defines it: both ends rounded, size at least 1, floor and ceil bins, clipped to the map,
 * empty bins 0. */
static void
naive_roi (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, gfloat *out)
{
  gdouble stride = map->geometry.stride;
  gdouble left = round (box->x / stride), right = round ((box->x + box->width - 1.0) / stride);
  gdouble top = round (box->y / stride), bottom = round ((box->y + box->height - 1.0) / stride);
  gdouble w = MAX (right - left + 1, 1), h = MAX (bottom - top + 1, 1);
  gint n = config->levels[0];

  for (gint i = 0; i < n; i++)
    for (gint j = 0; j < n; j++) {
      gint x0 = limit (left + floor (j * w / n), map->width), x1 = limit (left + ceil ((j + 1) * w / n), map->width);
      gint y0 = limit (top + floor (i * h / n), map->height), y1 = limit (top + ceil ((i + 1) * h / n), map->height);

      for (gint c = 0; c < map->channels; c++)
        *out++ = x1 > x0 && y1 > y0 ? naive_max (map, x0, x1, y0, y1, c) : 0;
    }
}

/* Inside, across the border, outside, of no size, on whole and on broken pixels. */
static SppnetBox
random_box (SppnetRandom *random, const SppnetMap *map)
{
  gdouble width = map->width * 16, height = map->height * 16;
  SppnetBox box
      = { (gfloat) (sppnet_random_uniform (random) * 1.4 * width - .2 * width),
          (gfloat) (sppnet_random_uniform (random) * 1.4 * height - .2 * height),
          (gfloat) (sppnet_random_uniform (random) * width), (gfloat) (sppnet_random_uniform (random) * height) };

  switch (sppnet_random_below (random, 4)) {
  case 0:
    return (SppnetBox) { 0, 0, (gfloat) width, (gfloat) height };
  case 1:
    return (SppnetBox) { floorf (box.x), floorf (box.y), floorf (box.width), floorf (box.height) };
  case 2:
    box.width = box.height = 1;
    return box;
  default:
    return box;
  }
}

typedef void (*Naive) (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, gfloat *out);

/* Guard values on both sides of the output, any number of regions and threads; max is exact, so every bit must agree.
 */
static void
compare_round (SppnetRandom *random, SppnetPooling pooling, Naive naive)
{
  static const gint widths[] = { 1, 2, 3, 5, 13, 40 }, channels[] = { 1, 3, 17, 63, 64, 65, 200 };
  TestMap map = make_map (random, widths[sppnet_random_below (random, 6)], widths[sppnet_random_below (random, 6)],
                          channels[sppnet_random_below (random, G_N_ELEMENTS (channels))]);
  gint levels[4];
  guint n_levels = pooling == SPPNET_POOLING_ROI ? 1 : 1 + sppnet_random_below (random, 4);
  gsize n = sppnet_random_below (random, 20), length;
  guint threads = 1 + sppnet_random_below (random, 4);
  g_autofree SppnetBox *boxes = g_new (SppnetBox, n + 1);
  g_autofree gfloat *expected = NULL, *out = NULL;
  g_auto (SppnetConfig) config;

  for (guint l = 0; l < n_levels; l++)
    levels[l] = 1 + (gint) sppnet_random_below (random, 7);
  configure (&config, pooling, levels, n_levels, map.map.channels);
  /* Larger windows around the region, some of them of one size. */
  for (guint l = 0; l < n_levels && pooling == SPPNET_POOLING_SPP; l++)
    config.scales[l] = 1 + 0.75f * (gfloat) sppnet_random_below (random, 3);
  length = (gsize) sppnet_config_bins (&config) * map.map.channels;
  expected = g_new (gfloat, length);
  out = g_new (gfloat, n * length + 32);
  for (gsize i = 0; i < n * length + 32; i++)
    out[i] = 1e9f;

  for (gsize i = 0; i < n; i++)
    boxes[i] = random_box (random, &map.map);
  sppnet_pool_regions (&map.map, &config, boxes, n, threads, out + 16);
  for (gsize i = 0; i < n; i++) {
    naive (&map.map, &config, &boxes[i], expected);
    for (gsize k = 0; k < length; k++)
      g_assert_cmpfloat (out[16 + i * length + k], ==, expected[k]);
  }
  for (gsize i = 0; i < 16; i++) {
    g_assert_cmpfloat (out[i], ==, 1e9f);
    g_assert_cmpfloat (out[16 + n * length + i], ==, 1e9f);
  }
  g_free (map.data);
}

/* To half a step of the vectors without a pooler: steps are rounded once, and maxima are exact. */
static void
check_pooled (const SppnetPooled *pooled, const gfloat *expected, gsize n)
{
  gsize length = pooled->bins * pooled->channels;
  g_autofree gfloat *vector = g_new (gfloat, length);

  g_assert_cmpuint (pooled->n, ==, n);
  for (gsize i = 0; i < n; i++) {
    sppnet_pooled_to_floats (pooled, i, vector);
    for (gsize k = 0; k < length; k++) {
      gfloat step = pooled->sizes->step[k % pooled->channels];

      g_assert_cmpfloat (fabsf (vector[k] - expected[i * length + k]), <=, 0.5001f * step);
      /* A maximum of steps is one of the steps. */
      g_assert_cmpfloat (fabsf (vector[k]), <=, SPPNET_STEP_LARGEST * step * 1.0001f);
    }
  }
}

/* One map after the other through the same scratch, with tables and without, spatial pyramids and RoI pooling with its
 * empty bins. */
static void
test_pooler (void)
{
  static const gint sizes[] = { 1, 2, 9, 30, 50 }, levels[][3] = { { 1, 2, 6 }, { 3, 2, 1 }, { 4, 4, 2 }, { 1, 1, 1 } };
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };
  SppnetPooler pooler = { 0 };
  guint built = 0;

  for (guint round = 0; round < 200; round++) {
    TestMap map = make_map (&random, sizes[sppnet_random_below (&random, 5)], sizes[sppnet_random_below (&random, 5)],
                            1 + (gint) sppnet_random_below (&random, 130));
    gsize n = sppnet_random_below (&random, 60), length;
    g_autofree SppnetBox *boxes = g_new (SppnetBox, n + 1);
    g_autofree gfloat *expected = NULL;
    g_autoptr (GError) error = NULL;
    g_auto (SppnetConfig) config;

    configure (&config, round % 5 ? SPPNET_POOLING_SPP : SPPNET_POOLING_ROI, levels[round % 4], round % 5 ? 3 : 1,
               map.map.channels);
    if (round % 5)
      config.scales[round % 3] = round % 2 ? 2.5f : 1;
    length = (gsize) sppnet_config_bins (&config) * map.map.channels;
    expected = g_new (gfloat, n * length + 1);
    for (gsize i = 0; i < n; i++) {
      boxes[i] = random_box (&random, &map.map);
      /* Some far beyond the map on all sides. */
      if (sppnet_random_below (&random, 4) == 0)
        boxes[i] = (SppnetBox) { boxes[i].x - 700, boxes[i].y - 900, 2000, 3000 };
    }
    sppnet_pool_regions (&map.map, &config, boxes, n, 1, expected);
    g_assert_true (sppnet_pooler_set_map (&pooler, &map.map, &config, 25, 1 + round % 4, &error));
    for (gsize first = 0; first < n; first += 25) {
      SppnetPooled pooled = sppnet_pooler_run (&pooler, boxes + first, MIN (n - first, 25), 1 + round % 3);

      check_pooled (&pooled, expected + first * length, MIN (n - first, 25));
    }
    built += pooler.tables.n > 1;
    g_free (map.data);
  }
  g_assert_cmpuint (built, >, 0);
  g_assert_cmpuint (built, <, 200);
  sppnet_pooler_clear (&pooler);
}

/* What a region gets does not depend on threads, on the other regions, or on whether there are tables. */
static void
test_pooler_is_the_same (void)
{
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };
  TestMap map = make_map (&random, 50, 30, 70);
  gint levels[] = { 1, 2, 6 };
  SppnetBox boxes[400];
  SppnetPooler alone = { 0 }, together = { 0 };
  g_auto (SppnetConfig) config;

  configure (&config, SPPNET_POOLING_SPP, levels, 3, 70);
  for (gsize i = 0; i < G_N_ELEMENTS (boxes); i++)
    boxes[i] = random_box (&random, &map.map);
  for (guint threads = 1; threads <= 5; threads++) {
    SppnetPooled all, one;

    g_assert_true (sppnet_pooler_set_map (&together, &map.map, &config, G_N_ELEMENTS (boxes), threads, NULL));
    all = sppnet_pooler_run (&together, boxes, G_N_ELEMENTS (boxes), threads);
    g_assert_cmpuint (together.tables.n, >, 1);
    for (gsize i = 0; i < G_N_ELEMENTS (boxes); i++) {
      g_assert_true (sppnet_pooler_set_map (&alone, &map.map, &config, 1, 1, NULL));
      one = sppnet_pooler_run (&alone, &boxes[i], 1, 1);
      g_assert_cmpuint (alone.tables.n, ==, 1);
      for (gsize g = 0; g < sppnet_step_groups (70); g++)
        g_assert_cmpmem (sppnet_pooled_group (&all, g, i), all.bins * SPPNET_STEPS, sppnet_pooled_group (&one, g, 0),
                         one.bins * SPPNET_STEPS);
    }
  }
  sppnet_pooler_clear (&alone);
  sppnet_pooler_clear (&together);
  g_free (map.data);
}

/* A cell that is no number is in the regions over it, and in no others; a channel of zeros stays one. */
static void
test_pooler_not_finite (void)
{
  gfloat cells[4 * 4 * 2] = { 0 }, vector[2], expected[2];
  SppnetMap map = { cells, 4, 4, 2, { 16, 0, 0 } };
  const SppnetBox boxes[] = { { 0, 0, 64, 64 }, { 0, 0, 16, 16 }, { 40, 40, 20, 20 } };
  const gfloat bad[] = { NAN, INFINITY, -INFINITY };
  SppnetPooler pooler = { 0 };
  gint levels[] = { 1 };
  g_auto (SppnetConfig) config;

  configure (&config, SPPNET_POOLING_SPP, levels, 1, 2);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    SppnetPooled pooled;

    for (gsize c = 0; c < 16; c++)
      cells[2 * c] = -1.0f - (gfloat) c;
    cells[2 * 5] = bad[i];
    g_assert_true (sppnet_pooler_set_map (&pooler, &map, &config, 3, 2, NULL));
    pooled = sppnet_pooler_run (&pooler, boxes, 3, 2);
    sppnet_pooled_to_floats (&pooled, 0, vector);
    g_assert_true (isnan (vector[0]) && vector[1] == 0.0f);
    sppnet_pooled_to_floats (&pooled, 1, vector);
    g_assert_true (isfinite (vector[0]) && vector[1] == 0.0f);
    sppnet_pooled_to_floats (&pooled, 2, vector);
    sppnet_pool_regions (&map, &config, &boxes[2], 1, 1, expected);
    g_assert_cmpfloat_with_epsilon (vector[0], expected[0], 0.501f * 16.0f / SPPNET_STEP_LARGEST);
  }
  sppnet_pooler_clear (&pooler);
}

static void
test_spp (void)
{
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };

  for (guint round = 0; round < 400; round++)
    compare_round (&random, SPPNET_POOLING_SPP, naive_spp);
}

static void
test_roi (void)
{
  SppnetRandom random = { (guint64) (guint32) g_test_rand_int () };

  for (guint round = 0; round < 400; round++)
    compare_round (&random, SPPNET_POOLING_ROI, naive_roi);
}

/* Levels in the order of the configuration, each bin by hand: cells 1..4 of a 4 x 4 map, channel 1 = - channel 0. */
static void
test_hand_case (void)
{
  static const gint levels[] = { 2, 1 };
  gfloat data[16][2], out[5][2];
  SppnetMap map = { data[0], 4, 4, 2, { 16, 0, 0 } };
  SppnetBox whole
      = { -15, -15, 95, 95 }; /* maps to cells 0..3, beyond the image as the border cells' centres are on it */
  g_auto (SppnetConfig) config;

  for (gint i = 0; i < 16; i++) {
    data[i][0] = (gfloat) i;
    data[i][1] = (gfloat) -i;
  }
  configure (&config, SPPNET_POOLING_SPP, levels, 2, 2);
  sppnet_pool_regions (&map, &config, &whole, 1, 1, out[0]);
  g_assert_cmpfloat (out[0][0], ==, 5);
  g_assert_cmpfloat (out[1][0], ==, 7);
  g_assert_cmpfloat (out[2][0], ==, 13);
  g_assert_cmpfloat (out[3][0], ==, 15);
  g_assert_cmpfloat (out[4][0], ==, 15);
  g_assert_cmpfloat (out[0][1], ==, 0);
  g_assert_cmpfloat (out[1][1], ==, -2);
  g_assert_cmpfloat (out[2][1], ==, -8);
  g_assert_cmpfloat (out[3][1], ==, -10);
  g_assert_cmpfloat (out[4][1], ==, 0);
}

/* Whole pictures of any size, also below the finest level, give vectors of one length, filled with values of the map.
 */
static void
test_whole_image (void)
{
  static const gint levels[] = { 6, 3, 2, 1 };
  SppnetRandom random = { 3 };
  g_auto (SppnetConfig) config;

  configure (&config, SPPNET_POOLING_SPP, levels, 4, 16);
  g_assert_cmpint (sppnet_config_bins (&config), ==, 50);
  for (gint height = 1; height <= 40; height += 1 + height / 8)
    for (gint width = 1; width <= 40; width += 1 + width / 8) {
      TestMap map = make_map (&random, width, height, 16);
      SppnetBox whole = { -15, -15, (gfloat) width * 16 + 31, (gfloat) height * 16 + 31 };
      gfloat out[50 * 16 + 16];

      for (gsize i = 0; i < G_N_ELEMENTS (out); i++)
        out[i] = 1e9f;
      sppnet_pool_regions (&map.map, &config, &whole, 1, 1, out);
      for (gsize i = 0; i < 50 * 16; i++)
        g_assert_cmpfloat (fabsf (out[i]), <, 10);
      for (gsize i = 50 * 16; i < G_N_ELEMENTS (out); i++)
        g_assert_cmpfloat (out[i], ==, 1e9f);
      for (gint c = 0; c < 16; c++) /* the last level is the maximum of the whole map */
        g_assert_cmpfloat (out[49 * 16 + c], ==, naive_max (&map.map, 0, width, 0, height, c));
      g_free (map.data);
    }
}

/* Boxes from a caller may hold anything: values of the map or zeros come out. */
static void
test_wild_boxes (void)
{
  static const gfloat wild[] = { 0, 1, -1, 64, 1e5f, -1e5f, 1e9f, -1e9f, 3e38f, -3e38f, NAN, INFINITY, -INFINITY };
  static const gint level = 7;
  SppnetRandom random = { 3 };
  TestMap map = make_map (&random, 9, 5, 4);

  for (guint pooling = 0; pooling < 2; pooling++) {
    g_auto (SppnetConfig) config;

    configure (&config, pooling ? SPPNET_POOLING_ROI : SPPNET_POOLING_SPP, &level, 1, 4);
    for (guint i = 0; i < 13 * 13 * 13; i++) {
      SppnetBox box = { wild[i % 13], wild[i / 13 % 13], wild[i / 169], wild[(i * 7 + 3) % 13] };
      gfloat out[49 * 4];

      sppnet_pool_regions (&map.map, &config, &box, 1, 1, out);
      for (gsize k = 0; k < G_N_ELEMENTS (out); k++)
        g_assert_cmpfloat (fabsf (out[k]), <, 10);
    }
  }
  g_free (map.data);
}

static void
test_file_order (void)
{
  static const gint two[] = { 2, 1 }, paper[] = { 6, 3, 2, 1 };
  /* 3 channels. File: level 2x2 as channel 0 (4 bins), channel 1, channel 2; then level 1x1. Engine: bin by bin. */
  static const guint32 expected[] = { 0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 12, 13, 14 };
  guint32 index[15];
  g_autofree guint32 *many = g_new (guint32, 12800);
  g_autofree guint8 *seen = g_new0 (guint8, 12800);
  g_auto (SppnetConfig) config;

  configure (&config, SPPNET_POOLING_SPP, two, 2, 3);
  sppnet_pooled_from_file_order (&config, index);
  g_assert_cmpmem (index, sizeof index, expected, sizeof expected);
  sppnet_config_clear (&config);

  configure (&config, SPPNET_POOLING_SPP, paper, 4, 256);
  sppnet_pooled_from_file_order (&config, many);
  for (guint i = 0; i < 12800; i++) {
    g_assert_cmpuint (many[i], <, 12800);
    g_assert_cmpuint (seen[many[i]]++, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pooling/spp/bin-rule", test_bin_rule);
  g_test_add_func ("/pooling/spp/ranges", test_ranges);
  g_test_add_func ("/pooling/spp/quoted-rule-fails", test_quoted_rule_fails);
  g_test_add_func ("/pooling/spp/quoted-rule-agrees", test_quoted_rule_agrees);
  g_test_add_func ("/pooling/spp/naive", test_spp);
  g_test_add_func ("/pooling/spp/pooler", test_pooler);
  g_test_add_func ("/pooling/spp/pooler-is-the-same", test_pooler_is_the_same);
  g_test_add_func ("/pooling/spp/pooler-not-finite", test_pooler_not_finite);
  g_test_add_func ("/pooling/spp/roi", test_roi);
  g_test_add_func ("/pooling/spp/hand-case", test_hand_case);
  g_test_add_func ("/pooling/spp/whole-image", test_whole_image);
  g_test_add_func ("/pooling/spp/wild-boxes", test_wild_boxes);
  g_test_add_func ("/pooling/spp/file-order", test_file_order);
  return g_test_run ();
}
