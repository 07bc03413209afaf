/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/**
 * sppnet_export_onnx:
 * @width, @height: the only size of frames that the graph takes; 0: any. Some programs need the former.
 * @path: file to write
 *
 * Writes the backbone of a model as an ONNX graph (operator set 13). Its input "input" [1][3][height][width] is the
 * network's input, pixels normalised and in the channel order that the model's configuration says (and the file's
 * metadata repeats); its output "map" [1][channels][height][width] is the feature map. UNSUPPORTED for a layer that
 * ONNX has no operator for.
 */
gboolean sppnet_export_onnx (SppnetModel *model, gint width, gint height, const gchar *path, GError **error);
