/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/ridge.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "box/regression.h"

#define LABELS 3
#define LENGTH 8
#define PICTURES 40
#define REGIONS 20

/* Pictures with one object each of label p % 2 and proposals around it; the vector tells, linearly and with noise,
 * where the object is. */
typedef struct
{
  guint n_pictures, n_proposals;
  SppnetBox boxes[PICTURES][1 + REGIONS];
  gfloat features[PICTURES][1 + REGIONS][LENGTH];
  gint label[PICTURES];
  gboolean difficult[PICTURES];
  gint fail_at;
  guint loads;
} Set;

static gboolean
load (gpointer user_data, guint picture, SppnetRegions *regions, GError **error)
{
  Set *set = user_data;

  set->loads++;
  if (set->fail_at == (gint) picture) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_READ, "picture %u is on fire", picture);
    return FALSE;
  }
  *regions = (SppnetRegions) { 1 + set->n_proposals, 1,
                               set->boxes[picture],  &set->features[picture][0][0],
                               &set->label[picture], &set->difficult[picture] };
  return TRUE;
}

static gdouble
between (SppnetRandom *random, gdouble low, gdouble high)
{
  return low + (high - low) * sppnet_random_uniform (random);
}

static Set *
make_set (guint64 seed)
{
  SppnetRandom random = { seed };
  Set *set = g_new0 (Set, 1);

  set->n_pictures = PICTURES;
  set->n_proposals = REGIONS;
  set->fail_at = -1;
  for (guint p = 0; p < PICTURES; p++) {
    SppnetBox *object = &set->boxes[p][0];

    set->label[p] = (gint) p % 2;
    *object = (SppnetBox) { (gfloat) between (&random, 0, 300), (gfloat) between (&random, 0, 300),
                            (gfloat) between (&random, 50, 200), (gfloat) between (&random, 50, 200) };
    for (guint r = 1; r <= REGIONS; r++) {
      SppnetBox *box = &set->boxes[p][r];
      gfloat *feature = set->features[p][r], t[4];

      box->width = object->width * (gfloat) between (&random, .8, 1.2);
      box->height = object->height * (gfloat) between (&random, .8, 1.2);
      box->x = object->x + object->width * (gfloat) between (&random, -.1, .15);
      box->y = object->y + object->height * (gfloat) between (&random, -.1, .15);
      sppnet_box_encode (box, object, t);
      for (guint k = 0; k < 4; k++) { /* the labels differ in the sign */
        feature[k] = 5 + (set->label[p] ? -10 : 10) * t[k] + .1f * (gfloat) sppnet_random_normal (&random);
        feature[4 + k] = (gfloat) sppnet_random_uniform (&random);
      }
    }
  }
  return set;
}

static SppnetRegionSource
source_of (Set *set)
{
  return (SppnetRegionSource) { set->n_pictures, LABELS, LENGTH, load, set };
}

static void
test_localisation (void)
{
  g_autofree Set *set = make_set (1), *fresh = make_set (2);
  SppnetRegionSource source = source_of (set);
  SppnetRidgeSettings settings = { .lambda = 1 };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4];
  gdouble before = 0, after = 0;

  sppnet_ridge_train (&source, &settings, NULL, NULL, &weight, &bias, mean, scale, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (set->loads, ==, PICTURES);
  for (guint p = 0; p < PICTURES; p++)
    for (guint r = 1; r <= REGIONS; r++) {
      const gfloat *w = weight + set->label[p] * 4 * LENGTH;
      gfloat t[4];
      SppnetBox moved;

      for (guint j = 0; j < 4; j++) {
        gfloat raw = bias[set->label[p] * 4 + j];

        for (guint k = 0; k < LENGTH; k++)
          raw += w[j * LENGTH + k] * fresh->features[p][r][k];
        t[j] = raw * scale[j] + mean[j];
      }
      moved = sppnet_box_decode (&fresh->boxes[p][r], t);
      before += sppnet_box_iou (&fresh->boxes[p][r], &fresh->boxes[p][0]);
      after += sppnet_box_iou (&moved, &fresh->boxes[p][0]);
    }
  before /= PICTURES * REGIONS;
  after /= PICTURES * REGIONS;
  g_test_message ("mean IoU before %.3f, after %.3f", before, after);
  g_assert_cmpfloat (before, <, .85);
  g_assert_cmpfloat (after, >, .95);
}

static void
test_difficult_objects (void)
{
  g_autofree Set *set = make_set (1);
  SppnetRegionSource source = source_of (set);
  SppnetRidgeSettings settings = { .lambda = 1 };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4];

  for (guint p = 0; p < PICTURES; p++)
    set->difficult[p] = set->label[p] == 1;
  sppnet_ridge_train (&source, &settings, NULL, NULL, &weight, &bias, mean, scale, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 4 * LENGTH; i++) {
    g_assert_cmpfloat (weight[i], !=, 0);
    g_assert_cmpfloat (weight[4 * LENGTH + i], ==, 0);
  }
}

