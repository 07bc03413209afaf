/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sppnetpublish: lines of JSON that a parser and a person can read. */
#define _GNU_SOURCE
#include "element.h"

#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A region with a "detection" parameter, as any element may write it. */
static void
add_detection (GstBuffer *buffer, const gchar *label, guint x, guint y, guint w, guint h, gdouble confidence)
{
  GstVideoRegionOfInterestMeta *meta = gst_buffer_add_video_region_of_interest_meta (buffer, label, x, y, w, h);

  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("detection", "confidence", G_TYPE_DOUBLE, confidence, "label_id", G_TYPE_INT, 7, NULL));
}

static GstBuffer *
frame (guint number)
{
  g_auto (Scene) scene;

  scene_init (&scene, 64, 48);
  return element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), number);
}

static gchar **
read_lines (const gchar *path)
{
  g_autofree gchar *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_assert_cmpuint (length, >, 0);
  g_assert_cmpint (content[length - 1], ==, '\n');
  content[length - 1] = '\0';
  return g_strsplit (content, "\n", -1);
}

static JsonNode *
parse (const gchar *line)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (line, &error);

  g_assert_no_error (error);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (node));
  return node;
}

static void
test_lines (void)
{
  g_autofree gchar *path = element_file ("lines.jsonl");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  GstHarness *h = element_harness (line);
  g_auto (GStrv) lines = NULL;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = frame (i);
    g_autoptr (GstBuffer) out = NULL;

    if (i == 1) {
      add_detection (buffer, "dog \"x\"\n", 1, 2, 30, 20, 0.75);
      add_detection (buffer, "\xff\xfe", 1, 2, 30, 20, NAN);
      gst_buffer_add_video_region_of_interest_meta (buffer, "motion", 1, 1, 5, 5); /* not a detection */
    }
    if (i == 2)
      GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    out = element_push (h, buffer);
  }
  lines = read_lines (path); /* flushed line by line: the element still runs */
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (JsonNode) node = parse (lines[i]);
    JsonObject *object = json_node_get_object (node), *detection;
    JsonArray *list = json_object_get_array_member (object, "detections");
    g_autoptr (GDateTime) time
        = g_date_time_new_from_iso8601 (json_object_get_string_member (object, "wall_clock"), NULL);

    g_assert_nonnull (time);
    g_assert_cmpint (ABS (g_date_time_to_unix (time) - g_get_real_time () / G_USEC_PER_SEC), <, 600);
    g_assert_cmpuint (strlen (json_object_get_string_member (object, "wall_clock")), ==, 27);
    g_assert_cmpint (json_object_get_int_member (object, "width"), ==, 64);
    g_assert_cmpint (json_object_get_int_member (object, "height"), ==, 48);
    if (i == 2) {
      g_assert_true (json_object_get_null_member (object, "timestamp"));
      g_assert_true (json_object_get_null_member (object, "running_time"));
    } else {
      g_assert_cmpint (json_object_get_int_member (object, "timestamp"), ==, i * (gint64) FRAME_DURATION);
      g_assert_cmpint (json_object_get_int_member (object, "running_time"), ==, i * (gint64) FRAME_DURATION);
    }
    g_assert_cmpuint (json_array_get_length (list), ==, i == 1 ? 2 : 0);
    if (i != 1)
      continue;
    detection = json_array_get_object_element (list, 0);
    g_assert_cmpstr (json_object_get_string_member (detection, "label"), ==, "dog \"x\"\n");
    g_assert_cmpint (json_object_get_int_member (detection, "label_id"), ==, 7);
    g_assert_cmpfloat (json_object_get_double_member (detection, "confidence"), ==, 0.75);
    g_assert_cmpint (json_array_get_int_element (json_object_get_array_member (detection, "box"), 2), ==, 30);
    detection = json_array_get_object_element (list, 1);
    g_assert_true (g_utf8_validate (json_object_get_string_member (detection, "label"), -1, NULL));
    g_assert_cmpfloat (json_object_get_double_member (detection, "confidence"), ==, 0);
  }
  gst_harness_teardown (h);
}

