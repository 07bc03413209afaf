/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/normal_equations.h"

#include <cblas.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/threads.h"

/* LAPACK, which OpenBLAS contains: Cholesky factor and solution of a symmetric positive definite system. */
void dpotrf_ (const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_ (const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
              const int *ldb, int *info);

/* Linux promises memory that it does not have and then kills whoever writes to it; no machine holds more than this. */
static gboolean
fits_machine (gsize bytes)
{
  return bytes / sysconf (_SC_PAGESIZE) < (gsize) sysconf (_SC_PHYS_PAGES);
}

gboolean
sppnet_normal_equations_init (SppnetNormalEquations *equations, gsize length, gsize n_targets)
{
  gsize rows = length + n_targets + 1 + SPPNET_PAIRS_BLOCK, rest = n_targets * (1 + SPPNET_PAIRS_BLOCK), count, bytes;

  *equations = (SppnetNormalEquations) { .length = length, .n_targets = n_targets };
  if (length > G_MAXINT / 2 || !g_size_checked_mul (&count, rows, length) || !g_size_checked_add (&count, count, rest)
      || !g_size_checked_mul (&bytes, count, sizeof (gdouble)) || !fits_machine (bytes))
    return FALSE;
  equations->memory = sppnet_aligned_alloc (bytes);
  if (!equations->memory)
    return FALSE;
  memset (equations->memory, 0, bytes);
  equations->gram = equations->memory;
  equations->moment = equations->gram + length * length;
  equations->sum_x = equations->moment + n_targets * length;
  equations->block_x = equations->sum_x + length;
  equations->block_t = equations->block_x + SPPNET_PAIRS_BLOCK * length;
  equations->sum_t = equations->block_t + SPPNET_PAIRS_BLOCK * n_targets;
  return TRUE;
}

void
sppnet_normal_equations_clear (SppnetNormalEquations *equations)
{
  sppnet_aligned_free (equations->memory);
  *equations = (SppnetNormalEquations) { 0 };
}

static void
flush (SppnetNormalEquations *equations)
{
  int length = (int) equations->length, n_targets = (int) equations->n_targets, n = (int) equations->n_block;

  if (n == 0)
    return;
  sppnet_blas_begin ();
  cblas_dsyrk (CblasRowMajor, CblasUpper, CblasTrans, length, n, 1, equations->block_x, length, 1, equations->gram,
               length);
  cblas_dgemm (CblasRowMajor, CblasTrans, CblasNoTrans, n_targets, length, n, 1, equations->block_t, n_targets,
               equations->block_x, length, 1, equations->moment, length);
  sppnet_blas_end ();
  equations->n_block = 0;
}

void
sppnet_normal_equations_add (SppnetNormalEquations *equations, const gfloat *x, const gfloat *t)
{
  gdouble *block_x = equations->block_x + equations->n_block * equations->length;
  gdouble *block_t = equations->block_t + equations->n_block * equations->n_targets;

  for (gsize i = 0; i < equations->length; i++) {
    block_x[i] = x[i];
    equations->sum_x[i] += x[i];
  }
  for (gsize j = 0; j < equations->n_targets; j++) {
    block_t[j] = t[j];
    equations->sum_t[j] += t[j];
  }
  equations->n++;
  if (++equations->n_block == SPPNET_PAIRS_BLOCK)
    flush (equations);
}

/* With mean x and mean t taken off, the bias drops out of the system: (X^T X - n x x^T + lambda) w = (T^T X - n t x) /
 * scale. */
static void
centre (SppnetNormalEquations *equations, gdouble lambda, const gfloat *scale)
{
  int length = (int) equations->length;
  gdouble n = (gdouble) equations->n;

  cblas_dsyr (CblasRowMajor, CblasUpper, length, -1 / n, equations->sum_x, 1, equations->gram, length);
  for (gsize i = 0; i < equations->length; i++)
    equations->gram[i * equations->length + i] += lambda;
  for (gsize j = 0; j < equations->n_targets; j++) {
    gdouble *moment = equations->moment + j * equations->length;

    cblas_daxpy (length, -equations->sum_t[j] / n, equations->sum_x, 1, moment, 1);
    cblas_dscal (length, 1 / (gdouble) scale[j], moment, 1);
  }
}

gboolean
sppnet_normal_equations_solve (SppnetNormalEquations *equations, gdouble lambda, const gfloat *mean,
                               const gfloat *scale, gfloat *weight, gfloat *bias)
{
  int length = (int) equations->length, n_targets = (int) equations->n_targets, info = 0;
  gdouble n = (gdouble) equations->n, sum = 0;

  g_return_val_if_fail (equations->n > 0, FALSE);
  flush (equations);
  sppnet_blas_begin ();
  centre (equations, lambda, scale);

  /* Fortran counts columns first: our upper triangle is its lower one, our rows of moments its columns. */
  dpotrf_ ("L", &length, equations->gram, &length, &info);
  if (info == 0)
    dpotrs_ ("L", &length, &n_targets, equations->gram, &length, equations->moment, &length, &info);
  sppnet_blas_end ();
  if (info != 0)
    return FALSE;

  for (gsize j = 0; j < equations->n_targets; j++) {
    const gdouble *w = equations->moment + j * equations->length;

    for (gsize i = 0; i < equations->length; i++) {
      weight[j * equations->length + i] = (gfloat) w[i];
      sum += fabs ((gdouble) weight[j * equations->length + i]);
    }
    bias[j] = (gfloat) ((equations->sum_t[j] / n - mean[j]) / scale[j]
                        - cblas_ddot (length, w, 1, equations->sum_x, 1) / n);
    sum += fabs ((gdouble) bias[j]);
  }
  return isfinite (sum);
}
