/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The default model in a pipeline: one picture in several formats has the same detections. Skipped without the model,
 * the picture (Debian's package darknet) or jpegdec. */
#include "element.h"

#include <json-glib/json-glib.h>

#define PICTURE "/usr/share/darknet/data/dog.jpg"

/* What is found in the picture, as these caps and then in this format, as sppnetpublish says it. */
static JsonNode *
detect (const gchar *caps, const gchar *format)
{
  g_autofree gchar *line = g_strdup_printf ("filesrc location=" PICTURE " ! jpegdec ! videoconvert ! "
                                            "video/x-raw,format=I420,%s ! videoconvert ! "
                                            "video/x-raw,format=%s ! sppnetdetect ! "
                                            "sppnetpublish location=\"\" post-messages=true ! fakesink",
                                            caps, format);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  JsonNode *node;

  g_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 200 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  node = json_from_string (gst_structure_get_string (gst_message_get_structure (message), "json"), &error);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return node;
}

static SppnetBox
box_of (JsonObject *detection)
{
  JsonArray *box = json_object_get_array_member (detection, "box");

  return (SppnetBox) { (gfloat) json_array_get_double_element (box, 0), (gfloat) json_array_get_double_element (box, 1),
                       (gfloat) json_array_get_double_element (box, 2),
                       (gfloat) json_array_get_double_element (box, 3) };
}

/* Every detection of a is in b. */
static void
assert_contains (JsonNode *a, JsonNode *b)
{
  JsonArray *all = json_object_get_array_member (json_node_get_object (a), "detections");
  JsonArray *others = json_object_get_array_member (json_node_get_object (b), "detections");

  for (guint i = 0; i < json_array_get_length (all); i++) {
    JsonObject *one = json_array_get_object_element (all, i);
    gdouble confidence = json_object_get_double_member (one, "confidence"), best = 0, score = 0;
    const gchar *label = json_object_get_string_member (one, "label");
    SppnetBox box = box_of (one);

    for (guint j = 0; j < json_array_get_length (others); j++) {
      JsonObject *other = json_array_get_object_element (others, j);
      SppnetBox other_box = box_of (other);
      gdouble iou = (gdouble) sppnet_box_iou (&box, &other_box);

      if (g_str_equal (json_object_get_string_member (other, "label"), label) && iou > best) {
        best = iou;
        score = json_object_get_double_member (other, "confidence");
      }
    }
    g_test_message ("%s %.3f: IoU %.3f, score %.3f", label, confidence, best, score);
    g_assert_cmpfloat (best, >, 0.9);
    g_assert_cmpfloat_with_epsilon (score, confidence, 0.05);
  }
}

static void
compare_formats (const gchar *caps)
{
  static const gchar *const formats[] = { "NV12", "RGB", "BGRx" };
  g_autoptr (JsonNode) reference = detect (caps, "I420");
  JsonArray *found = json_object_get_array_member (json_node_get_object (reference), "detections");
  gboolean dog = FALSE;

  for (guint i = 0; i < json_array_get_length (found); i++)
    dog |= g_str_equal (json_object_get_string_member (json_array_get_object_element (found, i), "label"), "dog");
  g_assert_true (dog);
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    g_autoptr (JsonNode) node = detect (caps, formats[f]);

    g_test_message ("%s %s", caps, formats[f]);
    assert_contains (reference, node);
    assert_contains (node, reference);
  }
}

/* As JPEG pictures, and as standard and high definition video. */
static void
test_formats (void)
{
  static const gchar *const colorimetries[] = { "1:4:0:0", "bt601", "bt709" };
  g_autoptr (GstElementFactory) jpegdec = gst_element_factory_find ("jpegdec");
  g_autofree gchar *path = sppnet_model_get_default_path (NULL);

  if (!path || !jpegdec || !g_file_test (PICTURE, G_FILE_TEST_EXISTS)) {
    g_test_skip (!path ? "there is no default model" : !jpegdec ? "there is no jpegdec" : "there is no " PICTURE);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (colorimetries); i++) {
    g_autofree gchar *caps = g_strconcat ("colorimetry=", colorimetries[i], NULL);

    compare_formats (caps);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/model/formats", test_formats);
  return element_run ();
}