/* A second run replaces the file, or adds to it. */
static void
test_append (void)
{
  g_autofree gchar *path = element_file ("append.jsonl");
  static const guint wanted[] = { 1, 2, 1 };

  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *line
        = g_strdup_printf ("sppnetpublish location=\"%s\" append=%s flush-interval=0", path, i == 1 ? "true" : "false");
    GstHarness *h = element_harness (line);
    g_auto (GStrv) lines = NULL;

    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
    gst_buffer_unref (element_push (h, frame (0)));
    gst_harness_push_event (h, gst_event_new_eos ()); /* flushes */
    lines = read_lines (path);
    g_assert_cmpuint (g_strv_length (lines), ==, wanted[i]);
    gst_harness_teardown (h);
  }
}

static void
test_messages (void)
{
  GstHarness *h = element_harness ("sppnetpublish location=\"\" post-messages=true");
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (JsonNode) node = NULL;
  const GstStructure *structure, *detection;
  const GValue *list;
  GstBuffer *buffer = frame (2), *out;
  guint64 timestamp;
  gint y;

  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  add_detection (buffer, "dog", 1, 2, 30, 20, 0.5);
  add_detection (buffer, "d\xf6g", 1, 2, 30, 20, 0.25); /* by others, in another encoding */
  out = element_push (h, buffer);
  gst_buffer_unref (out);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  structure = gst_message_get_structure (message);
  g_assert_true (gst_structure_has_name (structure, "sppnetpublish"));
  g_assert_true (gst_structure_get_uint64 (structure, "timestamp", &timestamp));
  g_assert_cmpuint (timestamp, ==, 2 * FRAME_DURATION);
  list = gst_structure_get_value (structure, "detections");
  g_assert_cmpuint (gst_value_array_get_size (list), ==, 2);
  detection = gst_value_get_structure (gst_value_array_get_value (list, 1));
  g_assert_cmpstr (gst_structure_get_string (detection, "label"), ==, "d\357\277\275g");
  detection = gst_value_get_structure (gst_value_array_get_value (list, 0));
  g_assert_cmpstr (gst_structure_get_string (detection, "label"), ==, "dog");
  g_assert_true (gst_structure_get_int (detection, "y", &y));
  g_assert_cmpint (y, ==, 2);
  node = parse (gst_structure_get_string (structure, "json"));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* The buffer passes through as it is, not as a copy. */
static void
test_untouched (void)
{
  GstHarness *h = element_harness ("sppnetpublish location=\"\"");
  g_autoptr (GstBuffer) kept = NULL, out = NULL;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  kept = frame (0);
  out = element_push (h, gst_buffer_ref (kept));
  g_assert_true (out == kept);
  gst_harness_teardown (h);
}

#define TOGETHER 50

/* Lines that outgrow any small buffer. */
static gpointer
push_many (gpointer data)
{
  g_autofree gchar *label = g_strnfill (3000, 'x');

  for (guint i = 0; i < TOGETHER; i++) {
    GstBuffer *buffer = frame (i);

    for (guint d = 0; d < 10; d++)
      add_detection (buffer, label, 1, 2, 30, 20, 0.75);
    gst_buffer_unref (element_push (data, buffer));
  }
  return NULL;
}

/* Two elements that write to one file: no line is lost, and none is broken. */
static void
test_together (void)
{
  GThread *threads[2];
  g_autofree gchar *path = element_file ("together.jsonl");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  GstHarness *h[2];
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_set_contents (path, "before\n", -1, NULL));
  for (guint k = 0; k < 2; k++) {
    h[k] = element_harness (line);
    element_set_caps (h[k], GST_VIDEO_FORMAT_RGB, 64, 48);
  }
  for (guint k = 0; k < 2; k++)
    threads[k] = g_thread_new ("push", push_many, h[k]);
  for (guint k = 0; k < 2; k++)
    g_thread_join (threads[k]);
  for (guint k = 0; k < 2; k++)
    gst_harness_teardown (h[k]);
  lines = read_lines (path);
  g_assert_cmpuint (g_strv_length (lines), ==, 2 * TOGETHER);
  for (guint i = 0; i < 2 * TOGETHER; i++) {
    g_autoptr (JsonNode) node = parse (lines[i]);

    g_assert_cmpuint (json_array_get_length (json_object_get_array_member (json_node_get_object (node), "detections")),
                      ==, 10);
  }
}

