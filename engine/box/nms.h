/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Greedy non-maximum suppression. order: [n] indices of boxes, best first, is compacted to the survivors; a box falls
 * when its IoU with a survivor exceeds threshold. Returns the number of survivors, at most max_keep. */
gsize sppnet_nms (const SppnetBox *boxes, guint32 *order, gsize n, gfloat threshold, gsize max_keep);

/* The same for boxes that are sorted, best first, many of them: boxes and scores are compacted. columns: scratch
 * memory, [SPPNET_NMS_COLUMNS][max_keep or n, the smaller]. Overlap is computed in single precision. */
#define SPPNET_NMS_COLUMNS 5
gsize sppnet_nms_sorted (SppnetBox *boxes, gfloat *scores, gsize n, gfloat threshold, gsize max_keep, gfloat *columns);

/* Indices 0 .. n-1 by falling score, equal scores by index; NaN last. */
void sppnet_sort_by_score (const gfloat *scores, guint32 *order, gsize n);
