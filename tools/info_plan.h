/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* Prints how the layers of a model run on a frame of this size, and how long each is expected to take. UNSUPPORTED for
 * a size on which a layer has no output. */
gboolean sppnet_tool_info_plan (SppnetModel *model, gint width, gint height, gboolean json, GError **error);
