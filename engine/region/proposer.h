/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

/* Region proposals for one stream: scratch memory that is reused from frame to frame. */
typedef struct _SppnetProposer SppnetProposer;

SppnetProposer *sppnet_proposer_new (void);
void sppnet_proposer_free (SppnetProposer *proposer);

/**
 * sppnet_proposer_run:
 * @method: one that looks at pixels only, not DEFAULT, RPN or AUTO; REGIONS gives none
 * @rgb: [height][width][3], packed
 * @max_boxes: at most this many
 * @seed: of the ranking's random part
 * @threads: OpenMP budget
 * @boxes: (out) (transfer none): best first, no two equal, all inside the frame, valid until the next run
 */
gboolean sppnet_proposer_run (SppnetProposer *proposer, SppnetProposals method, const guint8 *rgb, gint width,
                              gint height, guint max_boxes, guint32 seed, guint threads, const SppnetBox **boxes,
                              gsize *n_boxes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetProposer, sppnet_proposer_free)
