/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/felzenszwalb.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* Segments a picture and compares with what is expected: labels as digits in the order of the rows. */
static void
check_hand (const gfloat *picture, gint width, gint height, gfloat k, guint min_size, const gchar *expected)
{
  SppnetEdges edges = { 0 };
  SppnetSegmentation s = { 0 };

  g_assert_true (sppnet_edges_build (&edges, picture, 1, 1.0f, width, height, NULL));
  g_assert_true (sppnet_segmentation_run (&s, &edges, k, min_size, NULL));
  for (gint i = 0; i < width * height; i++)
    g_assert_cmpint (((const guint32 *) s.labels.data)[i], ==, expected[i] - '0');
  sppnet_segmentation_clear (&s);
  sppnet_edges_clear (&edges);
}

static void
test_hand (void)
{
  static const gfloat flat[6] = { 7, 7, 7, 7, 7, 7 };
  static const gfloat halves[16] = { 0, 0, 100, 100, 0, 0, 100, 100, 0, 0, 100, 100, 0, 0, 100, 100 };
  static const gfloat dot[9] = { 0, 0, 0, 0, 60, 0, 0, 0, 0 };
  static const gfloat ramp[5] = { 0, 10, 20, 30, 40 };
  static const gfloat diagonal[9] = { 90, 0, 0, 0, 90, 0, 0, 0, 90 };

  check_hand (flat, 3, 2, 0.0f, 1, "000000");
  check_hand (flat, 1, 1, 50.0f, 20, "0");
  /* each half holds together with k / 8 */
  check_hand (halves, 4, 4, 799.0f, 1, "0011001100110011");
  check_hand (halves, 4, 4, 801.0f, 1, "0000000000000000");
  check_hand (halves, 4, 4, 50.0f, 8, "0011001100110011");
  check_hand (halves, 4, 4, 50.0f, 9, "0000000000000000");
  /* the ring of 8 pixels is the pickier side */
  check_hand (dot, 3, 3, 479.0f, 1, "000010000");
  check_hand (dot, 3, 3, 481.0f, 1, "000000000");
  check_hand (dot, 3, 3, 10.0f, 2, "000000000");
  /* once two have merged, their threshold is 10 + k / 2: only the single pixel's k counts */
  check_hand (ramp, 5, 1, 9.9f, 1, "01234");
  check_hand (ramp, 5, 1, 10.0f, 1, "00000");
  check_hand (ramp, 1, 5, 10.0f, 1, "00000");
  /* neighbours are eight */
  check_hand (diagonal, 3, 3, 1.0f, 1, "011101110");
}

/* As the paper's algorithm 1, with labels that are rewritten at every merge. */
typedef struct
{
  guint bin;
  gint from, to;
} NaiveEdge;

static gint
compare_edges (gconstpointer p, gconstpointer q)
{
  return (gint) ((const NaiveEdge *) p)->bin - (gint) ((const NaiveEdge *) q)->bin;
}

static GArray *
naive_edges (const gfloat *planes, guint channels, gfloat scale, gint width, gint height)
{
  static const gint dx[4] = { 1, 0, 1, -1 }, dy[4] = { 0, 1, 1, 1 };
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (NaiveEdge));

  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++)
      for (gint d = 0; d < 4; d++) {
        NaiveEdge edge = { 0, y * width + x, (y + dy[d]) * width + x + dx[d] };
        gfloat squared = 0.0f;

        if (x + dx[d] < 0 || x + dx[d] >= width || y + dy[d] >= height)
          continue;
        for (guint c = 0; c < channels; c++) {
          gfloat difference = planes[c * width * height + edge.from] - planes[c * width * height + edge.to];

          squared += difference * difference;
        }
        edge.bin = sppnet_edge_bin (squared * scale);
        g_array_append_val (edges, edge);
      }
  g_array_sort (edges, compare_edges); /* stable */
  return edges;
}

