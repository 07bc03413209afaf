/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "errors.h"

void
gst_sppnet_post_start_error (GstElement *element, const GError *error)
{
  switch (error->domain == SPPNET_ERROR ? error->code : -1) {
  case SPPNET_ERROR_NOT_FOUND:
    GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND, ("%s", error->message),
                       ("set the property \"model\", or the environment variable SPPNET_MODEL_PATH"));
    break;
  case SPPNET_ERROR_READ:
  case SPPNET_ERROR_CORRUPT:
    GST_ELEMENT_ERROR (element, RESOURCE, READ, ("%s", error->message), (NULL));
    break;
  case SPPNET_ERROR_VERSION:
  case SPPNET_ERROR_SETTINGS:
  case SPPNET_ERROR_UNSUPPORTED:
    GST_ELEMENT_ERROR (element, LIBRARY, SETTINGS, ("%s", error->message), (NULL));
    break;
  default:
    GST_ELEMENT_ERROR (element, LIBRARY, FAILED, ("%s", error->message), (NULL));
    break;
  }
}
