/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the latency of sppnetdetect is reported again. */
#include "../../gst-plugin/latency.h"

static void
test_steady (void)
{
  GstSppnetLatency latency = { 0 };

  g_assert_true (gst_sppnet_latency_add (&latency, 100 * GST_MSECOND));
  g_assert_cmpuint (latency.reported, ==, 150 * GST_MSECOND);
  for (guint i = 0; i < 100; i++) /* noise of less than a quarter, and now and then a very slow frame */
    g_assert_false (gst_sppnet_latency_add (&latency, i % 10 == 9 ? GST_SECOND : (90 + i % 20) * GST_MSECOND));
  g_assert_cmpuint (latency.reported, ==, 150 * GST_MSECOND);
}

static void
test_moves (void)
{
  GstSppnetLatency latency = { 0 };
  guint reports = 0;

  for (guint i = 0; i < 50; i++)
    gst_sppnet_latency_add (&latency, 100 * GST_MSECOND);
  for (guint i = 0; i < 50; i++)
    reports += gst_sppnet_latency_add (&latency, 300 * GST_MSECOND);
  g_assert_cmpuint (reports, ==, 1);
  g_assert_cmpuint (latency.reported, ==, 450 * GST_MSECOND);
  for (guint i = 0; i < 50; i++)
    reports += gst_sppnet_latency_add (&latency, 0);
  g_assert_cmpuint (reports, ==, 2);
  g_assert_cmpuint (latency.reported, ==, 0);
  for (guint i = 0; i < 50; i++)
    g_assert_false (gst_sppnet_latency_add (&latency, 0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/latency/steady", test_steady);
  g_test_add_func ("/gst/latency/moves", test_moves);
  return g_test_run ();
}
