/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/proposer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

static const SppnetProposals methods[] = { SPPNET_PROPOSALS_SELECTIVE_SEARCH, SPPNET_PROPOSALS_SELECTIVE_SEARCH_QUALITY,
                                           SPPNET_PROPOSALS_EDGE_BOXES, SPPNET_PROPOSALS_GRID };

typedef enum
{
  FLAT,
  NOISE,
  CHECKERS,
  SHAPES,
  N_PICTURES,
} Picture;

/* [height][width][3] */
static guint8 *
paint (Picture picture, gint width, gint height)
{
  guint8 *rgb = g_malloc ((gsize) width * height * 3);
  SppnetRandom random = { 7 };

  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++) {
      guint8 *p = rgb + 3 * ((gsize) y * width + x);
      gboolean disc = hypot (x - width * 0.7, y - height * 0.3) < MIN (width, height) * 0.2;
      gboolean bar = x > width / 10 && x < width / 3 && y > height / 2;

      memset (p, picture == CHECKERS ? 255 * ((x + y) % 2) : 90, 3);
      if (picture == NOISE)
        for (gint c = 0; c < 3; c++)
          p[c] = (guint8) sppnet_random_next (&random);
      if (picture == SHAPES && (disc || bar)) {
        p[disc ? 0 : 2] = 220;
        p[1] = 20;
      }
    }
  return rgb;
}

static gint
compare_boxes (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (SppnetBox));
}

/* What the header promises for every list. */
static void
check_list (const SppnetBox *boxes, gsize n, gint width, gint height, guint max_boxes)
{
  g_autofree SppnetBox *sorted = g_memdup2 (boxes, n * sizeof *boxes);

  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpuint (n, <=, max_boxes);
  for (gsize i = 0; i < n; i++) {
    g_assert_true (boxes[i].x >= 0.0f && boxes[i].y >= 0.0f && boxes[i].width >= 1.0f && boxes[i].height >= 1.0f);
    g_assert_true (boxes[i].x + boxes[i].width <= (gfloat) width && boxes[i].y + boxes[i].height <= (gfloat) height);
  }
  qsort (sorted, n, sizeof *sorted, compare_boxes);
  for (gsize i = 1; i < n; i++)
    g_assert_cmpint (compare_boxes (&sorted[i - 1], &sorted[i]), !=, 0);
}

static gboolean
contains (const SppnetBox *boxes, gsize n, SppnetBox wanted, gfloat iou)
{
  for (gsize i = 0; i < n; i++)
    if (sppnet_box_iou (&boxes[i], &wanted) >= iou)
      return TRUE;
  return FALSE;
}

static void
test_sizes (void)
{
  static const gint sizes[][2]
      = { { 1, 1 },   { 1, 2 },    { 2, 1 },    { 3, 3 },    { 1, 300 },  { 300, 1 }, { 19, 19 },
          { 20, 20 }, { 33, 257 }, { 2000, 5 }, { 8192, 1 }, { 1, 8192 }, { 64, 64 }, { 101, 99 } };
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint m = 0; m < G_N_ELEMENTS (methods); m++)
      for (guint p = 0; p < N_PICTURES; p++) {
        gint width = sizes[s][0], height = sizes[s][1];
        g_autofree guint8 *rgb = paint (p, width, height);
        const SppnetBox *boxes;
        gsize n;

        g_test_message ("%dx%d, %s, picture %u", width, height, sppnet_proposals_to_nick (methods[m]), p);
        for (guint max_boxes = 1; max_boxes <= 100000; max_boxes *= 316) {
          g_assert_true (
              sppnet_proposer_run (proposer, methods[m], rgb, width, height, max_boxes, 1, 2, &boxes, &n, NULL));
          check_list (boxes, n, width, height, max_boxes);
        }
        g_assert_true (contains (boxes, n, (SppnetBox) { 0, 0, (gfloat) width, (gfloat) height }, 1.0f));
      }
}

