/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/memory.h"
#include "model/config.h"

/* What one layer does to rows of a map: shared by the backbone, which sees a band at a time, and by training, which
 * sees whole maps. */

/* Some rows of a map that is height rows high: data holds rows first .. end - 1, [end - first][width][channels]. */
typedef struct
{
  gfloat *data;
  gint first, end;
  gint width, height, channels;
} SppnetRows;

static inline gfloat *
sppnet_rows_at (const SppnetRows *rows, gint y)
{
  return rows->data + (gssize) (y - rows->first) * rows->width * rows->channels;
}

/* Size of the output along an axis of length cells; 0 when the kernel does not fit. LRN keeps the size, as merge keeps
 * that of the finer map. */
gint sppnet_layer_output_width (const SppnetLayer *layer, gint width);
gint sppnet_layer_output_height (const SppnetLayer *layer, gint height);

typedef struct
{
  gint width, height, channels;
} SppnetShape;

/* shapes: [n_layers + 1], of the maps before layer 0, 1, ... and of the last one, for a frame of width x height.
 * Returns the first layer that has no output, where it stops, or n_layers. */
guint sppnet_config_shapes (const SppnetConfig *config, gint width, gint height, SppnetShape *shapes);

/* The input rows that output row y needs: [*first, *end), not clipped to the map. */
void sppnet_layer_input_rows (const SppnetLayer *layer, gint y, gint *first, gint *end);

/* Floats of scratch memory that sppnet_layer_run() needs per thread. */
gsize sppnet_layer_scratch (const SppnetLayer *layer, gint channels);

/**
 * sppnet_layer_run:
 * @weight: packed [ky][kx][in][out] (convolution)
 * @bias: [out] (convolution)
 * @in: must hold every row within the map that the output rows need
 * @out: rows y0 .. y1 - 1 are written
 * @scratch: [threads][sppnet_layer_scratch()]
 *
 * Convolution is a matrix product over strips of im2col rows small enough for the second-level cache. Not for merge,
 * which has two inputs.
 */
void sppnet_layer_run (const SppnetLayer *layer, const gfloat *weight, const gfloat *bias, const SppnetRows *in,
                       const SppnetRows *out, gint y0, gint y1, guint threads, gfloat *scratch);

/**
 * sppnet_merge_run:
 * @weight: packed [channels of @fine][filters]
 * @coarse, @fine: the layer's input, and what it adds to it; must hold the rows y0 .. y1 - 1 need
 */
void sppnet_merge_run (const SppnetLayer *layer, const gfloat *weight, const gfloat *bias, const SppnetRows *coarse,
                       const SppnetRows *fine, const SppnetRows *out, gint y0, gint y1, guint threads);

/* Row y of a merge's output becomes that of the coarse map under it, each cell repeated. */
void sppnet_merge_repeat (const SppnetLayer *layer, const SppnetRows *coarse, const SppnetRows *out, gint y);

/* Adds the coarse map to rows y0 .. y1 - 1 of a merge's output, which hold what the finer map gives. */
void sppnet_merge_add_run (const SppnetLayer *layer, const SppnetRows *coarse, const SppnetRows *out, gint y0, gint y1,
                           guint threads);

/* Of the activation of a layer with weights: y = x < 0 ? slope * x : x. */
gfloat sppnet_layer_slope (const SppnetLayer *layer);

/* Output pixels per im2col strip, and one strip: col [n][ky][kx][in] for output pixels pixel .. pixel + n - 1 of the
 * map (row-major). The inverse adds the strip back into the input's rows. */
gint sppnet_conv_strip (const SppnetLayer *layer, gint channels);
void sppnet_im2col (const SppnetLayer *layer, const SppnetRows *in, gint out_width, gsize pixel, gint n, gfloat *col);
void sppnet_col2im (const SppnetLayer *layer, const gfloat *col, gint out_width, gsize pixel, gint n,
                    const SppnetRows *in);
/* Max pooling of 2x2 cells that do not overlap and have no padding. */
gboolean sppnet_layer_is_max_2x2 (const SppnetLayer *layer);
/* A 1x1 convolution of stride 1: the input rows are their own im2col matrix. */
gboolean sppnet_conv_is_pointwise (const SppnetLayer *layer);

/* The cells under a pooling window that lie inside the map, along one axis: the first and one past the last. start: of
 * the window, may be in the padding. */
void sppnet_pool_range (gint start, gint kernel, gint length, gint *first, gint *end);

/* alpha / n of a normalisation layer. */
gfloat sppnet_lrn_alpha (const SppnetLayer *layer);

/* File order [out][in][y][x] <-> packed order [y][x][in][out]. */
void sppnet_conv_pack (const SppnetLayer *layer, gint channels, const gfloat *file, gfloat *packed);
void sppnet_conv_unpack (const SppnetLayer *layer, gint channels, const gfloat *packed, gfloat *file);
