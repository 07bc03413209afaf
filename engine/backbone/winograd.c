/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backbone/winograd.h"

#include <string.h>

#include "base/threads.h"
#include "kernel/kernel.h"

/* Tiles that are worked on together, and how large their cells and products may become to stay in the second-level
 * cache. Processors without vectors of 16 floats have smaller ones. */
#define MOST_TILES 36
#define MOST_TILES_NARROW 24
#define TILES_FLOATS 131072
/* Planes that are a multiple of the page size apart would share the same few sets of the first-level cache. */
#define PLANE_PAD 16

gboolean
sppnet_winograd_supports (const SppnetLayer *layer, gint channels)
{
  return layer->kind == SPPNET_LAYER_CONV && layer->kernel_width == 3 && layer->kernel_height == 3 && layer->stride == 1
         && channels % 16 == 0;
}

gint
sppnet_winograd_rows (const SppnetConvKernels *kernels)
{
  return kernels->winograd->side;
}

/* Cells of a tile's input along an axis. */
static gint
n_cells (const SppnetConvKernels *kernels)
{
  return kernels->winograd->side + 2;
}

gint
sppnet_winograd_planes (const SppnetConvKernels *kernels)
{
  return n_cells (kernels) * n_cells (kernels);
}

gint
sppnet_winograd_tiles (const SppnetConvKernels *kernels, gint channels)
{
  return CLAMP (TILES_FLOATS / (sppnet_winograd_planes (kernels) * (channels + kernels->block)), kernels->pixels,
                kernels->lanes < 16 ? MOST_TILES_NARROW : MOST_TILES);
}

gsize
sppnet_winograd_weights (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels)
{
  return sppnet_winograd_planes (kernels) * sppnet_conv_bias (kernels, layer) * channels;
}

void
sppnet_winograd_pack (const SppnetConvKernels *kernels, const SppnetLayer *layer, gint channels, const gfloat *weight,
                      gfloat *packed)
{
  gsize tap = (gsize) channels * layer->filters;

  for (gint first = 0; first < layer->filters; first += kernels->block) {
    gint count = MIN (layer->filters - first, kernels->block);
    gint width = count > kernels->lanes ? kernels->block : kernels->lanes;
    gsize plane = (gsize) channels * width;

    for (gint i = 0; i < channels; i++)
      kernels->winograd->weights (weight + (gsize) i * layer->filters + first, tap, count, packed + (gsize) i * width,
                                  plane);
    for (gint p = 0; kernels->to_pairs && p < sppnet_winograd_planes (kernels); p++)
      kernels->to_pairs (packed + p * plane, channels, width);
    packed += sppnet_winograd_planes (kernels) * plane;
  }
}

/* Filters that the 1x1 convolution after this one takes at a time: what it reads is then in the second-level cache.
 * Whole blocks. */
#define HANDED_FILTERS 64

/* The scratch memory of a thread, and the group of tiles that it works on. */
typedef struct
{
  const SppnetConv *conv, *then;
  const SppnetRows *in, *out, *then_out; /* then_out: NULL or beside out */
  gint width, height;                    /* of the convolution's output, before pooling */
  gboolean pooled;                       /* as the tiles are stored; with then_out they are not */
  gint side;                             /* of a tile */
  gint per_row;                          /* tiles */
  gint first_y;                          /* of the first tile, in the convolution's output */
  gint pitch;                            /* from a row of tiles to the next, there */
  gfloat *cells;                         /* [planes][n][channels] */
  gfloat *products;                      /* [n][planes][block] */
  gfloat *padded;                        /* [planes][channels] */
  gfloat *partial;                       /* [n][side][side][block] */
  gfloat *handed;                        /* [n][pixels][HANDED_FILTERS] */
  gfloat *sums;                          /* [n][pixels][filters of then] */
  gboolean whole[MOST_TILES];
  SppnetWinogradTile place[MOST_TILES]; /* where a tile's results go: into out, or handed */
  SppnetWinogradTile tiles[MOST_TILES]; /* where they go at first */
} Group;

