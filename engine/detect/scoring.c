/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/scoring.h"

#include <math.h>

#include "box/regression.h"
#include "head/head.h"
#include "pooling/pooler.h"

/* Regions that are pooled and scored together: all of a usual frame, as each group of channels is then fetched once. */
#define MAX_CHUNK 2048
#define MIN_CHUNK 16
#define CHUNK_BYTES (32u << 20)
/* Boxes regressed together. */
#define MAX_PAIRS 1024
/* Smaller boxes are not reported, pixels. */
#define MIN_SIDE 1.0f

struct _SppnetScoring
{
  const SppnetConfig *config; /* lives as long as the head, which holds the model */
  SppnetHead *head;
  SppnetPooler pooler;
  gsize most; /* regions in a chunk */

  SppnetRegionLabel pairs[MAX_PAIRS];
  gfloat confidences[MAX_PAIRS]; /* of the pairs */
  gsize n_pairs;
};

/* One frame's part in the calls below. */
typedef struct
{
  const SppnetRegionList *regions;
  gsize first, n; /* the chunk */
  gint width, height;
  guint threads;
  const SppnetPooled *pooled;
  SppnetSelection *selection;
} Chunk;

SppnetScoring *
sppnet_scoring_new (SppnetModel *model, SppnetPrecision precision, GError **error)
{
  g_autoptr (SppnetHead) head = sppnet_head_new (model, precision, error);
  SppnetScoring *scoring;

  if (!head)
    return NULL;
  scoring = g_new0 (SppnetScoring, 1);
  scoring->config = sppnet_model_get_config (model);
  scoring->head = g_steal_pointer (&head);
  return scoring;
}

void
sppnet_scoring_free (SppnetScoring *scoring)
{
  if (!scoring)
    return;
  sppnet_head_free (scoring->head);
  sppnet_pooler_clear (&scoring->pooler);
  g_free (scoring);
}

static gboolean
is_finite (const gfloat *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i]))
      return FALSE;
  return TRUE;
}

/* deltas: (nullable) [4] */
static gboolean
add_candidate (const SppnetScoring *scoring, const Chunk *chunk, const SppnetRegionLabel *pair, gfloat confidence,
               const gfloat *deltas, GError **error)
{
  gsize region = chunk->first + pair->region;
  SppnetBox box = chunk->regions->boxes[region];
  SppnetCandidate candidate;

  if (deltas) {
    if (!is_finite (deltas, 4))
      return TRUE;
    box = sppnet_region_base (&scoring->pooler.map, scoring->config, &box);
    box = sppnet_box_decode (&box, deltas);
  }
  box = sppnet_box_clip (&box, chunk->width, chunk->height);
  if (!(box.width >= MIN_SIDE && box.height >= MIN_SIDE))
    return TRUE;
  candidate = (SppnetCandidate) { box, confidence, pair->label, chunk->regions->index[region] };
  return sppnet_selection_add (chunk->selection, &candidate, error);
}

static gboolean
regress_pairs (SppnetScoring *scoring, const Chunk *chunk, GError **error)
{
  const gfloat *deltas;

  if (scoring->n_pairs == 0)
    return TRUE;
  if (!sppnet_head_regress (scoring->head, chunk->pooled, scoring->pairs, scoring->n_pairs, chunk->threads, &deltas,
                            error))
    return FALSE;
  for (gsize i = 0; i < scoring->n_pairs; i++)
    if (!add_candidate (scoring, chunk, &scoring->pairs[i], scoring->confidences[i], deltas ? deltas + 4 * i : NULL,
                        error))
      return FALSE;
  scoring->n_pairs = 0;
  return TRUE;
}

/* confidence: [chunk->n][n_labels] */
static gboolean
select_pairs (SppnetScoring *scoring, const SppnetPlan *plan, const Chunk *chunk, const gfloat *confidence,
              GError **error)
{
  scoring->n_pairs = 0;
  for (gsize r = 0; r < chunk->n; r++, confidence += plan->n_labels)
    for (guint label = 0; label < plan->n_labels; label++) {
      /* 0 stands for "no score", whatever the threshold. */
      if (!(confidence[label] > 0.0f && confidence[label] >= plan->floors[label]))
        continue;
      scoring->pairs[scoring->n_pairs] = (SppnetRegionLabel) { (guint32) r, label };
      scoring->confidences[scoring->n_pairs] = confidence[label];
      if (++scoring->n_pairs == MAX_PAIRS && !regress_pairs (scoring, chunk, error))
        return FALSE;
    }
  return regress_pairs (scoring, chunk, error);
}

/* Adds the time since *from to a timing; *from becomes now. */
static void
lap (gint64 *from, gdouble *timing)
{
  gint64 now = g_get_monotonic_time ();

  *timing += (now - *from) / 1000.0;
  *from = now;
}

gboolean
sppnet_scoring_set_map (SppnetScoring *scoring, const SppnetPlan *plan, const SppnetMap *map, gsize n,
                        SppnetTimings *timings, GError **error)
{
  gsize bytes = sppnet_pooler_region_bytes (map, scoring->config) + sppnet_head_region_bytes (scoring->head);
  gint64 clock = g_get_monotonic_time ();

  scoring->most = CLAMP (CHUNK_BYTES / bytes, MIN_CHUNK, MAX_CHUNK);
  scoring->most = MIN (scoring->most, MAX (n, 1));
  if (!sppnet_pooler_set_map (&scoring->pooler, map, scoring->config, scoring->most, plan->threads, error)
      || !sppnet_head_reserve (scoring->head, scoring->most, plan->threads, error))
    return FALSE;
  lap (&clock, &timings->pooling_ms);
  return TRUE;
}

gboolean
sppnet_scoring_run (SppnetScoring *scoring, const SppnetPlan *plan, const SppnetRegionList *regions, gint width,
                    gint height, SppnetSelection *selection, SppnetTimings *timings, GError **error)
{
  gint64 clock = g_get_monotonic_time ();

  g_assert (scoring->most > 0);
  for (gsize first = 0; first < regions->n; first += scoring->most) {
    gsize n = MIN (scoring->most, regions->n - first);
    SppnetPooled pooled = sppnet_pooler_run (&scoring->pooler, regions->boxes + first, n, plan->threads);
    Chunk chunk = { regions, first, n, width, height, plan->threads, &pooled, selection };
    const gfloat *confidence;

    lap (&clock, &timings->pooling_ms);
    if (!sppnet_head_run (scoring->head, &pooled, plan->threads, &confidence, error))
      return FALSE;
    lap (&clock, &timings->head_ms);
    if (!select_pairs (scoring, plan, &chunk, confidence, error))
      return FALSE;
    lap (&clock, &timings->box_ms);
  }
  return TRUE;
}
