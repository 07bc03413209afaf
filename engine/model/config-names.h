/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/config.h"

#define SPPNET_FORMAT_VERSION 1
#define SPPNET_MAX_OUTPUTS 65536

/* What the values of enumerations are called in model files; indexed by the value. */
static const gchar *const sppnet_layer_names[] = { "conv", "maxpool", "avgpool", "lrn", "merge" };
static const gchar *const sppnet_activation_names[] = { "linear", "relu", "leaky" };
static const gchar *const sppnet_pooling_names[] = { "spp", "roi" };
static const gchar *const sppnet_classifier_names[] = { "softmax", "svm" };
static const gchar *const sppnet_box_names[] = { "none", "pooled", "head" };
static const gchar *const sppnet_box_from_names[] = { "region", "window" };
/* NULL: a file says which method it recommends, so "default" is none. */
static const gchar *const sppnet_proposal_names[]
    = { NULL, "selective-search", "selective-search-quality", "edge-boxes", "grid", "regions", "rpn", "auto" };