/* Frames that are reduced, by 2 to 5. */
static void
test_large (void)
{
  static const gint sizes[][2] = { { 1601, 901 }, { 8192, 130 }, { 130, 8192 }, { 5000, 4001 } };
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    gint width = sizes[s][0], height = sizes[s][1];
    g_autofree guint8 *rgb = paint (SHAPES, width, height);
    gdouble left = width / 10 + 1, right = (width - 1) / 3, top = height / 2 + 1;
    SppnetBox bar = { (gfloat) left, (gfloat) top, (gfloat) (right - left + 1), (gfloat) (height - top) };
    const SppnetBox *boxes;
    gsize n;

    g_assert_true (sppnet_proposer_run (proposer, SPPNET_PROPOSALS_SELECTIVE_SEARCH, rgb, width, height, 2000, 1, 2,
                                        &boxes, &n, NULL));
    check_list (boxes, n, width, height, 2000);
    g_assert_true (contains (boxes, n, (SppnetBox) { 0, 0, (gfloat) width, (gfloat) height }, 1.0f));
    g_assert_true (contains (boxes, n, bar, 0.85f));
  }
}

/* The disc and the bar of the picture are found to the pixel, give or take the smoothing. */
static void
test_shapes (void)
{
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
  g_autofree guint8 *rgb = paint (SHAPES, 320, 240);
  const SppnetBox *boxes;
  gsize n;

  for (guint m = 0; m < 2; m++) {
    g_assert_true (sppnet_proposer_run (proposer, methods[m], rgb, 320, 240, 2000, 1, 2, &boxes, &n, NULL));
    g_assert_true (contains (boxes, n, (SppnetBox) { 177, 25, 95, 95 }, 0.95f));
    g_assert_true (contains (boxes, n, (SppnetBox) { 33, 121, 74, 119 }, 0.95f));
  }
}

/* Everything under 20 pixels is dropped, in proportion in small frames. */
static void
test_smallest (void)
{
  static const gint sizes[][3] = { { 300, 200, 20 }, { 100, 100, 20 }, { 200, 50, 10 } };
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
    g_autofree guint8 *rgb = paint (NOISE, sizes[s][0], sizes[s][1]);
    gfloat smallest = G_MAXFLOAT;
    const SppnetBox *boxes;
    gsize n;

    g_assert_true (sppnet_proposer_run (proposer, SPPNET_PROPOSALS_SELECTIVE_SEARCH, rgb, sizes[s][0], sizes[s][1],
                                        100000, 1, 1, &boxes, &n, NULL));
    for (gsize i = 0; i < n; i++)
      smallest = MIN (smallest, MIN (boxes[i].width, boxes[i].height));
    g_assert_cmpfloat (smallest, >=, (gfloat) sizes[s][2]);
    g_assert_cmpfloat (smallest, <=, 2.0f * (gfloat) sizes[s][2]);
  }
}

/* The same boxes in the same order whatever the number of threads and whatever ran before; other seeds reorder those of
 * Selective Search. */
static void
test_deterministic (void)
{
  static const guint threads[] = { 1, 2, 3, 8 };
  g_autofree guint8 *rgb = paint (NOISE, 200, 150), *other = paint (SHAPES, 333, 90);

  for (guint m = 0; m < G_N_ELEMENTS (methods); m++) {
    g_autoptr (SppnetProposer) proposer = sppnet_proposer_new (), again = sppnet_proposer_new ();
    const SppnetBox *a, *b;
    gsize n_a, n_b;

    g_assert_true (sppnet_proposer_run (proposer, methods[m], rgb, 200, 150, 1000, 5, 1, &a, &n_a, NULL));
    for (guint t = 0; t < G_N_ELEMENTS (threads); t++) {
      g_assert_true (sppnet_proposer_run (again, methods[m], other, 333, 90, 700, 9, threads[t], &b, &n_b, NULL));
      g_assert_true (sppnet_proposer_run (again, methods[m], rgb, 200, 150, 1000, 5, threads[t], &b, &n_b, NULL));
      g_assert_cmpmem (a, n_a * sizeof *a, b, n_b * sizeof *b);
    }
    g_assert_true (sppnet_proposer_run (again, methods[m], rgb, 200, 150, 1000, 6, 1, &b, &n_b, NULL));
    g_assert_true ((m >= 2) == (n_a == n_b && memcmp (a, b, n_a * sizeof *a) == 0));
  }
}

/* A second frame of the same size takes no new memory. */
static void
test_steady (void)
{
  g_autofree guint8 *rgb = paint (NOISE, 160, 120), *large = paint (SHAPES, 1300, 900);

  for (guint m = 0; m < G_N_ELEMENTS (methods); m++) {
    g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
    guint64 count = 0;
    const SppnetBox *boxes;
    gsize n;

    for (guint i = 0; i < 3; i++) {
      g_assert_true (sppnet_proposer_run (proposer, methods[m], rgb, 160, 120, 2000, i, 2, &boxes, &n, NULL));
      if (m != 1)
        g_assert_true (sppnet_proposer_run (proposer, methods[m], large, 1300, 900, 2000, i, 2, &boxes, &n, NULL));
      if (i > 0)
        g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, count);
      count = sppnet_aligned_alloc_count ();
    }
  }
}