/* Targets have mean 0 and deviation 1 after whitening; a label with too few pairs has no weights. */
static void
test_whitening (void)
{
  g_autofree Set *set = make_set (3);
  SppnetRegionSource source = source_of (set);
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4];
  gdouble sum[4] = { 0 }, squares[4] = { 0 };
  guint n = 0;

  set->n_proposals = 9; /* 9 pairs of label 2, in one picture */
  set->label[7] = 2;
  sppnet_ridge_train (&source, NULL, NULL, NULL, &weight, &bias, mean, scale, &error);
  g_assert_no_error (error);
  for (guint p = 0; p < PICTURES; p++)
    for (guint r = 1; r <= 9; r++) {
      gfloat t[4];

      if (sppnet_box_iou (&set->boxes[p][r], &set->boxes[p][0]) < .5f)
        continue;
      sppnet_box_encode (&set->boxes[p][r], &set->boxes[p][0], t);
      n++;
      for (guint j = 0; j < 4; j++) {
        gdouble raw = (t[j] - mean[j]) / scale[j];

        sum[j] += raw;
        squares[j] += raw * raw;
      }
    }
  for (guint j = 0; j < 4; j++) {
    g_assert_cmpfloat_with_epsilon (sum[j] / n, 0, 1e-4);
    g_assert_cmpfloat_with_epsilon (squares[j] / n, 1, 1e-3);
    g_assert_cmpfloat (bias[2 * 4 + j], ==, 0);
    g_assert_cmpfloat (bias[j], !=, 0);
    for (guint k = 0; k < LENGTH; k++)
      g_assert_cmpfloat (weight[(2 * 4 + j) * LENGTH + k], ==, 0);
  }
}

static gboolean
stop_at (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  gdouble *stop = user_data;

  g_assert_cmpstr (stage, ==, "boxes");
  g_assert_cmpfloat (fraction, >, 0);
  g_assert_cmpfloat (fraction, <=, 1);
  return fraction < *stop;
}

static void
expect_failure (Set *set, const SppnetRidgeSettings *settings, gdouble stop, SppnetError code, const gchar *text)
{
  SppnetRegionSource source = source_of (set);
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4];

  g_assert_false (sppnet_ridge_train (&source, settings, stop_at, &stop, &weight, &bias, mean, scale, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_null (weight);
  g_assert_null (bias);
}

static void
test_failures (void)
{
  static const SppnetRidgeSettings bad[]
      = { { .lambda = -1 }, { .lambda = NAN }, { .min_iou = 2 }, { .min_iou = -.5 } };
  g_autofree Set *set = make_set (4);

  expect_failure (set, NULL, .5, SPPNET_ERROR_CANCELLED, "stopped");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    expect_failure (set, &bad[i], 2, SPPNET_ERROR_SETTINGS, "box regression");
  set->fail_at = 20;
  expect_failure (set, NULL, 2, SPPNET_ERROR_READ, "picture 20 is on fire");
  set->fail_at = -1;
  set->features[31][4][5] = NAN;
  expect_failure (set, NULL, 2, SPPNET_ERROR_CORRUPT, "picture 31");
}

/* No picture, and no proposal near an object: a regression that does nothing. */
static void
test_no_pairs (void)
{
  for (guint kind = 0; kind < 2; kind++) {
    g_autofree Set *set = make_set (4);
    SppnetRegionSource source = source_of (set);
    g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
    g_autoptr (GError) error = NULL;
    gfloat mean[4], scale[4];

    if (kind == 0)
      source.n_pictures = 0;
    set->n_proposals = 0;
    sppnet_ridge_train (&source, NULL, NULL, NULL, &weight, &bias, mean, scale, &error);
    g_assert_no_error (error);
    for (guint j = 0; j < 4; j++) {
      g_assert_cmpfloat (mean[j], ==, 0);
      g_assert_cmpfloat (scale[j], ==, 1);
    }
    for (guint k = 0; k < LABELS * 4 * LENGTH; k++)
      g_assert_cmpfloat (weight[k], ==, 0);
  }
}

/* Where not all labels fit in one pass over the pictures, the result is the same. */
static void
test_passes (void)
{
  g_autofree Set *set = make_set (5);
  SppnetRegionSource source = source_of (set);
  SppnetRidgeSettings settings = { .lambda = 10 };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL, weight2 = NULL, bias2 = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4], mean2[4], scale2[4];

  sppnet_ridge_train (&source, &settings, NULL, NULL, &weight, &bias, mean, scale, &error);
  g_assert_no_error (error);
  settings.memory = 2.5 * 8 * LENGTH * LENGTH;
  set->loads = 0;
  sppnet_ridge_train (&source, &settings, NULL, NULL, &weight2, &bias2, mean2, scale2, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (set->loads, ==, 2 * PICTURES);
  g_assert_cmpmem (mean, sizeof mean, mean2, sizeof mean2);
  g_assert_cmpmem (scale, sizeof scale, scale2, sizeof scale2);
  g_assert_cmpmem (weight, LABELS * 4 * LENGTH * sizeof (gfloat), weight2, LABELS * 4 * LENGTH * sizeof (gfloat));
  g_assert_cmpmem (bias, LABELS * 4 * sizeof (gfloat), bias2, LABELS * 4 * sizeof (gfloat));
}

static gboolean
load_nothing (gpointer user_data, guint picture, SppnetRegions *regions, GError **error)
{
  g_assert_not_reached ();
}

static void
test_memory (void)
{
  SppnetRegionSource source = { 1, LABELS, (gsize) 1 << 29, load_nothing, NULL };
  g_autoptr (SppnetFloats) weight = NULL, bias = NULL;
  g_autoptr (GError) error = NULL;
  gfloat mean[4], scale[4];

  g_assert_false (sppnet_ridge_train (&source, NULL, NULL, NULL, &weight, &bias, mean, scale, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/ridge/localisation", test_localisation);
  g_test_add_func ("/train/ridge/difficult-objects", test_difficult_objects);
  g_test_add_func ("/train/ridge/whitening", test_whitening);
  g_test_add_func ("/train/ridge/failures", test_failures);
  g_test_add_func ("/train/ridge/no-pairs", test_no_pairs);
  g_test_add_func ("/train/ridge/passes", test_passes);
  g_test_add_func ("/train/ridge/memory", test_memory);
  return g_test_run ();
}
