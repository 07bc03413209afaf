/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>
#include <sppnet/frame.h>
#include <sppnet/model.h>

G_BEGIN_DECLS

/**
 * SppnetProposals:
 * @SPPNET_PROPOSALS_DEFAULT: what the model recommends
 * @SPPNET_PROPOSALS_SELECTIVE_SEARCH: Selective Search, "fast" strategies (Uijlings et al., IJCV 2013)
 * @SPPNET_PROPOSALS_SELECTIVE_SEARCH_QUALITY: Selective Search, "quality" strategies
 * @SPPNET_PROPOSALS_EDGE_BOXES: Edge Boxes (Zitnick and Dollar, ECCV 2014)
 * @SPPNET_PROPOSALS_GRID: sliding windows of several sizes and shapes
 * @SPPNET_PROPOSALS_REGIONS: only the regions that the caller gives
 * @SPPNET_PROPOSALS_RPN: the model's region proposal network (Ren et al. 2015), where it has one
 * @SPPNET_PROPOSALS_AUTO: the region proposal network of a model that has one, else Edge Boxes
 *
 * Where the regions that are scored come from. Regions given by the caller are always scored too.
 */
typedef enum
{
  SPPNET_PROPOSALS_DEFAULT,
  SPPNET_PROPOSALS_SELECTIVE_SEARCH,
  SPPNET_PROPOSALS_SELECTIVE_SEARCH_QUALITY,
  SPPNET_PROPOSALS_EDGE_BOXES,
  SPPNET_PROPOSALS_GRID,
  SPPNET_PROPOSALS_REGIONS,
  SPPNET_PROPOSALS_RPN,
  SPPNET_PROPOSALS_AUTO,
} SppnetProposals;

/* "default", "selective-search", "selective-search-quality", "edge-boxes", "grid", "regions", "rpn", "auto" <-> the
 * value. */
SPPNET_API const gchar *sppnet_proposals_to_nick (SppnetProposals proposals);
SPPNET_API gboolean sppnet_proposals_from_nick (const gchar *nick, SppnetProposals *proposals);

/**
 * SppnetPrecision:
 * @SPPNET_PRECISION_DEFAULT: float32
 * @SPPNET_PRECISION_FLOAT32: single precision
 * @SPPNET_PRECISION_BFLOAT16: the factors of products are rounded to 8 bits of precision; faster, on processors with
 *   AVX512_BF16
 *
 * What convolution and fully connected layers compute with.
 */
typedef enum
{
  SPPNET_PRECISION_DEFAULT,
  SPPNET_PRECISION_FLOAT32,
  SPPNET_PRECISION_BFLOAT16,
} SppnetPrecision;

/* "default", "float32", "bfloat16" <-> the value. */
SPPNET_API const gchar *sppnet_precision_to_nick (SppnetPrecision precision);
SPPNET_API gboolean sppnet_precision_from_nick (const gchar *nick, SppnetPrecision *precision);

/* Of a frame; see SppnetSettings. */
#define SPPNET_MAX_PROPOSALS 100000
#define SPPNET_MAX_REDUCTION 16

/**
 * SppnetSettings:
 * @proposals: source of the regions
 * @max_proposals: at most this many proposals per frame, best first, up to %SPPNET_MAX_PROPOSALS; 0: what the model
 * says where these are the proposals that it recommends, else 2000, and of a region proposal network what it says of
 * that
 * @threshold: lowest confidence reported, 0..1; 0: the model's own thresholds, per class
 * @nms_threshold: overlap (IoU, 0..1) above which the weaker of two boxes of one class is dropped; 0: the model's
 * default
 * @max_detections: at most this many per frame, best first; 0: 100. Time grows with the square of what passes the
 *   threshold, so far more of them only with a threshold that keeps them few
 * @threads: threads this detector may use; 0: as many as the process has processors
 * @seed: order of equally ranked proposals (Selective Search); any value is as good, the same value gives the same
 * boxes
 * @labels: (nullable) (array zero-terminated=1): only these labels are reported; %NULL: all
 * @region_margin: the caller's regions are scored with this much more on each side, as a part of their width and
 * height, 0..10
 * @follow: also score where the last run's detections were, and around that: for the frames of a video, in which less
 * has to be proposed then. Seven regions for each of the best 100 detections, which do not count as proposals
 * @precision: of convolution and fully connected layers
 * @min_objectness: proposals of a region proposal network below this, 0..1, are not scored; 0: the model's default
 * @agnostic_nms_threshold: overlap (IoU, 0..1) above which the weaker of two boxes is dropped whatever their classes
 *   (class-agnostic non-maximum suppression), among what would be reported: classes that are not wanted or below their
 *   threshold hide nothing; 0: classes do not hide each other
 * @reduction: the frame is looked at reduced by this whole factor, 1 to 16, each pixel the mean of as many squared:
 *   for objects that are larger than those that the model was trained on, and less work; regions and detections are in
 *   pixels of the frame all the same; 0: 1, as it is
 *
 * Zero means the default for every field, so that { 0 } is a complete choice.
 */
