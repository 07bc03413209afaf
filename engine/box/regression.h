/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* R-CNN's box parameters, t = (dx / w, dy / h, log w'/w, log h'/h) with dx, dy between the centres. Neither box
 * may be empty. */
void sppnet_box_encode (const SppnetBox *from, const SppnetBox *to, gfloat t[4]);
/* The inverse. The logarithms are limited to +-log (1000 / 16) so that a wild output gives a finite box. */
SppnetBox sppnet_box_decode (const SppnetBox *from, const gfloat t[4]);
/* In pixels that are so many times as many. */
SppnetBox sppnet_box_scale (const SppnetBox *box, gfloat scale);
/* The part inside a frame; width or height 0 when outside. */
SppnetBox sppnet_box_clip (const SppnetBox *box, gint width, gint height);