/* The largest windows come first, and with few windows they still reach every corner. */
static void
test_grid (void)
{
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
  static const guint limits[] = { 300, 700, 2000, 10000 };

  for (guint l = 0; l < G_N_ELEMENTS (limits); l++) {
    const SppnetBox *boxes;
    gboolean corner[2] = { FALSE, FALSE };
    gsize n;

    g_assert_true (sppnet_proposer_run (proposer, SPPNET_PROPOSALS_GRID, (const guint8 *) "", 640, 480, limits[l], 0, 1,
                                        &boxes, &n, NULL));
    check_list (boxes, n, 640, 480, limits[l]);
    g_assert_cmpuint (n, >=, limits[l] / 3);
    for (gsize i = 1; i < n; i++)
      g_assert_cmpfloat (boxes[i].width * boxes[i].height, <=, boxes[i - 1].width * boxes[i - 1].height);
    for (gsize i = 0; i < n; i++)
      if (boxes[i].width < 320 && boxes[i].height < 240) {
        corner[0] |= boxes[i].x == 0.0f && boxes[i].y == 0.0f;
        corner[1] |= boxes[i].x + boxes[i].width == 640.0f && boxes[i].y + boxes[i].height == 480.0f;
      }
    g_assert_true (corner[0] && corner[1]);
  }
}

static void
test_refused (void)
{
  static const gint sizes[][2] = { { 0, 1 }, { 1, 0 }, { -5, 5 }, { 8193, 1 }, { 1, 8193 }, { G_MAXINT, G_MAXINT } };
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
  const SppnetBox *boxes;
  gsize n = 9;

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint m = 0; m < G_N_ELEMENTS (methods); m++) {
      g_autoptr (GError) error = NULL;

      g_assert_false (sppnet_proposer_run (proposer, methods[m], (const guint8 *) "", sizes[s][0], sizes[s][1], 10, 0,
                                           1, &boxes, &n, &error));
      g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED);
    }
  for (gint method = -1; method <= 9; method += method ? 1 : 9) {
    g_autoptr (GError) error = NULL;

    g_assert_false (sppnet_proposer_run (proposer, (SppnetProposals) (method > 0 ? 90 : method), (const guint8 *) "rgb",
                                         1, 1, 10, 0, 1, &boxes, &n, &error));
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  }
  g_assert_true (sppnet_proposer_run (proposer, SPPNET_PROPOSALS_REGIONS, (const guint8 *) "rgb", 1, 1, 10, 0, 1,
                                      &boxes, &n, NULL));
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (
      sppnet_proposer_run (proposer, SPPNET_PROPOSALS_GRID, (const guint8 *) "rgb", 1, 1, 0, 0, 1, &boxes, &n, NULL));
  g_assert_cmpuint (n, ==, 0);
}

static void
test_nicks (void)
{
  SppnetProposals value;

  for (guint i = SPPNET_PROPOSALS_DEFAULT; i <= SPPNET_PROPOSALS_AUTO; i++) {
    g_assert_true (sppnet_proposals_from_nick (sppnet_proposals_to_nick (i), &value));
    g_assert_cmpuint (value, ==, i);
  }
  g_assert_cmpstr (sppnet_proposals_to_nick (SPPNET_PROPOSALS_SELECTIVE_SEARCH), ==, "selective-search");
  g_assert_false (sppnet_proposals_from_nick ("", &value));
  g_assert_false (sppnet_proposals_from_nick ("Grid", &value));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/proposer/sizes", test_sizes);
  g_test_add_func ("/region/proposer/large", test_large);
  g_test_add_func ("/region/proposer/shapes", test_shapes);
  g_test_add_func ("/region/proposer/smallest", test_smallest);
  g_test_add_func ("/region/proposer/deterministic", test_deterministic);
  g_test_add_func ("/region/proposer/steady", test_steady);
  g_test_add_func ("/region/proposer/grid", test_grid);
  g_test_add_func ("/region/proposer/refused", test_refused);
  g_test_add_func ("/region/proposer/nicks", test_nicks);
  return g_test_run ();
}
