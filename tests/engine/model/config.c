/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/config.h"

#include <locale.h>

#include "sample.h"

#define FILE_NAME "some.safetensors"

static void
assert_same (const SppnetConfig *a, const SppnetConfig *b)
{
  g_autofree gchar *x = sppnet_config_to_json (a);
  g_autofree gchar *y = sppnet_config_to_json (b);

  g_assert_cmpstr (x, ==, y);
  g_assert_cmpstr (a->name, ==, b->name);
  g_assert_cmpstr (a->provenance, ==, b->provenance);
  g_assert_cmpint (a->input_bgr, ==, b->input_bgr);
  g_assert_cmpmem (a->input_mean, sizeof a->input_mean, b->input_mean, sizeof b->input_mean);
  g_assert_cmpmem (a->input_scale, sizeof a->input_scale, b->input_scale, sizeof b->input_scale);
  g_assert_cmpmem (a->layers, sizeof a->layers, b->layers, sizeof b->layers);
  g_assert_cmpint (a->pooling, ==, b->pooling);
  g_assert_cmpmem (a->levels, a->n_levels * sizeof (gint), b->levels, b->n_levels * sizeof (gint));
  g_assert_cmpmem (a->scales, a->n_levels * sizeof (gfloat), b->scales, b->n_levels * sizeof (gfloat));
  g_assert_cmpuint (a->n_region_layers, ==, b->n_region_layers);
  g_assert_cmpmem (a->region_layers, sizeof a->region_layers, b->region_layers, sizeof b->region_layers);
  g_assert_cmpmem (a->head, sizeof a->head, b->head, sizeof b->head);
  g_assert_cmpint (a->classifier, ==, b->classifier);
  g_assert_cmpuint (a->n_labels, ==, b->n_labels);
  for (guint i = 0; i < a->n_labels; i++)
    g_assert_cmpstr (a->labels[i], ==, b->labels[i]);
  g_assert_cmpint (a->thresholds != NULL, ==, b->thresholds != NULL);
  g_assert_cmpint (a->calibration != NULL, ==, b->calibration != NULL);
  for (guint i = 0; a->thresholds && i < a->n_labels; i++)
    g_assert_true (a->thresholds[i] == b->thresholds[i]);
  for (guint i = 0; a->calibration && i < 2 * a->n_labels; i++)
    g_assert_true (a->calibration[i] == b->calibration[i]);
  g_assert_cmpint (a->context != NULL, ==, b->context != NULL);
  for (guint i = 0; a->context && i < a->n_labels * (a->n_labels + 2); i++)
    g_assert_true (a->context[i] == b->context[i]);
  g_assert_cmpint (a->box_input, ==, b->box_input);
  g_assert_cmpint (a->box_from, ==, b->box_from);
  g_assert_cmpmem (a->box_mean, sizeof a->box_mean, b->box_mean, sizeof b->box_mean);
  g_assert_cmpmem (a->box_scale, sizeof a->box_scale, b->box_scale, sizeof b->box_scale);
  g_assert_cmpmem (&a->rpn, sizeof a->rpn, &b->rpn, sizeof b->rpn);
  g_assert_cmpint (a->proposals, ==, b->proposals);
  g_assert_cmpuint (a->max_proposals, ==, b->max_proposals);
  g_assert_true (a->nms_threshold == b->nms_threshold);
}

static void
check_round_trip (const SppnetConfig *config)
{
  g_autofree gchar *json = sppnet_config_to_json (config);
  g_auto (SppnetConfig) parsed;
  g_autoptr (GError) error = NULL;

  sppnet_config_parse (&parsed, json, -1, FILE_NAME, &error);
  g_assert_no_error (error);
  assert_same (config, &parsed);
}

static void
test_round_trip (void)
{
  for (guint labels = 0; labels < 2; labels++) {
    g_auto (SppnetConfig) config;
    g_auto (SppnetConfig) copy;

    sample_config (&config, labels == 1);
    check_round_trip (&config);
    sppnet_config_copy (&copy, &config);
    assert_same (&config, &copy);
    sppnet_config_clear (&config);
    check_round_trip (&copy);
  }
}