/* Output pixels of a tile. */
static gint
n_pixels (const SppnetConvKernels *kernels, gboolean pooled)
{
  gint side = kernels->winograd->side / (pooled ? 2 : 1);

  return side * side;
}

gsize
sppnet_winograd_scratch (const SppnetConv *conv, const SppnetWinogradAfter *after)
{
  const SppnetConvKernels *kernels = conv->kernels;
  gboolean pooled = after->pooled && !after->then_out;
  gsize n = sppnet_winograd_tiles (kernels, conv->channels), planes = sppnet_winograd_planes (kernels),
        channels = conv->channels, pixels = n_pixels (kernels, pooled), all = n_pixels (kernels, FALSE);
  gsize size = planes * (n * channels + PLANE_PAD) + n * (planes * kernels->block + PLANE_PAD) + planes * channels
               + n * all * kernels->block;

  if (after->then)
    size += n * pixels * (HANDED_FILTERS + after->then->layer->filters);
  return (size + 15) / 16 * 16; /* whole cache lines */
}

static void
group_init (Group *group, gfloat *scratch)
{
  const SppnetConvKernels *kernels = group->conv->kernels;
  gsize n = sppnet_winograd_tiles (kernels, group->conv->channels), planes = sppnet_winograd_planes (kernels),
        channels = group->conv->channels;

  group->side = kernels->winograd->side;
  group->cells = scratch;
  group->products = group->cells + planes * (n * channels + PLANE_PAD);
  group->padded = group->products + n * (planes * kernels->block + PLANE_PAD);
  group->partial = group->padded + planes * channels;
  group->handed = group->partial + n * n_pixels (kernels, FALSE) * kernels->block;
  group->sums = group->handed + n * n_pixels (kernels, group->pooled) * HANDED_FILTERS;
}

/* First pixel of a tile in the convolution's output. */
static void
tile_place (const Group *group, gsize tile, gint *x, gint *y)
{
  *x = (gint) (tile % group->per_row) * group->side;
  *y = group->first_y + (gint) (tile / group->per_row) * group->pitch;
}

/* The cells under a tile at the side of the map, with zeros beside the map. */
static void
pad_cells (const Group *group, gint ix, gint iy)
{
  const SppnetRows *in = group->in;
  gint n = n_cells (group->conv->kernels), left = CLAMP (-ix, 0, n), right = CLAMP (in->width - ix, left, n);

  memset (group->padded, 0, sizeof (gfloat) * n * n * in->channels);
  for (gint y = MAX (-iy, 0); y < MIN (n, in->height - iy); y++)
    if (right > left)
      memcpy (group->padded + (y * n + left) * in->channels,
              sppnet_rows_at (in, iy + y) + (gsize) (ix + left) * in->channels,
              sizeof (gfloat) * (right - left) * in->channels);
}

static void
input_tile (const Group *group, gint i, gsize tile, gsize plane)
{
  const SppnetRows *in = group->in;
  gsize pixel = in->channels, row = (gsize) in->width * in->channels;
  gint ix, iy, n = n_cells (group->conv->kernels);
  const gfloat *from = group->padded;

  tile_place (group, tile, &ix, &iy);
  ix -= group->conv->layer->pad_x;
  iy -= group->conv->layer->pad_y;
  if (ix >= 0 && iy >= 0 && ix + n <= in->width && iy + n <= in->height) {
    from = sppnet_rows_at (in, iy) + (gsize) ix * in->channels;
  } else {
    pad_cells (group, ix, iy);
    row = n * pixel;
  }
  group->conv->kernels->winograd->input (from, pixel, row, in->channels, group->cells + i * pixel, plane);
}

/* Where a tile goes. What is handed on may have pixels beside the map; those of the map have not, and maxima must not
 * be of such: these tiles go through memory of their own. */
