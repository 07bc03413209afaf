/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/kernel.h"

#include "kernel/conv.h"

extern const SppnetKernels sppnet_kernels_plain, sppnet_kernels_base;
extern const SppnetConvKernels sppnet_conv_kernels_plain, sppnet_conv_kernels_base;
#if defined(__x86_64__)
extern const SppnetKernels sppnet_kernels_avx2, sppnet_kernels_avx512;
extern const SppnetConvKernels sppnet_conv_kernels_avx2, sppnet_conv_kernels_avx512;
#endif

static const SppnetKernels *const tables[SPPNET_N_ISAS] = {
  [SPPNET_ISA_PLAIN] = &sppnet_kernels_plain,
  [SPPNET_ISA_BASE] = &sppnet_kernels_base,
#if defined(__x86_64__)
  [SPPNET_ISA_AVX2] = &sppnet_kernels_avx2,
  [SPPNET_ISA_AVX512] = &sppnet_kernels_avx512,
#endif
};

static const SppnetConvKernels *const conv_tables[SPPNET_N_ISAS] = {
  [SPPNET_ISA_PLAIN] = &sppnet_conv_kernels_plain,
  [SPPNET_ISA_BASE] = &sppnet_conv_kernels_base,
#if defined(__x86_64__)
  [SPPNET_ISA_AVX2] = &sppnet_conv_kernels_avx2,
  [SPPNET_ISA_AVX512] = &sppnet_conv_kernels_avx512,
#endif
};

const SppnetKernels *
sppnet_kernels_for (SppnetIsa isa)
{
  return (guint) isa < SPPNET_N_ISAS && isa <= sppnet_cpu_highest_isa () ? tables[isa] : NULL;
}

const SppnetKernels *
sppnet_kernels (void)
{
  return sppnet_kernels_for (sppnet_cpu_isa ());
}

const SppnetConvKernels *
sppnet_conv_kernels_for (SppnetIsa isa)
{
  return (guint) isa < SPPNET_N_ISAS && isa <= sppnet_cpu_highest_isa () ? conv_tables[isa] : NULL;
}

#if defined(SPPNET_BFLOAT16)
extern const SppnetConvKernels sppnet_conv_kernels_table_bfloat16;
#endif

const SppnetConvKernels *
sppnet_conv_kernels_bfloat16 (void)
{
#if defined(SPPNET_BFLOAT16)
  if (sppnet_cpu_isa () == SPPNET_ISA_AVX512 && sppnet_cpu_has_bfloat16 ())
    return &sppnet_conv_kernels_table_bfloat16;
#endif
  return NULL;
}

const SppnetConvKernels *
sppnet_conv_kernels (void)
{
  return sppnet_conv_kernels_for (sppnet_cpu_isa ());
}
