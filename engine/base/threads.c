/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "base/threads.h"

#include <cblas.h>
#include <omp.h>
#include <sched.h>

static GMutex blas_lock;
static guint blas_users;       /* (guarded by blas_lock) */
static gint blas_host_threads; /* (guarded by blas_lock) */
static __thread guint omp_users;
static __thread gint omp_host_threads;

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

/* The threads flavour of OpenBLAS has one number of threads per process in 0.3.21, so concurrent streams count
 * themselves in and out. The OpenMP flavour goes by what OpenMP says about the calling thread; its setter would
 * overwrite that. The serial flavour has nothing to set. */
static void
begin_openmp (void)
{
  if (omp_users++ > 0)
    return;
  omp_host_threads = omp_get_max_threads ();
  omp_set_num_threads (1);
}

static void
end_openmp (void)
{
  g_assert (omp_users > 0);
  if (--omp_users == 0)
    omp_set_num_threads (omp_host_threads);
}

void
sppnet_blas_begin (void)
{
  if (openblas_get_parallel () == OPENBLAS_OPENMP) {
    begin_openmp ();
    return;
  }
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
  if (openblas_get_parallel () == OPENBLAS_OPENMP) {
    end_openmp ();
    return;
  }
  g_mutex_lock (&blas_lock);
  g_assert (blas_users > 0);
  if (--blas_users == 0 && blas_host_threads != 1)
    openblas_set_num_threads (blas_host_threads);
  g_mutex_unlock (&blas_lock);
}
