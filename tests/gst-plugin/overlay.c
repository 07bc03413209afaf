/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sppnetoverlay: what it draws, where, and how it hands the drawing on. */
#include "element.h"

static void
add_detection (GstBuffer *buffer, const gchar *label, guint x, guint y, guint w, guint h)
{
  GstVideoRegionOfInterestMeta *meta = gst_buffer_add_video_region_of_interest_meta (buffer, label, x, y, w, h);

  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("detection", "confidence", G_TYPE_DOUBLE, 0.5, "label_id", G_TYPE_INT, 3, NULL));
}

static GstBuffer *
black (GstVideoFormat format, gint width, gint height)
{
  g_auto (Scene) scene;

  scene_init (&scene, width, height);
  return element_buffer (&scene, format);
}

/* Bytes in which two buffers differ. */
static gsize
difference (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo x, y;
  gsize n = 0;

  g_assert_true (gst_buffer_map (a, &x, GST_MAP_READ));
  g_assert_true (gst_buffer_map (b, &y, GST_MAP_READ));
  g_assert_cmpuint (x.size, ==, y.size);
  for (gsize i = 0; i < x.size; i++)
    n += x.data[i] != y.data[i];
  gst_buffer_unmap (a, &x);
  gst_buffer_unmap (b, &y);
  return n;
}

/* Every raw format that an overlay can be blended into. */
static void
test_formats (void)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("sppnetoverlay");
  g_autoptr (GstCaps) all = gst_caps_from_string (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL));
  const GValue *names = gst_structure_get_value (gst_caps_get_structure (all, 0), "format");

  g_assert_true (gst_element_factory_can_sink_all_caps (factory, all));
  for (guint i = 0; i < gst_value_list_get_size (names); i++) {
    const gchar *name = g_value_get_string (gst_value_list_get_value (names, i));
    GstVideoFormat format = gst_video_format_from_string (name);
    g_autoptr (GstBuffer) plain = black (format, 160, 120), out = NULL;
    GstHarness *h = gst_harness_new ("sppnetoverlay");
    GstBuffer *in = gst_buffer_copy_deep (plain);

    element_set_caps (h, format, 160, 120);
    add_detection (in, "dog", 20, 40, 100, 60);
    out = element_push (h, in);
    if (difference (plain, out) < 200)
      g_error ("%s: nothing drawn", name);
    gst_harness_teardown (h);
  }
}

static void
pixel (GstBuffer *buffer, gint x, gint y, guint8 rgb[3])
{
  gst_buffer_extract (buffer, (gsize) y * 480 + (gsize) x * 3, rgb, 3);
}

static void
test_where (void)
{
  g_autoptr (GstBuffer) out = NULL;
  GstHarness *h = gst_harness_new_parse ("sppnetoverlay line-width=2 labels=false scores=false");
  GstBuffer *in = black (GST_VIDEO_FORMAT_RGB, 160, 120);
  guint8 rgb[3];
  gint lit = 0;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
  add_detection (in, "dog", 20, 40, 100, 60);
  gst_buffer_add_video_region_of_interest_meta (in, "motion", 130, 2, 20, 20); /* not a detection */
  out = element_push (h, in);
  for (gint y = 0; y < 120; y++)
    for (gint x = 0; x < 160; x++) {
      gboolean near_edge = x >= 18 && x < 122 && y >= 38 && y < 102 && !(x >= 23 && x < 117 && y >= 43 && y < 97);

      pixel (out, x, y, rgb);
      if (rgb[0] | rgb[1] | rgb[2]) {
        g_assert_true (near_edge);
        lit++;
      }
    }
  g_assert_cmpint (lit, >=, 2 * (100 + 60));
  gst_harness_teardown (h);
}

