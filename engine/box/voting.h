/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Box voting (Gidaris and Komodakis 2015, section 3.3): the mean of the boxes [n] whose IoU with box is at least .5 and
 * whose score is at least floor, weighted by the square of the score; box itself where there is none. */
SppnetBox sppnet_box_vote (const SppnetBox *box, const SppnetBox *boxes, const gfloat *scores, gsize n, gfloat floor);
