/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's minimal filtering F(6x6, 3x3): 64 products for 36 outputs instead of 324. Compiled once per ISA with
 * SPPNET_LEVEL set to its name. */
#define SIDE 6
#define PART kernels
#include "kernel/winograd_float.h"