/* Crop metadata that came all the same: the drawing is where the frame is in the memory. */
static void
test_crop (void)
{
  g_autoptr (GstBuffer) out = NULL;
  GstHarness *h = gst_harness_new_parse ("sppnetoverlay line-width=2 labels=false scores=false");
  GstBuffer *in = black (GST_VIDEO_FORMAT_RGB, 160, 120);
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (in);
  gint left = 160, top = 120, right = 0, bottom = 0;

  *crop = (GstVideoCropMeta) { .meta = crop->meta, .x = 50, .y = 40, .width = 100, .height = 70 };
  gst_buffer_add_video_meta (in, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 160, 120);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 100, 70);
  add_detection (in, "dog", 10, 10, 60, 40);
  out = element_push (h, in);
  for (gint y = 0; y < 120; y++)
    for (gint x = 0; x < 160; x++) {
      guint8 rgb[3];

      pixel (out, x, y, rgb);
      if (rgb[0] | rgb[1] | rgb[2]) {
        left = MIN (left, x);
        top = MIN (top, y);
        right = MAX (right, x);
        bottom = MAX (bottom, y);
      }
    }
  g_assert_cmpint (ABS (left - 60), <=, 2);
  g_assert_cmpint (ABS (top - 50), <=, 2);
  g_assert_cmpint (ABS (right - 120), <=, 2);
  g_assert_cmpint (ABS (bottom - 90), <=, 2);
  gst_harness_teardown (h);
}

/* Shared frames are drawn on in a copy; frames without detections are not touched at all. */
static void
test_shared (void)
{
  GstHarness *h = gst_harness_new ("sppnetoverlay");
  g_autoptr (GstBuffer) kept = black (GST_VIDEO_FORMAT_RGB, 160, 120), reference = gst_buffer_copy_deep (kept);
  g_autoptr (GstBuffer) drawn = NULL, untouched = NULL;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
  untouched = element_push (h, gst_buffer_ref (kept));
  g_assert_true (gst_buffer_peek_memory (untouched, 0) == gst_buffer_peek_memory (kept, 0));
  add_detection (kept, "dog", 20, 40, 100, 60);
  drawn = element_push (h, gst_buffer_ref (kept));
  g_assert_cmpuint (difference (kept, reference), ==, 0);
  g_assert_cmpuint (difference (drawn, reference), >, 200);
  gst_harness_teardown (h);
}

/* Boxes that reach outside, or are larger than anything, and a frame too small for text. */
static void
test_odd (void)
{
  static const gint sizes[][2] = { { 1, 1 }, { 3, 2 }, { 161, 3 }, { 37, 121 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint f = 0; f < 2; f++) {
      GstVideoFormat format = f ? GST_VIDEO_FORMAT_I420 : GST_VIDEO_FORMAT_BGRx;
      GstHarness *h = gst_harness_new ("sppnetoverlay");
      GstBuffer *in = black (format, sizes[i][0], sizes[i][1]);

      element_set_caps (h, format, sizes[i][0], sizes[i][1]);
      add_detection (in, "dog", 0, 0, 4000000000u, 4000000000u);
      add_detection (in, "dog", 4000000000u, 4000000000u, 1, 1);
      add_detection (in, "dog", 0, 0, 0, 0);
      add_detection (in, "\xff\xff", 1, 1, 1, 1);
      gst_buffer_unref (element_push (h, in));
      gst_harness_teardown (h);
    }
}

/* Where the sink composes overlays the frame stays as it is and carries the drawing. */
static void
test_attached (void)
{
  const gchar *composed = "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB, width=160, "
                          "height=120, framerate=25/1";

  for (guint supported = 0; supported < 2; supported++) {
    GstHarness *h = gst_harness_new ("sppnetoverlay");
    g_autoptr (GstBuffer) kept = black (GST_VIDEO_FORMAT_RGB, 160, 120), out = NULL, again = NULL;
    GstVideoOverlayCompositionMeta *meta, *second;

    gst_harness_set_sink_caps_str (h, composed);
    if (supported)
      gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
    add_detection (kept, "dog", 20, 40, 100, 60);
    out = element_push (h, gst_buffer_ref (kept));
    meta = gst_buffer_get_video_overlay_composition_meta (out);
    g_assert_true ((meta != NULL) == supported);
    if (supported) {
      const GstVideoOverlayRectangle *rectangle;
      gint x, y;
      guint w, height;

      g_assert_cmpuint (difference (out, kept), ==, 0);
      g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (meta->overlay), ==, 1);
      rectangle = gst_video_overlay_composition_get_rectangle (meta->overlay, 0);
      gst_video_overlay_rectangle_get_render_rectangle ((GstVideoOverlayRectangle *) rectangle, &x, &y, &w, &height);
      g_assert_cmpint (x, >=, 10);
      g_assert_cmpint (x, <=, 20);
      g_assert_cmpint (y + (gint) height, <=, 110); /* only what is drawn on */
      /* The same detections are not drawn again. */
      again = element_push (h, gst_buffer_ref (kept));
      second = gst_buffer_get_video_overlay_composition_meta (again);
      g_assert_true (second->overlay == meta->overlay);
    } else {
      g_assert_cmpuint (difference (out, kept), >, 200);
    }
    gst_harness_teardown (h);
  }
}

