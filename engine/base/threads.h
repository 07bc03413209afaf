/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The one place that knows OpenMP's and OpenBLAS's thread calls. Loops in other files say
 * `#pragma omp parallel for num_threads (threads)` with the budget they were given. */

/* Processors that this process may run on (honours taskset and cgroup cpusets). */
guint sppnet_threads_available (void);
/* threads if it is 1 .. available, else available; 0 means "as many as there are". */
guint sppnet_threads_budget (guint threads);
/* Number of the calling thread within the innermost parallel loop, from 0. */
guint sppnet_thread_index (void);

/* Between these calls, OpenBLAS computes each product on the thread that asks for it: the engine's own loops are
 * the parallel ones. Counted, may nest and overlap between threads; the last end restores what the application had. */
void sppnet_blas_begin (void);
void sppnet_blas_end (void);
