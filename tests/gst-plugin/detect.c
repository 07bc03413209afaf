/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sppnetdetect: what it accepts, and what its properties do. */
#include "element.h"

static const GstVideoFormat formats[] = {
  GST_VIDEO_FORMAT_RGB,  GST_VIDEO_FORMAT_BGR,   GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB,
  GST_VIDEO_FORMAT_xBGR, GST_VIDEO_FORMAT_RGBA,  GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_ABGR,
  GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12,  GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21, GST_VIDEO_FORMAT_YUY2,
  GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_GRAY8,
};

static GstBuffer *
detect (const gchar *line, const Scene *scene, GstVideoFormat format)
{
  GstHarness *h = element_harness (line);
  GstBuffer *buffer;

  element_set_caps (h, format, scene->width, scene->height);
  buffer = element_push (h, element_buffer (scene, format));
  gst_harness_teardown (h);
  return buffer;
}

static gint
add_region (GstBuffer *buffer, const gchar *type, guint x, guint y, guint w, guint h, gint id)
{
  GstVideoRegionOfInterestMeta *meta = gst_buffer_add_video_region_of_interest_meta (buffer, type, x, y, w, h);

  return meta->id = id;
}

/* Given regions, so that the boxes are known: among proposals that are equally good, rounding of colours would choose.
 */
static GstBuffer *
detect_regions (const Scene *scene, GstVideoFormat format)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ proposals=regions");
  GstBuffer *buffer = element_buffer (scene, format);

  add_region (buffer, "given", 16, 16, 64, 64, 1);
  add_region (buffer, "given", 96, 32, 64, 64, 2);
  add_region (buffer, "given", 40, 40, 100, 40, 3);
  element_set_caps (h, format, scene->width, scene->height);
  buffer = element_push (h, buffer);
  gst_harness_teardown (h);
  return buffer;
}

static gboolean
is_rgb (GstVideoFormat format)
{
  return GST_VIDEO_FORMAT_INFO_IS_RGB (gst_video_format_get_info (format));
}

static void
test_formats (void)
{
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, FALSE);
  scene_draw (&scene, 96, 32, 64, 64, 0, 203);
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    g_autoptr (GstBuffer) buffer = detect_regions (&scene, formats[f]);
    g_autoptr (GPtrArray) found = element_detections (buffer);
    SppnetBox box;

    g_test_message ("%s: %u detections", gst_video_format_to_string (formats[f]), found->len);
    if (formats[f] == GST_VIDEO_FORMAT_GRAY8)
      continue; /* runs; without colour there is nothing to find */
    g_assert_cmpuint (found->len, ==, 2);
    g_assert_cmpstr (element_label (found->pdata[0]), ==, "red");
    box = element_box (found->pdata[0]);
    g_assert_true (box.x == 16 && box.y == 16 && box.width == 64 && box.height == 64);
    g_assert_cmpfloat_with_epsilon (element_confidence (found->pdata[0]), 1, 0.01);
    g_assert_cmpstr (element_label (found->pdata[1]), ==, "green");
    box = element_box (found->pdata[1]);
    g_assert_true (box.x == 96 && box.y == 32 && box.width == 64 && box.height == 64);
    /* 40 * 203 / 255 - 30 through the logistic function: three levels of green more or less would show. From Y'CbCr
     * four levels less, as videoconvert would make them. */
    g_assert_cmpfloat_with_epsilon (element_confidence (found->pdata[1]), is_rgb (formats[f]) ? 0.863 : 0.771, 0.05);
  }
}

/* A plane that is wider than the frame, as decoders give it. */
static void
test_strides (void)
{
  g_auto (Scene) scene;
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@");
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GstBuffer) padded = gst_buffer_new_allocate (NULL, 64 + 700 * 128, NULL);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 64 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 700 };

  element_scene (&scene, 192, 128, FALSE);
  gst_buffer_memset (padded, 0, 255, 64 + 700 * 128);
  for (gsize y = 0; y < 128; y++)
    gst_buffer_fill (padded, 64 + y * 700, scene.rgb + y * 192 * 3, 192 * 3);
  gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 192, 128, 1, offset, stride);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  out = element_push (h, g_steal_pointer (&padded));
  found = element_detections (out);
  g_assert_cmpuint (found->len, >=, 1);
  for (guint i = 0; i < found->len; i++)
    g_assert_cmpstr (element_label (found->pdata[i]), ==, "red");
  gst_harness_teardown (h);
}

