/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/picture.h"

/* A made-up picture for benchmarks: coloured rectangles of all sizes under noise of several scales, so that proposals
 * have edges and textures to work on. The same seed gives the same pixels. Clear with sppnet_picture_clear(). */
void sppnet_texture_fill (SppnetPicture *picture, gint width, gint height, guint32 seed);