/* A pipe whose reader goes away is an error on the bus; the application lives. */
static void
test_broken_pipe (void)
{
  g_autofree gchar *path = element_file ("pipe");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  GstHarness *h;
  gint reader;

  signal (SIGPIPE, SIG_DFL);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK);
  g_assert_cmpint (reader, >=, 0);
  h = element_harness (line);
  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  gst_buffer_unref (element_push (h, frame (0)));
  close (reader);
  g_assert_cmpint (gst_harness_push (h, frame (1)), ==, GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE);
  g_assert_nonnull (strstr (error->message, path));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

#define LINE_BYTES 3000

/* Long lines until one is not taken. */
static gpointer
push_until_refused (gpointer data)
{
  g_autofree gchar *label = g_strnfill (LINE_BYTES, 'x');
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; flow == GST_FLOW_OK && i < 1000; i++) {
    GstBuffer *buffer = frame (i);

    add_detection (buffer, label, 1, 2, 30, 20, 0.75);
    flow = gst_harness_push (data, buffer);
  }
  return GINT_TO_POINTER (flow);
}

/* Reads what there is. */
static void
drain (gint reader, GString *text)
{
  gchar part[65536];
  gssize n;

  while ((n = read (reader, part, sizeof part)) > 0)
    g_string_append_len (text, part, n);
}

/* A pipe with a reader that does not read, and a thread that waits for it. */
static GThread *
stall (GstHarness *h, gint reader)
{
  GThread *thread = g_thread_new ("push", push_until_refused, h);
  gint bytes = 0, before;

  do {
    before = bytes;
    g_usleep (20000);
    g_assert_cmpint (ioctl (reader, FIONREAD, &bytes), ==, 0);
  } while (bytes == 0 || bytes != before);
  return thread;
}

static gchar *said; /* the last message */

static GLogWriterOutput
keep_message (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user_data)
{
  if ((level & G_LOG_LEVEL_MASK) != G_LOG_LEVEL_MESSAGE)
    return g_log_writer_default (level, fields, n, user_data);
  g_free (said);
  said = g_log_writer_format_fields (level, fields, n, FALSE);
  return G_LOG_WRITER_HANDLED;
}

/* Said where it is seen, as the bus of a pipeline that stops is not read. */
static void
assert_said_lost (const gchar *place)
{
  g_autofree gchar *text = g_strdup_printf ("%s: the last lines are lost: nobody reads them", place);

  g_assert_nonnull (said);
  g_assert_nonnull (strstr (said, text));
  g_clear_pointer (&said, g_free);
}

/* A reader that stalls keeps nobody from stopping; what it has not read is said to be lost. */
static void
test_stalled_stop (void)
{
  g_autofree gchar *path = element_file ("stalled");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) warning = NULL;
  GThread *thread;
  GstHarness *h;
  gint reader;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK);
  h = element_harness (line);
  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  thread = stall (h, reader);
  g_assert_cmpint (gst_element_set_state (h->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  assert_said_lost (path);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  close (reader);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

/* A seek ends the waiting, too, and loses no line. */
static void
test_stalled_flush (void)
{
  g_autofree gchar *path = element_file ("flushed");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;
  GThread *thread;
  GstHarness *h;
  GstSegment segment;
  gint reader;
  guint taken;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK);
  h = element_harness (line);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  thread = stall (h, reader);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, GST_FLOW_FLUSHING);
  taken = gst_harness_buffers_in_queue (h) + 1; /* the frame of the last line has not come through */
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  drain (reader, text);
  g_assert_cmpint (gst_harness_push (h, frame (0)), ==, GST_FLOW_OK);
  drain (reader, text);
  gst_harness_teardown (h);
  close (reader);
  g_assert_cmpuint (text->len, >, 0);
  g_assert_cmpint (text->str[text->len - 1], ==, '\n');
  g_string_truncate (text, text->len - 1);
  lines = g_strsplit (text->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, taken + 1);
  for (guint i = 0; lines[i]; i++)
    json_node_unref (parse (lines[i]));
}

