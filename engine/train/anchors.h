/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/random.h"
#include "model/config.h"

/**
 * sppnet_anchors_fit:
 * @sizes: [n][2] width and height of objects, above 0
 * @wanted: at most SPPNET_MAX_ANCHORS
 * @anchors: (out): [SPPNET_MAX_ANCHORS][2], small ones first
 *
 * Anchors that objects of these sizes overlap well: k-means with the distance 1 - IoU of boxes with one centre (Redmon,
 * Farhadi 2017). Returns their number, less than wanted where there are fewer different sizes.
 */
guint sppnet_anchors_fit (const gfloat (*sizes)[2], gsize n, guint wanted, SppnetRandom *random, gfloat (*anchors)[2]);
