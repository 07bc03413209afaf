/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kernel/conv.h"

/* What kernel/winograd.c, kernel/winograd_small.c and kernel/winograd_gradient.c add to the table of their level. */
#define WINOGRAD_NAME_(part, level) sppnet_winograd_##part##_##level
#define WINOGRAD_NAME(part, level) WINOGRAD_NAME_ (part, level)

extern const SppnetWinogradKernels WINOGRAD_NAME (kernels, SPPNET_LEVEL);
extern const SppnetWinogradKernels WINOGRAD_NAME (small_kernels, SPPNET_LEVEL);
extern const SppnetWinogradGradientKernels WINOGRAD_NAME (gradient_kernels, SPPNET_LEVEL);
