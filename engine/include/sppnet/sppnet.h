/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * SECTION: libsppnet, object detection with spatial pyramid pooling
 *
 * A complete program; pixels is an RGB picture of any size, rows packed:
 *
 * |[
 * g_autoptr (GError) error = NULL;
 * g_autoptr (SppnetModel) model = sppnet_model_load ("voc20.safetensors", &error);
 * g_autoptr (SppnetDetector) detector = model ? sppnet_detector_new (model, NULL, &error) : NULL;
 * SppnetFrame frame = { SPPNET_PIXEL_FORMAT_RGB, width, height, { pixels }, { width * 3 } };
 * const SppnetDetection *found;
 * gsize n;
 *
 * if (!detector || !sppnet_detector_run (detector, &frame, NULL, 0, &found, &n, &error))
 *   g_error ("%s", error->message);
 * for (gsize i = 0; i < n; i++)
 *   g_print ("%s %.2f at %.0f,%.0f %.0fx%.0f\n", found[i].label, found[i].confidence, found[i].box.x,
 *            found[i].box.y, found[i].box.width, found[i].box.height);
 * ]|
 */
#include <sppnet/box.h>
#include <sppnet/detector.h>
#include <sppnet/error.h>
#include <sppnet/frame.h>
#include <sppnet/model.h>
