/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/hierarchy.h"

#include <string.h>

#include "base/random.h"

#define SIDE 24
#define MAX_REGIONS 60

typedef struct
{
  gint width, height;
  guint n;
  guint32 labels[SIDE * SIDE];
  SppnetRegion regions[2 * MAX_REGIONS];
  gfloat histograms[2 * MAX_REGIONS][112];
  gboolean touch[2 * MAX_REGIONS][2 * MAX_REGIONS], alive[2 * MAX_REGIONS];
} Scene;

/* Each pixel belongs to the nearest of some random points, which need not leave connected regions: labels are renamed
 * so that all numbers occur. */
static void
make_labels (Scene *scene, SppnetRandom *random)
{
  gint points[MAX_REGIONS][2];
  guint32 name[MAX_REGIONS];
  guint n = 1 + sppnet_random_below (random, MAX_REGIONS);

  scene->width = 1 + (gint) sppnet_random_below (random, SIDE);
  scene->height = 1 + (gint) sppnet_random_below (random, SIDE);
  scene->n = 0;
  memset (name, 0xff, sizeof name);
  for (guint i = 0; i < n; i++) {
    points[i][0] = (gint) sppnet_random_below (random, (guint) scene->width);
    points[i][1] = (gint) sppnet_random_below (random, (guint) scene->height);
  }
  for (gint p = 0; p < scene->width * scene->height; p++) {
    guint best = 0;
    gint nearest = G_MAXINT;

    for (guint i = 0; i < n; i++) {
      gint dx = points[i][0] - p % scene->width, dy = points[i][1] - p / scene->width;

      if (dx * dx + dy * dy < nearest) {
        nearest = dx * dx + dy * dy;
        best = i;
      }
    }
    if (name[best] == G_MAXUINT32)
      name[best] = scene->n++;
    scene->labels[p] = name[best];
  }
}

/* coarse: histograms of few different values, so that many pairs are equally similar. */
static void
make_histograms (Scene *scene, SppnetRandom *random, gboolean coarse)
{
  guint8 codes[2 * SIDE * SIDE];
  guint32 counts[MAX_REGIONS * 112];
  gfloat histograms[MAX_REGIONS * 112];
  SppnetHistogramLayout layout = sppnet_histogram_layout (1);
  gint pixels = scene->width * scene->height;

  for (gint i = 0; i < pixels; i++) {
    codes[i] = (guint8) sppnet_random_below (random, coarse ? 1 : SPPNET_COLOUR_BINS);
    codes[pixels + i] = (guint8) sppnet_random_below (random, coarse ? 1 : SPPNET_TEXTURE_BINS);
  }
  sppnet_histograms_count (&layout, codes, scene->labels, scene->width, scene->height, scene->n, counts, scene->regions,
                           histograms);
  memcpy (scene->histograms, histograms, scene->n * sizeof scene->histograms[0]);
}

static void
find_touching (Scene *scene)
{
  memset (scene->touch, 0, sizeof scene->touch);
  for (gint y = 0; y < scene->height; y++)
    for (gint x = 0; x < scene->width; x++) {
      guint32 here = scene->labels[y * scene->width + x];
      guint32 right = x + 1 < scene->width ? scene->labels[y * scene->width + x + 1] : here;
      guint32 below = y + 1 < scene->height ? scene->labels[(y + 1) * scene->width + x] : here;

      scene->touch[here][right] = scene->touch[right][here] = right != here;
      scene->touch[here][below] = scene->touch[below][here] = below != here;
      scene->touch[here][here] = FALSE;
    }
}

/* All pairs compared at every merge; the first of the most similar ones is taken. */
static void
naive_grouping (Scene *scene, guint measures)
{
  SppnetHistogramLayout layout = sppnet_histogram_layout (1);

  for (guint i = 0; i < scene->n; i++)
    scene->alive[i] = TRUE;
  for (guint c = scene->n; c < 2 * scene->n - 1; c++) {
    guint best_a = 0, best_b = 0;
    gfloat best = -1.0f;

    for (guint a = 0; a < c; a++)
      for (guint b = a + 1; b < c; b++) {
        gfloat s;

        if (!scene->alive[a] || !scene->alive[b] || !scene->touch[a][b])
          continue;
        s = sppnet_similarity (measures, &layout, &scene->regions[a], scene->histograms[a], &scene->regions[b],
                               scene->histograms[b], (guint32) (scene->width * scene->height));
        if (s > best) {
          best = s;
          best_a = a;
          best_b = b;
        }
      }
    scene->alive[best_a] = scene->alive[best_b] = FALSE;
    scene->alive[c] = TRUE;
    scene->regions[c].size = scene->regions[best_a].size + scene->regions[best_b].size;
    scene->regions[c].extent = sppnet_extent_union (scene->regions[best_a].extent, scene->regions[best_b].extent);
    sppnet_histogram_merge (scene->histograms[best_a], scene->regions[best_a].size, scene->histograms[best_b],
                            scene->regions[best_b].size, layout.length, scene->histograms[c]);
    for (guint i = 0; i < c; i++)
      scene->touch[i][c] = scene->touch[c][i] = scene->touch[best_a][i] || scene->touch[best_b][i];
  }
}

