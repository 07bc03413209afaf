/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detections as metadata: what reads them, and what they survive. */
#include "element.h"

#include <json-glib/json-glib.h>

/* The detections of a buffer's metadata as sppnetpublish reads them, from the message that it posts. */
static JsonNode *
published (GstBus *bus)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  g_assert_nonnull (message);
  g_assert_true (gst_message_has_name (message, "sppnetpublish"));
  node = json_from_string (gst_structure_get_string (gst_message_get_structure (message), "json"), &error);
  g_assert_no_error (error);
  return node;
}

/* Runs the scene through LINE between detector and publisher, and checks label, score and box, scaled by factor. */
static void
assert_survives (const gchar *line, gdouble factor)
{
  g_autofree gchar *full = g_strdup_printf ("sppnetdetect model=@MODEL@ proposals=regions ! %s ! "
                                            "sppnetpublish location=\"\" post-messages=true",
                                            line);
  GstHarness *h = element_harness (full);
  GstBus *bus = gst_bus_new ();
  GstBuffer *buffer;
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonArray *list;

  g_test_message ("%s", line);
  gst_element_set_bus (h->element, bus);
  element_scene (&scene, 192, 128, TRUE);
  buffer = element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_I420), 3);
  gst_buffer_add_video_region_of_interest_meta (buffer, "given", 16, 16, 64, 64);
  gst_buffer_add_video_region_of_interest_meta (buffer, "given", 96, 32, 64, 64);
  element_set_caps (h, GST_VIDEO_FORMAT_I420, 192, 128);
  out = element_push (h, buffer);

  node = published (bus);
  list = json_object_get_array_member (json_node_get_object (node), "detections");
  g_assert_cmpuint (json_array_get_length (list), ==, 2);
  for (guint i = 0; i < 2; i++) {
    JsonObject *detection = json_array_get_object_element (list, i);
    gboolean red = g_str_equal (json_object_get_string_member (detection, "label"), "red");
    JsonArray *box = json_object_get_array_member (detection, "box");

    if (!red)
      g_assert_cmpstr (json_object_get_string_member (detection, "label"), ==, "green");
    g_assert_cmpint (json_object_get_int_member (detection, "label_id"), ==, red ? 0 : 1);
    g_assert_cmpfloat (json_object_get_double_member (detection, "confidence"), >, 0.9);
    g_assert_cmpfloat_with_epsilon (json_array_get_double_element (box, 0), factor * (red ? 16 : 96), 1.01);
    g_assert_cmpfloat_with_epsilon (json_array_get_double_element (box, 1), factor * (red ? 16 : 32), 1.01);
    g_assert_cmpfloat_with_epsilon (json_array_get_double_element (box, 2), factor * 64, 1.01);
    g_assert_cmpfloat_with_epsilon (json_array_get_double_element (box, 3), factor * 64, 1.01);
  }
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

static void
test_survives (void)
{
  assert_survives ("identity", 1);
  assert_survives ("queue", 1);
  assert_survives ("videoconvert ! video/x-raw,format=RGB", 1);
  assert_survives ("videoconvert ! video/x-raw,format=NV12 ! queue ! videoconvert ! video/x-raw,format=BGRx", 1);
  assert_survives ("videoscale ! video/x-raw,width=384,height=256,pixel-aspect-ratio=1/1", 2);
  assert_survives ("videoscale ! video/x-raw,width=96,height=64,pixel-aspect-ratio=1/1", 0.5);
  assert_survives ("videoconvertscale ! video/x-raw,width=384,height=256,format=YUY2,pixel-aspect-ratio=1/1", 2);
  assert_survives ("sppnetoverlay", 1);
  assert_survives ("sppnetdetect model=@MODEL@ proposals=regions region-type=none", 1);
}

typedef struct
{
  GMutex lock;
  GstMemory *memory[2];
  gpointer data[2];
  guint detections[2];
} Branches;

static void
look (Branches *branches, guint branch, GstBuffer *buffer)
{
  g_autoptr (GPtrArray) found = element_detections (buffer);
  GstMapInfo map;

  g_mutex_lock (&branches->lock);
  branches->memory[branch] = gst_buffer_peek_memory (buffer, 0);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  branches->data[branch] = map.data;
  gst_buffer_unmap (buffer, &map);
  branches->detections[branch] = found->len;
  g_mutex_unlock (&branches->lock);
}

