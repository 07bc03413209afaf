/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tests of the elements share: the plugin under test, a model whose answers are known, frames of any format. */
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "../engine/detect/scene.h"

#define FRAME_DURATION (40 * GST_MSECOND)

static gchar *element_folder;
static gchar *element_model;

/* Path of a file in a folder that ends with the test. (transfer full) */
static inline gchar *
element_file (const gchar *name)
{
  return g_build_filename (element_folder, name, NULL);
}

static inline void
element_write_model (const gchar *path)
{
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  scene_config (&config);
  config.proposals = SPPNET_PROPOSALS_GRID;
  tiny_model_save (path, &config, scene_fill, NULL, &error);
  g_assert_no_error (error);
}

/* Loads the plugin by its path, so that no other that is installed is tested by mistake, and no scanner runs. */
static inline void
element_init (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = NULL;

  gst_init (argc, argv);
  plugin = gst_plugin_load_file (PLUGIN_FILE, &error);
  g_assert_no_error (error);
  element_folder = g_dir_make_tmp ("sppnet-gst-XXXXXX", &error);
  g_assert_no_error (error);
  element_model = element_file ("scene.safetensors");
  element_write_model (element_model);
}

static inline void
element_deinit (void)
{
  g_autoptr (GDir) folder = g_dir_open (element_folder, 0, NULL);
  const gchar *name;

  while (folder && (name = g_dir_read_name (folder))) {
    g_autofree gchar *path = element_file (name);

    g_remove (path);
  }
  g_rmdir (element_folder);
  g_clear_pointer (&element_folder, g_free);
  g_clear_pointer (&element_model, g_free);
}

static inline int
element_run (void)
{
  int result = g_test_run ();

  element_deinit ();
  return result;
}

static inline GstCaps *
element_caps (GstVideoFormat format, gint width, gint height)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, gst_video_format_to_string (format), "width",
                              G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 25, 1,
                              NULL);
}

/* A red square at 16,16 of 64x64 pixels on black, and with_green one of 64x64 at 96,32. */
static inline void
element_scene (Scene *scene, gint width, gint height, gboolean with_green)
{
  scene_init (scene, width, height);
  scene_draw (scene, 16, 16, 64, 64, 255, 0);
  if (with_green)
    scene_draw (scene, 96, 32, 64, 64, 0, 255);
}

static inline GstBuffer *
element_rgb_buffer (const Scene *scene, GstVideoInfo *info)
{
  GstVideoFrame frame;
  GstBuffer *buffer;

  gst_video_info_set_format (info, GST_VIDEO_FORMAT_RGB, (guint) scene->width, (guint) scene->height);
  info->fps_n = 25;
  info->fps_d = 1;
  buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < scene->height; y++)
    memcpy ((guint8 *) frame.data[0] + (gsize) y * (gsize) frame.info.stride[0],
            scene->rgb + (gsize) y * (gsize) scene->width * 3, (gsize) scene->width * 3);
  gst_video_frame_unmap (&frame);
  return buffer;
}

/* The scene in any format, as GStreamer converts it. (transfer full) */
static inline GstBuffer *
element_buffer (const Scene *scene, GstVideoFormat format)
{
  GstVideoInfo from, to;
  g_autoptr (GstBuffer) rgb = element_rgb_buffer (scene, &from);
  g_autoptr (GstCaps) caps = element_caps (format, scene->width, scene->height);
  GstVideoConverter *converter;
  GstVideoFrame in, out;
  GstBuffer *buffer;

  /* As the elements see it: the default colour matrix depends on the size. */
  g_assert_true (gst_video_info_from_caps (&to, caps));
  buffer = gst_buffer_new_allocate (NULL, to.size, NULL);
  converter = gst_video_converter_new (&from, &to, NULL);
  g_assert_true (gst_video_frame_map (&in, &from, rgb, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&out, &to, buffer, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_converter_free (converter);
  return buffer;
}

static inline GstBuffer *
element_stamp (GstBuffer *buffer, guint frame)
{
  GST_BUFFER_PTS (buffer) = frame * FRAME_DURATION;
  GST_BUFFER_DURATION (buffer) = FRAME_DURATION;
  return buffer;
}

/* The element, or bin, of a launch line; @MODEL@ is the model's path. */
static inline GstHarness *
element_harness (const gchar *line)
{
  g_auto (GStrv) parts = g_strsplit (line, "@MODEL@", -1);
  g_autofree gchar *full = g_strjoinv (element_model, parts);

  return gst_harness_new_parse (full);
}

static inline void
element_set_caps (GstHarness *h, GstVideoFormat format, gint width, gint height)
{
  gst_harness_set_src_caps (h, element_caps (format, width, height));
}

/* The regions of interest on a buffer that are detections by their parameter. (transfer container) */
static inline GPtrArray *
element_detections (GstBuffer *buffer)
{
  GPtrArray *found = g_ptr_array_new ();
  gpointer state = NULL, meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)))
    if (gst_video_region_of_interest_meta_get_param (meta, "detection"))
      g_ptr_array_add (found, meta);
  return found;
}

static inline gdouble
element_confidence (gpointer region)
{
  gdouble confidence = -1;

  gst_structure_get_double (gst_video_region_of_interest_meta_get_param (region, "detection"), "confidence",
                            &confidence);
  return confidence;
}

static inline SppnetBox
element_box (gpointer region)
{
  const GstVideoRegionOfInterestMeta *meta = region;

  return (SppnetBox) { meta->x, meta->y, meta->w, meta->h };
}

static inline const gchar *
element_label (gpointer region)
{
  return g_quark_to_string (((const GstVideoRegionOfInterestMeta *) region)->roi_type);
}

/* Pushes a frame and returns it as it came out. (transfer full) */
static inline GstBuffer *
element_push (GstHarness *h, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  return gst_harness_pull (h);
}

/* A number of sppnetdetect's statistics. */
static inline guint64
element_stat (GstHarness *h, const gchar *field)
{
  g_autoptr (GstElement) element = gst_harness_find_element (h, "sppnetdetect");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}
