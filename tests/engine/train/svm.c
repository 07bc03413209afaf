/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/svm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/svm_trainer.h"

#define PICTURES 60
#define LENGTH 16
#define LABELS 3
#define MAX_REGIONS 64

/* A training set in memory. Boxes lie far apart unless a test moves them. */
typedef struct
{
  guint n_pictures;
  gsize n[PICTURES], n_objects[PICTURES];
  SppnetBox boxes[PICTURES][MAX_REGIONS];
  gfloat features[PICTURES][MAX_REGIONS][LENGTH];
  gint labels[PICTURES][MAX_REGIONS];
  gboolean difficult[PICTURES][MAX_REGIONS];
  gint fail_at;
  guint loads;
} Set;

static gboolean
load (gpointer user_data, guint picture, SppnetRegions *regions, GError **error)
{
  Set *set = user_data;

  g_assert_cmpuint (picture, <, set->n_pictures);
  set->loads++;
  if (set->fail_at == (gint) picture) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "picture %u is on fire", picture);
    return FALSE;
  }
  *regions = (SppnetRegions) { set->n[picture],      set->n_objects[picture],
                               set->boxes[picture],  &set->features[picture][0][0],
                               set->labels[picture], set->difficult[picture] };
  return TRUE;
}

static SppnetRegionSource
source_of (Set *set)
{
  return (SppnetRegionSource) { set->n_pictures, LABELS, LENGTH, load, set };
}

static void
add_region (Set *set, guint picture, gint label, const gfloat *feature)
{
  gsize row = set->n[picture]++;

  g_assert_cmpuint (row, <, MAX_REGIONS);
  set->boxes[picture][row] = (SppnetBox) { (gfloat) (row % 8) * 100, (gfloat) (row / 8) * 100, 50, 50 };
  memcpy (set->features[picture][row], feature, sizeof set->features[picture][row]);
  if (label >= 0) {
    set->labels[picture][row] = label;
    set->n_objects[picture]++;
  }
}

static gdouble
noise (SppnetRandom *random, gdouble most)
{
  return most * sppnet_random_uniform (random);
}

/* Labels 0 and 1 have objects, each with its own direction; label 2 has none. The common background has neither. Only
 * pictures divisible by 5 have a hard negative: label 0's direction together with another one. */
static Set *
make_set (guint64 seed, gboolean hard)
{
  Set *set = g_new0 (Set, 1);
  SppnetRandom random = { seed };

  set->fail_at = -1;
  set->n_pictures = PICTURES;
  for (guint p = 0; p < PICTURES; p++)
    for (guint r = 0; r < 42; r++) {
      gint label = r == 0 ? (gint) (p % 2) : -1;
      gfloat feature[LENGTH] = { 0 };

      for (guint k = 6; k < LENGTH; k++)
        feature[k] = (gfloat) noise (&random, 1);
      if (label >= 0)
        feature[label] = (gfloat) (3 + noise (&random, 1));
      if (hard && r == 7 && p % 5 == 0) {
        feature[0] = (gfloat) (3 + noise (&random, 1));
        feature[4] = (gfloat) (3 + noise (&random, 1));
      }
      add_region (set, p, label, feature);
    }
  return set;
}

static gfloat
score (const gfloat *weight, const gfloat *bias, guint label, const gfloat *feature)
{
  gfloat sum = bias[label];

  for (guint k = 0; k < LENGTH; k++)
    sum += weight[label * LENGTH + k] * feature[k];
  return sum;
}

static gboolean
is_hard (const gfloat *feature)
{
  return feature[0] > 1 && feature[4] > 1;
}

/* An SVM on the objects of label 0 and negatives that are not hard scores the hard ones as objects; mining must have
 * found them. */
