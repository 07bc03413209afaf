/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/frame.h>

/* The view of a picture of R G B bytes, [height][width][3]. */
static inline SppnetFrame
sppnet_frame_of_rgb (const guint8 *rgb, gint width, gint height)
{
  return (SppnetFrame) {
    .format = SPPNET_PIXEL_FORMAT_RGB, .width = width, .height = height, .plane = { rgb }, .stride = { 3 * width }
  };
}

/* SETTINGS for null planes and strides too short, UNSUPPORTED for sizes outside 1..8192 or an unknown format. */
gboolean sppnet_frame_check (const SppnetFrame *frame, GError **error);

/**
 * sppnet_frame_read_rgb:
 * @y0: first row, @rows: number of rows
 * @rgb: [rows][width][3], R G B, 0..255
 *
 * Converts rows to full-range R'G'B'. GRAY8 gives R = G = B; alpha is ignored. Deterministic integer arithmetic.
 *
 * Chroma of the subsampled formats is repeated (each 2x2 block shares its sample), wherever it is sited: so does
 * GStreamer's videoconvert from I420 and YV12 to RGB, of which this gives the same bytes. From NV12,
 * NV21, YUY2 and UYVY videoconvert interpolates; here they give what I420 with the same samples gives.
 */
void sppnet_frame_read_rgb (const SppnetFrame *frame, gint y0, gint rows, guint8 *rgb);

/* Network input rows from RGB bytes: out[i][c] = (rgb - mean[c]) * scale[c], channel order RGB, or BGR when bgr. */
void sppnet_frame_normalize (const guint8 *rgb, gsize pixels, gboolean bgr, const gfloat mean[3], const gfloat scale[3],
                             gfloat *out);