static GstHarness *stopped;
static GstStateChangeReturn (*change_state) (GstElement *, GstStateChange);

/* Between what the element does first at a stop and the end of its streaming thread, a flush ends, and more lines come
 * than a pipe takes. */
static GstStateChangeReturn
end_flush_at_stop (GstElement *element, GstStateChange transition)
{
  if (stopped && transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    GstHarness *h = g_steal_pointer (&stopped);
    GstSegment segment;

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_flush_start ());
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    g_assert_cmpint (GPOINTER_TO_INT (push_until_refused (h)), ==, GST_FLOW_FLUSHING);
  }
  return change_state (element, transition);
}

static void
test_flush_at_stop (void)
{
  GstElementClass *parent = g_type_class_ref (GST_TYPE_BASE_TRANSFORM);
  g_autofree gchar *path = element_file ("flush-at-stop");
  g_autofree gchar *line = g_strdup_printf ("sppnetpublish location=\"%s\"", path);
  g_autoptr (GString) text = g_string_new (NULL);
  GstHarness *h;
  gint reader;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK);
  stopped = h = element_harness (line);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  change_state = parent->change_state;
  parent->change_state = end_flush_at_stop;
  g_assert_cmpint (gst_element_set_state (h->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  parent->change_state = change_state;
  g_assert_null (stopped);
  gst_harness_teardown (h);
  drain (reader, text);
  close (reader);
  /* The line that was not waited for. */
  g_assert_cmpint (text->str[text->len - 1], ==, '\n');
  json_node_unref (parse (g_strchomp (text->str)));
  g_type_class_unref (parent);
}

/* The standard output becomes fd; returns what it was. */
static gint
redirect (gint fd)
{
  gint before;

  fflush (stdout);
  before = dup (STDOUT_FILENO);
  g_assert_cmpint (dup2 (fd, STDOUT_FILENO), ==, STDOUT_FILENO);
  close (fd);
  return before;
}

/* Both ends of a new one: of reading, and of writing. FALSE: there are none here. */
static gboolean
open_kind (const gchar *kind, gint ends[2])
{
  if (g_str_equal (kind, "pipe"))
    return pipe (ends) == 0;
  if (g_str_equal (kind, "socket"))
    return socketpair (AF_UNIX, SOCK_STREAM, 0, ends) == 0;
  ends[0] = posix_openpt (O_RDWR | O_NOCTTY);
  if (ends[0] < 0 || grantpt (ends[0]) != 0 || unlockpt (ends[0]) != 0)
    return FALSE;
  ends[1] = open (ptsname (ends[0]), O_RDWR | O_NOCTTY);
  return ends[1] >= 0;
}

/* A pipe, a terminal or a socket that nobody reads is the standard output for a moment, of two elements, with
 * something printed that has not been handed over. */
static void
test_stalled_standard_output (gconstpointer kind)
{
  gint ends[2], before;
  GstHarness *h[2];
  GThread *threads[2];

  if (!open_kind (kind, ends)) {
    g_test_skip ("no terminals here");
    return;
  }
  before = redirect (ends[1]);
  for (guint i = 0; i < 2; i++) {
    h[i] = element_harness ("sppnetpublish");
    element_set_caps (h[i], GST_VIDEO_FORMAT_RGB, 64, 48);
    threads[i] = g_thread_new ("push", push_until_refused, h[i]);
  }
  /* Until nothing more is taken. */
  for (guint taken = 0, last = 1; taken != last || last == 0;) {
    last = taken;
    g_usleep (200000);
    taken = 1 + gst_harness_buffers_received (h[0]) + gst_harness_buffers_received (h[1]);
  }
  fputs ("printed", stdout);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (gst_element_set_state (h[i]->element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
    assert_said_lost ("standard output");
    g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (threads[i])), ==, GST_FLOW_FLUSHING);
    gst_harness_teardown (h[i]);
  }
  /* So that what was printed can go. */
  fcntl (ends[0], F_SETFL, O_NONBLOCK);
  for (gchar part[4096]; read (ends[0], part, sizeof part) > 0;)
    ;
  close (redirect (before));
  close (ends[0]);
}

