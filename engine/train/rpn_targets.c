/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/rpn_targets.h"

#include <string.h>

#include "box/regression.h"

#define POSITIVE 0.7f
#define NEGATIVE 0.3f
/* Small objects lie between the cells: of those few anchors that overlap one at all, this many are positive, the best
 * in any case, the others from LEAST on. */
#define BEST 4
#define LEAST 0.4f

void
sppnet_rpn_targets_clear (SppnetRpnTargets *targets)
{
  sppnet_buffer_clear (&targets->anchor_memory);
  sppnet_buffer_clear (&targets->box_memory);
  sppnet_buffer_clear (&targets->overlaps);
  sppnet_buffer_clear (&targets->matches);
  sppnet_buffer_clear (&targets->candidates);
  *targets = (SppnetRpnTargets) { 0 };
}

/* overlap: [anchors] the largest, match: [anchors] with which object. The best ones of each object are raised
 * to POSITIVE. */
static void
match_anchors (const SppnetAnchorGrid *grid, const SppnetRpnConfig *rpn, const SppnetRpnObjects *objects, gsize n,
               gfloat *overlap, guint32 *match)
{
  memset (overlap, 0, sizeof *overlap * n);
  memset (match, 0, sizeof *match * n);
  for (gsize k = 0; k < objects->n + objects->n_ignored; k++)
    for (gsize i = 0; i < n; i++) {
      SppnetBox anchor = sppnet_anchor_box (grid, rpn, i);
      gfloat iou = sppnet_box_iou (&anchor, &objects->boxes[k]);

      if (iou > overlap[i]) {
        overlap[i] = iou;
        match[i] = (guint32) k;
      }
    }
  for (gsize k = 0; k < objects->n; k++)
    for (guint pick = 0; pick < BEST; pick++) {
      gsize best = n;

      /* The best of those that are not positive already. */
      for (gsize i = 0; i < n; i++)
        if (match[i] == k && overlap[i] < POSITIVE && overlap[i] > (pick ? LEAST : 0.0f)
            && (best == n || overlap[i] > overlap[best]))
          best = i;
      if (best < n)
        overlap[best] = POSITIVE;
    }
}

/* Takes up to wanted of n candidates, without repetition, in a random order. */
static gsize
draw (guint32 *candidates, gsize n, gsize wanted, SppnetRandom *random, guint32 *drawn)
{
  gsize taken = 0;

  for (; taken < wanted && n > 0; n--) {
    guint32 pick = sppnet_random_below (random, (guint32) n);

    drawn[taken++] = candidates[pick];
    candidates[pick] = candidates[n - 1];
  }
  return taken;
}

gboolean
sppnet_rpn_targets_draw (SppnetRpnTargets *targets, const SppnetAnchorGrid *grid, const SppnetRpnConfig *rpn,
                         const SppnetRpnObjects *objects, guint wanted, SppnetRandom *random, GError **error)
{
  gsize n = (gsize) grid->width * (gsize) grid->height * rpn->n_anchors, found = 0, first;
  gfloat *overlap = sppnet_buffer_reserve (&targets->overlaps, n, sizeof *overlap, error);
  guint32 *match = overlap ? sppnet_buffer_reserve (&targets->matches, n, sizeof *match, error) : NULL;
  guint32 *candidates = match ? sppnet_buffer_reserve (&targets->candidates, n, sizeof *candidates, error) : NULL;

  targets->anchor
      = candidates ? sppnet_buffer_reserve (&targets->anchor_memory, wanted, sizeof *targets->anchor, error) : NULL;
  targets->box
      = targets->anchor ? sppnet_buffer_reserve (&targets->box_memory, wanted, sizeof *targets->box, error) : NULL;
  if (!targets->box)
    return FALSE;

  match_anchors (grid, rpn, objects, n, overlap, match);
  targets->n_positive = 0;
  /* Of more objects than there is room for, others each time have none. */
  first = objects->n > wanted / 2 ? sppnet_random_below (random, (guint32) objects->n) : 0;
  for (gsize k = 0; k < objects->n; k++) {
    gsize share = (wanted / 2 - targets->n_positive) / (objects->n - k), object = (first + k) % objects->n;

    found = 0;
    for (gsize i = 0; i < n; i++)
      if (overlap[i] >= POSITIVE && match[i] == object)
        candidates[found++] = (guint32) i;
    targets->n_positive += draw (candidates, found, share, random, targets->anchor + targets->n_positive);
  }
  for (gsize i = 0; i < targets->n_positive; i++) {
    SppnetBox anchor = sppnet_anchor_box (grid, rpn, targets->anchor[i]);

    sppnet_box_encode (&anchor, &objects->boxes[match[targets->anchor[i]]], targets->box[i]);
  }
  found = 0;
  for (gsize i = 0; i < n; i++)
    if (overlap[i] < NEGATIVE)
      candidates[found++] = (guint32) i;
  targets->n = targets->n_positive
               + draw (candidates, found, wanted - targets->n_positive, random, targets->anchor + targets->n_positive);
  return TRUE;
}
