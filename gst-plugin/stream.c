/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include <string.h>

#include "frame.h"
#include "meta.h"

gboolean
gst_sppnet_stream_open (GstSppnetStream *stream, const gchar *model, const GstSppnetSettings *settings, GError **error)
{
  g_autofree gchar *path = model && *model ? g_strdup (model) : sppnet_model_get_default_path (error);
  g_autoptr (SppnetModel) loaded = path ? sppnet_model_load (path, error) : NULL;

  if (!loaded)
    return FALSE;
  stream->detector = sppnet_detector_new (loaded, &settings->values, error);
  if (!stream->detector)
    return FALSE;
  gst_sppnet_settings_copy (&stream->settings, settings);
  stream->last = g_array_new (FALSE, FALSE, sizeof (SppnetDetection));
  stream->boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  stream->ids = g_array_new (FALSE, FALSE, sizeof (gint));
  stream->new_boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  stream->new_ids = g_array_new (FALSE, FALSE, sizeof (gint));
  return TRUE;
}

static void
forget_refusals (GstSppnetStream *stream)
{
  for (guint i = 0; i < GST_SPPNET_SETTINGS_REFUSABLE; i++)
    g_clear_pointer (&stream->refused[i], g_free);
}

void
gst_sppnet_stream_close (GstSppnetStream *stream)
{
  g_clear_pointer (&stream->detector, sppnet_detector_unref);
  g_clear_pointer (&stream->last, g_array_unref);
  g_clear_pointer (&stream->boxes, g_array_unref);
  g_clear_pointer (&stream->ids, g_array_unref);
  g_clear_pointer (&stream->new_boxes, g_array_unref);
  g_clear_pointer (&stream->new_ids, g_array_unref);
  forget_refusals (stream);
  gst_sppnet_settings_clear (&stream->settings);
}

/* trial is as wanted, and refused: gives what may be to blame its old value, then one after the other its new one. What
 * is refused, and was not for the same reason before, is added to news. */
static void
take_accepted (GstSppnetStream *stream, GstSppnetSettings *trial, const GstSppnetSettings *wanted, GString *news)
{
  for (guint i = 0; i < GST_SPPNET_SETTINGS_REFUSABLE; i++)
    gst_sppnet_settings_take (trial, &stream->settings, gst_sppnet_settings_refusable[i]);
  sppnet_detector_set_settings (stream->detector, &trial->values, NULL);
  for (guint i = 0; i < GST_SPPNET_SETTINGS_REFUSABLE; i++) {
    guint id = gst_sppnet_settings_refusable[i];
    g_autoptr (GError) refusal = NULL;

    gst_sppnet_settings_take (trial, wanted, id);
    if (!sppnet_detector_set_settings (stream->detector, &trial->values, &refusal)) {
      gst_sppnet_settings_take (trial, &stream->settings, id);
      if (g_strcmp0 (refusal->message, stream->refused[i]) != 0)
        g_string_append_printf (news, "%s%s", news->len ? "; " : "", refusal->message);
    }
    g_free (stream->refused[i]);
    stream->refused[i] = refusal ? g_strdup (refusal->message) : NULL;
  }
}

gboolean
gst_sppnet_stream_configure (GstSppnetStream *stream, const GstSppnetSettings *settings, GError **error)
{
  g_auto (GstSppnetSettings) trial = { 0 };
  g_autoptr (GString) news = g_string_new (NULL);

  gst_sppnet_settings_copy (&trial, settings);
  if (sppnet_detector_set_settings (stream->detector, &trial.values, NULL))
    forget_refusals (stream);
  else
    take_accepted (stream, &trial, settings, news);
  gst_sppnet_settings_copy (&stream->settings, &trial);
  if (news->len == 0)
    return TRUE;
  g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS, news->str);
  return FALSE;
}

gboolean
gst_sppnet_stream_refuses (const GstSppnetStream *stream)
{
  for (guint i = 0; i < GST_SPPNET_SETTINGS_REFUSABLE; i++)
    if (stream->refused[i])
      return TRUE;
  return FALSE;
}

/* Keeps the detections: those of the detector end with its next run. */
static gboolean
run (GstSppnetStream *stream, const SppnetFrame *frame, GError **error)
{
  const SppnetDetection *found;
  gsize n;

  if (!sppnet_detector_run (stream->detector, frame, (const SppnetBox *) stream->boxes->data, stream->boxes->len,
                            &found, &n, error))
    return FALSE;
  g_array_append_vals (stream->last, found, (guint) n);
  return TRUE;
}

gboolean
gst_sppnet_stream_search (GstSppnetStream *stream, GstBuffer *buffer, const GstVideoInfo *info, GQuark type,
                          GError **error)
{
  GstVideoFrame mapped;
  SppnetFrame frame;
  gboolean ok;

  g_array_set_size (stream->last, 0);
  g_array_set_size (stream->boxes, 0);
  g_array_set_size (stream->ids, 0);
  gst_sppnet_meta_read_regions (buffer, type, stream->boxes, stream->ids);

  /* Read only: mapping for writing would copy the pixels behind a tee. */
  if (!gst_video_frame_map (&mapped, info, buffer, GST_MAP_READ)) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "the buffer does not hold a %s frame of %dx%d pixels that can be read",
                 gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)), GST_VIDEO_INFO_WIDTH (info),
                 GST_VIDEO_INFO_HEIGHT (info));
    return FALSE;
  }
  ok = gst_sppnet_frame_view (&mapped, info, &frame);
  if (ok)
    ok = run (stream, &frame, error);
  else
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                 "a %s frame of %dx%d pixels cannot be read from a buffer with one of %dx%d",
                 gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)), GST_VIDEO_INFO_WIDTH (info),
                 GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_FRAME_WIDTH (&mapped), GST_VIDEO_FRAME_HEIGHT (&mapped));
  gst_video_frame_unmap (&mapped);
  if (ok)
    gst_sppnet_meta_attach (buffer, info, (const SppnetDetection *) stream->last->data, stream->last->len,
                            (const gint *) stream->ids->data);
  return ok;
}

/* The regions of the frame searched last get the ids of those in the same places on buffer, or 0. */
static void
find_again (GstSppnetStream *stream, GstBuffer *buffer, GQuark type)
{
  g_array_set_size (stream->new_boxes, 0);
  g_array_set_size (stream->new_ids, 0);
  gst_sppnet_meta_read_regions (buffer, type, stream->new_boxes, stream->new_ids);
  for (guint i = 0; i < stream->boxes->len; i++) {
    gint *id = &g_array_index (stream->ids, gint, i);

    *id = 0;
    for (guint k = 0; k < stream->new_boxes->len && *id == 0; k++)
      if (memcmp (&g_array_index (stream->new_boxes, SppnetBox, k), &g_array_index (stream->boxes, SppnetBox, i),
                  sizeof (SppnetBox))
          == 0)
        *id = g_array_index (stream->new_ids, gint, k);
  }
}

void
gst_sppnet_stream_repeat (GstSppnetStream *stream, GstBuffer *buffer, const GstVideoInfo *info, GQuark type)
{
  if (stream->boxes->len > 0)
    find_again (stream, buffer, type);
  gst_sppnet_meta_attach (buffer, info, (const SppnetDetection *) stream->last->data, stream->last->len,
                          (const gint *) stream->ids->data);
}

void
gst_sppnet_stream_forget (GstSppnetStream *stream)
{
  g_array_set_size (stream->last, 0);
  sppnet_detector_forget (stream->detector);
}
