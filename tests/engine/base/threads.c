/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "base/threads.h"

#include <glob.h>
#include <sched.h>

#include <cblas.h>
#include <omp.h>

static void
test_budget (void)
{
  guint available = sppnet_threads_available ();

  g_assert_cmpuint (available, >=, 1);
  g_assert_cmpuint (sppnet_threads_budget (0), ==, available);
  g_assert_cmpuint (sppnet_threads_budget (1), ==, 1);
  g_assert_cmpuint (sppnet_threads_budget (available), ==, available);
  g_assert_cmpuint (sppnet_threads_budget (available + 1), ==, available);
  g_assert_cmpuint (sppnet_threads_budget (G_MAXUINT), ==, available);
}

/* As under taskset: the processors allowed count, not those of the machine. */
static void
test_affinity (void)
{
  cpu_set_t all, one;
  guint first = 0;

  g_assert_cmpint (sched_getaffinity (0, sizeof all, &all), ==, 0);
  while (!CPU_ISSET (first, &all))
    first++;
  CPU_ZERO (&one);
  CPU_SET (first, &one);
  g_assert_cmpint (sched_setaffinity (0, sizeof one, &one), ==, 0);
  g_assert_cmpuint (sppnet_threads_available (), ==, 1);
  g_assert_cmpuint (sppnet_threads_budget (8), ==, 1);
  g_assert_cmpint (sched_setaffinity (0, sizeof all, &all), ==, 0);
  g_assert_cmpuint (sppnet_threads_available (), ==, (guint) CPU_COUNT (&all));
}

