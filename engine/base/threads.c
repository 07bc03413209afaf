/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "base/threads.h"

#include <cblas.h>
#include <omp.h>
#include <sched.h>

static GMutex blas_lock;
static guint blas_users;       /* (guarded by blas_lock) */
static gint blas_host_threads; /* (guarded by blas_lock) */

guint
sppnet_threads_available (void)
{
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) == 0 && CPU_COUNT (&set) > 0)
    return (guint) CPU_COUNT (&set);
  return MAX (1, g_get_num_processors ());
}

guint
sppnet_threads_budget (guint threads)
{
  guint available = sppnet_threads_available ();

  return threads >= 1 && threads <= available ? threads : available;
}

guint
sppnet_thread_index (void)
{
  return (guint) omp_get_thread_num ();
}

gboolean
sppnet_threads_inside (void)
{
  return omp_in_parallel () != 0;
}

/* OpenBLAS has one number of threads per process in 0.3.21, so concurrent streams count themselves in and out. The
 * serial flavour has nothing to set; the OpenMP flavour stays serial within our loops by itself, but not in a loop of one thread. */
void
sppnet_blas_begin (void)
{
  g_mutex_lock (&blas_lock);
  if (blas_users++ == 0) {
    blas_host_threads = openblas_get_num_threads ();
    if (blas_host_threads != 1)
      openblas_set_num_threads (1);
  }
  g_mutex_unlock (&blas_lock);
}

void
sppnet_blas_end (void)
{
  g_mutex_lock (&blas_lock);
  g_assert (blas_users > 0);
  if (--blas_users == 0 && blas_host_threads != 1)
    openblas_set_num_threads (blas_host_threads);
  g_mutex_unlock (&blas_lock);
}
