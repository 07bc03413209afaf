/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proposals.h"

#include <time.h>

#include "backbone/backbone.h"
#include "base/threads.h"
#include "detect/settings.h"
#include "region/proposer.h"
#include "region/rpn.h"

struct _SppnetToolProposals
{
  SppnetProposals method;
  SppnetProposer *proposer;
  SppnetModel *model;       /* of the methods RPN and AUTO, else NULL */
  SppnetBackbone *backbone; /* with rpn of the method RPN, else NULL */
  SppnetRpn *rpn;
  gfloat min_objectness;
};

static gboolean
load_model (SppnetToolProposals *proposals, const SppnetDetectorArguments *arguments, SppnetPrecision precision,
            GError **error)
{
  proposals->model = sppnet_arguments_load_model (arguments, error);
  if (!proposals->model)
    return FALSE;
  proposals->method = sppnet_proposals_resolve (proposals->method, sppnet_model_get_config (proposals->model));
  if (proposals->method != SPPNET_PROPOSALS_RPN)
    return TRUE;
  proposals->rpn = sppnet_rpn_new (proposals->model, precision, error);
  proposals->backbone = proposals->rpn ? sppnet_backbone_new (proposals->model, precision, error) : NULL;
  return proposals->backbone != NULL;
}

SppnetToolProposals *
sppnet_tool_proposals_new (SppnetProposals method, const SppnetDetectorArguments *arguments, SppnetPrecision precision,
                           GError **error)
{
  g_autoptr (SppnetToolProposals) proposals = g_new0 (SppnetToolProposals, 1);

  if (!sppnet_check_precision (precision, error))
    return NULL;
  proposals->method = method;
  proposals->min_objectness = (gfloat) arguments->min_objectness;
  proposals->proposer = sppnet_proposer_new ();
  if ((method == SPPNET_PROPOSALS_RPN || method == SPPNET_PROPOSALS_AUTO)
      && !load_model (proposals, arguments, precision, error))
    return NULL;
  return g_steal_pointer (&proposals);
}

void
sppnet_tool_proposals_free (SppnetToolProposals *proposals)
{
  if (!proposals)
    return;
  g_clear_pointer (&proposals->rpn, sppnet_rpn_free);
  g_clear_pointer (&proposals->backbone, sppnet_backbone_free);
  g_clear_pointer (&proposals->model, sppnet_model_unref);
  sppnet_proposer_free (proposals->proposer);
  g_free (proposals);
}

SppnetProposals
sppnet_tool_proposals_method (const SppnetToolProposals *proposals)
{
  return proposals->method;
}

static gdouble
processor_ms (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gdouble) now.tv_sec * 1e3 + (gdouble) now.tv_nsec * 1e-6;
}

gboolean
sppnet_tool_proposals_run (SppnetToolProposals *proposals, const SppnetPicture *picture, guint max_boxes, guint32 seed,
                           guint threads, const SppnetBox **boxes, gsize *n, SppnetToolTime *time, GError **error)
{
  SppnetFrame frame = sppnet_picture_frame (picture);
  guint budget = sppnet_threads_budget (threads);
  SppnetMap map;
  gdouble cpu_start;
  gint64 start;
  gboolean ok;

  if (proposals->rpn && !sppnet_backbone_run (proposals->backbone, &frame, budget, &map, NULL, error))
    return FALSE;
  if (max_boxes == 0)
    max_boxes = sppnet_proposals_number (proposals->method,
                                         proposals->model ? sppnet_model_get_config (proposals->model) : NULL);
  start = g_get_monotonic_time ();
  cpu_start = processor_ms ();
  if (proposals->rpn)
    ok = sppnet_rpn_run (proposals->rpn, &map, picture->width, picture->height, max_boxes, proposals->min_objectness,
                         budget, boxes, NULL, n, error);
  else
    ok = sppnet_proposer_run (proposals->proposer, proposals->method, picture->rgb, picture->width, picture->height,
                              max_boxes, seed, budget, boxes, n, error);
  *time = (SppnetToolTime) { (gdouble) (g_get_monotonic_time () - start) / 1000, processor_ms () - cpu_start };
  return ok;
}
