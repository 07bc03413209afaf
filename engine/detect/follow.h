/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

#include "base/memory.h"

/* More detections than this are not followed. */
#define SPPNET_MOST_FOLLOWED 100

/* What was found in the last frame, and the regions that are scored because of it. { 0 } is nothing. */
typedef struct
{
  gint width, height; /* of that frame */
  guint n;
  SppnetBox last[SPPNET_MOST_FOLLOWED];
  SppnetBuffer regions; /* SppnetBox */
} SppnetFollow;

/* Puts the boxes where an object of the last frame may be by now before n proposals (replaced by the longer list):
 * where it was, to each side of that, larger and smaller. Nothing where the frame's size has changed. room: of
 * proposals, at most */
gboolean sppnet_follow_propose (SppnetFollow *follow, gint width, gint height, gsize room, const SppnetBox **proposals,
                                gsize *n, GError **error);
/* Of n detections the first ones are followed in the next frame. */
void sppnet_follow_keep (SppnetFollow *follow, gint width, gint height, const SppnetDetection *detections, gsize n);
void sppnet_follow_clear (SppnetFollow *follow);