static void
test_sizes (void)
{
  static const gint sizes[][2]
      = { { 1, 1 }, { 2, 3 }, { 321, 127 }, { 97, 241 }, { 192, 128 }, { 1, 300 }, { 192, 128 } };
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ interval=5");

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gint width = sizes[i][0], height = sizes[i][1];
    gboolean large = width >= 96 && height >= 96;
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GPtrArray) found = NULL;
    g_auto (Scene) scene;

    if (large)
      element_scene (&scene, width, height, FALSE);
    else
      scene_init (&scene, width, height);
    element_set_caps (h, GST_VIDEO_FORMAT_I420, width, height);
    out = element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_I420));
    found = element_detections (out);
    g_assert_cmpuint (found->len > 0, ==, large); /* the detections of another size are never repeated */
    for (guint d = 0; d < found->len; d++) {
      SppnetBox box = element_box (found->pdata[d]);

      g_assert_cmpfloat (box.x + box.width, <=, width);
      g_assert_cmpfloat (box.y + box.height, <=, height);
    }
  }
  gst_harness_teardown (h);
}

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer count)
{
  ++*(guint *) count;
}

static void
test_interval (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ interval=3");
  guint per_frame[7];

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  for (guint i = 0; i < G_N_ELEMENTS (per_frame); i++) {
    g_auto (Scene) scene;
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GPtrArray) found = NULL;

    element_scene (&scene, 192, 128, TRUE);
    if (i >= 4) /* seen at frame 6 only */
      memset (scene.rgb, 0, 192 * 128 * 3);
    out = element_push (h, element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), i));
    found = element_detections (out);
    per_frame[i] = found->len;
  }
  g_assert_cmpuint (per_frame[0], >=, 2);
  for (guint i = 1; i < 6; i++)
    g_assert_cmpuint (per_frame[i], ==, per_frame[0]);
  g_assert_cmpuint (per_frame[6], ==, 0);
  g_assert_cmpuint (element_stat (h, "frames"), ==, 7);
  g_assert_cmpuint (element_stat (h, "searched"), ==, 3);
  gst_harness_teardown (h);
}

static void
count_labels (GstHarness *h, guint frame, guint *red, guint *green)
{
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;

  element_scene (&scene, 192, 128, TRUE);
  out = element_push (h, element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), frame));
  found = element_detections (out);
  *red = *green = 0;
  for (guint i = 0; i < found->len; i++)
    ++*(g_str_equal (element_label (found->pdata[i]), "red") ? red : green);
}

