/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <sppnet/error.h>

/* Posts the engine's error as the element error of the same meaning: NOT_FOUND -> RESOURCE/NOT_FOUND, READ and CORRUPT
 * -> RESOURCE/READ, VERSION, SETTINGS and UNSUPPORTED -> LIBRARY/SETTINGS, others -> LIBRARY/FAILED. The text is the
 * engine's, which names file and reason. */
void gst_sppnet_post_start_error (GstElement *element, const GError *error);
