/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements that start, stop, seek, are late, share a model, and leave nothing behind. */
#include "element.h"

#include <malloc.h>
#include <string.h>

/* The sanitizer has a heap of its own, slower and not counted here. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define CYCLES (SANITIZED ? 10 : 200)

/* Until EOS; an error fails the test. */
static void
wait_eos (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message
      = gst_bus_timed_pop_filtered (bus, 120 * GST_SECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
}

static GstElement *
launch (const gchar *line)
{
  g_auto (GStrv) parts = g_strsplit (line, "@MODEL@", -1);
  g_autofree gchar *full = g_strjoinv (element_model, parts);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (full, &error);

  g_assert_no_error (error);
  return pipeline;
}

#define WHOLE_LINE                                                                                                     \
  "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=96,height=64 ! sppnetdetect model=\"@MODEL@\" "          \
  "threshold=0.01 ! sppnetpublish location=/dev/null ! sppnetoverlay ! fakesink"

static guint
count_entries (const gchar *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (folder && g_dir_read_name (folder))
    n++;
  return n;
}

static void
play_once (GstElement *pipeline)
{
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
  wait_eos (pipeline);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
}

/* Bytes in use after CYCLES times from NULL to PLAYING and back, less those before. */
static gssize
grow (GstElement *pipeline)
{
  gsize before = mallinfo2 ().uordblks;

  for (guint i = 0; i < CYCLES; i++)
    play_once (pipeline);
  return (gssize) mallinfo2 ().uordblks - (gssize) before;
}

/* Open files and threads stay as they are, and so does memory. Threads of GStreamer's pool start now and then, and each
 * has its own fonts; but what leaks in each cycle grows in each round. Newer versions of Pango take more rounds until
 * all threads have what they keep. */
static void
test_cycles (void)
{
  g_autoptr (GstElement) pipeline = launch (WHOLE_LINE);
  guint files, threads;
  gssize least;

  for (guint i = 0; i < 20; i++)
    play_once (pipeline);
  files = count_entries ("/proc/self/fd");
  threads = count_entries ("/proc/self/task");
  least = grow (pipeline);
  for (guint round = 1; round < 12 && least >= CYCLES * 100; round++) {
    gssize bytes = grow (pipeline);

    least = MIN (least, bytes);
  }
  g_test_message ("files %u -> %u, threads %u -> %u, heap + %zd bytes", files, count_entries ("/proc/self/fd"), threads,
                  count_entries ("/proc/self/task"), least);
  g_assert_cmpuint (count_entries ("/proc/self/fd"), <=, files);
  g_assert_cmpuint (count_entries ("/proc/self/task"), <=, threads + 8);
  g_assert_cmpint (least, <, CYCLES * 100); /* 100 bytes a cycle: less than any object */
}

/* As above, with elements that are made and freed. */
static void
test_instances (void)
{
  gssize least = G_MAXSSIZE;

  for (guint round = 0; round < 8 && least >= 20 * 1000; round++) {
    gsize before = mallinfo2 ().uordblks;

    for (guint i = 0; i < 20; i++) {
      g_autoptr (GstElement) pipeline = launch (WHOLE_LINE);

      play_once (pipeline);
    }
    least = MIN (least, (gssize) mallinfo2 ().uordblks - (gssize) before);
  }
  g_test_message ("heap + %zd bytes", least);
  g_assert_cmpint (least, <, 20 * 1000);
}

static guint
model_mappings (void)
{
  g_autofree gchar *maps = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  for (const gchar *at = maps; (at = strstr (at, element_model)); at++)
    n++;
  return n;
}

/* Elements that name one file hold one copy, and run at the same time. */
static void
test_shared_model (void)
{
  g_autoptr (GString) line
      = g_string_new ("videotestsrc num-buffers=8 ! video/x-raw,format=I420,width=96,height=64 ! tee name=t ");
  g_autoptr (GstElement) pipeline = NULL;
  guint mappings;

  for (guint i = 0; i < 16; i++)
    g_string_append (line, "t. ! queue ! sppnetdetect model=\"@MODEL@\" threads=2 ! fakesink ");
  pipeline = launch (line->str);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_eos (pipeline);
  mappings = model_mappings ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_test_message ("%u mappings", mappings);
  g_assert_cmpuint (mappings, <=, 1);
  g_assert_cmpuint (model_mappings (), ==, 0);
}

/* region: with a region of somebody else's */
static void
push (GstHarness *h, guint number, gboolean region)
{
  GstBuffer *buffer;
  g_auto (Scene) scene;

  element_scene (&scene, 192, 128, TRUE);
  buffer = element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), number);
  if (region)
    gst_buffer_add_video_region_of_interest_meta (buffer, "motion", 16, 16, 64, 64);
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
}

static void
push_frame (GstHarness *h, guint number)
{
  push (h, number, FALSE);
}

