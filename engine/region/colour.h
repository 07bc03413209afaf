/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Colour spaces that Selective Search diversifies over (Uijlings et al., section 3.2). Every channel is 0..255. */
typedef enum
{
  SPPNET_COLOUR_HSV,
  SPPNET_COLOUR_LAB, /* CIE L*a*b*, D65: L* scaled to 0..255, a* and b* shifted by 128 */
  SPPNET_COLOUR_RGI, /* r and g of normalised RGB, and intensity */
  SPPNET_COLOUR_H,   /* hue alone */
  SPPNET_COLOUR_I,   /* intensity alone */
  SPPNET_N_COLOURS,
} SppnetColour;

/* 3, or 1 for H and I. */
guint sppnet_colour_channels (SppnetColour colour);

/* rgb: [pixels][3]; out: [channels][pixels] */
void sppnet_colour_convert (SppnetColour colour, const guint8 *rgb, gsize pixels, guint8 *out);