static void
test_loops (void)
{
  guint seen[3] = { 0 };

  g_assert_cmpuint (sppnet_thread_index (), ==, 0);
#pragma omp parallel for num_threads(3) schedule(static, 1)
  for (gint i = 0; i < 3; i++)
    seen[sppnet_thread_index ()]++;
  g_assert_true (seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
}

/* The number of threads that a product started here would use. The OpenMP flavour asks OpenMP, thread by thread. */
static gint
blas_threads (void)
{
  return openblas_get_parallel () == OPENBLAS_OPENMP ? omp_get_max_threads () : openblas_get_num_threads ();
}

static gpointer
nest (gpointer data)
{
  sppnet_blas_begin ();
  g_assert_cmpint (blas_threads (), ==, 1);
  sppnet_blas_begin ();
  sppnet_blas_end ();
  g_assert_cmpint (blas_threads (), ==, 1);
  sppnet_blas_end ();
  return NULL;
}

/* Whatever the application had set comes back with the last end, for OpenBLAS and for OpenMP. */
static void
test_blas_restores (void)
{
  for (gint host = 1; host <= 3; host++) {
    gint before;

    openblas_set_num_threads (host);
    omp_set_num_threads (5 - host); /* after OpenBLAS, whose OpenMP flavour sets it as well */
    before = blas_threads ();

    sppnet_blas_begin ();
    g_assert_cmpint (blas_threads (), ==, 1);
    g_thread_join (g_thread_new ("nest", nest, NULL));
    g_assert_cmpint (blas_threads (), ==, 1);
    nest (NULL);
    g_assert_cmpint (blas_threads (), ==, 1);
    sppnet_blas_end ();

    g_assert_cmpint (blas_threads (), ==, before);
    g_assert_cmpint (omp_get_max_threads (), ==, 5 - host);
    g_assert_cmpint (openblas_get_num_threads (), ==, openblas_get_parallel () == OPENBLAS_SEQUENTIAL ? 1 : host);
  }
}

static gpointer
many (gpointer data)
{
  for (guint i = 0; i < 2000; i++)
    nest (NULL);
  return NULL;
}

static void
test_blas_concurrent (void)
{
  GThread *threads[4];
  gint before;

  openblas_set_num_threads (2);
  before = openblas_get_num_threads ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("many", many, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (openblas_get_num_threads (), ==, before);
}

#define SIDE 160

static void
fill (gfloat *a, guint seed)
{
  for (gint i = 0; i < SIDE * SIDE; i++)
    a[i] = (gfloat) ((i * 7u + seed * 13u) % 11u) - 5.0f; /* small integers: sums are exact in any order */
}

/* The products of the engine's own loops, several at once, are those of one thread. */
static void
test_blas_products (void)
{
  gint wrong = 0;

  sppnet_blas_begin ();
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
  for (guint i = 0; i < 64; i++) {
    g_autofree gfloat *a = g_new (gfloat, SIDE * SIDE), *b = g_new (gfloat, SIDE * SIDE);
    g_autofree gfloat *c = g_new (gfloat, SIDE * SIDE);

    fill (a, i);
    fill (b, i + 1);
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1.0f, a, SIDE, b, SIDE, 0.0f, c, SIDE);
    for (gint y = 0; y < SIDE; y += 3)
      for (gint x = 0; x < SIDE; x += 7) {
        gfloat sum = 0.0f;

        for (gint k = 0; k < SIDE; k++)
          sum += a[y * SIDE + k] * b[k * SIDE + x];
        wrong += sum != c[y * SIDE + x];
      }
  }
  sppnet_blas_end ();
  g_assert_cmpint (wrong, ==, 0);
}

static void
test_blas_unbalanced (void)
{
  if (g_test_subprocess ()) {
    sppnet_blas_end ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
}

/* What the folder's name promises. */
static gint
flavour_of (const gchar *folder)
{
  if (g_str_has_suffix (folder, "openmp"))
    return OPENBLAS_OPENMP;
  return g_str_has_suffix (folder, "serial") ? OPENBLAS_SEQUENTIAL : OPENBLAS_THREAD;
}

static void
test_flavour (void)
{
  const gchar *folder = g_getenv ("SPPNET_TEST_FLAVOUR");

  if (!folder)
    g_test_skip ("runs as a subprocess");
  else
    g_assert_cmpint (openblas_get_parallel (), ==, flavour_of (folder));
}

static void
run_with (const gchar *program, const gchar *folder)
{
  gchar *argv[] = { (gchar *) program, (gchar *) "-p", (gchar *) "/base/blas", NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "LD_LIBRARY_PATH", folder, TRUE);
  g_autofree gchar *output = NULL, *errors = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  environment = g_environ_setenv (environment, "SPPNET_TEST_FLAVOUR", folder, TRUE);
  g_spawn_sync (NULL, argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, &errors, &status, &error);
  g_assert_no_error (error);
  g_test_message ("%s: %s", folder, status == 0 ? "passed" : output);
  if (!g_spawn_check_wait_status (status, &error))
    g_test_fail_printf ("%s: %s %s", folder, error->message, errors);
}

/* The tests above once more with every build of OpenBLAS on this system, or in the folders that the variable
 * SPPNET_TEST_OPENBLAS lists. */
static void
test_flavours (gconstpointer program)
{
  const gchar *listed = g_getenv ("SPPNET_TEST_OPENBLAS");
  g_auto (GStrv) folders = g_strsplit (listed ? listed : "", ":", -1);
  glob_t found = { 0 };

  if (g_getenv ("SPPNET_TEST_FLAVOUR"))
    return;
  for (guint i = 0; folders[i]; i++)
    run_with (program, folders[i]);
  if (!listed && glob ("/usr/lib/*/openblas-*/libopenblas.so.0", 0, NULL, &found) == 0)
    for (gsize i = 0; i < found.gl_pathc; i++) {
      g_autofree gchar *folder = g_path_get_dirname (found.gl_pathv[i]);

      run_with (program, folder);
    }
  globfree (&found);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *program = g_file_read_link ("/proc/self/exe", NULL);

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/threads/budget", test_budget);
  g_test_add_func ("/base/threads/affinity", test_affinity);
  g_test_add_func ("/base/threads/loops", test_loops);
  g_test_add_func ("/base/blas/restores", test_blas_restores);
  g_test_add_func ("/base/blas/concurrent", test_blas_concurrent);
  g_test_add_func ("/base/blas/products", test_blas_products);
  g_test_add_func ("/base/blas/unbalanced", test_blas_unbalanced);
  g_test_add_func ("/base/blas/flavour", test_flavour);
  g_test_add_data_func ("/base/flavours", program, test_flavours);
  return g_test_run ();
}