static guint
pull_detections (GstHarness *h)
{
  g_autoptr (GstBuffer) out = gst_harness_pull (h);
  g_autoptr (GPtrArray) found = element_detections (out);

  return found->len;
}

static guint
count_upstream (GstHarness *h, GstEventType type)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    n += GST_EVENT_TYPE (event) == type;
    gst_event_unref (event);
  }
  return n;
}

/* Frames that downstream calls late come through with the last detections, and one of each second is searched. */
static void
test_late (void)
{
  for (guint qos = 0; qos < 2; qos++) {
    GstHarness *h = element_harness (qos ? "sppnetdetect model=@MODEL@" : "sppnetdetect model=@MODEL@ qos=false");

    element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
    push_frame (h, 0);
    /* 10 s late at time 0: everything for 20 s. */
    gst_harness_push_upstream_event (h, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 0.1, 10 * GST_SECOND, 0));
    for (guint i = 1; i < 51; i++)
      push_frame (h, i);
    g_assert_cmpuint (gst_harness_buffers_received (h), ==, 51);
    for (guint i = 0; i < 51; i++)
      g_assert_cmpuint (pull_detections (h), >, 0);
    g_assert_cmpuint (element_stat (h, "frames"), ==, 51);
    g_assert_cmpuint (element_stat (h, "searched"), ==, qos ? 3 : 51); /* at 0, 1 and 2 s */
    g_assert_cmpuint (element_stat (h, "late"), ==, qos ? 48 : 0);

    /* In time again. */
    gst_harness_push_upstream_event (h, gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 1.0, -GST_SECOND, 2 * GST_SECOND));
    push_frame (h, 51);
    g_assert_cmpuint (element_stat (h, "searched"), ==, qos ? 4 : 52);
    /* Upstream would drop what is passed on here. */
    g_assert_cmpuint (count_upstream (h, GST_EVENT_QOS), ==, qos ? 0 : 2);
    gst_harness_push_upstream_event (h, gst_event_new_qos (GST_QOS_TYPE_THROTTLE, 1.0, 0, 2 * GST_SECOND));
    g_assert_cmpuint (count_upstream (h, GST_EVENT_QOS), ==, 1);
    /* It drops frames before they come here; what comes is searched. */
    gst_harness_push_upstream_event (h,
                                     gst_event_new_qos (GST_QOS_TYPE_THROTTLE, 1.0, 10 * GST_SECOND, 2 * GST_SECOND));
    push_frame (h, 52);
    g_assert_cmpuint (element_stat (h, "searched"), ==, qos ? 5 : 53);
    gst_harness_teardown (h);
  }
}

/* A flush and a new segment forget the last detections and drop no frame that follows. */
static void
test_flush (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ interval=100");
  GstSegment segment;
  g_auto (Scene) scene;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  push_frame (h, 0);
  push_frame (h, 1);
  g_assert_cmpuint (pull_detections (h), >, 0);
  g_assert_cmpuint (pull_detections (h), >, 0);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  scene_init (&scene, 192, 128);
  g_assert_cmpint (gst_harness_push (h, element_stamp (element_buffer (&scene, GST_VIDEO_FORMAT_RGB), 0)), ==,
                   GST_FLOW_OK);
  g_assert_cmpuint (pull_detections (h), ==, 0);
  g_assert_cmpuint (element_stat (h, "searched"), ==, 2);
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_teardown (h);
}

/* What is still the same scene is not searched out of turn: frames at another rate, and a segment that says again where
 * the one before it is. */
static void
test_goes_on (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@ interval=100");
  GstSegment segment;

  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  push_frame (h, 0);
  gst_harness_set_src_caps (h, gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
                                                    192, "height", G_TYPE_INT, 128, "framerate", GST_TYPE_FRACTION, 30,
                                                    1, NULL));
  push_frame (h, 1);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.stop = GST_SECOND;
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push_frame (h, 2);
  g_assert_cmpuint (element_stat (h, "searched"), ==, 1);
  segment.base = 3 * FRAME_DURATION;
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push_frame (h, 0);
  g_assert_cmpuint (element_stat (h, "searched"), ==, 2);
  gst_harness_teardown (h);
}

static void
count_buffer (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer count)
{
  g_atomic_int_inc ((gint *) count);
}

/* Plays from start to stop, milliseconds, after a flushing seek. */
static void
seek_and_play (GstElement *pipeline, guint start, guint stop)
{
  g_assert_true (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                   GST_SEEK_TYPE_SET, start * GST_MSECOND, GST_SEEK_TYPE_SET, stop * GST_MSECOND));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_eos (pipeline);
}

