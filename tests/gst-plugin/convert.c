/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's RGB of a Y'CbCr frame has the same bytes as videoconvert's (GstVideoConverter with the
 * element's defaults): the same picture in any format gives the same regions. */
#include "../../gst-plugin/frame.h"

#include "base/random.h"
#include "frame/frame.h"

typedef struct
{
  GstVideoInfo info;
  GstBuffer *buffer;
} Video;

static void
video_init (Video *video, GstVideoFormat format, gint width, gint height)
{
  gst_video_info_set_format (&video->info, format, (guint) width, (guint) height);
  video->buffer = gst_buffer_new_allocate (NULL, video->info.size, NULL);
  gst_buffer_memset (video->buffer, 0, 0x5a, video->info.size);
}

static void
video_clear (Video *video)
{
  gst_clear_buffer (&video->buffer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Video, video_clear)

/* colorimetry: as in caps. */
static void
set_colour (Video *video, const gchar *colorimetry, GstVideoChromaSite chroma_site)
{
  g_assert_true (gst_video_colorimetry_from_string (&video->info.colorimetry, colorimetry));
  video->info.chroma_site = chroma_site;
}

/* Random bytes everywhere; flat: every sample of a chroma component is the same, which no interpolation changes. */
static void
fill (Video *video, SppnetRandom *random, gboolean flat)
{
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &video->info, video->buffer, GST_MAP_WRITE));
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&frame); c++) {
    guint8 value = (guint8) sppnet_random_below (random, 256);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, c); x++) {
        guint8 *data = GST_VIDEO_FRAME_COMP_DATA (&frame, c);

        if (c == 0 || !flat)
          value = (guint8) sppnet_random_below (random, 256);
        data[y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c) + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c)] = value;
      }
  }
  gst_video_frame_unmap (&frame);
}

static void
convert (const Video *from, const Video *to)
{
  GstVideoInfo in = from->info, out = to->info;
  GstVideoConverter *converter;
  GstVideoFrame source, target;

  converter = gst_video_converter_new (&in, &out,
                                       gst_structure_new ("config", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                                                          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_BAYER, NULL));
  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&source, &in, from->buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&target, &out, to->buffer, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &source, &target);
  gst_video_frame_unmap (&target);
  gst_video_frame_unmap (&source);
  gst_video_converter_free (converter);
}

/* What the engine reads. [height][width][3], (transfer full) */
static guint8 *
read_video (const Video *video)
{
  guint8 *rgb = g_malloc (3 * (gsize) video->info.width * (gsize) video->info.height);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info = video->info;
  GstVideoFrame mapped;
  SppnetFrame frame;

  g_assert_true (gst_video_frame_map (&mapped, &info, video->buffer, GST_MAP_READ));
  g_assert_true (gst_sppnet_frame_view (&mapped, &mapped.info, &frame));
  sppnet_frame_check (&frame, &error);
  g_assert_no_error (error);
  sppnet_frame_read_rgb (&frame, 0, frame.height, rgb);
  gst_video_frame_unmap (&mapped);
  return rgb;
}

static void
assert_same (const Video *a, const Video *b)
{
  g_autofree guint8 *one = read_video (a), *other = read_video (b);

  g_assert_cmpint (a->info.width, ==, b->info.width);
  for (gint i = 0; i < 3 * a->info.width * a->info.height; i++)
    g_assert_cmpint (one[i], ==, other[i]);
}

static const gchar *const colorimetries[] = { "1:4:0:0", "1:3:0:0", "1:6:0:0", "bt601", "bt709", "bt2020" };
static const GstVideoChromaSite sites[] = { GST_VIDEO_CHROMA_SITE_JPEG, GST_VIDEO_CHROMA_SITE_MPEG2,
                                            GST_VIDEO_CHROMA_SITE_COSITED, GST_VIDEO_CHROMA_SITE_UNKNOWN };

/* From I420 and YV12 to RGB and BGRx, as from a decoder; the samples of chroma differ from block to block. */
static void
test_planar (void)
{
  static const GstVideoFormat from[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12 };
  static const GstVideoFormat to[] = { GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRx };
  SppnetRandom random = { 1 };

  for (guint i = 0; i < G_N_ELEMENTS (colorimetries) * G_N_ELEMENTS (sites) * 4; i++) {
    g_auto (Video) video = { 0 }, rgb = { 0 };

    video_init (&video, from[i % 2], 98, 34);
    video_init (&rgb, to[i / 2 % 2], 98, 34);
    set_colour (&video, colorimetries[i / 4 % G_N_ELEMENTS (colorimetries)],
                sites[i / 4 / G_N_ELEMENTS (colorimetries)]);
    fill (&video, &random, FALSE);
    convert (&video, &rgb);
    assert_same (&video, &rgb);
  }
}

/* An I420 frame that videoconvert makes another Y'CbCr format of. */
static void
test_repacked (void)
{
  static const GstVideoFormat to[] = { GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
                                       GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY };
  SppnetRandom random = { 2 };

  for (guint i = 0; i < G_N_ELEMENTS (to) * G_N_ELEMENTS (sites) * G_N_ELEMENTS (colorimetries); i++) {
    g_auto (Video) video = { 0 }, other = { 0 };
    GstVideoChromaSite site = sites[i / G_N_ELEMENTS (to) % G_N_ELEMENTS (sites)];
    const gchar *colorimetry = colorimetries[i / G_N_ELEMENTS (to) / G_N_ELEMENTS (sites)];

    video_init (&video, GST_VIDEO_FORMAT_I420, 98, 34);
    video_init (&other, to[i % G_N_ELEMENTS (to)], 98, 34);
    set_colour (&video, colorimetry, site);
    set_colour (&other, colorimetry, site);
    fill (&video, &random, FALSE);
    convert (&video, &other);
    assert_same (&video, &other);
  }
}

/* The arithmetic of every format, odd sizes too: with one chroma everywhere its interpolation does not matter. */
static void
test_colours (void)
{
  static const GstVideoFormat from[]
      = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21,
          GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_GRAY8 };
  static const gint sizes[][2] = { { 256, 16 }, { 33, 17 } };
  SppnetRandom random = { 3 };

  for (guint i = 0; i < 40 * G_N_ELEMENTS (colorimetries) * G_N_ELEMENTS (from); i++) {
    const gint *size = sizes[i % 2];
    g_auto (Video) video = { 0 }, rgb = { 0 };

    video_init (&video, from[i / 2 % G_N_ELEMENTS (from)], size[0], size[1]);
    video_init (&rgb, GST_VIDEO_FORMAT_RGB, size[0], size[1]);
    set_colour (&video, colorimetries[i / 2 / G_N_ELEMENTS (from) % G_N_ELEMENTS (colorimetries)],
                GST_VIDEO_CHROMA_SITE_JPEG);
    fill (&video, &random, TRUE);
    convert (&video, &rgb);
    assert_same (&video, &rgb);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/convert/planar", test_planar);
  g_test_add_func ("/gst/convert/repacked", test_repacked);
  g_test_add_func ("/gst/convert/colours", test_colours);
  return g_test_run ();
}
