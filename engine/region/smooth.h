/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* in: [height][width]; out: the same smoothed by a Gaussian of sigma .8 pixels, the border repeated;
 * scratch: [height][width] */
void sppnet_smooth (const guint8 *in, gint width, gint height, gfloat *scratch, gfloat *out);