static void
check_adjacency (const Scene *scene, const SppnetAdjacency *adjacency)
{
  const guint32 (*pairs)[2] = adjacency->pairs.data;
  gsize n = 0;

  for (guint a = 0; a < scene->n; a++)
    for (guint b = a + 1; b < scene->n; b++)
      n += scene->touch[a][b];
  g_assert_cmpuint (adjacency->n_pairs, ==, n);
  for (gsize i = 0; i < n; i++) {
    g_assert_cmpuint (pairs[i][0], <, pairs[i][1]);
    g_assert_true (scene->touch[pairs[i][0]][pairs[i][1]]);
    for (gsize j = 0; j < i; j++)
      g_assert_true (pairs[i][0] != pairs[j][0] || pairs[i][1] != pairs[j][1]);
  }
}

static void
test_naive (void)
{
  SppnetHistogramLayout layout = sppnet_histogram_layout (1);
  g_autofree Scene *scene = g_new0 (Scene, 1);
  SppnetAdjacency adjacency = { 0 };
  SppnetHierarchy hierarchy = { 0 };
  SppnetRandom random = { 4 };

  for (guint round = 0; round < 200; round++) {
    guint measures = 1 + round % 15;

    make_labels (scene, &random);
    make_histograms (scene, &random, round % 4 == 0);
    find_touching (scene);
    g_assert_true (sppnet_adjacency_find (&adjacency, scene->labels, scene->width, scene->height, NULL));
    check_adjacency (scene, &adjacency);
    g_assert_true (sppnet_hierarchy_run (&hierarchy, measures, &layout, scene->regions, scene->histograms[0], scene->n,
                                         &adjacency, (guint32) (scene->width * scene->height), NULL));
    naive_grouping (scene, measures);
    g_assert_cmpuint (hierarchy.n_regions, ==, 2 * scene->n - 1);
    g_assert_cmpmem (hierarchy.regions.data, hierarchy.n_regions * sizeof (SppnetRegion), scene->regions,
                     hierarchy.n_regions * sizeof (SppnetRegion));
    g_assert_cmpuint (scene->regions[hierarchy.n_regions - 1].size, ==, (guint) (scene->width * scene->height));
  }
  sppnet_adjacency_clear (&adjacency);
  sppnet_hierarchy_clear (&hierarchy);
}

/* More pairs than the hash table starts with: every pixel is a region of its own. */
static void
test_many (void)
{
  enum
  {
    WIDTH = 90,
    HEIGHT = 70,
    N = WIDTH * HEIGHT
  };
  SppnetHistogramLayout layout = sppnet_histogram_layout (1);
  g_autofree guint32 *labels = g_new (guint32, N);
  g_autofree SppnetRegion *regions = g_new (SppnetRegion, N);
  SppnetAdjacency adjacency = { 0 };
  SppnetHierarchy hierarchy = { 0 };
  const SppnetRegion *last;

  for (guint i = 0; i < N; i++) {
    guint16 x = (guint16) (i % WIDTH), y = (guint16) (i / WIDTH);

    labels[i] = i;
    regions[i] = (SppnetRegion) { { x, y, x, y }, 1 };
  }
  for (guint round = 0; round < 2; round++) {
    g_assert_true (sppnet_adjacency_find (&adjacency, labels, WIDTH, HEIGHT, NULL));
    g_assert_cmpuint (adjacency.n_pairs, ==, (WIDTH - 1) * HEIGHT + WIDTH * (HEIGHT - 1));
  }
  g_assert_true (sppnet_hierarchy_run (&hierarchy, SPPNET_SIMILARITY_SIZE | SPPNET_SIMILARITY_FILL, &layout, regions,
                                       NULL, N, &adjacency, N, NULL));
  g_assert_cmpuint (hierarchy.n_regions, ==, 2 * N - 1);
  last = (const SppnetRegion *) hierarchy.regions.data + 2 * N - 2;
  g_assert_cmpuint (last->size, ==, N);
  g_assert_cmpuint (last->extent.x1, ==, WIDTH - 1);
  g_assert_cmpuint (last->extent.y1, ==, HEIGHT - 1);
  sppnet_adjacency_clear (&adjacency);
  sppnet_hierarchy_clear (&hierarchy);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/hierarchy/naive", test_naive);
  g_test_add_func ("/region/hierarchy/many", test_many);
  return g_test_run ();
}
