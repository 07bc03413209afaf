/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>

#include "detect.h"
#include "meta.h"
#include "overlay.h"
#include "publish.h"

/* Nothing heavy here: the plugin scanner runs it. Models are loaded when an element starts. */
static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_sppnet_meta_register ();
  return GST_ELEMENT_REGISTER (sppnetdetect, plugin) && GST_ELEMENT_REGISTER (sppnetoverlay, plugin)
         && GST_ELEMENT_REGISTER (sppnetpublish, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, sppnet,
                   "Object detection with spatial pyramid pooling: sppnetdetect, sppnetoverlay, sppnetpublish",
                   plugin_init, SPPNET_VERSION, "LGPL", "gst-sppnet", "https://arxiv.org/abs/1406.4729")
