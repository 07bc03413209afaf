/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate.h"

#include <stdio.h>

#include "base/threads.h"
#include "evaluate/recall.h"
#include "json.h"
#include "region/proposer.h"

#define DEFAULT_MAX_PROPOSALS 2000

static void
print (const SppnetRecall *recall, const gchar *method, gdouble ms, gboolean json)
{
  gdouble objects = MAX (recall->objects, 1), pictures = MAX (recall->pictures, 1);
  g_autoptr (JsonBuilder) builder = NULL;

  if (!json) {
    printf ("%s: %u pictures, %u objects\n", method, recall->pictures, recall->objects);
    printf ("  recall at IoU .5  %.4f\n  recall at IoU .7  %.4f\n  average best overlap  %.4f\n",
            recall->found50 / objects, recall->found70 / objects, recall->overlap / objects);
    printf ("  boxes per picture  %.1f\n  time per picture  %.1f ms\n", (gdouble) recall->boxes / pictures,
            ms / pictures);
    return;
  }
  builder = json_builder_new ();
  json_builder_begin_object (builder);
  sppnet_tool_json_string (builder, "method", method);
  sppnet_tool_json_integer (builder, "pictures", recall->pictures);
  sppnet_tool_json_integer (builder, "objects", recall->objects);
  sppnet_tool_json_number (builder, "recall50", recall->found50 / objects);
  sppnet_tool_json_number (builder, "recall70", recall->found70 / objects);
  sppnet_tool_json_number (builder, "abo", recall->overlap / objects);
  sppnet_tool_json_number (builder, "boxes", (gdouble) recall->boxes / pictures);
  sppnet_tool_json_number (builder, "ms", ms / pictures);
  json_builder_end_object (builder);
  sppnet_tool_json_print (builder);
}

gboolean
sppnet_evaluate_proposals (const SppnetEvaluation *evaluation, SppnetProposals method, const SppnetSettings *settings,
                           GError **error)
{
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
  guint max_boxes = settings->max_proposals ? settings->max_proposals : DEFAULT_MAX_PROPOSALS;
  SppnetRecall recall = { 0 };
  gint64 spent = 0;

  for (guint i = 0; i < evaluation->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (evaluation->annotations, i);
    g_auto (SppnetPicture) picture = { 0 };
    const SppnetBox *boxes;
    gint64 start;
    gsize n;

    if (!sppnet_evaluation_load (evaluation, i, &picture, error))
      return FALSE;
    start = g_get_monotonic_time ();
    if (!sppnet_proposer_run (proposer, method, picture.rgb, picture.width, picture.height, max_boxes, settings->seed,
                              sppnet_threads_budget (settings->threads), &boxes, &n, error)) {
      g_prefix_error (error, "%s: ", annotation->picture);
      return FALSE;
    }
    spent += g_get_monotonic_time () - start;
    sppnet_recall_add (&recall, annotation, boxes, n);
  }
  sppnet_evaluation_end (evaluation);
  print (&recall, sppnet_proposals_to_nick (method), (gdouble) spent / 1000, evaluation->json);
  return TRUE;
}