static void
look_a (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer branches)
{
  look (branches, 0, buffer);
}

static void
look_b (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer branches)
{
  look (branches, 1, buffer);
}

/* Behind a tee the pixels are not copied, and the other branch does not see the detections. */
static void
test_tee (void)
{
  g_autofree gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=1 pattern=red ! video/x-raw,format=RGB,width=64,height=64 ! tee name=t "
      "t. ! queue ! sppnetdetect model=\"%s\" threshold=0.01 ! fakesink name=a signal-handoffs=true "
      "t. ! queue ! fakesink name=b signal-handoffs=true",
      element_model);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) a = NULL, b = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  Branches branches = { 0 };

  g_assert_no_error (error);
  a = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  b = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  /* fakesink keeps the last buffer, so neither memory is gone when the other comes. */
  g_signal_connect (a, "handoff", G_CALLBACK (look_a), &branches);
  g_signal_connect (b, "handoff", G_CALLBACK (look_b), &branches);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);

  g_assert_nonnull (branches.memory[0]);
  g_assert_true (branches.memory[0] == branches.memory[1]);
  g_assert_true (branches.data[0] == branches.data[1]);
  g_assert_cmpuint (branches.detections[0], >, 0);
  g_assert_cmpuint (branches.detections[1], ==, 0);
}

/* The custom meta by its documented form, as an application reads it. */
static void
test_custom (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ max-detections=2");
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const GValue *list;
  GstCustomMeta *meta;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  out = element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_RGB));
  found = element_detections (out);
  g_assert_cmpuint (found->len, ==, 2);
  meta = gst_buffer_get_custom_meta (out, "SppnetDetections");
  g_assert_nonnull (meta);
  list = gst_structure_get_value (gst_custom_meta_get_structure (meta), "detections");
  g_assert_cmpuint (gst_value_array_get_size (list), ==, 2);
  for (guint i = 0; i < 2; i++) {
    const GstStructure *score = gst_value_get_structure (gst_value_array_get_value (list, i));
    const GstVideoRegionOfInterestMeta *region = found->pdata[i];
    gdouble confidence;
    gint id, label_id;

    g_assert_true (gst_structure_get (score, "id", G_TYPE_INT, &id, "label_id", G_TYPE_INT, &label_id, "confidence",
                                      G_TYPE_DOUBLE, &confidence, NULL));
    g_assert_cmpint (id, ==, region->id);
    g_assert_cmpstr (gst_structure_get_string (score, "label"), ==, element_label (found->pdata[i]));
    g_assert_cmpfloat (confidence, ==, element_confidence (found->pdata[i]));
  }
  gst_harness_teardown (h);
}

/* Another element's region whose number is one of ours by chance is no detection of ours: it is still to be scored. */
static void
test_foreign (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ max-detections=1");
  GstHarness *second = element_harness ("sppnetdetect model=@MODEL@ proposals=regions");
  g_auto (Scene) scene;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GPtrArray) found = NULL, after = NULL;
  GstBuffer *between;
  gint id;

  element_scene (&scene, 192, 128, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  element_set_caps (second, GST_VIDEO_FORMAT_RGB, 192, 128);
  between = gst_buffer_make_writable (element_push (h, element_buffer (&scene, GST_VIDEO_FORMAT_RGB)));
  found = element_detections (between);
  g_assert_cmpuint (found->len, ==, 1);
  id = ((const GstVideoRegionOfInterestMeta *) found->pdata[0])->id;
  gst_buffer_add_video_region_of_interest_meta (between, "face", 16, 16, 64, 64)->id = id;
  out = element_push (second, between);
  after = element_detections (out);
  g_assert_cmpuint (after->len, ==, 2);
  g_assert_cmpint (((const GstVideoRegionOfInterestMeta *) after->pdata[1])->parent_id, ==, id);
  gst_harness_teardown (second);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/metadata/survives", test_survives);
  g_test_add_func ("/gst/metadata/tee", test_tee);
  g_test_add_func ("/gst/metadata/custom", test_custom);
  g_test_add_func ("/gst/metadata/foreign", test_foreign);
  return element_run ();
}
