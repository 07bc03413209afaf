/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/settings.h"

#include "base/cpu.h"
#include "base/threads.h"
#include "kernel/conv.h"

#define DEFAULT_PROPOSALS 2000
#define DEFAULT_DETECTIONS 100
#define MAX_MARGIN 10.0f
#define DEFAULT_NMS_THRESHOLD 0.3f
#define NEVER 2.0f /* a threshold that no confidence reaches */

static gboolean
check_fraction (gfloat value, const gchar *field, const gchar *zero, GError **error)
{
  if (value >= 0.0f && value <= 1.0f)
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "%s is %g; it must be in 0..1 (0: %s)", field,
               (gdouble) value, zero);
  return FALSE;
}

/* Indexed by the value. */
static const gchar *const precision_nicks[] = { "default", "float32", "bfloat16" };

const gchar *
sppnet_precision_to_nick (SppnetPrecision precision)
{
  return (guint) precision < G_N_ELEMENTS (precision_nicks) ? precision_nicks[precision] : NULL;
}

gboolean
sppnet_precision_from_nick (const gchar *nick, SppnetPrecision *precision)
{
  g_return_val_if_fail (nick != NULL && precision != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (precision_nicks); i++)
    if (g_str_equal (nick, precision_nicks[i])) {
      *precision = (SppnetPrecision) i;
      return TRUE;
    }
  return FALSE;
}

gboolean
sppnet_check_precision (SppnetPrecision precision, GError **error)
{
  if (!sppnet_precision_to_nick (precision)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "precision is %d, which is none", (gint) precision);
    return FALSE;
  }
  if (precision != SPPNET_PRECISION_BFLOAT16 || sppnet_conv_kernels_bfloat16 ())
    return TRUE;
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "precision is bfloat16, %s: use float32",
               !sppnet_cpu_has_bfloat16 () ? "which needs a processor with AVX512_BF16"
               : sppnet_cpu_isa () < sppnet_cpu_highest_isa ()
                   ? "which needs the highest level of instructions, and SPPNET_CPU has lowered it"
                   : "for which this build has no kernels");
  return FALSE;
}

static gboolean
check_ranges (const SppnetSettings *settings, GError **error)
{
  if ((guint) settings->proposals > SPPNET_PROPOSALS_AUTO) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "proposals is %d, which is no method of proposals",
                 (gint) settings->proposals);
    return FALSE;
  }
  if (settings->max_proposals > SPPNET_MAX_PROPOSALS) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "max_proposals is %u; it must be in 0..%d (0: the model's default)", settings->max_proposals,
                 SPPNET_MAX_PROPOSALS);
    return FALSE;
  }
  if (!(settings->region_margin >= 0.0f && settings->region_margin <= MAX_MARGIN)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "region_margin is %g; it must be in 0..%g",
                 (gdouble) settings->region_margin, (gdouble) MAX_MARGIN);
    return FALSE;
  }
  if (settings->reduction > SPPNET_MAX_REDUCTION) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "reduction is %u; it must be in 0..%d (0: 1, none)",
                 settings->reduction, SPPNET_MAX_REDUCTION);
    return FALSE;
  }
  return sppnet_check_precision (settings->precision, error)
         && check_fraction (settings->threshold, "threshold", "the model's default", error)
         && check_fraction (settings->nms_threshold, "nms_threshold", "the model's default", error)
         && check_fraction (settings->agnostic_nms_threshold, "agnostic_nms_threshold", "none", error)
         && check_fraction (settings->min_objectness, "min_objectness", "the model's default", error);
}

static gint
find_label (const SppnetConfig *config, const gchar *label)
{
  for (guint i = 0; i < config->n_labels; i++)
    if (g_str_equal (config->labels[i], label))
      return (gint) i;
  return -1;
}

/* wanted: [n_labels] */
static gboolean
mark_wanted (const SppnetConfig *config, const gchar *const *labels, gboolean *wanted, GError **error)
{
  if (labels && !labels[0]) {
    g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                         "labels is an empty list, so nothing could be reported (no list: all labels)");
    return FALSE;
  }
  for (guint i = 0; i < config->n_labels; i++)
    wanted[i] = labels == NULL;
  for (; labels && *labels; labels++) {
    gint i = find_label (config, *labels);

    if (i < 0) {
      g_autofree gchar *known = g_strjoinv (", ", config->labels);

      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, "model \"%s\" has no label \"%s\"; it has: %s",
                   config->name ? config->name : "", *labels, known);
      return FALSE;
    }
    wanted[i] = TRUE;
  }
  return TRUE;
}

