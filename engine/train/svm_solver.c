/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/svm_solver.h"

#include <linear.h>
#include <math.h>
#include <stdlib.h>

/* LIBLINEAR's own default, .1, stops visibly above the optimum of an easy problem; this one takes hardly longer. */
#define EPSILON .01

typedef struct model LiblinearModel;

static void
free_model (LiblinearModel *model)
{
  free_and_destroy_model (&model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LiblinearModel, free_model)

static void
print_nothing (const char *text)
{
}

static gsize
count_nodes (const gfloat *const *vectors, gsize n, gsize length)
{
  gsize nodes = 2 * n; /* the bias and the end mark */

  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; k < length; k++)
      nodes += vectors[i][k] != 0;
  return nodes;
}

/* LIBLINEAR's sparse form: pairs of index (from 1) and value, ended by index -1. Returns the place after it. */
static struct feature_node *
append_vector (struct feature_node *node, const gfloat *vector, gsize length, gdouble scale, gdouble bias)
{
  for (gsize k = 0; k < length; k++)
    if (vector[k] != 0)
      *node++ = (struct feature_node) { (int) k + 1, scale * vector[k] };
  *node++ = (struct feature_node) { (int) length + 1, bias };
  *node++ = (struct feature_node) { -1, 0 };
  return node;
}

gboolean
sppnet_svm_solve (const gfloat *const *vectors, gsize n_positive, gsize n, gsize length, gdouble scale,
                  const SppnetSvmSettings *settings, gfloat *weight, gfloat *bias, GError **error)
{
  int positive = 1;
  double positive_weight = settings->positive_weight;
  struct parameter parameter = { .solver_type = settings->logistic ? L2R_LR : L2R_L1LOSS_SVC_DUAL,
                                 .eps = EPSILON,
                                 .C = settings->c,
                                 .nr_weight = 1,
                                 .weight_label = &positive,
                                 .weight = &positive_weight };
  gsize n_nodes = count_nodes (vectors, n, length);
  g_autofree struct feature_node *nodes = g_try_new (struct feature_node, n_nodes);
  g_autofree struct feature_node **rows = g_try_new (struct feature_node *, n);
  g_autofree double *labels = g_try_new (double, n);
  struct problem problem = { .l = (int) n, .n = (int) length + 1, .y = labels, .x = rows, .bias = settings->bias };
  g_autoptr (LiblinearModel) model = NULL;
  struct feature_node *node = nodes;
  double sign, sum = 0;

  g_return_val_if_fail (n_positive > 0 && n_positive < n && n <= G_MAXINT && length < G_MAXINT, FALSE);
  if (!nodes || !rows || !labels) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY,
                 "cannot allocate memory for an SVM on %" G_GSIZE_FORMAT " vectors of %" G_GSIZE_FORMAT " numbers", n,
                 length);
    return FALSE;
  }

  for (gsize i = 0; i < n; i++) {
    rows[i] = node;
    labels[i] = i < n_positive ? 1 : -1;
    node = append_vector (node, vectors[i], length, scale, settings->bias);
  }
  set_print_string_function (print_nothing);
  srand (settings->seed);
  model = train (&problem, &parameter);

  sign = model->label[0] == 1 ? 1 : -1;
  for (gsize k = 0; k < length; k++) {
    weight[k] = (gfloat) (sign * model->w[k] * scale);
    sum += fabs ((double) weight[k]);
  }
  *bias = (gfloat) (sign * model->w[length] * settings->bias);
  if (isfinite (sum + *bias))
    return TRUE;
  g_set_error_literal (error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
                       "the features are too small for an SVM's weights");
  return FALSE;
}
