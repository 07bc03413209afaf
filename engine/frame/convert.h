/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/frame.h>

/* Row loops of frame.c. None reads or writes beyond n pixels. */

/* Y'CbCr -> R'G'B' with 16-bit factors, which every instruction set multiplies eight or more at a time: the arithmetic
 * of GStreamer's videoconvert, bit by bit. Factors of 8.8 bits apply to the differences from 128, luma's too, and each
 * product is rounded down: full range is up to three levels below the recommendations; limited range is 2.4 levels
 * darker still, as the factor of luma leaves 128 where it is. A frame and its conversion to RGB are then the same to
 * Selective Search, whose regions depend on single levels, and a brightness of one per cent means nothing to the
 * network. */
typedef struct
{
  gint16 y, v_r, u_g, v_g, u_b; /* factors of luma and of the chroma differences, times 2^8 */
} SppnetConvertMatrix;

SppnetConvertMatrix sppnet_convert_matrix (SppnetColorMatrix matrix, SppnetColorRange range);

/* y, u, v: [n] -> rgb: [n][3] */
void sppnet_convert_ycbcr (const SppnetConvertMatrix *matrix, const guint8 *y, const guint8 *u, const guint8 *v, gint n,
                           guint8 *rgb);
/* out[i] = in[i / 2 * step]; step 1, 2 or 4 */
void sppnet_convert_repeat (const guint8 *in, gint step, gint n, guint8 *out);
/* out[i] = in[2 * i] */
void sppnet_convert_every_second (const guint8 *in, gint n, guint8 *out);
/* in: [n][4] with R, G, B at these offsets -> rgb: [n][3] */
void sppnet_convert_rgb4 (const guint8 *in, guint r, guint g, guint b, gint n, guint8 *rgb);
/* in: [n][3] -> out: [n][3] with the first and third byte exchanged */
void sppnet_convert_swap (const guint8 *in, gint n, guint8 *out);
