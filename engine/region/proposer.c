/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/proposer.h"

#include <math.h>

#include "base/random.h"
#include "frame/frame.h"
#include "frame/reduce.h"
#include "model/config-names.h"
#include "region/edge_boxes.h"
#include "region/grid.h"
#include "region/ranking.h"
#include "region/selective_search.h"

/* Selective Search looks at no more pixels than this: larger frames are reduced by a whole factor, and the boxes
 * enlarged by it. Its scales k are made for pictures of about 500x400, and time and memory are bounded: 1280x720
 * becomes 640x360, 1920x1080 and 3840x2160 become 960x540. */
#define MOST_PIXELS (1u << 19)
/* Edge Boxes looks at no more pixels than this, in the same way: 640x480 becomes 320x240, 1920x1080 becomes 384x216. On
 * VOC pictures of 500x375, half the size finds as much as the full one in a quarter of the time. */
#define MOST_EDGE_PIXELS 100000u

/* Shortest side of a box (paper: 20 pixels); scaled down for frames below 100 pixels. */
#define SMALLEST_SIDE 20.0f
#define SMALLEST_FRAME 100

struct _SppnetProposer
{
  SppnetSelectiveSearch *search;
  SppnetEdgeBoxes *edge_boxes;
  SppnetRanking ranking;
  SppnetReducedMemory reduced;
};

/* As in a model's file, where "default" has no meaning. */
static const gchar *
nick_of (guint proposals)
{
  return proposals == SPPNET_PROPOSALS_DEFAULT ? "default" : sppnet_proposal_names[proposals];
}

const gchar *
sppnet_proposals_to_nick (SppnetProposals proposals)
{
  return (guint) proposals < G_N_ELEMENTS (sppnet_proposal_names) ? nick_of (proposals) : NULL;
}

gboolean
sppnet_proposals_from_nick (const gchar *name, SppnetProposals *proposals)
{
  g_return_val_if_fail (name && proposals, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (sppnet_proposal_names); i++)
    if (g_str_equal (name, nick_of (i))) {
      *proposals = (SppnetProposals) i;
      return TRUE;
    }
  return FALSE;
}

SppnetProposer *
sppnet_proposer_new (void)
{
  SppnetProposer *proposer = g_new0 (SppnetProposer, 1);

  proposer->search = sppnet_selective_search_new ();
  proposer->edge_boxes = sppnet_edge_boxes_new ();
  return proposer;
}

void
sppnet_proposer_free (SppnetProposer *proposer)
{
  if (!proposer)
    return;
  sppnet_selective_search_free (proposer->search);
  sppnet_edge_boxes_free (proposer->edge_boxes);
  sppnet_ranking_clear (&proposer->ranking);
  sppnet_reduced_memory_clear (&proposer->reduced);
  g_free (proposer);
}

/* Makes the picture small enough; returns the factor, 0 on failure. */
static gint
reduce (SppnetProposer *proposer, guint most_pixels, const guint8 **rgb, gint *width, gint *height, guint threads,
        GError **error)
{
  const SppnetFrame frame = sppnet_frame_of_rgb (*rgb, *width, *height);
  SppnetFrame reduced;
  gint factor = 1;

  while ((guint) ((*width + factor - 1) / factor) * (guint) ((*height + factor - 1) / factor) > most_pixels)
    factor++;
  if (factor == 1)
    return factor;
  if (!sppnet_frame_reduce (&frame, factor, threads, &proposer->reduced, &reduced, error))
    return 0;
  *rgb = reduced.plane[0];
  *width = reduced.width;
  *height = reduced.height;
  return factor;
}

/* The box of the full picture. */
static SppnetExtent
enlarge (SppnetExtent e, gint factor, gint width, gint height)
{
  return (SppnetExtent) { (guint16) (e.x0 * factor), (guint16) (e.y0 * factor),
                          (guint16) (MIN ((e.x1 + 1) * factor, width) - 1),
                          (guint16) (MIN ((e.y1 + 1) * factor, height) - 1) };
}

/* A region's rank is its position in the hierarchy, the whole picture 1, times a random number: coarse regions tend to
 * come first without those of one strategy crowding out the others' (paper, section 4.3). */
