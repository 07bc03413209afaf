/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/**
 * sppnet_import_darknet:
 * @cfg, @weights: the network description and its float32 values
 * @conv_layers: how many convolution layers to keep, counted from the input; 0: all before the last one
 * @name: name of the new model
 * @output: safetensors file to write; batch normalisation is folded, no head, no labels
 */
gboolean sppnet_import_darknet (const gchar *cfg, const gchar *weights, guint conv_layers, const gchar *name,
                                const gchar *output, SppnetDtype dtype, GError **error);