static void
test_run_time_changes (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ labels=\" green ,\"");
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) warning = NULL;
  g_autofree gchar *labels = NULL;
  GstElement *detect;
  guint red, green, all, notified = 0;

  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  count_labels (h, 0, &red, &green);
  g_assert_true (red == 0 && green > 0);
  gst_harness_set (h, "sppnetdetect", "labels", "red", NULL);
  count_labels (h, 1, &red, &green);
  g_assert_true (red > 0 && green == 0);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));

  /* A label that does not exist: said once, and the filter stays. */
  detect = gst_harness_find_element (h, "sppnetdetect");
  g_signal_connect (detect, "notify::labels", G_CALLBACK (count_notify), &notified);
  gst_harness_set (h, "sppnetdetect", "labels", "unicorn", NULL);
  count_labels (h, 2, &red, &green);
  count_labels (h, 3, &red, &green);
  g_assert_cmpuint (notified, ==, 2); /* set, and taken back */
  g_signal_handlers_disconnect_by_func (detect, count_notify, &notified);
  g_assert_true (red > 0 && green == 0);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_harness_get (h, "sppnetdetect", "labels", &labels, NULL);
  g_assert_cmpstr (labels, ==, "red");
  g_assert_cmpint (gst_element_set_state (detect, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
  g_assert_cmpint (gst_element_set_state (detect, GST_STATE_PLAYING), ==, GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (detect);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  count_labels (h, 3, &red, &green);
  g_assert_true (red > 0 && green == 0);

  /* What else changes is applied, whatever is still refused, and that is not said again. */
  gst_harness_set (h, "sppnetdetect", "max-detections", 1, NULL);
  count_labels (h, 4, &red, &green);
  g_assert_true (red == 1 && green == 0);
  gst_harness_set (h, "sppnetdetect", "threshold", 1.0, NULL);
  count_labels (h, 4, &red, &green);
  g_assert_true (red == 0 && green == 0);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  /* Another value that is refused is, and so is another setting, once, also while the first is refused. */
  gst_harness_set (h, "sppnetdetect", "labels", "red,griffin", "threshold", 0.0, "max-detections", 0, NULL);
  count_labels (h, 4, &red, &green);
  g_assert_true (red > 0 && green == 0);
  gst_clear_message (&warning);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  for (guint set = 0; set < 2; set++) {
    gst_harness_set (h, "sppnetdetect", "proposals", set ? SPPNET_PROPOSALS_DEFAULT : SPPNET_PROPOSALS_RPN, NULL);
    count_labels (h, 4, &red, &green);
    g_assert_true (red > 0 && green == 0);
    gst_clear_message (&warning);
    warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    g_assert_true ((warning != NULL) == (set == 0));
  }

  gst_harness_set (h, "sppnetdetect", "labels", NULL, "threshold", 1.0, NULL);
  count_labels (h, 4, &red, &green);
  g_assert_true (red == 0 && green == 0);
  gst_harness_set (h, "sppnetdetect", "threshold", 0.0, NULL);
  count_labels (h, 5, &red, &green);
  g_assert_true (red > 0 && green > 0);
  gst_harness_set (h, "sppnetdetect", "agnostic-nms-threshold", 1e-6, NULL);
  all = red + green;
  count_labels (h, 6, &red, &green);
  g_assert_true (red + green > 0 && red + green < all);
  gst_harness_set (h, "sppnetdetect", "agnostic-nms-threshold", 0.0, "max-detections", 1, NULL);
  count_labels (h, 7, &red, &green);
  g_assert_cmpuint (red + green, ==, 1);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* Regions and boxes are of the frame, however it is looked at. */
static void
test_reduction (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ reduction=2 proposals=regions");
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;
  GstBuffer *buffer;
  SppnetBox box;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_I420, 192, 128);
  buffer = element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_I420), 0);
  gst_buffer_add_video_region_of_interest_meta (buffer, "motion", 16, 16, 64, 64);
  out = element_push (h, buffer);
  found = element_detections (out);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (element_label (found->pdata[0]), ==, "red");
  box = element_box (found->pdata[0]);
  g_assert_cmpfloat (sppnet_box_iou (&(SppnetBox) { 16, 16, 64, 64 }, &box), >, 0.8);
  /* In a frame of 12x8 pixels every cell has dark ones. */
  gst_harness_set (h, "sppnetdetect", "reduction", 16, NULL);
  gst_buffer_unref (out);
  g_ptr_array_unref (found);
  buffer = element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_I420), 1);
  gst_buffer_add_video_region_of_interest_meta (buffer, "motion", 16, 16, 64, 64);
  out = element_push (h, buffer);
  found = element_detections (out);
  g_assert_cmpuint (found->len, ==, 0);
  gst_harness_teardown (h);
}

/* A model that is set while the element plays is for the next time, which is said. */
static void
test_model_too_late (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@");
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) warning = NULL;
  guint red, green;

  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  gst_harness_set (h, "sppnetdetect", "model", "/nonexistent", NULL);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  gst_harness_set (h, "sppnetdetect", "model", "/nonexistent", NULL);
  gst_harness_set (h, "sppnetdetect", "model", element_model, NULL); /* as it is */
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  count_labels (h, 0, &red, &green);
  g_assert_cmpuint (red, >, 0);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* Regions that others attached are scored as they are, and named as parents. */
static void
test_upstream_regions (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ proposals=regions");
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  for (guint pass = 0; pass < 3; pass++) {
    GstBuffer *buffer = element_buffer (&scene, GST_VIDEO_FORMAT_RGB);
    g_autoptr (GstBuffer) out = NULL;
    g_autoptr (GPtrArray) found = NULL;

    if (pass > 0) { /* without a region nothing is scored */
      add_region (buffer, "motion", 16, 16, 64, 64, 41);
      add_region (buffer, "face", 96, 32, 64, 64, 42);
      add_region (buffer, "motion", 4000000000u, 5, 4000000000u, 7, 43); /* outside */
      add_region (buffer, "motion", 5, 5, 0, 0, 44);
    }
    gst_harness_set (h, "sppnetdetect", "region-type", pass == 2 ? "face" : NULL, NULL);
    out = element_push (h, buffer);
    found = element_detections (out);
    g_assert_cmpuint (found->len, ==, pass == 0 ? 0 : pass == 1 ? 2 : 1);
    for (guint i = 0; i < found->len; i++) {
      const GstVideoRegionOfInterestMeta *meta = found->pdata[i];
      gboolean red = g_str_equal (element_label (found->pdata[i]), "red");

      g_assert_cmpint (meta->parent_id, ==, red ? 41 : 42);
      g_assert_cmpint (meta->id, !=, 0);
      g_assert_cmpuint (meta->x, ==, red ? 16 : 96);
      g_assert_cmpuint (meta->w, ==, 64);
    }
  }
  gst_harness_teardown (h);
}

