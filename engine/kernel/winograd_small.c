/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's minimal filtering F(4x4, 3x3), for small maps: 36 products for 16 outputs instead of 144, and little more
 * than half the weights. Compiled once per ISA with SPPNET_LEVEL set to its name. */
#define SIDE 4
#define PART small_kernels
#include "kernel/winograd_float.h"
