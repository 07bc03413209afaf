/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/conv.h"

/* What kernel/winograd.c adds to the table of its level. */
#define WINOGRAD_NAME_(part, level) sppnet_winograd_##part##_##level
#define WINOGRAD_NAME(part, level) WINOGRAD_NAME_ (part, level)

void WINOGRAD_NAME (input, SPPNET_LEVEL) (const gfloat *in, gsize in_pixel, gsize in_row, gint channels, gfloat *out,
                                          gsize out_plane);
void WINOGRAD_NAME (block, SPPNET_LEVEL) (const SppnetWinogradBlock *block, gint n);
void WINOGRAD_NAME (weights, SPPNET_LEVEL) (const gfloat *in, gsize tap, gint filters, gfloat *out, gsize plane);
void WINOGRAD_NAME (gradient, SPPNET_LEVEL) (const gfloat *in, gsize pixel, gsize row, gint filters, gfloat *out,
                                             gsize plane);
void WINOGRAD_NAME (taps, SPPNET_LEVEL) (const gfloat *in, gsize plane, gfloat *out, gsize tap, gsize n);