/* The standard output is a pipe whose reader has gone away, and something was printed before. */
static void
test_broken_standard_output (void)
{
  GstBus *bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  gint ends[2], before;
  GstHarness *h;

  signal (SIGPIPE, SIG_DFL);
  g_assert_true (open_kind ("pipe", ends));
  before = redirect (ends[1]);
  h = element_harness ("sppnetpublish");
  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  close (ends[0]);
  fputs ("printed", stdout);
  g_assert_cmpint (gst_harness_push (h, frame (0)), ==, GST_FLOW_ERROR);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  gst_object_unref (bus);
  /* What cannot be handed over is not to come later. */
  __fpurge (stdout);
  close (redirect (before));
}

typedef struct
{
  gint fd;
  GString *text;
  gint done; /* (atomic) all is written */
} Reader;

static gpointer
read_all (gpointer data)
{
  Reader *reader = data;
  gboolean last;

  do {
    last = g_atomic_int_get (&reader->done);
    g_usleep (1000);
    drain (reader->fd, reader->text);
  } while (!last);
  return NULL;
}

static gpointer
push_long_lines (gpointer data)
{
  g_autofree gchar *label = g_strnfill (3 * LINE_BYTES, 'x');

  for (guint i = 0; i < 30; i++) {
    GstBuffer *buffer = frame (i);

    if (i % 3)
      add_detection (buffer, label, 1, 2, 30, 20, 0.75);
    g_assert_cmpint (gst_harness_push (data, buffer), ==, GST_FLOW_OK);
  }
  return NULL;
}

/* Lines that no pipe takes in one piece, of two elements, and an application that prints all the time: all stay whole.
 */
static void
test_whole (gconstpointer kind)
{
  Reader reader = { .text = g_string_new (NULL) };
  gint ends[2], before;
  guint n[2] = { 0 };
  GstHarness *h[2];
  GThread *threads[2], *thread;
  g_auto (GStrv) lines = NULL;

  if (!open_kind (kind, ends)) {
    g_test_skip ("no terminals here");
    g_string_free (reader.text, TRUE);
    return;
  }
  reader.fd = ends[0];
  fcntl (ends[0], F_SETFL, O_NONBLOCK);
  before = redirect (ends[1]);
  thread = g_thread_new ("read", read_all, &reader);
  for (guint i = 0; i < 2; i++) {
    h[i] = element_harness ("sppnetpublish");
    element_set_caps (h[i], GST_VIDEO_FORMAT_RGB, 64, 48);
    threads[i] = g_thread_new ("push", push_long_lines, h[i]);
  }
  /* A terminal gets lines when they are printed, whatever the elements are at. */
  for (guint i = 0; i < 2000 && !g_str_equal (kind, "terminal"); i++) {
    fputs ("printed\n", stdout);
    g_usleep (20);
  }
  for (guint i = 0; i < 2; i++) {
    g_thread_join (threads[i]);
    gst_harness_teardown (h[i]);
  }
  fflush (stdout);
  g_atomic_int_set (&reader.done, TRUE);
  g_thread_join (thread);
  close (redirect (before));
  close (ends[0]);
  lines = g_strsplit (reader.text->str, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++) {
    gboolean printed = g_str_equal (lines[i], "printed");

    n[printed]++;
    if (!printed)
      json_node_unref (parse (lines[i]));
  }
  g_assert_cmpuint (n[FALSE], ==, 60);
  g_assert_cmpuint (n[TRUE], ==, g_str_equal (kind, "terminal") ? 0 : 2000);
  g_string_free (reader.text, TRUE);
}