/* Numbers with all their digits: any float comes back as the same float. */
static void
test_round_trip_random (void)
{
  SppnetRandom random = { 7 };

  for (guint i = 0; i < 300; i++) {
    g_auto (SppnetConfig) config;

    sample_config (&config, TRUE);
    for (guint c = 0; c < 3; c++)
      config.input_mean[c] = (gfloat) (sppnet_random_normal (&random) * 100);
    for (guint c = 0; c < 4; c++)
      config.box_scale[c] = (gfloat) (sppnet_random_uniform (&random) * 1e-5);
    config.calibration[1] = (gfloat) sppnet_random_normal (&random) * 1e20f;
    config.layers[1].lrn_alpha = (gfloat) sppnet_random_uniform (&random);
    config.layers[0].slope = (gfloat) sppnet_random_uniform (&random);
    config.layers[0].kernel_width = 1 + (gint) sppnet_random_below (&random, 64);
    config.layers[0].kernel_height = 1 + (gint) sppnet_random_below (&random, 64);
    config.layers[0].pad_x = (gint) sppnet_random_below (&random, (guint32) config.layers[0].kernel_width);
    config.layers[0].pad_y = (gint) sppnet_random_below (&random, (guint32) config.layers[0].kernel_height);
    config.classifier = (SppnetClassifier) sppnet_random_below (&random, 2);
    config.box_input = (SppnetBoxInput) sppnet_random_below (&random, 3);
    if (config.box_input == SPPNET_BOX_HEAD)
      config.box_from = (SppnetBoxFrom) sppnet_random_below (&random, 2);
    config.scales[1] = (gfloat) (1 + sppnet_random_uniform (&random) * (i % 2));
    config.rpn.anchors[0][1] = (gfloat) (1 + 8000 * sppnet_random_uniform (&random));
    config.rpn.nms_threshold = (gfloat) sppnet_random_uniform (&random);
    config.proposals = (SppnetProposals) (1 + sppnet_random_below (&random, SPPNET_PROPOSALS_AUTO));
    check_round_trip (&config);
  }
}

static void
test_locale (void)
{
  if (!setlocale (LC_ALL, "de_DE.UTF-8")) {
    g_test_skip ("no locale with decimal commas is installed");
    return;
  }
  test_round_trip ();
  setlocale (LC_ALL, "C");
}

static void
test_numbers (void)
{
  g_auto (SppnetConfig) config;

  sppnet_config_init (&config);
  g_assert_cmpint (sppnet_config_channels (&config), ==, 3);
  g_assert_cmpint (sppnet_config_bins (&config), ==, 50);
  g_assert_cmpint (sppnet_config_features (&config), ==, 150);
  sample_config (&config, TRUE);
  g_assert_cmpint (sppnet_config_channels (&config), ==, 4);
  g_assert_cmpint (sppnet_config_bins (&config), ==, 10);
  g_assert_cmpint (sppnet_config_features (&config), ==, 6);
  g_assert_cmpint (sppnet_config_pooled (&config), ==, 40);
  g_assert_cmpint (sppnet_config_region_features (&config), ==, 27);
  config.n_head = 0;
  g_assert_cmpint (sppnet_config_features (&config), ==, 40);
}

static void
test_tensors (void)
{
  static const struct
  {
    const gchar *name;
    guint n_dims;
    gsize dims[4];
  } expected[] = {
    { "conv1.weight", 4, { 8, 3, 3, 5 } },   { "conv1.bias", 1, { 8 } },
    { "conv2.weight", 4, { 4, 8, 1, 1 } },   { "conv2.bias", 1, { 4 } },
    { "merge1.weight", 4, { 4, 4, 1, 1 } },  { "merge1.bias", 1, { 4 } },
    { "region1.weight", 4, { 3, 4, 3, 3 } }, { "region1.bias", 1, { 3 } },
    { "fc6.weight", 2, { 6, 40 + 27 } },     { "fc6.bias", 1, { 6 } },
    { "classifier.weight", 2, { 3, 6 } },    { "classifier.bias", 1, { 3 } },
    { "box.weight", 3, { 2, 4, 40 } },       { "box.bias", 2, { 2, 4 } },
    { "rpn.weight", 4, { 5, 4, 3, 3 } },     { "rpn.bias", 1, { 5 } },
    { "rpn_score.weight", 2, { 2, 5 } },     { "rpn_score.bias", 1, { 2 } },
    { "rpn_box.weight", 3, { 2, 4, 5 } },    { "rpn_box.bias", 2, { 2, 4 } },
  };
  g_auto (SppnetConfig) config;
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GArray) svm = NULL;

  sample_config (&config, TRUE);
  tensors = sppnet_config_tensors (&config);
  g_assert_cmpuint (tensors->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);

    g_assert_cmpstr (tensor->name, ==, expected[i].name);
    g_assert_cmpuint (tensor->n_dims, ==, expected[i].n_dims);
    g_assert_cmpmem (tensor->dims, sizeof tensor->dims, expected[i].dims, sizeof expected[i].dims);
    g_assert_null (tensor->data);
  }
  config.classifier = SPPNET_CLASSIFIER_SVM;
  config.box_input = SPPNET_BOX_HEAD;
  svm = sppnet_config_tensors (&config);
  g_assert_cmpuint (g_array_index (svm, SppnetTensorSource, 10).dims[0], ==, 2);
  g_assert_cmpuint (g_array_index (svm, SppnetTensorSource, 12).dims[2], ==, 6);
}

