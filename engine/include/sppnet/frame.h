/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/error.h>

G_BEGIN_DECLS

/**
 * SppnetPixelFormat:
 *
 * Memory layouts that the engine reads without conversion. Names and byte orders are GStreamer's.
 */
typedef enum
{
  SPPNET_PIXEL_FORMAT_I420,
  SPPNET_PIXEL_FORMAT_YV12,
  SPPNET_PIXEL_FORMAT_NV12,
  SPPNET_PIXEL_FORMAT_NV21,
  SPPNET_PIXEL_FORMAT_YUY2,
  SPPNET_PIXEL_FORMAT_UYVY,
  SPPNET_PIXEL_FORMAT_RGB,
  SPPNET_PIXEL_FORMAT_BGR,
  SPPNET_PIXEL_FORMAT_RGBX,
  SPPNET_PIXEL_FORMAT_BGRX,
  SPPNET_PIXEL_FORMAT_XRGB,
  SPPNET_PIXEL_FORMAT_XBGR,
  SPPNET_PIXEL_FORMAT_RGBA,
  SPPNET_PIXEL_FORMAT_BGRA,
  SPPNET_PIXEL_FORMAT_ARGB,
  SPPNET_PIXEL_FORMAT_ABGR,
  SPPNET_PIXEL_FORMAT_GRAY8,
} SppnetPixelFormat;

/**
 * SppnetColorMatrix:
 *
 * How Y'CbCr becomes R'G'B' (ITU-R BT.601, BT.709, BT.2020). Without effect on RGB formats.
 */
typedef enum
{
  SPPNET_COLOR_MATRIX_BT601,
  SPPNET_COLOR_MATRIX_BT709,
  SPPNET_COLOR_MATRIX_BT2020,
} SppnetColorMatrix;

/**
 * SppnetColorRange:
 * @SPPNET_COLOR_RANGE_LIMITED: luma 16..235, chroma 16..240
 * @SPPNET_COLOR_RANGE_FULL: 0..255
 */
typedef enum
{
  SPPNET_COLOR_RANGE_LIMITED,
  SPPNET_COLOR_RANGE_FULL,
} SppnetColorRange;

#define SPPNET_FRAME_MAX_PLANES 3

/**
 * SppnetFrame:
 * @format: memory layout
 * @width: 1..8192 pixels
 * @height: 1..8192 pixels
 * @plane: first byte of each plane, in GStreamer's component order of the format
 *   (I420: Y, U, V; YV12: Y, U, V as well, wherever they lie in memory; NV12 and NV21: Y, chroma pairs)
 * @stride: bytes from one row to the next, per plane
 * @matrix: colour matrix of Y'CbCr formats
 * @range: value range of Y'CbCr formats and GRAY8
 *
 * A borrowed view of pixels: never copied, never written, only read during a call.
 */
typedef struct
{
  SppnetPixelFormat format;
  gint width, height;
  const guint8 *plane[SPPNET_FRAME_MAX_PLANES];
  gint stride[SPPNET_FRAME_MAX_PLANES];
  SppnetColorMatrix matrix;
  SppnetColorRange range;
} SppnetFrame;

/* Largest width and height that the engine accepts, pixels. */
#define SPPNET_FRAME_MAX_SIZE 8192

G_END_DECLS
