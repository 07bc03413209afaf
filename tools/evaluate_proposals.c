/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate.h"

#include <stdio.h>

#include "evaluate/recall.h"
#include "json.h"
#include "proposals.h"

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
sppnet_evaluate_proposals (const SppnetEvaluation *evaluation, SppnetProposals method,
                           const SppnetDetectorArguments *arguments, const SppnetSettings *settings, GError **error)
{
  g_autoptr (SppnetToolProposals) proposals = sppnet_tool_proposals_new (method, arguments, settings->precision, error);
  SppnetRecall recall = { 0 };
  gdouble spent = 0;

  for (guint i = 0; proposals && i < evaluation->annotations->len; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (evaluation->annotations, i);
    g_auto (SppnetPicture) picture = { 0 };
    const SppnetBox *boxes;
    SppnetToolTime time;
    gsize n;

    if (!sppnet_evaluation_load (evaluation, i, &picture, error))
      return FALSE;
    if (!sppnet_tool_proposals_run (proposals, &picture, settings->max_proposals, settings->seed, settings->threads,
                                    &boxes, &n, &time, error)) {
      g_prefix_error (error, "%s: ", annotation->picture);
      return FALSE;
    }
    spent += time.ms;
    sppnet_recall_add (&recall, annotation, settings->labels, boxes, n);
  }
  if (!proposals)
    return FALSE;
  sppnet_evaluation_end (evaluation);
  if (!sppnet_evaluation_has_objects (recall.objects > 0, error))
    return FALSE;
  print (&recall, sppnet_proposals_to_nick (sppnet_tool_proposals_method (proposals)), spent, evaluation->json);
  return TRUE;
}
