/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame.h"

static const struct
{
  GstVideoFormat theirs;
  SppnetPixelFormat ours;
} formats[] = {
  { GST_VIDEO_FORMAT_I420, SPPNET_PIXEL_FORMAT_I420 },   { GST_VIDEO_FORMAT_YV12, SPPNET_PIXEL_FORMAT_YV12 },
  { GST_VIDEO_FORMAT_NV12, SPPNET_PIXEL_FORMAT_NV12 },   { GST_VIDEO_FORMAT_NV21, SPPNET_PIXEL_FORMAT_NV21 },
  { GST_VIDEO_FORMAT_YUY2, SPPNET_PIXEL_FORMAT_YUY2 },   { GST_VIDEO_FORMAT_UYVY, SPPNET_PIXEL_FORMAT_UYVY },
  { GST_VIDEO_FORMAT_RGB, SPPNET_PIXEL_FORMAT_RGB },     { GST_VIDEO_FORMAT_BGR, SPPNET_PIXEL_FORMAT_BGR },
  { GST_VIDEO_FORMAT_RGBx, SPPNET_PIXEL_FORMAT_RGBX },   { GST_VIDEO_FORMAT_BGRx, SPPNET_PIXEL_FORMAT_BGRX },
  { GST_VIDEO_FORMAT_xRGB, SPPNET_PIXEL_FORMAT_XRGB },   { GST_VIDEO_FORMAT_xBGR, SPPNET_PIXEL_FORMAT_XBGR },
  { GST_VIDEO_FORMAT_RGBA, SPPNET_PIXEL_FORMAT_RGBA },   { GST_VIDEO_FORMAT_BGRA, SPPNET_PIXEL_FORMAT_BGRA },
  { GST_VIDEO_FORMAT_ARGB, SPPNET_PIXEL_FORMAT_ARGB },   { GST_VIDEO_FORMAT_ABGR, SPPNET_PIXEL_FORMAT_ABGR },
  { GST_VIDEO_FORMAT_GRAY8, SPPNET_PIXEL_FORMAT_GRAY8 },
};

static SppnetColorMatrix
color_matrix (GstVideoColorMatrix matrix)
{
  switch (matrix) {
  case GST_VIDEO_COLOR_MATRIX_BT709:
  case GST_VIDEO_COLOR_MATRIX_SMPTE240M: /* differs from BT.709 by one per cent at most */
    return SPPNET_COLOR_MATRIX_BT709;
  case GST_VIDEO_COLOR_MATRIX_BT2020:
    return SPPNET_COLOR_MATRIX_BT2020;
  default:
    return SPPNET_COLOR_MATRIX_BT601;
  }
}

void
gst_sppnet_frame_refuse_cropping (GstQuery *query)
{
  guint i;

  while (gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, &i))
    gst_query_remove_nth_allocation_meta (query, i);
}

void
gst_sppnet_frame_find_origin (const GstVideoFrame *mapped, const GstVideoInfo *caps, gint *x, gint *y)
{
  const GstVideoFormatInfo *format = mapped->info.finfo;
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (mapped->buffer);
  guint component = format->n_components > 1 ? 1 : 0;
  gint right = MAX (GST_VIDEO_FRAME_WIDTH (mapped) - GST_VIDEO_INFO_WIDTH (caps), 0);
  gint below = MAX (GST_VIDEO_FRAME_HEIGHT (mapped) - GST_VIDEO_INFO_HEIGHT (caps), 0);

  *x = (gint) MIN (crop ? crop->x : 0, (guint) right);
  *y = (gint) MIN (crop ? crop->y : 0, (guint) below);
  *x &= -(1 << format->w_sub[component]);
  *y &= -(1 << format->h_sub[component]);
}

gboolean
gst_sppnet_frame_view (const GstVideoFrame *mapped, const GstVideoInfo *caps, SppnetFrame *frame)
{
  const GstVideoInfo *info = &mapped->info;
  gint x = 0, y = 0;
  guint i = 0, planes = GST_VIDEO_INFO_N_PLANES (info);

  while (i < G_N_ELEMENTS (formats) && formats[i].theirs != GST_VIDEO_INFO_FORMAT (info))
    i++;
  if (i == G_N_ELEMENTS (formats) || GST_VIDEO_FRAME_WIDTH (mapped) < GST_VIDEO_INFO_WIDTH (caps)
      || GST_VIDEO_FRAME_HEIGHT (mapped) < GST_VIDEO_INFO_HEIGHT (caps))
    return FALSE;
  gst_sppnet_frame_find_origin (mapped, caps, &x, &y);

  *frame
      = (SppnetFrame) { .format = formats[i].ours,
                        .width = GST_VIDEO_INFO_WIDTH (caps),
                        .height = GST_VIDEO_INFO_HEIGHT (caps),
                        .matrix = color_matrix (info->colorimetry.matrix),
                        .range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? SPPNET_COLOR_RANGE_FULL
                                                                                        : SPPNET_COLOR_RANGE_LIMITED };
  for (guint p = 0; p < planes; p++) {
    /* Three planes are one per component, and YV12 differs from I420 in their order only. */
    guint plane = planes == 3 ? GST_VIDEO_INFO_COMP_PLANE (info, p) : p;

    /* The component that has its samples in this plane, or one of them. */
    guint component = planes == 3 ? p : plane;

    frame->stride[p] = GST_VIDEO_FRAME_PLANE_STRIDE (mapped, plane);
    frame->plane[p] = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (mapped, plane)
                      + (gssize) (y >> info->finfo->h_sub[component]) * frame->stride[p]
                      + (gssize) (x >> info->finfo->w_sub[component]) * info->finfo->pixel_stride[component];
  }
  return TRUE;
}