/* The finest level that pools the region itself; the first of two. */
static void
test_region_level (void)
{
  g_auto (SppnetConfig) config;
  gint first_bin = -1;

  sample_config (&config, TRUE);
  config.n_levels = 4;
  config.levels[0] = 2;
  config.levels[1] = 8;
  config.scales[1] = 3;
  config.levels[2] = config.levels[3] = 5;
  g_assert_cmpuint (sppnet_config_region_level (&config, &first_bin), ==, 2);
  g_assert_cmpint (first_bin, ==, 4 + 64);
  g_assert_cmpint (sppnet_config_region_features (&config), ==, 75);
  config.n_region_layers = 0;
  g_assert_cmpint (sppnet_config_region_features (&config), ==, 0);
}

/* Where nothing could see what they give, or they nothing. */
static void
test_region_layers_refused (void)
{
  for (guint i = 0; i < 2; i++) {
    g_auto (SppnetConfig) config;
    g_autofree gchar *json = NULL;
    g_autoptr (GError) error = NULL;
    SppnetConfig refused;

    sample_config (&config, TRUE);
    if (i == 0)
      config.n_head = 0;
    else
      config.scales[0] = config.scales[1] = 2;
    json = sppnet_config_to_json (&config);
    g_assert_false (sppnet_config_parse (&refused, json, -1, FILE_NAME, &error));
    assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME,
                    i == 0 ? "'region_layers' need a fully connected layer" : "'region_layers' need a level");
  }
}

/* A model that has no network for it cannot recommend it. */
static void
test_rpn_recommended (void)
{
  g_auto (SppnetConfig) config;
  g_auto (SppnetConfig) parsed;
  g_autofree gchar *good = NULL, *bad = NULL;
  g_autoptr (GError) error = NULL;

  sample_config (&config, TRUE);
  config.proposals = SPPNET_PROPOSALS_RPN;
  good = sppnet_config_to_json (&config);
  g_assert_true (sppnet_config_parse (&parsed, good, -1, FILE_NAME, &error));
  g_assert_no_error (error);
  config.rpn.n_anchors = 0;
  bad = sppnet_config_to_json (&config);
  sppnet_config_clear (&parsed);
  g_assert_false (sppnet_config_parse (&parsed, bad, -1, FILE_NAME, &error));
  assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME, "proposals: the method 'rpn' needs the object 'rpn'");
}

/* The methods are called as the public functions call them. */
static void
test_proposal_names (void)
{
  for (guint i = 1; i <= SPPNET_PROPOSALS_AUTO; i++) {
    g_auto (SppnetConfig) config;
    g_autofree gchar *json = NULL;
    g_autofree gchar *text = NULL;

    sample_config (&config, FALSE);
    config.proposals = (SppnetProposals) i;
    json = sppnet_config_to_json (&config);
    text = g_strdup_printf ("\"method\":\"%s\"", sppnet_proposals_to_nick (config.proposals));
    g_assert_nonnull (strstr (json, text));
  }
}

/* Absent keys mean the defaults, unknown ones nothing. */
static void
test_minimal (void)
{
  static const gchar json[] = " {\"version\":1, \"future\": {\"a\": [true, null]},\n\"layers\":[{\"type\":\"conv\","
                              "\"name\":\"c\",\"filters\":2,\"kernel\":[3,1],\"later\":\"x\"}]} ";
  g_auto (SppnetConfig) config;
  g_auto (SppnetConfig) defaults;
  g_autoptr (GError) error = NULL;

  sppnet_config_init (&defaults);
  sppnet_config_parse (&config, json, sizeof json - 1, FILE_NAME, &error);
  g_assert_no_error (error);
  g_assert_null (config.name);
  g_assert_cmpuint (config.n_layers, ==, 1);
  g_assert_cmpint (config.layers[0].kernel_width, ==, 3);
  g_assert_cmpint (config.layers[0].kernel_height, ==, 1);
  g_assert_cmpint (config.layers[0].stride, ==, 1);
  g_assert_cmpint (config.layers[0].activation, ==, SPPNET_ACTIVATION_LINEAR);
  g_assert_cmpuint (config.n_levels, ==, defaults.n_levels);
  g_assert_cmpuint (config.max_proposals, ==, defaults.max_proposals);
  g_assert_true (config.input_scale[1] == defaults.input_scale[1]);
}

