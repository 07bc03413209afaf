/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/svm_solver.h"

#include <linear.h>
#include <stdlib.h>

#include "base/random.h"

#define LENGTH 16

static void
silence (const char *text)
{
}

/* The solver's folded weights against LIBLINEAR's own decision values on the scaled vectors. */
static void
test_folded (void)
{
  enum
  {
    N = 60,
    N_POSITIVE = 20
  };
  SppnetSvmSettings settings = { .c = .01, .positive_weight = 2, .bias = 10, .seed = 11 };
  struct feature_node nodes[N][LENGTH + 2], *rows[N];
  gfloat vectors[N][LENGTH], weight[LENGTH], bias;
  const gfloat *pointers[N];
  double labels[N], class_weight = 2, scale = 7.25;
  int positive = 1;
  struct parameter parameter = { .solver_type = L2R_L1LOSS_SVC_DUAL,
                                 .eps = .01,
                                 .C = .01,
                                 .nr_weight = 1,
                                 .weight_label = &positive,
                                 .weight = &class_weight };
  struct problem problem = { N, LENGTH + 1, labels, rows, 10 };
  struct model *model;
  SppnetRandom random = { 8 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N; i++) {
    struct feature_node *node = rows[i] = nodes[i];

    pointers[i] = vectors[i];
    labels[i] = i < N_POSITIVE ? 1 : -1;
    for (guint k = 0; k < LENGTH; k++) {
      vectors[i][k] = (gfloat) MAX (0, sppnet_random_normal (&random) + (k == 0 ? labels[i] : 0));
      if (vectors[i][k] != 0)
        *node++ = (struct feature_node) { (int) k + 1, vectors[i][k] * scale };
    }
    *node++ = (struct feature_node) { LENGTH + 1, 10 };
    *node = (struct feature_node) { -1, 0 };
  }
  set_print_string_function (silence);
  srand (11);
  model = train (&problem, &parameter);
  g_assert_true (sppnet_svm_solve (pointers, N_POSITIVE, N, LENGTH, scale, &settings, weight, &bias, &error));

  for (guint i = 0; i < N; i++) {
    double expected;
    gdouble value = bias;

    predict_values (model, rows[i], &expected);
    if (model->label[0] != 1)
      expected = -expected;
    for (guint k = 0; k < LENGTH; k++)
      value += (gdouble) weight[k] * vectors[i][k];
    g_assert_cmpfloat_with_epsilon (value, expected, 1e-5);
  }
  free_and_destroy_model (&model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/svm-solver/folded", test_folded);
  return g_test_run ();
}
