/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sppnet/detector.h>

#include "backbone/backbone.h"
#include "base/memory.h"
#include "base/threads.h"
#include "box/regression.h"
#include "detect/follow.h"
#include "detect/region_list.h"
#include "detect/scoring.h"
#include "detect/selection.h"
#include "detect/settings.h"
#include "frame/frame.h"
#include "frame/reduce.h"
#include "head/head.h"
#include "region/proposer.h"
#include "region/rpn.h"

/* Found boxes that are scored once more, per frame. */
#define REFINED_BOXES 128
/* Boxes among which boxes of other labels are suppressed, however few are wanted. */
#define MOST_AGNOSTIC 1000

struct _SppnetDetector
{
  gatomicrefcount refs;
  SppnetModel *model;
  SppnetPlan plan;

  SppnetBackbone *backbone;
  SppnetProposer *proposer;
  SppnetRpn *rpn; /* NULL: the model has none */
  SppnetScoring *scoring;
  SppnetBuffer rgb; /* [height][width][3] */
  SppnetReducedMemory reduced;
  SppnetBuffer reduced_regions; /* the caller's, in pixels of the reduced frame */
  SppnetRegionList regions;
  SppnetFollow follow;
  SppnetSelection selection;
  SppnetTimings timings;
};

G_DEFINE_BOXED_TYPE (SppnetDetector, sppnet_detector, sppnet_detector_ref, sppnet_detector_unref)

static void
stages_clear (SppnetDetector *detector)
{
  g_clear_pointer (&detector->backbone, sppnet_backbone_free);
  g_clear_pointer (&detector->rpn, sppnet_rpn_free);
  g_clear_pointer (&detector->scoring, sppnet_scoring_free);
}

static void
detector_free (SppnetDetector *detector)
{
  stages_clear (detector);
  g_clear_pointer (&detector->proposer, sppnet_proposer_free);
  sppnet_buffer_clear (&detector->rgb);
  sppnet_reduced_memory_clear (&detector->reduced);
  sppnet_buffer_clear (&detector->reduced_regions);
  sppnet_region_list_clear (&detector->regions);
  sppnet_follow_clear (&detector->follow);
  sppnet_selection_clear (&detector->selection);
  sppnet_plan_clear (&detector->plan);
  sppnet_model_unref (detector->model);
  g_free (detector);
}

/* The stages that hold weights. The head first: it tells a model without labels. */
static gboolean
make_stages (SppnetDetector *detector, SppnetPrecision precision, GError **error)
{
  SppnetModel *model = detector->model;

  detector->scoring = sppnet_scoring_new (model, precision, error);
  detector->backbone = detector->scoring ? sppnet_backbone_new (model, precision, error) : NULL;
  if (detector->backbone && sppnet_model_get_config (model)->rpn.n_anchors > 0)
    detector->rpn = sppnet_rpn_new (model, precision, error);
  return detector->backbone && (sppnet_model_get_config (model)->rpn.n_anchors == 0 || detector->rpn);
}

SppnetDetector *
sppnet_detector_new (SppnetModel *model, const SppnetSettings *settings, GError **error)
{
  SppnetDetector *detector;

  g_return_val_if_fail (model != NULL, NULL);

  detector = g_new0 (SppnetDetector, 1);
  g_atomic_ref_count_init (&detector->refs);
  detector->model = sppnet_model_ref (model);
  if (!sppnet_head_check (model, error) || !sppnet_plan_init (&detector->plan, settings, model, error)
      || !make_stages (detector, detector->plan.precision, error)) {
    detector_free (detector);
    return NULL;
  }
  detector->proposer = sppnet_proposer_new ();
  return detector;
}

SppnetDetector *
sppnet_detector_ref (SppnetDetector *detector)
{
  g_return_val_if_fail (detector != NULL, NULL);

  g_atomic_ref_count_inc (&detector->refs);
  return detector;
}