/* The standard output of this program is a pipe for a moment: lines go behind what was printed before. */
static void
test_standard_output (void)
{
  GstHarness *h;
  g_autoptr (GString) text = g_string_new (NULL);
  gint ends[2], before;

  g_assert_cmpint (pipe (ends), ==, 0);
  before = redirect (ends[1]);
  h = element_harness ("sppnetpublish");
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  fputs ("printed ", stdout);
  gst_buffer_unref (element_push (h, frame (0)));
  gst_harness_teardown (h);
  close (redirect (before));
  drain (ends[0], text);
  close (ends[0]);
  g_assert_true (g_str_has_prefix (text->str, "printed {\"timestamp\":0,"));
  g_assert_true (g_str_has_suffix (text->str, "}\n"));
}

/* What an element writes about a region that something on the way has dropped. */
static void
add_score (GstBuffer *buffer)
{
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, "SppnetDetections");
  GValue list = G_VALUE_INIT, value = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_ARRAY);
  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value,
                      gst_structure_new ("detection", "id", G_TYPE_INT, 4711, "label", G_TYPE_STRING, "dog", NULL));
  gst_value_array_append_and_take_value (&list, &value);
  gst_structure_take_value (gst_custom_meta_get_structure (meta), "detections", &list);
}

/* Scores without a region are said once, whatever regions others have left. A location is for the start. */
static void
test_warnings (void)
{
  GstHarness *h = element_harness ("sppnetpublish location=\"\"");
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 64, 48);
  for (guint i = 0; i < 4; i++) {
    GstBuffer *buffer = frame (i);
    g_autoptr (GstMessage) warning = NULL;

    if (i == 1)
      gst_buffer_add_video_region_of_interest_meta (buffer, "dog", 1, 1, 5, 5)->id = 4711;
    if (i == 2)
      add_detection (buffer, "cat", 1, 2, 30, 20, 0.75);
    if (i > 0)
      add_score (buffer);
    gst_buffer_unref (element_push (h, buffer));
    warning = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    g_assert_true ((warning != NULL) == (i == 2));
  }
  gst_harness_set (h, "sppnetpublish", "location", "other", NULL);
  gst_message_unref (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_harness_set (h, "sppnetpublish", "location", NULL, NULL); /* as it is */
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_harness_set (h, "sppnetpublish", "append", TRUE, NULL);
  gst_message_unref (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_harness_set (h, "sppnetpublish", "append", FALSE, NULL);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_log_set_writer_func (keep_message, NULL, NULL);
  /* A decimal comma must not reach the file, where the machine has such a locale. */
  if (!setlocale (LC_NUMERIC, "de_DE.UTF-8"))
    g_test_message ("no locale with a decimal comma here");
  g_test_add_func ("/gst/publish/lines", test_lines);
  g_test_add_func ("/gst/publish/append", test_append);
  g_test_add_func ("/gst/publish/together", test_together);
  g_test_add_func ("/gst/publish/broken-pipe", test_broken_pipe);
  g_test_add_func ("/gst/publish/stalled-stop", test_stalled_stop);
  g_test_add_func ("/gst/publish/stalled-flush", test_stalled_flush);
  g_test_add_func ("/gst/publish/flush-at-stop", test_flush_at_stop);
  g_test_add_func ("/gst/publish/broken-standard-output", test_broken_standard_output);
  g_test_add_data_func ("/gst/publish/whole-pipe", "pipe", test_whole);
  g_test_add_data_func ("/gst/publish/whole-socket", "socket", test_whole);
  g_test_add_data_func ("/gst/publish/whole-terminal", "terminal", test_whole);
  g_test_add_data_func ("/gst/publish/stalled-pipe", "pipe", test_stalled_standard_output);
  g_test_add_data_func ("/gst/publish/stalled-socket", "socket", test_stalled_standard_output);
  g_test_add_data_func ("/gst/publish/stalled-terminal", "terminal", test_stalled_standard_output);
  g_test_add_func ("/gst/publish/standard-output", test_standard_output);
  g_test_add_func ("/gst/publish/warnings", test_warnings);
  g_test_add_func ("/gst/publish/messages", test_messages);
  g_test_add_func ("/gst/publish/untouched", test_untouched);
  return element_run ();
}