static guint
naive_segmentation (const GArray *edges, gint pixels, gfloat k, guint min_size, guint32 *labels)
{
  g_autofree gfloat *inner = g_new0 (gfloat, pixels);
  g_autofree guint *size = g_new (guint, pixels);
  g_autofree gint *names = g_new (gint, pixels);
  guint n = 0;

  for (gint i = 0; i < pixels; i++) {
    labels[i] = (guint32) i;
    size[i] = 1;
    names[i] = -1;
  }
  for (gint pass = 0; pass < 2; pass++)
    for (guint e = 0; e < edges->len; e++) {
      const NaiveEdge *edge = &g_array_index (edges, NaiveEdge, e);
      guint32 a = labels[edge->from], b = labels[edge->to];
      gfloat weight = sppnet_edge_weight (edge->bin);

      if (a == b || (pass == 1 && size[a] >= min_size && size[b] >= min_size)
          || (pass == 0 && weight > MIN (inner[a] + k / (gfloat) size[a], inner[b] + k / (gfloat) size[b])))
        continue;
      for (gint i = 0; i < pixels; i++)
        if (labels[i] == b)
          labels[i] = a;
      size[a] += size[b];
      inner[a] = weight;
    }
  for (gint i = 0; i < pixels; i++) {
    if (names[labels[i]] < 0)
      names[labels[i]] = (gint) n++;
    labels[i] = (guint32) names[labels[i]];
  }
  return n;
}

static void
test_naive (void)
{
  SppnetRandom random = { 3 };
  SppnetEdges edges = { 0 };
  SppnetSegmentation s = { 0 };

  for (guint round = 0; round < 300; round++) {
    gint width = 1 + (gint) sppnet_random_below (&random, 14), height = 1 + (gint) sppnet_random_below (&random, 14);
    guint channels = 1 + 2 * sppnet_random_below (&random, 2), levels = 2 + sppnet_random_below (&random, 200);
    gfloat k = (gfloat) sppnet_random_uniform (&random) * 400.0f;
    guint min_size = sppnet_random_below (&random, 20);
    gfloat planes[3 * 14 * 14];
    guint32 expected[14 * 14];
    g_autoptr (GArray) naive = NULL;

    for (guint i = 0; i < channels * width * height; i++)
      planes[i] = (gfloat) sppnet_random_below (&random, levels)
                  + (round % 2 ? (gfloat) sppnet_random_uniform (&random) : 0.0f);
    naive = naive_edges (planes, channels, round % 3 ? 1.0f : 3.0f, width, height);
    g_assert_true (sppnet_edges_build (&edges, planes, channels, round % 3 ? 1.0f : 3.0f, width, height, NULL));
    g_assert_cmpuint (edges.start[SPPNET_EDGE_BINS], ==, naive->len);
    g_assert_true (sppnet_segmentation_run (&s, &edges, k, min_size, NULL));
    g_assert_cmpuint (s.n_regions, ==, naive_segmentation (naive, width * height, k, min_size, expected));
    g_assert_cmpmem (s.labels.data, (gsize) (width * height) * 4, expected, (gsize) (width * height) * 4);
  }
  sppnet_segmentation_clear (&s);
  sppnet_edges_clear (&edges);
}

/* A bin's weight is below the distances in it by at most half of 1/128, and bins are in the order of distances. */
static void
test_bins (void)
{
  guint before = 0;

  g_assert_cmpuint (sppnet_edge_bin (0.0f), ==, 0);
  g_assert_cmpfloat (sppnet_edge_weight (0), ==, 0.0f);
  for (gdouble d = 0.0; d <= 255.0 * sqrt (3.0); d += 0.01) {
    guint bin = sppnet_edge_bin ((gfloat) (d * d));
    gdouble weight = sppnet_edge_weight (bin);

    g_assert_cmpuint (bin, >=, before);
    g_assert_cmpuint (bin, <, SPPNET_EDGE_BINS);
    g_assert_cmpfloat (weight, <=, d + 1e-6 * d);
    g_assert_cmpfloat (weight, >=, d * (1.0 - 1.0 / 250.0) - 0.01);
    before = bin;
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/felzenszwalb/hand", test_hand);
  g_test_add_func ("/region/felzenszwalb/naive", test_naive);
  g_test_add_func ("/region/felzenszwalb/bins", test_bins);
  return g_test_run ();
}