void
sppnet_detector_unref (SppnetDetector *detector)
{
  g_return_if_fail (detector != NULL);

  if (g_atomic_ref_count_dec (&detector->refs))
    detector_free (detector);
}

/* The old stages stay where the new ones cannot be had. */
static gboolean
change_precision (SppnetDetector *detector, SppnetPrecision precision, GError **error)
{
  SppnetDetector old = *detector;

  detector->backbone = NULL;
  detector->rpn = NULL;
  detector->scoring = NULL;
  if (make_stages (detector, precision, error)) {
    stages_clear (&old);
    return TRUE;
  }
  stages_clear (detector);
  detector->backbone = old.backbone;
  detector->rpn = old.rpn;
  detector->scoring = old.scoring;
  return FALSE;
}

gboolean
sppnet_detector_set_settings (SppnetDetector *detector, const SppnetSettings *settings, GError **error)
{
  SppnetPlan plan = { 0 };

  g_return_val_if_fail (detector != NULL, FALSE);

  if (!sppnet_plan_init (&plan, settings, detector->model, error))
    return FALSE;
  if (plan.precision != detector->plan.precision && !change_precision (detector, plan.precision, error)) {
    sppnet_plan_clear (&plan);
    return FALSE;
  }
  if (plan.reduction != detector->plan.reduction)
    sppnet_detector_forget (detector); /* in pixels of another size */
  sppnet_plan_clear (&detector->plan);
  detector->plan = plan;
  return TRUE;
}

SppnetModel *
sppnet_detector_get_model (SppnetDetector *detector)
{
  g_return_val_if_fail (detector != NULL, NULL);

  return detector->model;
}

void
sppnet_detector_forget (SppnetDetector *detector)
{
  g_return_if_fail (detector != NULL);

  detector->follow.n = 0;
}

const SppnetTimings *
sppnet_detector_get_timings (const SppnetDetector *detector)
{
  g_return_val_if_fail (detector != NULL, NULL);

  return &detector->timings;
}

static gboolean
run_backbone (SppnetDetector *detector, const SppnetFrame *frame, SppnetMap *map, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gdouble frame_ms = 0.0;

  if (!sppnet_backbone_run (detector->backbone, frame, detector->plan.threads, map, &frame_ms, error))
    return FALSE;
  detector->timings.frame_ms += frame_ms;
  detector->timings.backbone_ms += (g_get_monotonic_time () - start) / 1000.0 - frame_ms;
  return TRUE;
}

static gboolean
needs_pixels (SppnetProposals proposals)
{
  return proposals != SPPNET_PROPOSALS_REGIONS && proposals != SPPNET_PROPOSALS_RPN
         && proposals != SPPNET_PROPOSALS_GRID;
}

/* What the backbone reads: the frame, or where the proposals look at pixels, too, those in RGB, converted once for
 * both. Rows in parallel: reading the pixels of a large frame takes as long as some layers. */
