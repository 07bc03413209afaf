/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backbone/map.h"
#include "model/config.h"
#include "region/window.h"

/* Spatial pyramid pooling as it is defined, for training and as the measure of the detector's (pooling/pooler.h).
 *
 * Pooled vectors are [regions][bins][channels] with bins level-major, then y, then x: the channels of one bin lie
 * together, as in the map. Model files use the paper's order (level, channel, y, x); sppnet_pooled_from_file_order()
 * says which is which. */

/* The first and one past the last cell of bin i of n over length cells: floor (i * length / n), ceil ((i + 1) * length
 * / n). Never empty for length >= 1 (paper, test-time rule). */
static inline void
sppnet_bin_range (gint i, gint n, gint length, gint *first, gint *end)
{
  *first = i * length / n;
  *end = ((i + 1) * length + n - 1) / n;
}

/**
 * sppnet_pool_regions:
 * @map: feature map
 * @config: pooling rule and levels
 * @boxes: [n] regions in pixels of the frame
 * @out: [n][bins][channels]
 *
 * Max-pools each region into a vector of fixed length: spatial pyramid pooling (He et al., section 2.2 and appendix) or
 * RoI pooling (Girshick 2015, section 2.1).
 */
void sppnet_pool_regions (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *boxes, gsize n,
                          guint threads, gfloat *out);

/* Eight levels of 32 x 32 are the most that a configuration may ask for. */
#define SPPNET_MAX_LEVEL 32
#define SPPNET_MAX_BINS (SPPNET_MAX_LEVELS * SPPNET_MAX_LEVEL * SPPNET_MAX_LEVEL)

/* The cells of a bin along one axis: the first and one past the last; none where they are equal. */
typedef struct
{
  gint first, end;
} SppnetRange;

/* The cells of a region; those of RoI pooling may lie beyond the map. Of the map only size and geometry are read. */
SppnetWindow sppnet_region_window (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box);

/* A level's window of a region with this one: the same, or a larger one around it, on the map. */
SppnetWindow sppnet_level_window (const SppnetMap *map, const SppnetConfig *config, guint level,
                                  const SppnetWindow *window);

/* The columns and the rows of the level x level bins of a window, as far as they are on the map. x, y: [level] */
void sppnet_window_ranges (const SppnetMap *map, const SppnetWindow *window, gint level, SppnetRange *x,
                           SppnetRange *y);

/* The cells of each bin of one region, [bins]; here x1 and y1 are one past the last cell, and a bin of RoI pooling that
 * lies outside the map is empty. */
void sppnet_region_bins (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box, SppnetWindow *bins);

/* What a region's box regression starts from: the region, or the cells pooled for it, see config->box_from. Of the map
 * only size and geometry are read. */
SppnetBox sppnet_region_base (const SppnetMap *map, const SppnetConfig *config, const SppnetBox *box);

/* One level of a pyramid, and what its maxima are taken of. */
typedef struct
{
  guint level; /* number in the configuration */
  gint source; /* number of a finer level, computed before, in whose bins those of this one nest; -1: the map */
  gsize first, source_first; /* where the bins of both begin */
} SppnetPyramidStep;

/* The order in which the levels are computed; steps: [n_levels]. Bin i of n is the union of bins i r .. i r + r - 1 of
 * n r. */
void sppnet_pyramid_plan (const SppnetConfig *config, SppnetPyramidStep *steps);

/* index[i]: place in the engine's order of element i of the file's order. [bins * channels] */
void sppnet_pooled_from_file_order (const SppnetConfig *config, guint32 *index);
/* The same for what the region layers give: [bins of their level][channels] in the engine, (channel, y, x) in the file.
 * [sppnet_config_region_features()] */
void sppnet_region_features_from_file_order (const SppnetConfig *config, guint32 *index);
