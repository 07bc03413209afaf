/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the similarity of two regions adds up (Uijlings et al., section 3.2); each part is 0..1. */
typedef enum
{
  SPPNET_SIMILARITY_COLOUR = 1 << 0,  /* intersection of the colour histograms */
  SPPNET_SIMILARITY_TEXTURE = 1 << 1, /* intersection of the texture histograms */
  SPPNET_SIMILARITY_SIZE = 1 << 2,    /* small regions first */
  SPPNET_SIMILARITY_FILL = 1 << 3,    /* regions that fill each other's gaps first */
} SppnetSimilarity;

#define SPPNET_COLOUR_BINS 25
#define SPPNET_TEXTURE_ORIENTATIONS 8
#define SPPNET_TEXTURE_MAGNITUDES 10
#define SPPNET_TEXTURE_BINS (SPPNET_TEXTURE_ORIENTATIONS * SPPNET_TEXTURE_MAGNITUDES)

/* Pixels, both ends inclusive. */
typedef struct
{
  guint16 x0, y0, x1, y1;
} SppnetExtent;

typedef struct
{
  SppnetExtent extent;
  guint32 size; /* pixels */
} SppnetRegion;

/* Layout of one region's histograms: [colour | padding | texture], each part with a sum of 1; the sizes are whole
 * vectors. */
typedef struct
{
  guint channels;
  guint texture; /* index of the first texture bin */
  guint length;
} SppnetHistogramLayout;

SppnetHistogramLayout sppnet_histogram_layout (guint channels);

/* in: [pixels], 0..255; out: [pixels], 0..24 */
void sppnet_colour_codes (const guint8 *in, gsize pixels, guint8 *out);

/* in: one channel smoothed with sigma .8, whose central differences are derivatives of a Gaussian of sigma 1;
 * out: [height][width], orientation * 10 + magnitude, 0..79 */
void sppnet_texture_codes (const gfloat *in, gint width, gint height, guint8 *out);

/**
 * sppnet_histograms_count:
 * @codes: [2][channels][pixels], colour, then texture
 * @labels: [height][width]
 * @counts: scratch, [n_regions][layout length]
 * @regions: (out): [n_regions]
 * @histograms: (out): [n_regions][layout length]; may be @counts
 */
void sppnet_histograms_count (const SppnetHistogramLayout *layout, const guint8 *codes, const guint32 *labels,
                              gint width, gint height, guint n_regions, guint32 *counts, SppnetRegion *regions,
                              gfloat *histograms);

/* The histogram of the union of two regions: the mean weighted by their sizes. out may be a or b. */
void sppnet_histogram_merge (const gfloat *a, guint32 size_a, const gfloat *b, guint32 size_b, guint length,
                             gfloat *out);

SppnetExtent sppnet_extent_union (SppnetExtent a, SppnetExtent b);

/* measures: SppnetSimilarity flags; a_histogram, b_histogram: [layout length], unused without COLOUR and TEXTURE */
gfloat sppnet_similarity (guint measures, const SppnetHistogramLayout *layout, const SppnetRegion *a,
                          const gfloat *a_histogram, const SppnetRegion *b, const gfloat *b_histogram, guint32 pixels);
