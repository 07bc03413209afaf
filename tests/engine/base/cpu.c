/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cpu.h"

#include <glib.h>

static const gchar *const names[SPPNET_N_ISAS] = { "plain", "base", "avx2", "avx512" };

static void
test_names (void)
{
  for (guint i = 0; i < SPPNET_N_ISAS; i++)
    g_assert_cmpstr (sppnet_isa_name (i), ==, names[i]);
  g_assert_cmpint (sppnet_cpu_highest_isa (), >=, SPPNET_ISA_BASE);
  g_assert_cmpint (sppnet_cpu_highest_isa (), <, SPPNET_N_ISAS);
  g_test_message ("this processor: %s", sppnet_isa_name (sppnet_cpu_highest_isa ()));
}

/* In a process of its own, as the choice is made once; the level chosen goes to its standard output. */
static void
test_print (void)
{
  if (!g_test_subprocess ()) {
    g_test_skip ("runs as a subprocess");
    return;
  }
  g_print ("chosen: %s\n", sppnet_isa_name (sppnet_cpu_isa ()));
  g_setenv ("SPPNET_CPU", "plain", TRUE);
  g_print ("kept: %s\n", sppnet_isa_name (sppnet_cpu_isa ()));
}

static void
assert_chosen (const gchar *wanted, SppnetIsa expected)
{
  g_autofree gchar *pattern = g_strdup_printf ("*chosen: %s\n*kept: %s\n*", names[expected], names[expected]);
  g_autofree gchar *before = g_strdup (g_getenv ("SPPNET_CPU"));

  if (wanted)
    g_setenv ("SPPNET_CPU", wanted, TRUE);
  else
    g_unsetenv ("SPPNET_CPU");
  g_test_trap_subprocess ("/base/cpu/subprocess/print", 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout (pattern);
  if (before)
    g_setenv ("SPPNET_CPU", before, TRUE);
  else
    g_unsetenv ("SPPNET_CPU");
}

/* SPPNET_CPU lowers the level; it never raises it above what the processor runs. */
static void
test_environment (void)
{
  SppnetIsa highest = sppnet_cpu_highest_isa ();

  assert_chosen (NULL, highest);
  assert_chosen ("", highest);
  for (guint i = 0; i < SPPNET_N_ISAS; i++)
    assert_chosen (names[i], MIN ((SppnetIsa) i, highest));
}

/* A value that is not a level is said to be ignored (which ends a test program, where warnings are fatal). */
static void
test_unknown (void)
{
  g_autofree gchar *before = g_strdup (g_getenv ("SPPNET_CPU"));

  g_setenv ("SPPNET_CPU", "AVX2", TRUE);
  g_test_trap_subprocess ("/base/cpu/subprocess/print", 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*SPPNET_CPU=AVX2*ignored*");
  if (before)
    g_setenv ("SPPNET_CPU", before, TRUE);
  else
    g_unsetenv ("SPPNET_CPU");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/cpu/names", test_names);
  g_test_add_func ("/base/cpu/environment", test_environment);
  g_test_add_func ("/base/cpu/unknown", test_unknown);
  g_test_add_func ("/base/cpu/subprocess/print", test_print);
  return g_test_run ();
}