static void
place_tile (Group *group, gint i, gsize tile)
{
  const SppnetRows *out = group->out;
  const SppnetConvKernels *kernels = group->conv->kernels;
  gint x, y, shrink = group->pooled ? 2 : 1, side = group->side;

  tile_place (group, tile, &x, &y);
  if (group->then)
    group->place[i] = (SppnetWinogradTile) { group->handed + i * n_pixels (kernels, group->pooled) * HANDED_FILTERS,
                                             side / shrink * HANDED_FILTERS, HANDED_FILTERS, group->pooled };
  else
    group->place[i] = (SppnetWinogradTile) { sppnet_rows_at (out, y / shrink) + (gsize) (x / shrink) * out->channels,
                                             (gsize) out->width * out->channels, out->channels, group->pooled };
  group->whole[i] = (x + side <= group->width && y + side <= group->height) || (group->then && !group->pooled);
}

/* Where a tile's filters of a block go, of the filters that the place has. */
static void
aim_tile (Group *group, gint i, gint filter)
{
  gsize block = group->conv->kernels->block, side = group->side;

  group->tiles[i] = group->place[i];
  group->tiles[i].out += filter;
  if (!group->whole[i])
    group->tiles[i] = (SppnetWinogradTile) { group->partial + i * side * side * block, side * block, block, FALSE };
}

/* Copies what lies on the map of a tile's count filters to its place, from filter on. */
static void
copy_partial (const Group *group, gint i, gsize tile, gint filter, gint count)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  const SppnetWinogradTile *from = &group->tiles[i], *place = &group->place[i];
  gint x0, y0, shrink = group->pooled ? 2 : 1;

  tile_place (group, tile, &x0, &y0);
  for (gint y = 0; y < MIN (group->side, group->height - y0); y++)
    for (gint x = 0; x < MIN (group->side, group->width - x0); x++) {
      const gfloat *cell = from->out + y * from->row + x * from->pixel;
      gfloat *to = place->out + y / shrink * place->row + x / shrink * place->pixel + filter;

      if ((x0 + x) / shrink >= group->out->width || (y0 + y) / shrink >= group->out->height)
        continue;
      if (x % shrink || y % shrink)
        kernels->max_into (to, cell, count);
      else
        memcpy (to, cell, sizeof *to * count);
    }
}

/* The 2x2 maxima of count filters of n tiles, from those that are handed on, to filter on of the output. */
static void
pool_handed (const Group *group, gsize first, gint n, gint filter, gint count)
{
  const SppnetRows *out = group->out;
  gint side = group->side, x0, y0;

  for (gint i = 0; i < n; i++) {
    const SppnetWinogradTile *place = &group->place[i];

    tile_place (group, first + i, &x0, &y0);
    for (gint y = 0; y < side && (y0 + y) / 2 < out->height; y += 2)
      for (gint x = 0; x < side && (x0 + x) / 2 < out->width; x += 2) {
        /* At the end of an odd map, the same cells twice. */
        gsize right = x0 + x + 1 < group->width ? place->pixel : 0, below = y0 + y + 1 < group->height ? place->row : 0;
        const gfloat *cell = place->out + y * place->row + x * place->pixel;
        const gfloat *const cells[] = { cell, cell + right, cell + below, cell + below + right };

        sppnet_kernels ()->max_cells (sppnet_rows_at (out, (y0 + y) / 2) + (gsize) ((x0 + x) / 2) * out->channels
                                          + filter,
                                      cells, G_N_ELEMENTS (cells), (gsize) count);
      }
  }
}

/* Copies what lies on the map of the sums of n tiles to it. */
static void
copy_sums (const Group *group, gsize first, gint n)
{
  const SppnetRows *out = group->then_out ? group->then_out : group->out;
  gint shrink = group->pooled ? 2 : 1, side = group->side / shrink, x0, y0;

  for (gint i = 0; i < n; i++) {
    const gfloat *from = group->sums + (gsize) i * side * side * out->channels;

    tile_place (group, first + i, &x0, &y0);
    x0 /= shrink;
    y0 /= shrink;
    for (gint y = 0; y < MIN (side, out->height - y0); y++)
      memcpy (sppnet_rows_at (out, y0 + y) + (gsize) x0 * out->channels, from + (gsize) y * side * out->channels,
              sizeof *from * MIN (side, out->width - x0) * out->channels);
  }
}