static gfloat
threshold_of (const SppnetConfig *config, guint label, gfloat setting)
{
  if (setting > 0.0f)
    return setting;
  return config->thresholds ? config->thresholds[label] : SPPNET_DEFAULT_THRESHOLD;
}

SppnetProposals
sppnet_proposals_resolve (SppnetProposals method, const SppnetConfig *config)
{
  if (method == SPPNET_PROPOSALS_DEFAULT)
    method = config->proposals;
  if (method == SPPNET_PROPOSALS_AUTO)
    return config->rpn.n_anchors > 0 ? SPPNET_PROPOSALS_RPN : SPPNET_PROPOSALS_EDGE_BOXES;
  return method == SPPNET_PROPOSALS_DEFAULT ? SPPNET_PROPOSALS_SELECTIVE_SEARCH : method;
}

guint
sppnet_proposals_number (SppnetProposals method, const SppnetConfig *config)
{
  if (config && config->max_proposals && method == sppnet_proposals_resolve (config->proposals, config))
    return config->max_proposals;
  return config && method == SPPNET_PROPOSALS_RPN ? config->rpn.boxes : DEFAULT_PROPOSALS;
}

static gboolean
choose_proposals (SppnetPlan *plan, const SppnetSettings *settings, const SppnetConfig *config, GError **error)
{
  SppnetProposals method = sppnet_proposals_resolve (settings->proposals, config);

  if (method == SPPNET_PROPOSALS_RPN && config->rpn.n_anchors == 0) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "proposals is \"rpn\", but model \"%s\" has no region proposal network",
                 config->name ? config->name : "");
    return FALSE;
  }
  plan->proposals = method;
  plan->max_proposals = settings->max_proposals ? settings->max_proposals : sppnet_proposals_number (method, config);
  plan->min_objectness = settings->min_objectness > 0.0f ? settings->min_objectness : config->rpn.min_score;
  return TRUE;
}

gboolean
sppnet_plan_init (SppnetPlan *plan, const SppnetSettings *settings, SppnetModel *model, GError **error)
{
  static const SppnetSettings defaults;
  const SppnetConfig *config = sppnet_model_get_config (model);
  g_autofree gboolean *wanted = g_new0 (gboolean, config->n_labels + 1);

  if (!settings)
    settings = &defaults;
  if (!check_ranges (settings, error) || !mark_wanted (config, settings->labels, wanted, error)
      || !choose_proposals (plan, settings, config, error))
    return FALSE;

  plan->max_detections = settings->max_detections ? settings->max_detections : DEFAULT_DETECTIONS;
  plan->threads = sppnet_threads_budget (settings->threads);
  plan->seed = settings->seed;
  plan->region_margin = settings->region_margin;
  plan->follow = settings->follow;
  plan->reduction = MAX (settings->reduction, 1);
  plan->precision = settings->precision == SPPNET_PRECISION_DEFAULT ? SPPNET_PRECISION_FLOAT32 : settings->precision;
  plan->nms_threshold = settings->nms_threshold > 0.0f ? settings->nms_threshold : config->nms_threshold;
  if (!(plan->nms_threshold > 0.0f))
    plan->nms_threshold = DEFAULT_NMS_THRESHOLD;
  plan->agnostic_nms_threshold = settings->agnostic_nms_threshold;
  plan->n_labels = config->n_labels;
  plan->thresholds = g_new (gfloat, config->n_labels + 1);
  plan->refine = config->box_input != SPPNET_BOX_NONE;
  plan->floors = g_new (gfloat, config->n_labels + 1);
  for (guint i = 0; i < config->n_labels; i++) {
    plan->thresholds[i] = wanted[i] ? threshold_of (config, i, settings->threshold) : NEVER;
    /* In a context, what is not wanted says something about what is. */
    plan->floors[i] = config->context || (wanted[i] && plan->refine) ? MIN (plan->thresholds[i], SPPNET_REFINE_FLOOR)
                                                                     : plan->thresholds[i];
  }
  return TRUE;
}

void
sppnet_plan_clear (SppnetPlan *plan)
{
  g_clear_pointer (&plan->thresholds, g_free);
  g_clear_pointer (&plan->floors, g_free);
}