typedef struct
{
  SppnetProposals proposals;
  guint max_proposals;
  gfloat threshold;
  gfloat nms_threshold;
  guint max_detections;
  guint threads;
  guint32 seed;
  const gchar *const *labels;
  gfloat region_margin;
  gboolean follow;
  SppnetPrecision precision;
  gfloat min_objectness;
  gfloat agnostic_nms_threshold;
  guint reduction;
} SppnetSettings;

/**
 * SppnetDetection:
 * @box: where, in pixels of the frame, clipped to it
 * @label: what; owned by the model
 * @label_id: index of the label in the model
 * @confidence: 0..1
 * @region: index of the caller's region it was scored from, or -1
 */
typedef struct
{
  SppnetBox box;
  const gchar *label;
  guint label_id;
  gfloat confidence;
  gint region;
} SppnetDetection;

/**
 * SppnetTimings:
 *
 * Milliseconds of wall clock that the stages of the last run took, how many regions were scored, and how many proposals
 * were not because they cover the same cells of the feature map as another region.
 */
typedef struct
{
  gdouble frame_ms, backbone_ms, proposals_ms, pooling_ms, head_ms, box_ms, total_ms;
  guint regions, duplicates;
} SppnetTimings;

/**
 * SppnetDetector:
 *
 * The scratch memory of one stream. Not thread safe: one detector per thread, any number per model.
 * Memory only grows: with the same frame size and settings, a run that finds no more to do (regions, boxes) than those
 * before it allocates nothing.
 */
typedef struct _SppnetDetector SppnetDetector;

#define SPPNET_TYPE_DETECTOR (sppnet_detector_get_type ())
SPPNET_API GType sppnet_detector_get_type (void);

/**
 * sppnet_detector_new:
 * @model: kept by reference
 * @settings: (nullable): copied; %NULL: all defaults
 * @error: SETTINGS when a value is out of range, a label is not one of the model's, the model cannot make these
 *   proposals, or the processor cannot compute with this precision; MEMORY
 */
SPPNET_API SppnetDetector *sppnet_detector_new (SppnetModel *model, const SppnetSettings *settings, GError **error);

SPPNET_API SppnetDetector *sppnet_detector_ref (SppnetDetector *detector);
SPPNET_API void sppnet_detector_unref (SppnetDetector *detector);

/* settings: (nullable): all defaults. Takes effect with the next run; on an error, as sppnet_detector_new() has them,
 * the old settings stay. */
SPPNET_API gboolean sppnet_detector_set_settings (SppnetDetector *detector, const SppnetSettings *settings,
                                                  GError **error);

SPPNET_API SppnetModel *sppnet_detector_get_model (SppnetDetector *detector);

/**
 * sppnet_detector_run:
 * @frame: the pixels; may change size and format from call to call
 * @regions: (array length=n_regions) (nullable): further regions to score, in pixels
 * @n_regions: length of @regions
 * @detections: (out) (transfer none): best first; valid until the next run
 * @n_detections: (out): length of @detections
 *
 * Finds objects in one frame, with one pass of the convolution layers however many regions there are. A detection
 * depends neither on the number of threads nor on what was run before, but for %follow.
 *
 * Errors: UNSUPPORTED for a frame of a size, format or colour that is none, or too large for this model; SETTINGS for
 * a plane that is missing, or whose stride is less than a row (negative strides are); MEMORY. The detector stays
 * usable.
 */
SPPNET_API gboolean sppnet_detector_run (SppnetDetector *detector, const SppnetFrame *frame, const SppnetBox *regions,
                                         gsize n_regions, const SppnetDetection **detections, gsize *n_detections,
                                         GError **error);

/* The next frame is of another scene: what was found before is not followed into it. */
SPPNET_API void sppnet_detector_forget (SppnetDetector *detector);

/* (transfer none): valid until the next run. */
SPPNET_API const SppnetTimings *sppnet_detector_get_timings (const SppnetDetector *detector);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetDetector, sppnet_detector_unref)

G_END_DECLS
