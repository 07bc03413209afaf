/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/anchors.h"

#include <string.h>

#define ROUNDS 100

static gfloat
distance (const gfloat a[2], const gfloat b[2])
{
  gfloat both = MIN (a[0], b[0]) * MIN (a[1], b[1]);

  return 1.0f - both / (a[0] * a[1] + b[0] * b[1] - both);
}

static guint
nearest (const gfloat size[2], const gfloat (*anchors)[2], guint n_anchors, gfloat *how_far)
{
  guint best = 0;

  *how_far = G_MAXFLOAT;
  for (guint a = 0; a < n_anchors; a++) {
    gfloat d = distance (size, anchors[a]);

    if (d < *how_far) {
      *how_far = d;
      best = a;
    }
  }
  return best;
}

/* k-means++: each next start is drawn by its squared distance from those that are there. */
static guint
choose_starts (const gfloat (*sizes)[2], gsize n, guint wanted, SppnetRandom *random, gfloat (*anchors)[2])
{
  g_autofree gdouble *sums = g_new (gdouble, n);
  guint chosen = 0;

  while (chosen < wanted) {
    gdouble sum = 0.0, drawn;
    gsize pick = 0;

    for (gsize i = 0; i < n; i++) {
      gfloat d = 1.0f;

      if (chosen > 0)
        nearest (sizes[i], anchors, chosen, &d);
      sums[i] = sum += (gdouble) d * d;
    }
    if (!(sum > 0.0))
      break;
    drawn = sppnet_random_uniform (random) * sum;
    while (pick + 1 < n && sums[pick] <= drawn)
      pick++;
    memcpy (anchors[chosen++], sizes[pick], sizeof sizes[pick]);
  }
  return chosen;
}

/* Moves the anchors to the mean of the sizes that are nearest to each; FALSE when none moves. */
static gboolean
improve (const gfloat (*sizes)[2], gsize n, gfloat (*anchors)[2], guint n_anchors)
{
  gdouble sum[SPPNET_MAX_ANCHORS][3] = { { 0 } };
  gboolean moved = FALSE;

  for (gsize i = 0; i < n; i++) {
    gfloat d;
    guint a = nearest (sizes[i], (const gfloat (*)[2]) anchors, n_anchors, &d);

    sum[a][0] += sizes[i][0];
    sum[a][1] += sizes[i][1];
    sum[a][2] += 1.0;
  }
  for (guint a = 0; a < n_anchors; a++)
    for (gint c = 0; c < 2 && sum[a][2] > 0.0; c++) {
      gfloat mean = (gfloat) (sum[a][c] / sum[a][2]);

      moved |= mean != anchors[a][c];
      anchors[a][c] = mean;
    }
  return moved;
}

static void
sort_by_area (gfloat (*anchors)[2], guint n)
{
  for (guint i = 1; i < n; i++)
    for (guint k = i; k > 0 && anchors[k][0] * anchors[k][1] < anchors[k - 1][0] * anchors[k - 1][1]; k--) {
      gfloat swap[2] = { anchors[k][0], anchors[k][1] };

      memcpy (anchors[k], anchors[k - 1], sizeof swap);
      memcpy (anchors[k - 1], swap, sizeof swap);
    }
}

guint
sppnet_anchors_fit (const gfloat (*sizes)[2], gsize n, guint wanted, SppnetRandom *random, gfloat (*anchors)[2])
{
  guint n_anchors;

  g_return_val_if_fail (wanted <= SPPNET_MAX_ANCHORS, 0);
  n_anchors = choose_starts (sizes, n, wanted, random, anchors);
  for (guint round = 0; round < ROUNDS && improve (sizes, n, anchors, n_anchors); round++)
    continue;
  sort_by_area (anchors, n_anchors);
  return n_anchors;
}