/* What is downstream changes and accepts the same caps: it is asked again. */
static void
test_reconfigured (void)
{
  GstHarness *h = gst_harness_new ("sppnetoverlay");
  g_autoptr (GstBuffer) kept = black (GST_VIDEO_FORMAT_RGB, 160, 120);

  gst_harness_set_sink_caps_str (h, "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB, "
                                    "width=160, height=120, framerate=25/1");
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
  add_detection (kept, "dog", 20, 40, 100, 60);
  for (guint pass = 0; pass < 3; pass++) {
    g_autoptr (GstBuffer) out = element_push (h, gst_buffer_ref (kept));

    g_assert_true ((gst_buffer_get_video_overlay_composition_meta (out) != NULL) == (pass == 2));
    g_assert_true ((difference (out, kept) == 0) == (pass == 2));
    if (pass == 0)
      gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    else
      gst_harness_push_upstream_event (h, gst_event_new_reconfigure ());
  }
  gst_harness_teardown (h);
}

/* An overlay that came with the frame is kept. */
static void
test_merged (void)
{
  const gchar *composed = "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB, width=160, "
                          "height=120, framerate=25/1";
  GstHarness *h = gst_harness_new ("sppnetoverlay");
  GstBuffer *in = black (GST_VIDEO_FORMAT_RGB, 160, 120), *pixels;
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  g_autoptr (GstBuffer) out = NULL;

  gst_harness_set_sink_caps_str (h, composed);
  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_src_caps_str (h, composed);
  pixels = gst_buffer_new_allocate (NULL, 4 * 4 * 4, NULL);
  gst_buffer_memset (pixels, 0, 0, 64);
  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 4, 4);
  rectangle = gst_video_overlay_rectangle_new_raw (pixels, 0, 0, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  gst_buffer_unref (pixels);
  composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_add_video_overlay_composition_meta (in, composition);
  add_detection (in, "dog", 20, 40, 100, 60);
  out = element_push (h, in);
  g_assert_cmpuint (
      gst_video_overlay_composition_n_rectangles (gst_buffer_get_video_overlay_composition_meta (out)->overlay), ==, 2);
  g_assert_cmpuint (gst_video_overlay_composition_n_rectangles (composition), ==, 1);
  gst_video_overlay_composition_unref (composition);
  gst_harness_teardown (h);
}

/* Behind a converter, which has no caps before the first frame, the sink composes from the second on; behind one that
 * would need the pixels it never does. */
static void
test_behind (void)
{
  static const gchar *lines[] = { "sppnetoverlay ! videoconvert", "sppnetoverlay ! videocrop left=2" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GstElementFactory) crop = gst_element_factory_find ("videocrop");
    GstHarness *h;

    if (i == 1 && !crop) {
      g_test_message ("no videocrop here: not tested before it");
      continue;
    }
    h = element_harness (lines[i]);
    gst_harness_set_sink_caps_str (h, "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB; "
                                      "video/x-raw, format=RGB");
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
    for (guint k = 0; k < 4; k++) {
      g_autoptr (GstBuffer) plain = black (GST_VIDEO_FORMAT_RGB, 160, 120), out = NULL;
      g_autoptr (GstCaps) caps = NULL;
      gboolean composed = i == 0 && k > 0;
      GstBuffer *in = gst_buffer_copy_deep (plain);

      add_detection (in, "dog", 20, 40, 100, 60);
      out = element_push (h, in);
      caps = gst_pad_get_current_caps (h->sinkpad);
      g_assert_true (
          gst_caps_features_is_equal (gst_caps_get_features (caps, 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)
          == !composed);
      g_assert_true ((gst_buffer_get_video_overlay_composition_meta (out) != NULL) == composed);
      if (i == 0)
        g_assert_true ((difference (out, plain) == 0) == composed);
    }
    gst_harness_teardown (h);
  }
}

