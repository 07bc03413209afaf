/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "arguments.h"
#include "frame/picture.h"

/* A source of region proposals that is run by itself, without the detector: what `propose` lists and `evaluate`
 * measures. */
typedef struct _SppnetToolProposals SppnetToolProposals;

/* method: any that proposes something; RPN and AUTO load the model of arguments and run it with this precision. */
SppnetToolProposals *sppnet_tool_proposals_new (SppnetProposals method, const SppnetDetectorArguments *arguments,
                                                SppnetPrecision precision, GError **error);
void sppnet_tool_proposals_free (SppnetToolProposals *proposals);

/* The method in use: AUTO is decided. */
SppnetProposals sppnet_tool_proposals_method (const SppnetToolProposals *proposals);

/* On the wall and of all threads of this process, milliseconds: on a busy machine the latter says more. */
typedef struct
{
  gdouble ms, cpu_ms;
} SppnetToolTime;

/* max_boxes: 0: 2000, or the number that the region proposal network has for itself. time: of the method alone, without
 * the convolution layers. boxes: best first, valid until the next run. */
gboolean sppnet_tool_proposals_run (SppnetToolProposals *proposals, const SppnetPicture *picture, guint max_boxes,
                                    guint32 seed, guint threads, const SppnetBox **boxes, gsize *n,
                                    SppnetToolTime *time, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetToolProposals, sppnet_tool_proposals_free)