/* A second element does not take the first one's detections for regions. */
static void
test_twice (void)
{
  GstHarness *h
      = element_harness ("sppnetdetect model=@MODEL@ max-detections=3 ! sppnetdetect model=@MODEL@ proposals=regions");
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  out = element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_RGB));
  found = element_detections (out);
  g_assert_cmpuint (found->len, ==, 3);
  gst_harness_teardown (h);
}

/* Unless they are asked for by their label. */
static void
test_cascade (void)
{
  const guint first = 12;
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ max-detections=12 name=first ! sppnetdetect name=second "
                                   "model=@MODEL@ proposals=regions region-type=red");
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;
  guint again = 0, red = 0, green = 0;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  out = element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_RGB));
  found = element_detections (out);
  for (guint i = 0; i < found->len; i++) {
    const GstVideoRegionOfInterestMeta *meta = found->pdata[i];

    if (i < first) {
      red += g_str_equal (element_label (found->pdata[i]), "red");
      green += g_str_equal (element_label (found->pdata[i]), "green");
      continue;
    }
    for (guint k = 0; k < first; k++)
      again += meta->parent_id == ((const GstVideoRegionOfInterestMeta *) found->pdata[k])->id
               && g_str_equal (element_label (found->pdata[k]), "red");
  }
  g_assert_cmpuint (red, >, 0);
  g_assert_cmpuint (green, >, 0);
  g_assert_cmpuint (found->len, >, first);
  g_assert_cmpuint (again, ==, found->len - first);
  gst_harness_teardown (h);
}

/* On frames that are not searched, too, a detection names the region of this frame. */
static void
test_cascade_repeats (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ interval=3 max-detections=4 ! sppnetdetect interval=3 "
                                   "model=@MODEL@ proposals=regions region-type=red");
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  for (guint f = 0; f < 3; f++) {
    g_autoptr (GstBuffer) out = element_push (h, element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), f));
    g_autoptr (GPtrArray) found = element_detections (out);
    guint children = 0;

    for (guint i = 4; i < found->len; i++) {
      const GstVideoRegionOfInterestMeta *child = found->pdata[i];

      for (guint k = 0; k < 4; k++)
        children += child->parent_id == ((const GstVideoRegionOfInterestMeta *) found->pdata[k])->id;
    }
    g_assert_cmpuint (found->len, >, 4);
    g_assert_cmpuint (children, ==, found->len - 4);
  }
  gst_harness_teardown (h);
}

static void
test_params (void)
{
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const GstStructure *param;
  GstVideoRegionOfInterestMeta *meta;
  gdouble left, right, top, bottom;
  gint label_id;

  element_scene (&scene, 192, 128, FALSE);
  out = detect ("sppnetdetect model=@MODEL@ max-detections=1", &scene, GST_VIDEO_FORMAT_NV12);
  found = element_detections (out);
  g_assert_cmpuint (found->len, ==, 1);
  meta = found->pdata[0];
  param = gst_video_region_of_interest_meta_get_param (meta, "detection");
  g_assert_true (gst_structure_get (param, "x_min", G_TYPE_DOUBLE, &left, "x_max", G_TYPE_DOUBLE, &right, "y_min",
                                    G_TYPE_DOUBLE, &top, "y_max", G_TYPE_DOUBLE, &bottom, "label_id", G_TYPE_INT,
                                    &label_id, NULL));
  g_assert_cmpstr (gst_structure_get_string (param, "label"), ==, "red");
  g_assert_cmpint (label_id, ==, 0);
  g_assert_cmpfloat_with_epsilon (left * 192, meta->x, 0.51);
  g_assert_cmpfloat_with_epsilon (right * 192, meta->x + meta->w, 0.51);
  g_assert_cmpfloat_with_epsilon (top * 128, meta->y, 0.51);
  g_assert_cmpfloat_with_epsilon (bottom * 128, meta->y + meta->h, 0.51);
  g_assert_cmpfloat (element_confidence (meta), >, 0.5);
  g_assert_cmpfloat (element_confidence (meta), <=, 1);
}

/* A buffer that is too small for its caps ends the stream with a text, not with a crash. */
static void
test_short_buffer (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@");
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  g_assert_cmpint (gst_harness_push (h, gst_buffer_new_allocate (NULL, 100, NULL)), ==, GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "192x128"));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* A larger picture in memory, of which the caps describe a part; as upstream elements make it that leave cropping to
 * others. */