static gboolean
read_pixels (SppnetDetector *detector, const SppnetFrame *frame, SppnetFrame *pixels, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  const gint row = frame->width * 3, band = 16; /* even: rows that share chroma stay together */
  guint8 *rgb;

  *pixels = *frame;
  if (!needs_pixels (detector->plan.proposals))
    return TRUE;
  rgb = sppnet_buffer_reserve (&detector->rgb, (gsize) frame->height, (gsize) row, error);
  if (!rgb)
    return FALSE;
#pragma omp parallel for num_threads(detector->plan.threads)
  for (gint y = 0; y < frame->height; y += band)
    sppnet_frame_read_rgb (frame, y, MIN (band, frame->height - y), rgb + (gsize) y * row);
  *pixels = sppnet_frame_of_rgb (rgb, frame->width, frame->height);
  detector->timings.frame_ms += (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

static gboolean
propose_from_map (SppnetDetector *detector, const SppnetFrame *frame, const SppnetMap *map, const SppnetBox **boxes,
                  gsize *n, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!sppnet_rpn_run (detector->rpn, map, frame->width, frame->height, detector->plan.max_proposals,
                       detector->plan.min_objectness, detector->plan.threads, boxes, NULL, n, error))
    return FALSE;
  detector->timings.proposals_ms += (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

/* frame: as read_pixels() gives it. */
static gboolean
propose (SppnetDetector *detector, const SppnetFrame *frame, const SppnetMap *map, const SppnetBox **boxes, gsize *n,
         GError **error)
{
  const SppnetPlan *plan = &detector->plan;
  gint64 start = g_get_monotonic_time ();

  *boxes = NULL;
  *n = 0;
  if (plan->proposals == SPPNET_PROPOSALS_REGIONS)
    return TRUE;
  if (plan->proposals == SPPNET_PROPOSALS_RPN)
    return propose_from_map (detector, frame, map, boxes, n, error);
  if (!sppnet_proposer_run (detector->proposer, plan->proposals, frame->plane[0], frame->width, frame->height,
                            plan->max_proposals, plan->seed, plan->threads, boxes, n, error))
    return FALSE;
  detector->timings.proposals_ms += (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

static gboolean
score (SppnetDetector *detector, const SppnetFrame *frame, GError **error)
{
  detector->timings.regions += (guint) detector->regions.n;
  return sppnet_scoring_run (detector->scoring, &detector->plan, &detector->regions, frame->width, frame->height,
                             &detector->selection, &detector->timings, error);
}

static gboolean
select_boxes (SppnetDetector *detector, const gfloat *thresholds, const gfloat *context, gsize max,
              const SppnetDetection **boxes, gsize *n, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gboolean ok = sppnet_selection_run (&detector->selection, &detector->plan, thresholds, context, max, detector->model,
                                      boxes, n, error);

  detector->timings.box_ms += (g_get_monotonic_time () - start) / 1000.0;
  return ok;
}

/* Pools and scores the best boxes once more at the place to which box regression moved them (iterative localisation,
 * Gidaris and Komodakis 2015), from the same feature map: better boxes, and less dependence on which proposals there
 * happened to be. What was found before stays a candidate. */
static gboolean
refine (SppnetDetector *detector, const SppnetFrame *frame, GError **error)
{
  const SppnetDetection *found;
  gsize n;

  if (!select_boxes (detector, detector->plan.floors, NULL, REFINED_BOXES, &found, &n, error))
    return FALSE;
  while (n > 0 && !(found[n - 1].confidence >= SPPNET_REFINE_FLOOR))
    n--;
  return n == 0
         || (sppnet_region_list_set_found (&detector->regions, found, n, error) && score (detector, frame, error));
}

/* The detections, from the candidates of all boxes that were scored. */
static gboolean
finish (SppnetDetector *detector, const SppnetFrame *frame, const gfloat *context, const SppnetDetection **detections,
        gsize *n, GError **error)
{
  const SppnetPlan *plan = &detector->plan;
  gboolean agnostic = plan->agnostic_nms_threshold > 0.0f;
  gsize most = agnostic ? MAX (plan->max_detections, MOST_AGNOSTIC) : plan->max_detections;
  gint64 start;

  if (!select_boxes (detector, plan->thresholds, context, most, detections, n, error))
    return FALSE;
  start = g_get_monotonic_time ();
  if (plan->refine)
    sppnet_selection_vote (&detector->selection, frame->width, frame->height);
  if (agnostic)
    *n = sppnet_selection_suppress_across (&detector->selection, plan->agnostic_nms_threshold, plan->max_detections);
  detector->timings.box_ms += (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

static gboolean
run_stages (SppnetDetector *detector, const SppnetFrame *frame, const SppnetBox *regions, gsize n_regions,
            const SppnetDetection **detections, gsize *n_detections, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (detector->model);
  const SppnetBox *proposals;
  SppnetFrame pixels;
  gsize n_proposals;
  SppnetMap map;

  if (!read_pixels (detector, frame, &pixels, error) || !run_backbone (detector, &pixels, &map, error)
      || !propose (detector, &pixels, &map, &proposals, &n_proposals, error)
      || (detector->plan.follow
          && !sppnet_follow_propose (&detector->follow, frame->width, frame->height, detector->plan.max_proposals,
                                     &proposals, &n_proposals, error)))
    return FALSE;
  /* RoI pooling rounds boxes to cells in its own way, so equal windows do not mean equal vectors there. */
  if (!sppnet_region_list_set (&detector->regions, regions, n_regions, detector->plan.region_margin, proposals,
                               n_proposals, config->pooling == SPPNET_POOLING_SPP ? &map : NULL, frame->width,
                               frame->height, error)
      || !sppnet_scoring_set_map (detector->scoring, &detector->plan, &map,
                                  MAX (detector->plan.max_proposals, detector->regions.n), &detector->timings, error))
    return FALSE;
  detector->timings.duplicates = (guint) detector->regions.n_duplicates;
  sppnet_selection_reset (&detector->selection);
  return score (detector, frame, error) && (!detector->plan.refine || refine (detector, frame, error))
         && finish (detector, frame, config->context, detections, n_detections, error);
}

/* The frame and the caller's regions as the stages are to see them. */
static gboolean
reduce (SppnetDetector *detector, SppnetFrame *frame, const SppnetBox **regions, gsize n, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gfloat scale = 1.0f / (gfloat) detector->plan.reduction;
  SppnetBox *reduced = sppnet_buffer_reserve (&detector->reduced_regions, MAX (n, 1), sizeof *reduced, error);

  if (!reduced
      || !sppnet_frame_reduce (frame, (gint) detector->plan.reduction, detector->plan.threads, &detector->reduced,
                               frame, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    reduced[i] = sppnet_box_scale (&(*regions)[i], scale);
  *regions = reduced;
  detector->timings.frame_ms += (g_get_monotonic_time () - start) / 1000.0;
  return TRUE;
}

static gboolean
run_on (SppnetDetector *detector, SppnetFrame frame, const SppnetBox *regions, gsize n_regions,
        const SppnetDetection **detections, gsize *n_detections, GError **error)
{
  gint width = frame.width, height = frame.height;

  /* A frame in which the caller has nothing to score costs nothing. */
  if (detector->plan.proposals == SPPNET_PROPOSALS_REGIONS && n_regions == 0
      && !(detector->plan.follow && detector->follow.n > 0))
    return TRUE;
  if (detector->plan.reduction > 1 && !reduce (detector, &frame, &regions, n_regions, error))
    return FALSE;
  if (!run_stages (detector, &frame, regions, n_regions, detections, n_detections, error))
    return FALSE;
  sppnet_follow_keep (&detector->follow, frame.width, frame.height, *detections, *n_detections);
  if (detector->plan.reduction > 1 && *n_detections > 0)
    sppnet_selection_scale (&detector->selection, (gfloat) detector->plan.reduction, width, height);
  return TRUE;
}

gboolean
sppnet_detector_run (SppnetDetector *detector, const SppnetFrame *frame, const SppnetBox *regions, gsize n_regions,
                     const SppnetDetection **detections, gsize *n_detections, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  gboolean ok;

  g_return_val_if_fail (detector != NULL && frame != NULL, FALSE);
  g_return_val_if_fail (regions != NULL || n_regions == 0, FALSE);
  g_return_val_if_fail (detections != NULL && n_detections != NULL, FALSE);

  *detections = NULL;
  *n_detections = 0;
  detector->timings = (SppnetTimings) { 0 };
  if (!sppnet_frame_check (frame, error))
    return FALSE;

  sppnet_blas_begin ();
  ok = run_on (detector, *frame, regions, n_regions, detections, n_detections, error);
  sppnet_blas_end ();
  detector->timings.total_ms = (g_get_monotonic_time () - start) / 1000.0;
  return ok;
}
