/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cpu.h"

static const gchar *const names[SPPNET_N_ISAS] = { "plain", "base", "avx2", "avx512" };

const gchar *
sppnet_isa_name (SppnetIsa isa)
{
  g_return_val_if_fail ((guint) isa < SPPNET_N_ISAS, NULL);
  return names[isa];
}

SppnetIsa
sppnet_cpu_highest_isa (void)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  if (!__builtin_cpu_supports ("avx2") || !__builtin_cpu_supports ("fma"))
    return SPPNET_ISA_BASE;
  /* F16C came before AVX2 on every processor that has it. */
  if (!__builtin_cpu_supports ("avx512f") || !__builtin_cpu_supports ("avx512bw")
      || !__builtin_cpu_supports ("avx512dq") || !__builtin_cpu_supports ("avx512vl"))
    return SPPNET_ISA_AVX2;
  return SPPNET_ISA_AVX512;
#else
  return SPPNET_ISA_BASE;
#endif
}

gboolean
sppnet_cpu_has_bfloat16 (void)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  return sppnet_cpu_highest_isa () == SPPNET_ISA_AVX512 && __builtin_cpu_supports ("avx512bf16");
#else
  return FALSE;
#endif
}

static SppnetIsa
choose_isa (void)
{
  const gchar *wanted = g_getenv ("SPPNET_CPU");
  SppnetIsa highest = sppnet_cpu_highest_isa ();

  if (!wanted || !*wanted)
    return highest;
  for (guint i = 0; i < SPPNET_N_ISAS; i++)
    if (g_str_equal (wanted, names[i]))
      return MIN ((SppnetIsa) i, highest);
  g_warning ("SPPNET_CPU=%s is none of plain, base, avx2, avx512: ignored", wanted);
  return highest;
}

SppnetIsa
sppnet_cpu_isa (void)
{
  static gsize chosen;

  if (g_once_init_enter (&chosen))
    g_once_init_leave (&chosen, (gsize) choose_isa () + 1);
  return (SppnetIsa) (chosen - 1);
}
