/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/winograd.h"
#include "kernel/winograd_tile.h"

/* Winograd's minimal filtering F(SIDE x SIDE, 3x3) in single precision, as the table PART of its level, for a file that
 * names both. */
#if defined(PART)

/* Floats of weights to fetch early: a group of tiles goes through all of them, which are more than caches hold, and
 * what fetches memory ahead in processors stops at the end of each page. */
#define AHEAD 4096

INLINE void
add_products (const SppnetWinogradBlock *block, gint plane, gint first, const gint n, const gint vectors, Vector *low,
              Vector *high)
{
  tile_add (block->cells + plane * block->cells_plane + first * block->channels, block->channels, 0, 1, block->channels,
            block->weight + (gsize) plane * block->channels * vectors * LANES, AHEAD, n, vectors, low, high);
}

#define ADD_PRODUCTS add_products
#include "kernel/winograd_block.h"

const SppnetWinogradKernels WINOGRAD_NAME (PART, SPPNET_LEVEL)
    = { .side = SIDE, .input = input_tile, .block = run_block, .weights = weights_tile };

#endif