/* An element that would need the pixels comes between while the sink composes. */
static void
test_relinked (void)
{
  GstElement *crop = gst_element_factory_make ("videocrop", NULL);
  GstBus *bus = gst_bus_new ();
  GstPad *src, *crop_sink, *crop_src;
  GstHarness *h;

  if (!crop) {
    g_test_skip ("no videocrop here");
    gst_object_unref (bus);
    return;
  }
  gst_object_ref_sink (crop);
  gst_element_set_bus (crop, bus);
  g_object_set (crop, "left", 2, NULL);
  h = gst_harness_new ("sppnetoverlay");
  gst_harness_set_sink_caps_str (h, "video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB; "
                                    "video/x-raw, format=RGB");
  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
  src = gst_element_get_static_pad (h->element, "src");
  crop_sink = gst_element_get_static_pad (crop, "sink");
  crop_src = gst_element_get_static_pad (crop, "src");
  for (guint k = 0; k < 2; k++) {
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *in = black (GST_VIDEO_FORMAT_RGB, 160, 120);

    add_detection (in, "dog", 20, 40, 100, 60);
    out = element_push (h, in);
    g_assert_true ((gst_buffer_get_video_overlay_composition_meta (out) != NULL) == (k == 0));
    g_assert_cmpuint (gst_buffer_get_size (out), ==, k == 0 ? 160 * 120 * 3 : (158 * 3 + 2) * 120);
    if (k == 1)
      break;
    g_assert_true (gst_pad_unlink (src, h->sinkpad));
    g_assert_cmpint (gst_pad_link (src, crop_sink), ==, GST_PAD_LINK_OK);
    g_assert_cmpint (gst_pad_link (crop_src, h->sinkpad), ==, GST_PAD_LINK_OK);
    g_assert_cmpint (gst_element_set_state (crop, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_SUCCESS);
  }
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_state (crop, GST_STATE_NULL);
  gst_element_set_bus (crop, NULL);
  gst_object_unref (bus);
  gst_object_unref (src);
  gst_object_unref (crop_sink);
  gst_object_unref (crop_src);
  gst_harness_teardown (h);
  gst_object_unref (crop);
}

/* A sink that takes anything gets plain caps, also behind an element that does so only with some features of caps, or
 * that would need the pixels. */
static void
test_any (void)
{
  static const gchar *lines[] = { "sppnetoverlay", "sppnetoverlay ! videoconvert", "sppnetoverlay ! videocrop left=2" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GstElementFactory) crop = gst_element_factory_find ("videocrop");
    g_autoptr (GstCaps) caps = NULL;
    GstHarness *h;

    if (strstr (lines[i], "videocrop") && !crop) {
      g_test_message ("no videocrop here: not tested behind it");
      continue;
    }
    h = element_harness (lines[i]);
    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 160, 120);
    gst_buffer_unref (element_push (h, black (GST_VIDEO_FORMAT_RGB, 160, 120)));
    caps = gst_pad_get_current_caps (h->sinkpad);
    g_assert_true (
        gst_caps_features_is_equal (gst_caps_get_features (caps, 0), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
    gst_harness_teardown (h);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/overlay/formats", test_formats);
  g_test_add_func ("/gst/overlay/where", test_where);
  g_test_add_func ("/gst/overlay/crop", test_crop);
  g_test_add_func ("/gst/overlay/shared", test_shared);
  g_test_add_func ("/gst/overlay/odd", test_odd);
  g_test_add_func ("/gst/overlay/attached", test_attached);
  g_test_add_func ("/gst/overlay/merged", test_merged);
  g_test_add_func ("/gst/overlay/reconfigured", test_reconfigured);
  g_test_add_func ("/gst/overlay/behind", test_behind);
  g_test_add_func ("/gst/overlay/relinked", test_relinked);
  g_test_add_func ("/gst/overlay/any", test_any);
  return element_run ();
}