static void
test_crop (void)
{
  static const GstVideoFormat cropped[]
      = { GST_VIDEO_FORMAT_RGB,  GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12,
          GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY };
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, FALSE);
  for (guint f = 0; f < G_N_ELEMENTS (cropped); f++) {
    GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ proposals=regions");
    g_autoptr (GstBuffer) buffer = element_buffer (&scene, cropped[f]), out = NULL;
    g_autoptr (GPtrArray) found = NULL;
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
    GstVideoInfo info;
    SppnetBox box;

    gst_video_info_set_format (&info, cropped[f], 192, 128);
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, cropped[f], 192, 128,
                                    GST_VIDEO_INFO_N_PLANES (&info), info.offset, info.stride);
    crop->x = 9; /* 8: chroma is shared by two */
    crop->y = 12;
    crop->width = 160;
    crop->height = 100;
    gst_buffer_add_video_region_of_interest_meta (buffer, "candidate", 8, 4, 64, 64);
    element_set_caps (h, cropped[f], 160, 100);
    out = element_push (h, g_steal_pointer (&buffer));
    found = element_detections (out);
    g_assert_cmpuint (found->len, ==, 1);
    g_assert_cmpstr (element_label (found->pdata[0]), ==, "red");
    g_assert_cmpfloat (element_confidence (found->pdata[0]), >, 0.95);
    box = element_box (found->pdata[0]);
    g_assert_true (box.x == 8 && box.y == 4);
    gst_harness_teardown (h);
  }
}

/* Numbers that no picture is large enough for. */
static void
test_crop_beyond (void)
{
  static const guint wild[] = { 4000000000u, G_MAXINT, G_MAXUINT, 200 };
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (wild); i++) {
    GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ ! sppnetoverlay");
    g_autoptr (GstBuffer) buffer = element_buffer (&scene, GST_VIDEO_FORMAT_I420), out = NULL;
    g_autoptr (GPtrArray) found = NULL;
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

    crop->x = crop->y = wild[i];
    element_set_caps (h, GST_VIDEO_FORMAT_I420, 192, 128);
    out = element_push (h, g_steal_pointer (&buffer));
    found = element_detections (out);
    g_assert_cmpuint (found->len, >, 0);
    gst_harness_teardown (h);
  }
}

/* Upstream is not told that cropping can be left to downstream. */
static void
test_crop_allocation (void)
{
  static const gchar *const lines[] = { "sppnetdetect model=@MODEL@", "sppnetoverlay" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    GstHarness *h = element_harness (lines[i]);
    g_autoptr (GstCaps) caps = element_caps (GST_VIDEO_FORMAT_RGB, 192, 128);
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);

    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_CROP_META_API_TYPE, NULL);
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
    g_assert_true (gst_pad_peer_query (h->srcpad, query));
    g_assert_false (gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL));
    g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
    gst_harness_teardown (h);
  }
}

/* A gap without pixels, as a muxer makes for a stream that pauses, and buffers that have places but no times. */
static void
test_gap (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ ! sppnetoverlay ! sppnetpublish location=\"\"");
  GstBuffer *gap = gst_buffer_new ();
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) first = NULL, second = NULL;
  g_autoptr (GPtrArray) found = NULL;
  GstSegment segment;

  element_scene (&scene, 192, 128, FALSE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  first = element_push (h, gap);
  g_assert_cmpuint (gst_buffer_get_size (first), ==, 0);
  second = element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_RGB));
  found = element_detections (second);
  g_assert_cmpuint (found->len, >, 0);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/detect/formats", test_formats);
  g_test_add_func ("/gst/detect/strides", test_strides);
  g_test_add_func ("/gst/detect/sizes", test_sizes);
  g_test_add_func ("/gst/detect/interval", test_interval);
  g_test_add_func ("/gst/detect/run-time-changes", test_run_time_changes);
  g_test_add_func ("/gst/detect/reduction", test_reduction);
  g_test_add_func ("/gst/detect/model-too-late", test_model_too_late);
  g_test_add_func ("/gst/detect/upstream-regions", test_upstream_regions);
  g_test_add_func ("/gst/detect/twice", test_twice);
  g_test_add_func ("/gst/detect/cascade", test_cascade);
  g_test_add_func ("/gst/detect/cascade-repeats", test_cascade_repeats);
  g_test_add_func ("/gst/detect/params", test_params);
  g_test_add_func ("/gst/detect/short-buffer", test_short_buffer);
  g_test_add_func ("/gst/detect/crop", test_crop);
  g_test_add_func ("/gst/detect/crop-beyond", test_crop_beyond);
  g_test_add_func ("/gst/detect/crop-allocation", test_crop_allocation);
  g_test_add_func ("/gst/detect/gap", test_gap);
  return element_run ();
}