/* Every frame of a seek arrives, at once or in the middle of the stream. */
static void
test_seek (void)
{
  g_autoptr (GstElement) pipeline
      = launch ("videotestsrc ! video/x-raw,format=I420,width=96,height=64,framerate=25/1 ! "
                "sppnetdetect model=\"@MODEL@\" interval=4 ! queue ! sppnetoverlay ! "
                "fakesink name=sink signal-handoffs=true");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gint count = 0;

  g_signal_connect (sink, "handoff", G_CALLBACK (count_buffer), &count);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE), ==, GST_STATE_CHANGE_SUCCESS);
  seek_and_play (pipeline, 0, 1200);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 30);
  g_atomic_int_set (&count, 0);
  seek_and_play (pipeline, 200, 600);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 10);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* A live pipeline learns how long a frame takes; another does not wait for it. */
static void
test_latency (void)
{
  GstHarness *h = element_harness ("sppnetdetect model=@MODEL@");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  GstClockTime reported;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_live (h, TRUE);
  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, 5 * GST_MSECOND);
  push_frame (h, 0);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  g_assert_nonnull (message);
  g_assert_cmpuint (gst_harness_query_latency (h), >, 5 * GST_MSECOND);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);

  /* Frames that have nothing to score take no time, and do not count. */
  h = element_harness ("sppnetdetect model=@MODEL@ proposals=regions");
  gst_harness_set_live (h, TRUE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  gst_harness_query_latency (h);
  push (h, 0, TRUE);
  reported = gst_harness_query_latency (h);
  g_assert_cmpuint (reported, >, 0);
  for (guint i = 1; i < 40; i++)
    push_frame (h, i);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, reported);
  gst_harness_teardown (h);

  h = element_harness ("sppnetdetect model=@MODEL@");
  gst_harness_set_live (h, FALSE);
  element_set_caps (h, GST_VIDEO_FORMAT_RGB, 192, 128);
  push_frame (h, 0);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, 0);
  gst_harness_teardown (h);
}

#define TRACED "--traced"
#define LEAKED "object-alive, type-name=(string)Gst" /* not the line that describes such lines */

/* The process that the leaks tracer looks at. */
static int
traced_main (gboolean leak)
{
  g_autoptr (GstElement) pipeline = launch (WHOLE_LINE);

  play_once (pipeline);
  if (leak)
    gst_object_ref (pipeline);
  g_clear_pointer (&pipeline, gst_object_unref);
  element_deinit ();
  gst_deinit ();
  return 0;
}

static gchar *
run_traced (const gchar *program, gboolean leak)
{
  g_auto (GStrv) environment = g_get_environ ();
  const gchar *argv[] = { program, TRACED, leak ? "leak" : "clean", NULL };
  g_autoptr (GError) error = NULL;
  gchar *said = NULL;
  gint status;

  environment = g_environ_setenv (environment, "GST_TRACERS", "leaks", TRUE);
  environment = g_environ_setenv (environment, "GST_DEBUG", "GST_TRACER:7", TRUE);
  environment = g_environ_setenv (environment, "GST_DEBUG_NO_COLOR", "1", TRUE);
  /* The sanitizer would find the leak that is made on purpose, and what gst_deinit() leaves. */
  environment = g_environ_setenv (environment, "ASAN_OPTIONS", "detect_leaks=0", TRUE);
  g_assert_true (
      g_spawn_sync (NULL, (gchar **) argv, environment, G_SPAWN_DEFAULT, NULL, NULL, NULL, &said, &status, &error));
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
  return said;
}

static void
test_leaks (gconstpointer program)
{
  g_autofree gchar *clean = run_traced (program, FALSE), *leak = run_traced (program, TRUE);

  g_assert_nonnull (strstr (leak, LEAKED)); /* the tracer works here */
  if (strstr (clean, LEAKED))
    g_error ("%s", strstr (clean, LEAKED));
}

int
main (int argc, char **argv)
{
  g_autofree gchar *program = g_strdup (argv[0]);

  if (argc == 3 && g_str_equal (argv[1], TRACED)) {
    gboolean leak = g_str_equal (argv[2], "leak");

    element_init (&argc, &argv);
    return traced_main (leak);
  }
  g_test_init (&argc, &argv, NULL);
  element_init (&argc, &argv);
  g_test_add_func ("/gst/lifecycle/cycles", test_cycles);
  g_test_add_func ("/gst/lifecycle/instances", test_instances);
  g_test_add_func ("/gst/lifecycle/shared-model", test_shared_model);
  g_test_add_func ("/gst/lifecycle/late", test_late);
  g_test_add_func ("/gst/lifecycle/flush", test_flush);
  g_test_add_func ("/gst/lifecycle/goes-on", test_goes_on);
  g_test_add_func ("/gst/lifecycle/seek", test_seek);
  g_test_add_func ("/gst/lifecycle/latency", test_latency);
  g_test_add_data_func ("/gst/lifecycle/leaks", program, test_leaks);
  return element_run ();
}