/* {"version":1,"layers":[...]} of n layers with the same type and settings, each merging the one before it. */
static gchar *
chain (guint n, const gchar *type, const gchar *settings)
{
  GString *json = g_string_new ("{\"version\":1,\"layers\":[{\"type\":\"conv\",\"name\":\"l0\",\"filters\":2,"
                                "\"kernel\":1}");

  for (guint i = 1; i < n; i++) {
    g_string_append_printf (json, ",{\"type\":\"%s\",\"name\":\"l%u\",%s", type, i, settings);
    if (g_str_equal (type, "merge"))
      g_string_append_printf (json, ",\"from\":\"l%u\"", i - 1);
    g_string_append_c (json, '}');
  }
  g_string_append (json, "]}");
  return g_string_free (json, FALSE);
}

/* As many merges as there may be, each of the layer before it: nothing is looked at more than once for each. */
static void
test_merges (void)
{
  g_autofree gchar *json = chain (SPPNET_MAX_LAYERS, "merge", "\"factor\":1,\"filters\":2");
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;

  sppnet_config_parse (&config, json, -1, FILE_NAME, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (config.n_layers, ==, SPPNET_MAX_LAYERS);
}

/* No frame has a cell of 16384 pixels. */
static void
test_strides (void)
{
  static const gchar layer[] = "\"filters\":2,\"kernel\":1,\"stride\":2";
  g_autofree gchar *good = chain (14, "conv", layer), *bad = chain (15, "conv", layer);
  g_auto (SppnetConfig) config;
  g_autoptr (GError) error = NULL;
  SppnetConfig refused;

  sppnet_config_parse (&config, good, -1, FILE_NAME, &error);
  g_assert_no_error (error);
  g_assert_false (sppnet_config_parse (&refused, bad, -1, FILE_NAME, &error));
  assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME ": configuration: ", "layers[14]: the strides");
}