static void
test_hard_negatives (void)
{
  g_autofree Set *set = make_set (1, TRUE);
  g_autofree Set *easy = make_set (1, FALSE);
  SppnetRegionSource source = source_of (set), easy_source = source_of (easy);
  SppnetSvmSettings settings = { .c = 1, .retrain_after = 30, .seed = 3 };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL, easy_weight = NULL, easy_bias = NULL;
  g_autoptr (GError) error = NULL;
  guint fooled = 0, hard = 0;

  sppnet_svm_train (&source, &settings, NULL, NULL, &weight, &bias, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (set->loads, ==, 2 * PICTURES);
  sppnet_svm_train (&easy_source, &settings, NULL, NULL, &easy_weight, &easy_bias, &error);
  g_assert_no_error (error);

  for (guint p = 0; p < PICTURES; p++)
    for (guint r = 0; r < set->n[p]; r++) {
      const gfloat *feature = set->features[p][r];

      if (is_hard (feature)) {
        hard++;
        fooled += score (easy_weight, easy_bias, 0, feature) > 0;
      }
      for (guint label = 0; label < 2; label++) {
        if (r == 0 && p % 2 == label)
          g_assert_cmpfloat (score (weight, bias, label, feature), >, 0);
        else
          g_assert_cmpfloat (score (weight, bias, label, feature), <, 0);
      }
    }
  g_assert_cmpuint (hard, ==, PICTURES / 5);
  g_assert_cmpuint (fooled, ==, hard);
}

static void
test_label_without_objects (void)
{
  g_autofree Set *set = make_set (2, TRUE);
  SppnetRegionSource source = source_of (set);
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;

  sppnet_svm_train (&source, NULL, NULL, NULL, &weight, &bias, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (bias[2], ==, -10);
  for (guint k = 0; k < LENGTH; k++)
    g_assert_cmpfloat (weight[2 * LENGTH + k], ==, 0);
  g_assert_cmpfloat (bias[0], !=, -10);
}

static void
test_reproducible (void)
{
  g_autofree Set *set = make_set (4, TRUE);
  SppnetRegionSource source = source_of (set);
  SppnetSvmSettings settings = { .retrain_after = 20, .passes = 2, .seed = 5 };
  gfloat *weight[3], *bias[3];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++) {
    srand (i * 7 + 1); /* what the process drew before must not matter */
    settings.seed = i == 2 ? 6 : 5;
    sppnet_svm_train (&source, &settings, NULL, NULL, &weight[i], &bias[i], &error);
    g_assert_no_error (error);
  }
  g_assert_cmpmem (weight[0], LABELS * LENGTH * sizeof (gfloat), weight[1], LABELS * LENGTH * sizeof (gfloat));
  g_assert_cmpmem (bias[0], LABELS * sizeof (gfloat), bias[1], LABELS * sizeof (gfloat));
  g_assert_cmpint (memcmp (weight[0], weight[2], LABELS * LENGTH * sizeof (gfloat)), !=, 0);
  for (guint i = 0; i < 3; i++) {
    sppnet_aligned_free (weight[i]);
    sppnet_aligned_free (bias[i]);
  }
}

/* What LIBLINEAR minimises, from folded weights. */
static gdouble
objective (const Set *set, guint label, const gfloat *weight, const gfloat *bias, gdouble scale, gdouble c)
{
  gdouble sum = bias[label] / 10 * (bias[label] / 10) / 2;

  for (guint k = 0; k < LENGTH; k++)
    sum += weight[label * LENGTH + k] / scale * (weight[label * LENGTH + k] / scale) / 2;
  for (guint p = 0; p < set->n_pictures; p++)
    for (guint r = 0; r < set->n[p]; r++) {
      gboolean positive = r < set->n_objects[p] && set->labels[p][r] == (gint) label;
      gdouble value = score (weight, bias, label, set->features[p][r]);

      sum += positive ? 2 * c * MAX (0, 1 - value) : c * MAX (0, 1 + value);
    }
  return sum;
}

/* Negatives left out by mining and eviction must not matter: the objective over all regions is nearly that of an SVM
 * that saw all of them, and that is a minimum (no small change of it is better by more than LIBLINEAR's tolerance). */
static void
test_mined_as_good_as_all (void)
{
  g_autofree Set *set = make_set (12, TRUE);
  SppnetRegionSource source = source_of (set);
  SppnetSvmSettings mine = { .retrain_after = 40, .passes = 2, .seed = 1 };
  SppnetSvmSettings all = { .retrain_after = 100000, .seed = 1 };
  g_autoptr (SppnetFloats) mined_weight = NULL, mined_bias = NULL, all_weight = NULL, all_bias = NULL;
  g_autoptr (GError) error = NULL;
  gdouble norm = 0, n = 0, scale;

  for (guint p = 0; p < PICTURES; p++)
    for (guint r = 0; r < set->n[p]; r++, n++) {
      gdouble sum = 0;

      for (guint k = 0; k < LENGTH; k++)
        sum += (gdouble) set->features[p][r][k] * set->features[p][r][k];
      norm += sqrt (sum);
    }
  scale = 20 * n / norm;

  sppnet_svm_train (&source, &mine, NULL, NULL, &mined_weight, &mined_bias, &error);
  g_assert_no_error (error);
  sppnet_svm_train (&source, &all, NULL, NULL, &all_weight, &all_bias, &error);
  g_assert_no_error (error);
  for (guint label = 0; label < 2; label++) {
    gdouble best = objective (set, label, all_weight, all_bias, scale, 1e-3);

    g_assert_cmpfloat (objective (set, label, mined_weight, mined_bias, scale, 1e-3), <, 1.02 * best);
    for (guint k = 0; k < LENGTH; k++)
      for (gint sign = -1; sign <= 1; sign += 2) {
        gfloat kept = all_weight[label * LENGTH + k];

        all_weight[label * LENGTH + k] += (gfloat) sign * .02f * (gfloat) scale * .1f;
        g_assert_cmpfloat (objective (set, label, all_weight, all_bias, scale, 1e-3), >, .995 * best);
        all_weight[label * LENGTH + k] = kept;
      }
  }
}

/* Regions that overlap an object of a label are not its negatives, but are those of the other labels. */
static void
test_near_regions_are_no_negatives (void)
{
  g_autofree Set *set = make_set (21, FALSE);
  SppnetRegionSource source = source_of (set);
  SppnetSvmSettings settings = { .c = 1, .seed = 1 };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat part[LENGTH] = { 0 };

  part[0] = 3.5f;
  part[5] = 3;
  for (guint p = 0; p < PICTURES; p += 2) {
    add_region (set, p, -1, part);
    set->boxes[p][set->n[p] - 1] = set->boxes[p][0];
    set->boxes[p][set->n[p] - 1].width *= 2; /* IoU .5 with the object of label 0 */
  }
  sppnet_svm_train (&source, &settings, NULL, NULL, &weight, &bias, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (score (weight, bias, 0, part), >, 0);
  g_assert_cmpfloat (score (weight, bias, 1, part), <, 0);
}

/* Difficult objects and what is near them are no examples of their label, neither way; a weight that no example touches
 * stays exactly 0. */
static void
test_difficult_objects (void)
{
  for (gint difficult = 0; difficult < 2; difficult++) {
    g_autofree Set *set = make_set (22, FALSE);
    SppnetRegionSource source = source_of (set);
    SppnetSvmSettings settings = { .c = 1, .seed = 1 };
    g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
    g_autoptr (GError) error = NULL;

    for (guint p = 0; p < PICTURES; p += 6) {
      set->difficult[p][0] = difficult;
      set->features[p][0][5] = 3;
      add_region (set, p, -1, set->features[p][0]);
      set->boxes[p][set->n[p] - 1] = set->boxes[p][0];
      set->boxes[p][set->n[p] - 1].width *= 2; /* IoU .5 with the object of label 0 */
    }
    sppnet_svm_train (&source, &settings, NULL, NULL, &weight, &bias, &error);
    g_assert_no_error (error);
    g_assert_true ((weight[0 * LENGTH + 5] == 0) == difficult);
  }
}

/* Labels that share their negatives and are trained again after each new one, so that one label frees what another
 * takes: the pool's counts must stay right (it asserts them), and no region ends on the wrong side. */
static void
test_shared_negatives (void)
{
  for (guint64 seed = 1; seed <= 6; seed++) {
    g_autofree Set *set = make_set (seed, TRUE);
    SppnetRegionSource source = source_of (set);
    SppnetSvmSettings often = { .c = .1, .retrain_after = 1, .passes = 3, .seed = (guint32) seed };
    SppnetRandom random = { seed };
    g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
    g_autoptr (GError) error = NULL;
    guint wrong = 0;

    for (guint p = 0; p < PICTURES; p++) {
      set->labels[p][0] = (gint) (p % LABELS);
      for (guint r = 0; r < set->n[p]; r++)
        for (guint k = 0; k < LENGTH; k++)
          set->features[p][r][k] = (gfloat) (r == 0 && k == p % LABELS ? 2 : sppnet_random_uniform (&random) * 1.2);
    }
    sppnet_svm_train (&source, &often, NULL, NULL, &weight, &bias, &error);
    g_assert_no_error (error);
    for (guint p = 0; p < PICTURES; p++)
      for (guint r = 0; r < set->n[p]; r++)
        for (guint label = 0; label < LABELS; label++)
          wrong += (score (weight, bias, label, set->features[p][r]) > 0) != (r == 0 && p % LABELS == label);
    g_assert_cmpuint (wrong, ==, 0);
  }
}

static gboolean
stop_in_the_middle (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  gdouble *state = user_data; /* last fraction, where to stop */

  g_assert_cmpstr (stage, ==, "svm");
  g_assert_nonnull (message);
  g_assert_cmpfloat (fraction, >=, state[0]);
  g_assert_cmpfloat (fraction, <=, 1);
  state[0] = fraction;
  return fraction < state[1];
}

static void
test_progress (void)
{
  static const gdouble stops[] = { 0, .3, .9, 2 };

  for (guint i = 0; i < G_N_ELEMENTS (stops); i++) {
    g_autofree Set *set = make_set (2, TRUE);
    SppnetRegionSource source = source_of (set);
    g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
    g_autoptr (GError) error = NULL;
    gdouble state[2] = { 0, stops[i] };
    gboolean done = sppnet_svm_train (&source, NULL, stop_in_the_middle, state, &weight, &bias, &error);

    g_assert_cmpint (done, ==, stops[i] > 1);
    if (done) {
      g_assert_cmpfloat (state[0], ==, 1);
      continue;
    }
    g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
    g_assert_null (weight);
    g_assert_null (bias);
    g_assert_cmpuint (set->loads, <, 2 * PICTURES);
  }
}

static void
expect_failure (Set *set, const SppnetSvmSettings *settings, SppnetError code, const gchar *text)
{
  SppnetRegionSource source = source_of (set);
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (sppnet_svm_train (&source, settings, NULL, NULL, &weight, &bias, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_null (weight);
  g_assert_null (bias);
}

static void
test_bad_input (void)
{
  static const gfloat bad[] = { NAN, INFINITY, -INFINITY };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree Set *set = make_set (2, TRUE);

    set->features[41][17][LENGTH - 1] = bad[i];
    expect_failure (set, NULL, SPPNET_ERROR_CORRUPT, "picture 41");
  }
  {
    g_autofree Set *set = make_set (2, TRUE);

    set->fail_at = 33;
    expect_failure (set, NULL, SPPNET_ERROR_READ, "picture 33 is on fire");
    set->fail_at = -1;
    set->labels[12][0] = LABELS;
    expect_failure (set, NULL, SPPNET_ERROR_CORRUPT, "picture 12");
    set->labels[12][0] = -1;
    expect_failure (set, NULL, SPPNET_ERROR_CORRUPT, "picture 12");
    set->labels[12][0] = 0;
    set->n_objects[13] = set->n[13] + 1;
    expect_failure (set, NULL, SPPNET_ERROR_CORRUPT, "picture 13");
  }
}

static void
test_bad_settings (void)
{
  static const SppnetSvmSettings bad[] = {
    { .c = -1 }, { .c = NAN }, { .positive_weight = -1 }, { .bias = -1 }, { .norm = INFINITY }, { .negative_iou = 1.5 },
  };
  g_autofree Set *set = make_set (2, TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    expect_failure (set, &bad[i], SPPNET_ERROR_SETTINGS, "SVM");
}

/* No pictures, pictures without regions, vectors of zeros, nothing but objects. */
static void
test_edges (void)
{
  g_autofree Set *set = make_set (2, TRUE);
  SppnetRegionSource source = source_of (set);

  for (guint kind = 0; kind < 3; kind++) {
    g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
    g_autoptr (GError) error = NULL;

    if (kind == 0)
      source.n_pictures = 0;
    else
      source.n_pictures = PICTURES;
    if (kind == 1)
      set->n[3] = set->n_objects[3] = 0;
    if (kind == 2)
      memset (set->features, 0, sizeof set->features);
    sppnet_svm_train (&source, NULL, NULL, NULL, &weight, &bias, &error);
    g_assert_no_error (error);
    for (guint k = 0; k < LABELS * LENGTH; k++)
      g_assert_true (isfinite (weight[k]));
    g_assert_true (kind == 0 ? bias[0] == -10 : isfinite (bias[0]));
  }
  for (guint p = 0; p < PICTURES; p++) {
    set->n[p] = set->n_objects[p] = 1;
    set->labels[p][0] = 0;
  }
  expect_failure (set, NULL, SPPNET_ERROR_UNSUPPORTED, "label 0");
}

/* Training a label frees vectors while a picture is at hand; another label that takes the same row must not get the
 * place of a vector that has become another's. */
static void
test_freed_while_at_hand (void)
{
  g_autofree Set *set = make_set (2, TRUE);
  SppnetRegionSource source = source_of (set);
  g_auto (SppnetSvmTrainer) trainer = { 0 };
  g_autoptr (GError) error = NULL;
  GArray *negatives[3];

  g_assert_true (sppnet_svm_trainer_init (&trainer, &source, NULL, NULL, NULL, &error));
  g_assert_true (sppnet_svm_trainer_load (&trainer, 5, NULL, &error));
  for (guint i = 0; i < 3; i++)
    negatives[i] = trainer.labels[i].negatives;

  g_assert_true (sppnet_svm_trainer_take (&trainer, negatives[0], 8, &error));
  g_assert_true (sppnet_svm_trainer_take (&trainer, negatives[1], 8, &error));
  g_assert_cmpuint (trainer.pool.vectors->len, ==, 1); /* kept once */
  for (guint i = 0; i < 2; i++) {
    sppnet_vector_pool_release (&trainer.pool, g_array_index (negatives[i], guint32, 0));
    g_array_set_size (negatives[i], 0);
  }
  for (guint i = 0; i < 3; i++) /* rows 9, 8 and 9 again */
    g_assert_true (sppnet_svm_trainer_take (&trainer, negatives[i], i == 1 ? 8 : 9, &error));
  for (guint i = 0; i < 3; i++) {
    guint32 id = g_array_index (negatives[i], guint32, 0);

    g_assert_cmpmem (sppnet_vector_pool_get (&trainer.pool, id), LENGTH * sizeof (gfloat),
                     set->features[5][i == 1 ? 8 : 9], LENGTH * sizeof (gfloat));
    g_assert_cmpuint (sppnet_vector_pool_info (&trainer.pool, id)->users, ==, i == 1 ? 1 : 2);
  }
  g_assert_cmpuint (trainer.pool.vectors->len, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/svm/hard-negatives", test_hard_negatives);
  g_test_add_func ("/train/svm/label-without-objects", test_label_without_objects);
  g_test_add_func ("/train/svm/reproducible", test_reproducible);
  g_test_add_func ("/train/svm/mined-as-good-as-all", test_mined_as_good_as_all);
  g_test_add_func ("/train/svm/near-regions", test_near_regions_are_no_negatives);
  g_test_add_func ("/train/svm/difficult-objects", test_difficult_objects);
  g_test_add_func ("/train/svm/shared-negatives", test_shared_negatives);
  g_test_add_func ("/train/svm/progress", test_progress);
  g_test_add_func ("/train/svm/bad-input", test_bad_input);
  g_test_add_func ("/train/svm/bad-settings", test_bad_settings);
  g_test_add_func ("/train/svm/edges", test_edges);
  g_test_add_func ("/train/svm/freed-while-at-hand", test_freed_while_at_hand);
  return g_test_run ();
}
