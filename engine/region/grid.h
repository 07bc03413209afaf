/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "region/ranking.h"

/* Sliding windows of several sizes and shapes, largest first, ending with the ranking finished: at most max_boxes. */
gboolean sppnet_grid_run (SppnetRanking *ranking, gint width, gint height, guint max_boxes, GError **error);