/* One change to a good document, and what must be said of it. */
static const struct
{
  const gchar *from, *to;
  SppnetError code;
  const gchar *text;
} wrong[] = {
  { "\"version\":1,", "", SPPNET_ERROR_CORRUPT, "'version' is missing" },
  { "\"version\":1", "\"version\":2", SPPNET_ERROR_VERSION, "version 2" },
  { "\"version\":1", "\"version\":0", SPPNET_ERROR_CORRUPT, "'version'" },
  { "\"version\":1", "\"version\":\"1\"", SPPNET_ERROR_CORRUPT, "'version'" },
  { "\"version\":1", "\"version\":1.0", SPPNET_ERROR_CORRUPT, "'version'" },
  { "\"version\":1", "\"version\":99999999999999999999", SPPNET_ERROR_CORRUPT, "number too large" },
  { "\"type\":\"conv\"", "\"type\":\"deconv\"", SPPNET_ERROR_UNSUPPORTED, "layers[0]: this version knows no 'type'" },
  { "\"type\":\"conv\",", "", SPPNET_ERROR_CORRUPT, "layers[0]: 'type' is missing" },
  { "\"type\":\"conv\"", "\"type\":3", SPPNET_ERROR_CORRUPT, "layers[0]: 'type' must be a text" },
  { "\"name\":\"conv1\",", "", SPPNET_ERROR_CORRUPT, "layers[0]: 'name' is missing" },
  { "\"name\":\"conv1\"", "\"name\":\"\"", SPPNET_ERROR_CORRUPT, "layers[0]: 'name'" },
  { "\"name\":\"conv1\"", "\"name\":\"a/b\"", SPPNET_ERROR_CORRUPT, "layers[0]: 'name'" },
  { "\"name\":\"conv1\"", "\"name\":\"0123456789012345678901234567890a\"", SPPNET_ERROR_CORRUPT, "layers[0]: 'name'" },
  { "\"name\":\"conv1\"", "\"name\":\"conv2\"", SPPNET_ERROR_CORRUPT, "layers[3]: another layer" },
  { "\"name\":\"conv1\"", "\"name\":\"fc6\"", SPPNET_ERROR_CORRUPT, "head[0]: another layer" },
  { "\"name\":\"region1\"", "\"name\":\"conv1\"", SPPNET_ERROR_CORRUPT, "region_layers[0]: another layer" },
  { "\"name\":\"region1\",", "", SPPNET_ERROR_CORRUPT, "region_layers[0]: 'name' is missing" },
  { "\"filters\":3,", "", SPPNET_ERROR_CORRUPT, "region_layers[0]: 'filters' is missing" },
  { "\"filters\":3,", "\"filters\":4097,", SPPNET_ERROR_CORRUPT, "region_layers[0]: 'filters'" },
  { "\"region_layers\":[", "\"region_layers\":[1,", SPPNET_ERROR_CORRUPT, "region_layers" },
  { "\"name\":\"fc6\"", "\"name\":\"classifier\"", SPPNET_ERROR_CORRUPT, "head[0]: the names" },
  { "\"filters\":8,", "", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters' is missing" },
  { "\"filters\":8", "\"filters\":0", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters'" },
  { "\"filters\":8", "\"filters\":4097", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters'" },
  { "\"filters\":8", "\"filters\":-1", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters'" },
  { "\"filters\":8", "\"filters\":null", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters'" },
  { "\"filters\":8", "\"filters\":4294967304", SPPNET_ERROR_CORRUPT, "layers[0]: 'filters'" },
  { "\"kernel\":[5,3],", "", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel' is missing" },
  { "\"kernel\":[5,3]", "\"kernel\":[5,65]", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel'" },
  { "\"kernel\":[5,3]", "\"kernel\":[5,3,1]", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel'" },
  { "\"kernel\":[5,3]", "\"kernel\":[]", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel'" },
  { "\"kernel\":[5,3]", "\"kernel\":[[5],3]", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel'" },
  { "\"kernel\":[5,3]", "\"kernel\":0", SPPNET_ERROR_CORRUPT, "layers[0]: 'kernel'" },
  { "\"pad\":[2,1]", "\"pad\":3", SPPNET_ERROR_CORRUPT, "layers[0]: 'pad' must be below" },
  { "\"pad\":[2,1]", "\"pad\":-1", SPPNET_ERROR_CORRUPT, "layers[0]: 'pad'" },
  { "\"stride\":2", "\"stride\":0", SPPNET_ERROR_CORRUPT, "layers[0]: 'stride'" },
  { "\"stride\":2", "\"stride\":65", SPPNET_ERROR_CORRUPT, "layers[0]: 'stride'" },
  { "\"slope\":0.1", "\"slope\":1e400", SPPNET_ERROR_CORRUPT, "layers[0]: 'slope'" },
  { "\"slope\":0.1", "\"slope\":NaN", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "\"activation\":\"leaky\"", "\"activation\":\"mish\"", SPPNET_ERROR_UNSUPPORTED, "'activation' called 'mish'" },
  { "\"size\":3", "\"size\":4", SPPNET_ERROR_CORRUPT, "layers[1]: 'size' must be odd" },
  { "\"k\":1", "\"k\":0", SPPNET_ERROR_CORRUPT, "layers[1]: 'k'" },
  { "\"alpha\":5e-05", "\"alpha\":-1", SPPNET_ERROR_CORRUPT, "layers[1]: 'alpha'" },
  { "\"within_channel\":true", "\"within_channel\":1", SPPNET_ERROR_CORRUPT, "layers[1]: 'within_channel'" },
  { "\"ceil\":true", "\"ceil\":\"yes\"", SPPNET_ERROR_CORRUPT, "layers[2]: 'ceil'" },
  { "\"from\":\"conv2\"", "\"from\":\"conv3\"", SPPNET_ERROR_CORRUPT, "layers[5]: 'from' is not the name" },
  { "\"from\":\"conv2\"", "\"from\":\"merge1\"", SPPNET_ERROR_CORRUPT, "layers[5]: 'from' is not the name" },
  { "\"from\":\"conv2\"", "\"from\":\"conv1\"", SPPNET_ERROR_CORRUPT, "layers[5]: 'factor' is not the ratio" },
  { "\"from\":\"conv2\",", "", SPPNET_ERROR_CORRUPT, "layers[5]: 'from' is missing" },
  { "\"factor\":2", "\"factor\":0", SPPNET_ERROR_CORRUPT, "layers[5]: 'factor'" },
  { "\"factor\":2,\"filters\":4", "\"factor\":2,\"filters\":8", SPPNET_ERROR_CORRUPT, "layers[5]: 'filters' is not" },
  { "\"layers\":[{", "\"layers\":[7,{", SPPNET_ERROR_CORRUPT, "layers[0] must be an object" },
  { "\"layers\":[", "\"layers\":{}, \"old\":[", SPPNET_ERROR_CORRUPT, "'layers' must be an array" },
  { "\"layers\":[", "\"layers\":[], \"old\":[", SPPNET_ERROR_CORRUPT, "'layers' must be an array" },
  { "\"layers\":[", "\"old\":[", SPPNET_ERROR_CORRUPT, "'layers' is missing" },
  { "\"order\":\"bgr\"", "\"order\":\"gbr\"", SPPNET_ERROR_UNSUPPORTED, "input: " },
  { "\"input\":{", "\"input\":[], \"old\":{", SPPNET_ERROR_CORRUPT, "'input' must be an object" },
  { "\"mean\":[104.00699,", "\"mean\":[", SPPNET_ERROR_CORRUPT, "'mean' must be an array of 3" },
  { "\"mean\":[104.00699,", "\"mean\":[\"1\",", SPPNET_ERROR_CORRUPT, "'mean[0]'" },
  { "\"type\":\"spp\"", "\"type\":\"roi\"", SPPNET_ERROR_CORRUPT, "exactly one level" },
  { "\"type\":\"spp\"", "\"type\":\"mean\"", SPPNET_ERROR_UNSUPPORTED, "'type' called 'mean'" },
  { "\"levels\":[3,1]", "\"levels\":[]", SPPNET_ERROR_CORRUPT, "'levels' must be an array of 1 to 8" },
  { "\"levels\":[3,1]", "\"levels\":[1,2,3,4,5,6,7,8,9]", SPPNET_ERROR_CORRUPT, "'levels'" },
  { "\"levels\":[3,1]", "\"levels\":[33]", SPPNET_ERROR_CORRUPT, "'levels'" },
  { "\"levels\":[3,1]", "\"levels\":[3,1],\"scales\":[1]", SPPNET_ERROR_CORRUPT, "'scales'" },
  { "\"levels\":[3,1]", "\"levels\":[3,1],\"scales\":[1,0.5]", SPPNET_ERROR_CORRUPT, "'scales[1]'" },
  { "\"outputs\":6", "\"outputs\":65537", SPPNET_ERROR_CORRUPT, "head[0]: 'outputs'" },
  { "\"dropout\":0.5", "\"dropout\":1", SPPNET_ERROR_CORRUPT, "head[0]: 'dropout'" },
  { "\"classifier\":\"softmax\"", "\"classifier\":\"forest\"", SPPNET_ERROR_UNSUPPORTED, "'classifier'" },
  { "[\"dog\",", "[\"dog\",\"dog\",", SPPNET_ERROR_CORRUPT, "labels[1]: 'dog' occurs twice" },
  { "[\"dog\",", "[\"\",", SPPNET_ERROR_CORRUPT, "labels[0]" },
  { "[\"dog\",", "[\"a\\nb\",", SPPNET_ERROR_CORRUPT, "labels[0]" },
  { "[\"dog\",", "[null,", SPPNET_ERROR_CORRUPT, "labels[0]" },
  { "[\"dog\",", "[[],", SPPNET_ERROR_CORRUPT, "labels[0]" },
  { "[\"dog\",", "[1,", SPPNET_ERROR_CORRUPT, "labels[0]" },
  { "[\"dog\",", "[\"\\u0000\",", SPPNET_ERROR_CORRUPT, "NUL" },
  { "[\"dog\",", "[\"\\ud800\",", SPPNET_ERROR_CORRUPT, "surrogate" },
  { "[\"dog\",", "[\"d\xff\",", SPPNET_ERROR_CORRUPT, "UTF-8" },
  { "[\"dog\",", "[", SPPNET_ERROR_CORRUPT, "'thresholds' must be an array of 1 elements" },
  { "\"thresholds\":[0,", "\"thresholds\":[1.5,", SPPNET_ERROR_CORRUPT, "'thresholds[0]'" },
  { "\"calibration\":[-1.7,", "\"calibration\":[", SPPNET_ERROR_CORRUPT, "'calibration' must be" },
  { "\"context\":[1.5,", "\"context\":[", SPPNET_ERROR_CORRUPT, "'context' must be" },
  { "\"context\":[1.5,", "\"context\":[1e31,", SPPNET_ERROR_CORRUPT, "'context[0]'" },
  { "\"input\":\"pooled\"", "\"input\":\"pixels\"", SPPNET_ERROR_UNSUPPORTED, "box: " },
  { "\"input\":\"pooled\"", "\"input\":\"pooled\",\"from\":\"cells\"", SPPNET_ERROR_UNSUPPORTED,
    "'from' called 'cells'" },
  { "\"input\":\"pooled\"", "\"input\":\"pooled\",\"from\":\"window\"", SPPNET_ERROR_CORRUPT, "box: 'from'" },
  { "\"name\":\"fc6\"", "\"name\":\"rpn\"", SPPNET_ERROR_CORRUPT, "rpn: another layer" },
  { "\"name\":\"fc6\"", "\"name\":\"rpn_box\"", SPPNET_ERROR_CORRUPT, "rpn: a layer is called like" },
  { "\"name\":\"rpn\"", "\"name\":\"box\"", SPPNET_ERROR_CORRUPT, "rpn: the names" },
  { "\"rpn\":{", "\"rpn\":[],\"old\":{", SPPNET_ERROR_CORRUPT, "'rpn' must be an object" },
  { "\"filters\":5,", "", SPPNET_ERROR_CORRUPT, "rpn: 'filters' is missing" },
  { "\"filters\":5,\"stride\":2", "\"filters\":5,\"stride\":3", SPPNET_ERROR_CORRUPT, "rpn: 'stride'" },
  { "\"anchors\":[[16.5,24],", "\"old\":[[16.5,24],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors' is missing" },
  { "[[16.5,24],", "[16.5,", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[0]' must be an array of two numbers" },
  { "[[16.5,24],", "[[16.5],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[0]'" },
  { "[[16.5,24],", "[[16.5,24,1],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[0]'" },
  { "[[16.5,24],", "[[16.5,0.5],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[0]'" },
  { "[[16.5,24],", "[[\"1\",24],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[0]'" },
  { "200.25]]", "1e5]]", SPPNET_ERROR_CORRUPT, "rpn: 'anchors[1]'" },
  { "\"anchors\":[[16.5,24],", "\"anchors\":[],\"old\":[[16.5,24],", SPPNET_ERROR_CORRUPT, "rpn: 'anchors'" },
  { "\"candidates\":1000", "\"candidates\":0", SPPNET_ERROR_CORRUPT, "rpn: 'candidates'" },
  { "\"boxes\":150", "\"boxes\":100001", SPPNET_ERROR_CORRUPT, "rpn: 'boxes'" },
  { "\"nms_threshold\":0.65", "\"nms_threshold\":-1", SPPNET_ERROR_CORRUPT, "rpn: 'nms_threshold'" },
  { "\"min_score\":0.125", "\"min_score\":1.5", SPPNET_ERROR_CORRUPT, "rpn: 'min_score'" },
  { "\"min_size\":4", "\"min_size\":0", SPPNET_ERROR_CORRUPT, "rpn: 'min_size'" },
  { "\"method\":\"selective-search\"", "\"method\":\"default\"", SPPNET_ERROR_UNSUPPORTED, "proposals: " },
  { "\"max\":300", "\"max\":0", SPPNET_ERROR_CORRUPT, "proposals: 'max'" },
  { "\"nms_threshold\":0.35", "\"nms_threshold\":1.01", SPPNET_ERROR_CORRUPT, "'nms_threshold'" },
  { "\"provenance\":{", "\"provenance\":7,\"old\":{", SPPNET_ERROR_CORRUPT, "'provenance' must be an object" },
  { "[1,2.5,", "[1,1e999,", SPPNET_ERROR_CORRUPT, "provenance: a number is too large" },
  { "{\"version\"", "[{\"version\"", SPPNET_ERROR_CORRUPT, "text ends too early" },
  { "{\"version\"", "/* x */{\"version\"", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "{\"version\"", "{'version'", SPPNET_ERROR_CORRUPT, "unexpected character" },
  { "{\"version\"", "{} {\"version\"", SPPNET_ERROR_CORRUPT, "text after the document" },
};

static gchar *
replace_once (const gchar *text, const gchar *from, const gchar *to)
{
  const gchar *place = strstr (text, from);
  GString *out;

  if (!place)
    g_error ("'%s' does not occur in '%s'", from, text);
  out = g_string_new_len (text, place - text);
  g_string_append (out, to);
  g_string_append (out, place + strlen (from));
  return g_string_free (out, FALSE);
}

static void
assert_initialised (const SppnetConfig *config)
{
  SppnetConfig defaults;

  sppnet_config_init (&defaults);
  g_assert_cmpmem (config, sizeof *config, &defaults, sizeof defaults);
}

static void
test_wrong (void)
{
  g_auto (SppnetConfig) config;
  g_autofree gchar *good = NULL;

  sample_config (&config, TRUE);
  good = sppnet_config_to_json (&config);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree gchar *bad = replace_once (good, wrong[i].from, wrong[i].to);
    g_autoptr (GError) error = NULL;
    SppnetConfig parsed;

    g_assert_false (sppnet_config_parse (&parsed, bad, -1, FILE_NAME, &error));
    assert_refused (error, wrong[i].code, FILE_NAME ": configuration: ", wrong[i].text);
    assert_initialised (&parsed);
    g_assert_false (sppnet_config_parse (&parsed, bad, -1, FILE_NAME, NULL));
  }
}

/* Every shorter text is refused, and none is read past its end. */
static void
test_truncated (void)
{
  g_auto (SppnetConfig) config;
  g_autofree gchar *good = NULL;

  sample_config (&config, TRUE);
  good = sppnet_config_to_json (&config);
  for (gsize n = 0; n < strlen (good); n++) {
    g_autofree gchar *part = g_memdup2 (good, n);
    g_autoptr (GError) error = NULL;
    SppnetConfig parsed;

    g_assert_false (sppnet_config_parse (&parsed, n ? part : "", (gssize) n, FILE_NAME, &error));
    assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME, "configuration: ");
  }
}

static void
test_nested (void)
{
  static const gchar *const openings[] = { "[", "{\"a\":" };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GString) json = g_string_new ("{\"version\":1,\"x\":");
    g_autoptr (GError) error = NULL;
    SppnetConfig config;

    for (guint n = 0; n < 500000; n++)
      g_string_append (json, openings[i]);
    g_assert_false (sppnet_config_parse (&config, json->str, (gssize) json->len, FILE_NAME, &error));
    assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME, "nested too deeply");
  }
}

static void
test_too_many (void)
{
  g_auto (SppnetConfig) config;
  g_autofree gchar *good = NULL;
  g_autofree gchar *bad = NULL;
  g_autoptr (GString) labels = g_string_new ("\"labels\":[");
  g_autoptr (GError) error = NULL;
  SppnetConfig parsed;

  for (guint i = 0; i <= SPPNET_MAX_LABELS; i++)
    g_string_append_printf (labels, "%s\"label %u\"", i ? "," : "", i);
  g_string_append (labels, "],\"old\":[");
  sample_config (&config, FALSE);
  good = sppnet_config_to_json (&config);
  bad = replace_once (good, "\"labels\":[", labels->str);
  g_assert_false (sppnet_config_parse (&parsed, bad, -1, FILE_NAME, &error));
  assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME, "'labels' must be an array of 0 to 4096");
}

static void
test_too_long (void)
{
  g_autoptr (GString) json = g_string_new ("{\"version\":1,\"x\":[0");
  g_autoptr (GError) error = NULL;
  SppnetConfig config;

  while (json->len < 5000000)
    g_string_append (json, ",0");
  g_string_append (json, "]}");
  g_assert_false (sppnet_config_parse (&config, json->str, (gssize) json->len, FILE_NAME, &error));
  assert_refused (error, SPPNET_ERROR_CORRUPT, FILE_NAME, "longer than 4194304 bytes");
}

/* The example of docs/model-format.md and what the page says of it. */
static void
test_documented (void)
{
  g_autofree gchar *page_path = g_test_build_filename (G_TEST_DIST, "..", "docs", "model-format.md", NULL);
  g_autofree gchar *page = NULL;
  g_auto (SppnetConfig) config = { NULL };
  g_autoptr (GArray) tensors = NULL;
  g_autoptr (GError) error = NULL;
  gchar *begin, *end;

  if (!g_file_get_contents (page_path, &page, NULL, NULL)) {
    g_test_skip ("no docs/model-format.md beside G_TEST_SRCDIR");
    return;
  }
  begin = strstr (page, "```json\n{");
  g_assert_nonnull (begin);
  end = strstr (begin + 8, "```");
  g_assert_nonnull (end);
  sppnet_config_parse (&config, begin + 8, end - begin - 8, FILE_NAME, &error);
  g_assert_no_error (error);
  tensors = sppnet_config_tensors (&config);
  g_assert_cmpuint (tensors->len, ==, 6);
  for (guint i = 0; i < tensors->len; i++) {
    const SppnetTensorSource *tensor = &g_array_index (tensors, SppnetTensorSource, i);
    g_autoptr (GString) text = g_string_new (NULL);

    g_string_append_printf (text, "`%s` ", tensor->name);
    for (guint d = 0; d < tensor->n_dims; d++)
      g_string_append_printf (text, "[%zu]", tensor->dims[d]);
    g_assert_nonnull (strstr (page, text->str));
  }
}

static void
test_slope (void)
{
  g_assert_cmpfloat (sppnet_activation_slope (SPPNET_ACTIVATION_LINEAR, 0.1f), ==, 1.0f);
  g_assert_cmpfloat (sppnet_activation_slope (SPPNET_ACTIVATION_RELU, 0.1f), ==, 0.0f);
  g_assert_cmpfloat (sppnet_activation_slope (SPPNET_ACTIVATION_LEAKY, 0.1f), ==, 0.1f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/region-level", test_region_level);
  g_test_add_func ("/config/region-layers-refused", test_region_layers_refused);
  g_test_add_func ("/config/round-trip", test_round_trip);
  g_test_add_func ("/config/round-trip/random", test_round_trip_random);
  g_test_add_func ("/config/round-trip/locale", test_locale);
  g_test_add_func ("/config/numbers", test_numbers);
  g_test_add_func ("/config/tensors", test_tensors);
  g_test_add_func ("/config/proposal-names", test_proposal_names);
  g_test_add_func ("/config/rpn-recommended", test_rpn_recommended);
  g_test_add_func ("/config/minimal", test_minimal);
  g_test_add_func ("/config/merges", test_merges);
  g_test_add_func ("/config/strides", test_strides);
  g_test_add_func ("/config/wrong", test_wrong);
  g_test_add_func ("/config/truncated", test_truncated);
  g_test_add_func ("/config/nested", test_nested);
  g_test_add_func ("/config/too-many", test_too_many);
  g_test_add_func ("/config/too-long", test_too_long);
  g_test_add_func ("/config/slope", test_slope);
  g_test_add_func ("/config/documented", test_documented);
  return g_test_run ();
}