static gboolean
rank_regions (SppnetProposer *proposer, gint width, gint height, gint factor, guint max_boxes, guint32 seed,
              GError **error)
{
  SppnetRandom random = { seed };
  gfloat smallest = SMALLEST_SIDE * (gfloat) MIN (1.0, MIN (width, height) / (gdouble) SMALLEST_FRAME);
  guint n_groupings = sppnet_selective_search_get_n_groupings (proposer->search);
  gsize room = 0, n;

  for (guint g = 0; g < n_groupings; g++) {
    sppnet_selective_search_get_regions (proposer->search, g, &n);
    room += n;
  }
  if (!sppnet_ranking_start (&proposer->ranking, room, error))
    return FALSE;
  for (guint g = 0; g < n_groupings; g++) {
    const SppnetRegion *regions = sppnet_selective_search_get_regions (proposer->search, g, &n);

    for (gsize i = 0; i < n; i++) {
      gfloat rank = (gfloat) (n - i) * (gfloat) sppnet_random_uniform (&random);
      SppnetExtent e = enlarge (regions[i].extent, factor, width, height);

      if ((gfloat) (e.x1 - e.x0 + 1) >= smallest && (gfloat) (e.y1 - e.y0 + 1) >= smallest)
        sppnet_ranking_add (&proposer->ranking, rank, e);
    }
  }
  return sppnet_ranking_finish (&proposer->ranking, max_boxes, error);
}

static gboolean
run_selective_search (SppnetProposer *proposer, SppnetStrategies strategies, const guint8 *rgb, gint width, gint height,
                      guint max_boxes, guint32 seed, guint threads, GError **error)
{
  gint small_width = width, small_height = height;
  gint factor = reduce (proposer, MOST_PIXELS, &rgb, &small_width, &small_height, threads, error);

  return factor
         && sppnet_selective_search_run (proposer->search, strategies, rgb, small_width, small_height, threads, error)
         && rank_regions (proposer, width, height, factor, max_boxes, seed, error);
}

static gboolean
run_edge_boxes (SppnetProposer *proposer, const guint8 *rgb, gint width, gint height, guint max_boxes, guint threads,
                GError **error)
{
  gint small_width = width, small_height = height;
  gint factor = reduce (proposer, MOST_EDGE_PIXELS, &rgb, &small_width, &small_height, threads, error);
  SppnetRanking *ranking = &proposer->ranking;
  SppnetRanked *ranked;

  if (!factor
      || !sppnet_edge_boxes_run (proposer->edge_boxes, rgb, small_width, small_height, max_boxes, threads, ranking,
                                 error))
    return FALSE;
  ranked = ranking->ranked.data;
  for (gsize i = 0; i < ranking->n_ranked; i++)
    ranked[i].extent = enlarge (ranked[i].extent, factor, width, height);
  return sppnet_ranking_finish (ranking, max_boxes, error);
}

static gboolean
run_method (SppnetProposer *proposer, SppnetProposals method, const guint8 *rgb, gint width, gint height,
            guint max_boxes, guint32 seed, guint threads, GError **error)
{
  switch (method) {
  case SPPNET_PROPOSALS_SELECTIVE_SEARCH:
    return run_selective_search (proposer, SPPNET_STRATEGIES_FAST, rgb, width, height, max_boxes, seed, threads, error);
  case SPPNET_PROPOSALS_SELECTIVE_SEARCH_QUALITY:
    return run_selective_search (proposer, SPPNET_STRATEGIES_QUALITY, rgb, width, height, max_boxes, seed, threads,
                                 error);
  case SPPNET_PROPOSALS_EDGE_BOXES:
    return run_edge_boxes (proposer, rgb, width, height, max_boxes, threads, error);
  case SPPNET_PROPOSALS_GRID:
    return sppnet_grid_run (&proposer->ranking, width, height, max_boxes, error);
  case SPPNET_PROPOSALS_REGIONS:
    proposer->ranking.n_boxes = 0;
    return TRUE;
  case SPPNET_PROPOSALS_RPN:
  case SPPNET_PROPOSALS_AUTO:
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "region proposals: \"%s\" needs the feature map of a model", sppnet_proposal_names[method]);
    return FALSE;
  case SPPNET_PROPOSALS_DEFAULT:
  default:
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "%d is no method of region proposals", (gint) method);
    return FALSE;
  }
}

gboolean
sppnet_proposer_run (SppnetProposer *proposer, SppnetProposals method, const guint8 *rgb, gint width, gint height,
                     guint max_boxes, guint32 seed, guint threads, const SppnetBox **boxes, gsize *n_boxes,
                     GError **error)
{
  if (width < 1 || height < 1 || width > SPPNET_FRAME_MAX_SIZE || height > SPPNET_FRAME_MAX_SIZE) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "region proposals: a frame of %dx%d pixels is outside 1..%d", width, height, SPPNET_FRAME_MAX_SIZE);
    return FALSE;
  }
  if (!run_method (proposer, method, rgb, width, height, max_boxes, seed, MAX (threads, 1), error))
    return FALSE;
  *boxes = proposer->ranking.boxes.data;
  *n_boxes = proposer->ranking.n_boxes;
  return TRUE;
}
