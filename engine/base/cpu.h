/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Instruction sets that kernels are compiled for, lowest first. */
typedef enum
{
  SPPNET_ISA_PLAIN,  /* compiled without vectorisation: the specification */
  SPPNET_ISA_BASE,   /* the compiler's baseline: SSE2 on x86-64, NEON on aarch64 */
  SPPNET_ISA_AVX2,   /* AVX2, FMA, F16C */
  SPPNET_ISA_AVX512, /* AVX-512 F, BW, DQ, VL */
  SPPNET_N_ISAS,
} SppnetIsa;

/* The highest level that this processor and operating system run; SPPNET_CPU=plain|base|avx2|avx512 lowers it. Read
 * once. */
SppnetIsa sppnet_cpu_isa (void);
/* The highest level of the processor, whatever SPPNET_CPU says. */
SppnetIsa sppnet_cpu_highest_isa (void);
/* AVX512_BF16, on top of the highest level. */
gboolean sppnet_cpu_has_bfloat16 (void);
const gchar *sppnet_isa_name (SppnetIsa isa);
