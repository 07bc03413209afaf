/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Nanoseconds of one call: the best of several runs of some milliseconds. */
static inline gdouble
bench_time (void (*run) (gconstpointer data), gconstpointer data)
{
  gdouble best = G_MAXDOUBLE;
  guint calls = 1;

  for (guint i = 0; i < 12; i++) {
    gint64 start = g_get_monotonic_time (), taken;

    for (guint c = 0; c < calls; c++)
      run (data);
    taken = g_get_monotonic_time () - start;
    if (taken > 1000)
      best = MIN (best, taken * 1e3 / calls);
    else
      i = 0; /* too short to measure */
    calls = taken > 4000 ? calls : calls * 2;
  }
  return best;
}