/* Tiles first .. first + n - 1 of the call's rows. */
static void
run_group (Group *group, gsize first, gint n)
{
  const SppnetConv *conv = group->conv, *then = group->then;
  gint block_filters = conv->kernels->block, filters = conv->layer->filters,
       planes = sppnet_winograd_planes (conv->kernels), width = then ? HANDED_FILTERS : filters;
  SppnetWinogradBlock block = { .cells = group->cells,
                                .cells_plane = (gsize) n * conv->channels + PLANE_PAD,
                                .channels = conv->channels,
                                .slope = sppnet_layer_slope (conv->layer),
                                .products = group->products,
                                .products_tile = (gsize) planes * block_filters + PLANE_PAD,
                                .tiles = group->tiles };

  for (gint i = 0; i < n; i++) {
    input_tile (group, i, first + i, block.cells_plane);
    place_tile (group, i, first + i);
  }
  for (gint filter = 0; filter < filters; filter += block_filters) {
    gint offset = filter % width, count = MIN (block_filters, filters - filter), end = filter + count;

    for (gint i = 0; i < n; i++)
      aim_tile (group, i, offset);
    block.weight = conv->winograd + (gsize) filter * planes * conv->channels;
    block.bias = conv->bias + filter;
    block.filters = filters - filter;
    conv->kernels->winograd->block (&block, n);
    for (gint i = 0; i < n; i++)
      if (!group->whole[i])
        copy_partial (group, i, first + i, offset, count);
    if (!then || (offset + block_filters < width && end < filters))
      continue;
    if (group->then_out)
      pool_handed (group, first, n, filter - offset, end - (filter - offset));
    sppnet_conv_pointwise_add (then, group->handed, width, filter - offset, end,
                               (gsize) n * n_pixels (conv->kernels, group->pooled), group->sums);
  }
  if (then)
    copy_sums (group, first, n);
}

/* all: what the groups have in common; rows: of tiles. */
static void
run_groups (const Group *all, gint rows, guint threads, gfloat *scratch, gsize scratch_size)
{
  gsize most = sppnet_winograd_tiles (all->conv->kernels, all->conv->channels);
  gsize total = (gsize) all->per_row * (gsize) rows,
        n_groups = ((total + most - 1) / most + threads - 1) / threads * threads;

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gsize g = 0; g < n_groups; g++) {
    gsize first = g * total / n_groups, end = (g + 1) * total / n_groups;
    Group group = *all;

    group_init (&group, scratch + sppnet_thread_index () * scratch_size);
    if (end > first)
      run_group (&group, first, (gint) (end - first));
  }
}

void
sppnet_winograd_run (const SppnetConv *conv, const SppnetWinogradAfter *after, const SppnetRows *in,
                     const SppnetRows *out, gint y0, gint y1, guint threads, gfloat *scratch)
{
  gint width = sppnet_layer_output_width (conv->layer, in->width);
  gint height = sppnet_layer_output_height (conv->layer, in->height);
  gint first_y = after->pooled ? 2 * y0 : y0, end_y = after->pooled ? MIN (2 * y1, height) : y1;
  gint side = conv->kernels->winograd->side;
  Group group = { .conv = conv,
                  .then = after->then,
                  .in = in,
                  .out = out,
                  .then_out = after->then_out,
                  .width = width,
                  .height = height,
                  .pooled = after->pooled && !after->then_out,
                  .per_row = (width + side - 1) / side,
                  .first_y = first_y,
                  .pitch = side };

  /* Pooling may leave out an odd map's last row. */
  if (after->then_out && y1 == out->height)
    end_y = height;
  run_groups (&group, (end_y - first_y + side - 1) / side, threads, scratch, sppnet_winograd_scratch (conv, after));
}

void
sppnet_winograd_run_apart (const SppnetConv *conv, const SppnetRows *in, const SppnetRows *out, gint pitch,
                           guint threads, gfloat *scratch)
{
  gint side = conv->kernels->winograd->side;
  Group group = { .conv = conv,
                  .in = in,
                  .out = out,
                  .width = out->width,
                  .height = out->height,
                  .per_row = (out->width + side - 1) / side,
                  .pitch = pitch };

  run_groups (&group, out->height / pitch, threads, scratch,
              sppnet_winograd_scratch (conv, &(SppnetWinogradAfter) { 0 }));
}
