/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trained models as teachers: what they say about regions, and a network that learns it. */
#include "scenes.h"

#include "train/teachers.h"
#include "train/train.h"

#define PICTURES 16

typedef struct
{
  gchar *dir, *dirs[2], *sets[2], *init, *files[2];
  SppnetTrainOptions options;
} Fixture;

static void
train (Fixture *fixture, guint k)
{
  g_autofree gchar *work = g_strconcat (fixture->files[k], ".work", NULL);
  g_autoptr (GError) error = NULL;

  fixture->options.output = fixture->files[k];
  fixture->options.work = work;
  fixture->options.end_to_end.seed = 1 + k;
  sppnet_train (&fixture->options, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  SppnetEndToEndSettings *e = &fixture->options.end_to_end;

  fixture->dir = scenes_write (PICTURES, 3);
  fixture->dirs[0] = fixture->dir;
  fixture->sets[0] = (gchar *) "train";
  fixture->init = g_build_filename (fixture->dir, "backbone.safetensors", NULL);
  backbone_write (fixture->init);
  for (guint k = 0; k < 2; k++)
    fixture->files[k] = g_strdup_printf ("%s/model%u.safetensors", fixture->dir, k);
  sppnet_train_defaults (&fixture->options);
  fixture->options.pictures = (SppnetPictureSets) { .voc = fixture->dirs, .sets = fixture->sets };
  fixture->options.init = fixture->init;
  fixture->options.name = "scenes";
  fixture->options.n_levels = 1;
  fixture->options.levels[0] = 3;
  fixture->options.n_head = 1;
  fixture->options.head[0] = 32;
  fixture->options.dropout = 0.0;
  e->epochs = 25;
  e->warm_up = 4;
  e->sampler.regions = 32;
  e->optimizer.learning_rate = 3e-3;
  e->optimizer.backbone_learning_rate = 1e-3;
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  remove_tree (fixture->dir);
  g_free (fixture->dir);
  g_free (fixture->init);
  for (guint k = 0; k < 2; k++)
    g_free (fixture->files[k]);
}

/* Picture [height][width][3] at place (x, y), between the middles of its pixels. */
static gfloat
between (const gfloat *picture, gint width, gint height, gdouble x, gdouble y, gint c)
{
  gdouble sum = 0.0;

  x = CLAMP (x - 0.5, 0.0, width - 1.0);
  y = CLAMP (y - 0.5, 0.0, height - 1.0);
  for (gint row = 0; row < height; row++)
    for (gint column = 0; column < width && fabs (row - y) < 1.0; column++)
      if (fabs (column - x) < 1.0)
        sum += (1.0 - fabs (row - y)) * (1.0 - fabs (column - x)) * picture[(row * width + column) * 3 + c];
  return (gfloat) sum;
}

/* What the models given by their numbers say about the objects of picture 0, or of it mirrored and 5 / 4 as large. */
static gfloat *
ask (Fixture *fixture, const gchar *models, gboolean other, gint labels[2])
{
  g_autoptr (SppnetModel) model = sppnet_model_load (fixture->files[0], NULL);
  const SppnetConfig *config = sppnet_model_get_config (model);
  g_autoptr (SppnetDataset) dataset = NULL;
  g_autoptr (SppnetSampler) sampler = sppnet_sampler_new ();
  g_autoptr (SppnetTeachers) teachers = NULL;
  g_autoptr (SppnetLesson) lesson = NULL;
  g_autoptr (GError) error = NULL;
  const SppnetSamplerSettings settings = { .variation = { .aspect = 1.0 }, .colour = 0.5, .erase = 1.0 };
  const SppnetSceneDraw plain = { .scale = 1.0 };
  SppnetRandom random = { 1 };
  const gchar *files[3] = { NULL };
  const gfloat *found;
  gint width = other ? SCENE_WIDTH * 5 / 4 : SCENE_WIDTH, height = other ? SCENE_HEIGHT * 5 / 4 : SCENE_HEIGHT;
  g_autofree gfloat *larger = NULL;
  SppnetBox boxes[2];
  const gfloat *input;

  for (guint k = 0; models[k]; k++)
    files[k] = fixture->files[models[k] - '0'];
  dataset = sppnet_dataset_new (sppnet_voc_load (fixture->dir, "train", &error), NULL, 0, &error);
  g_assert_no_error (error);
  teachers = sppnet_teachers_new (files, config, &error);
  g_assert_no_error (error);
  lesson = sppnet_lesson_new (teachers);
  sampler->keep_plain = TRUE;
  sppnet_sampler_draw (sampler, dataset, 0, &plain, config, &settings, &random, &error);
  g_assert_no_error (error);
  input = sampler->plain.data;
  if (other) {
    input = larger = g_new (gfloat, width * height * 3);
    for (gint i = 0; i < width * height * 3; i++)
      larger[i] = between (sampler->plain.data, SCENE_WIDTH, SCENE_HEIGHT, SCENE_WIDTH - (i / 3 % width + 0.5) * 0.8,
                           (i / 3 / width + 0.5) * 0.8, i % 3);
  }
  for (guint k = 0; k < 2; k++) {
    const SppnetSceneObject *object = &g_array_index (sampler->scene.objects, SppnetSceneObject, k);

    boxes[k] = object->box;
    labels[k] = object->label;
    if (other) {
      const SppnetBox box = object->box;

      boxes[k] = (SppnetBox) { 1.25f * (SCENE_WIDTH - box.x - box.width), 1.25f * box.y, 1.25f * box.width,
                               1.25f * box.height };
    }
  }
  found = sppnet_lesson_run (lesson, input, width, height, boxes, 2, &error);
  g_assert_no_error (error);
  return g_memdup2 (found, sizeof (gfloat) * 6);
}

static void
test_mean (Fixture *fixture, gconstpointer user_data)
{
  g_autofree gfloat *first = NULL, *second = NULL, *both = NULL;
  gint labels[2];

  train (fixture, 0);
  train (fixture, 1);
  first = ask (fixture, "0", FALSE, labels);
  second = ask (fixture, "1", TRUE, labels);
  both = ask (fixture, "01", FALSE, labels);
  for (guint k = 0; k < 2; k++) {
    const gfloat *p = both + 3 * k;

    for (guint c = 0; c < 3; c++)
      g_assert_cmpfloat_with_epsilon (p[c], 0.5f * (first[3 * k + c] + second[3 * k + c]), 1e-5);
    g_assert_cmpfloat_with_epsilon (p[0] + p[1] + p[2], 1.0f, 1e-5);
    g_test_message ("object of label %d: %.3f %.3f %.3f", labels[k], p[0], p[1], p[2]);
    g_assert_cmpfloat (p[1 + labels[k]], >, 0.5f);
  }
}

static gboolean
stop (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  return !g_str_equal (stage, "end-to-end");
}

/* The checkpoint knows what was taught. */
static void
test_stopped (Fixture *fixture, gconstpointer user_data)
{
  const gchar *teachers[] = { fixture->files[0], NULL };
  g_autofree gchar *work = g_strconcat (fixture->files[1], ".work", NULL);
  g_autoptr (GError) error = NULL;

  fixture->options.end_to_end.epochs = 1;
  train (fixture, 0);
  fixture->options.teachers = teachers;
  fixture->options.end_to_end.teachers_part = 1.0;
  fixture->options.output = fixture->files[1];
  fixture->options.work = work;
  g_assert_false (sppnet_train (&fixture->options, stop, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED);
  g_clear_error (&error);
  fixture->options.end_to_end.teachers_part = 0.5;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS);
  g_clear_error (&error);
  fixture->options.end_to_end.teachers_part = 1.0;
  sppnet_train (&fixture->options, NULL, NULL, &error);
  g_assert_no_error (error);
}

/* Of a teacher whose labels are exchanged, a network that listens to it alone learns the exchanged ones. */
static void
test_learns_what_is_taught (Fixture *fixture, gconstpointer user_data)
{
  const gchar *teachers[] = { fixture->files[0], NULL };
  g_autofree gchar *list = g_build_filename (fixture->dir, "Annotations", NULL);
  g_autofree gchar *work = g_strconcat (fixture->files[1], ".work", NULL);
  g_autofree gfloat *first = NULL, *second = NULL;
  g_autoptr (GError) error = NULL;
  gint labels[2];

  train (fixture, 0);
  for (guint i = 0; i < PICTURES; i++) {
    g_autofree gchar *file = g_strdup_printf ("%s/%03u.xml", list, i);
    g_autofree gchar *content = NULL;
    g_autoptr (GString) text = NULL;

    g_assert_true (g_file_get_contents (file, &content, NULL, NULL));
    text = g_string_new (content);
    g_string_replace (text, "disk", "other", 0);
    g_string_replace (text, "square", "disk", 0);
    g_string_replace (text, "other", "square", 0);
    g_assert_true (g_file_set_contents (file, text->str, -1, NULL));
  }
  fixture->options.teachers = teachers;
  fixture->options.end_to_end.teachers_part = 1.0;
  train (fixture, 1);
  fixture->options.work = work;
  teachers[0] = fixture->init;
  g_assert_false (sppnet_train (&fixture->options, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, fixture->init));

  first = ask (fixture, "0", FALSE, labels);
  second = ask (fixture, "1", FALSE, labels);
  for (guint k = 0; k < 2; k++) {
    gint taught = 1 + (1 - labels[k]);

    g_test_message ("object of label %d: %.3f, taught %.3f", labels[k], second[3 * k + taught], first[3 * k + taught]);
    g_assert_cmpfloat (first[3 * k + taught], >, 0.5f);
    g_assert_cmpfloat (second[3 * k + taught], >, 0.5f);
  }
}

static void
refuse (Fixture *fixture, const SppnetConfig *config, const gchar *file, SppnetError code)
{
  const gchar *files[] = { file, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (sppnet_teachers_new (files, config, &error));
  g_assert_error (error, SPPNET_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, file));
}

static void
test_refusals (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (SppnetModel) model = NULL;
  g_auto (SppnetConfig) config;

  fixture->options.end_to_end.epochs = 0;
  train (fixture, 0);
  model = sppnet_model_load (fixture->files[0], NULL);
  refuse (fixture, sppnet_model_get_config (model), "/nonexistent.safetensors", SPPNET_ERROR_NOT_FOUND);
  refuse (fixture, sppnet_model_get_config (model), fixture->init, SPPNET_ERROR_SETTINGS);
  sppnet_config_copy (&config, sppnet_model_get_config (model));
  config.input_scale[1] *= 2.0f;
  refuse (fixture, &config, fixture->files[0], SPPNET_ERROR_SETTINGS);
  config.input_scale[1] *= 0.5f;
  g_free (config.labels[0]);
  config.labels[0] = g_strdup ("other");
  refuse (fixture, &config, fixture->files[0], SPPNET_ERROR_SETTINGS);
}

#define ADD(name, function) g_test_add ("/train/teachers/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("mean", test_mean);
  ADD ("stopped", test_stopped);
  ADD ("learns-what-is-taught", test_learns_what_is_taught);
  ADD ("refusals", test_refusals);
  return g_test_run ();
}
