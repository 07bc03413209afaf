/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/teachers.h"

#include <string.h>

#include "base/memory.h"
#include "kernel/kernel.h"

typedef struct
{
  SppnetNetwork *network;
  SppnetPacks *packs;
} Teacher;

struct _SppnetTeachers
{
  guint n;
  Teacher *teachers;
  GString *key;
};

struct _SppnetLesson
{
  const SppnetTeachers *teachers;
  SppnetPass **passes; /* [teachers] */
  SppnetBuffer mirrored, boxes, scores, mean;
};

static gboolean
fits (const SppnetConfig *teacher, const SppnetConfig *config)
{
  return sppnet_network_same_outputs (teacher, config->labels) && teacher->box_input == SPPNET_BOX_HEAD
         && teacher->input_bgr == config->input_bgr
         && memcmp (teacher->input_mean, config->input_mean, sizeof config->input_mean) == 0
         && memcmp (teacher->input_scale, config->input_scale, sizeof config->input_scale) == 0;
}

static gboolean
load_teacher (Teacher *teacher, const gchar *file, const SppnetConfig *learner, GString *key, GError **error)
{
  g_autoptr (SppnetModel) model = sppnet_model_load (file, error);
  g_autofree gchar *fingerprint = NULL;
  const SppnetConfig *config;
  SppnetRandom random = { 1 };
  gboolean head_taken;

  if (!model)
    return FALSE;
  config = sppnet_model_get_config (model);
  if (!fits (config, learner)) {
    g_set_error (
        error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
        "%s: a teacher needs a softmax and box regression for just the labels that are trained, in their order, "
        "and the same input",
        file);
    return FALSE;
  }
  fingerprint = sppnet_model_fingerprint (model);
  g_string_append_printf (key, "%s ", fingerprint);
  teacher->network = sppnet_network_new (config, &random, error);
  if (!teacher->network)
    return FALSE;
  sppnet_network_adopt (teacher->network, model, &head_taken);
  teacher->packs = sppnet_packs_new (teacher->network, error);
  if (!teacher->packs)
    return FALSE;
  sppnet_packs_update (teacher->packs, 1);
  return TRUE;
}

SppnetTeachers *
sppnet_teachers_new (const gchar *const *files, const SppnetConfig *config, GError **error)
{
  SppnetTeachers *teachers = g_new0 (SppnetTeachers, 1);

  teachers->n = g_strv_length ((gchar **) files);
  teachers->teachers = g_new0 (Teacher, teachers->n);
  teachers->key = g_string_new (NULL);
  for (guint i = 0; i < teachers->n; i++)
    if (!load_teacher (&teachers->teachers[i], files[i], config, teachers->key, error)) {
      sppnet_teachers_free (teachers);
      return NULL;
    }
  return teachers;
}

void
sppnet_teachers_free (SppnetTeachers *teachers)
{
  if (!teachers)
    return;
  for (guint i = 0; i < teachers->n; i++) {
    sppnet_packs_free (teachers->teachers[i].packs);
    sppnet_network_free (teachers->teachers[i].network);
  }
  g_free (teachers->teachers);
  g_string_free (teachers->key, TRUE);
  g_free (teachers);
}

const gchar *
sppnet_teachers_key (const SppnetTeachers *teachers)
{
  return teachers->key->str;
}

SppnetLesson *
sppnet_lesson_new (const SppnetTeachers *teachers)
{
  SppnetLesson *lesson = g_new0 (SppnetLesson, 1);

  lesson->teachers = teachers;
  lesson->passes = g_new0 (SppnetPass *, teachers->n);
  for (guint i = 0; i < teachers->n; i++)
    lesson->passes[i] = sppnet_pass_new (teachers->teachers[i].network, teachers->teachers[i].packs);
  return lesson;
}

void
sppnet_lesson_free (SppnetLesson *lesson)
{
  if (!lesson)
    return;
  for (guint i = 0; i < lesson->teachers->n; i++)
    sppnet_pass_free (lesson->passes[i]);
  g_free (lesson->passes);
  sppnet_buffer_clear (&lesson->mirrored);
  sppnet_buffer_clear (&lesson->boxes);
  sppnet_buffer_clear (&lesson->scores);
  sppnet_buffer_clear (&lesson->mean);
  g_free (lesson);
}

static gboolean
mirror (SppnetLesson *lesson, const gfloat *input, gint width, gint height, const SppnetBox *boxes, gsize n,
        GError **error)
{
  gfloat *to = sppnet_buffer_reserve (&lesson->mirrored, (gsize) width * (gsize) height, 3 * sizeof (gfloat), error);
  SppnetBox *placed = to ? sppnet_buffer_reserve (&lesson->boxes, n, sizeof (SppnetBox), error) : NULL;

  if (!placed)
    return FALSE;
  for (gint y = 0; y < height; y++)
    for (gint x = 0; x < width; x++)
      memcpy (to + ((gsize) y * (gsize) width + (gsize) x) * 3,
              input + ((gsize) y * (gsize) width + (gsize) (width - 1 - x)) * 3, 3 * sizeof (gfloat));
  for (gsize i = 0; i < n; i++) {
    placed[i] = boxes[i];
    placed[i].x = (gfloat) width - boxes[i].x - boxes[i].width;
  }
  return TRUE;
}

const gfloat *
sppnet_lesson_run (SppnetLesson *lesson, const gfloat *input, gint width, gint height, const SppnetBox *boxes, gsize n,
                   GError **error)
{
  const SppnetTeachers *teachers = lesson->teachers;
  gsize count = n * (gsize) teachers->teachers[0].network->classifier.out;
  gfloat *mean = sppnet_buffer_reserve (&lesson->mean, count, sizeof (gfloat), error);
  gfloat *scores = mean ? sppnet_buffer_reserve (&lesson->scores, count, sizeof (gfloat), error) : NULL;

  if (!scores || (teachers->n > 1 && !mirror (lesson, input, width, height, boxes, n, error)))
    return NULL;
  memset (mean, 0, sizeof (gfloat) * count);
  for (guint i = 0; i < teachers->n; i++) {
    const SppnetNetwork *network = teachers->teachers[i].network;
    gboolean other_side = i % 2 == 1;

    if (!sppnet_pass_forward (lesson->passes[i], network, other_side ? lesson->mirrored.data : input, width, height,
                              error)
        || !sppnet_pass_score (lesson->passes[i], network, other_side ? lesson->boxes.data : boxes, n, scores, error))
      return NULL;
    sppnet_kernels ()->add_into (mean, scores, count);
  }
  for (gsize k = 0; k < count; k++)
    mean[k] /= (gfloat) teachers->n;
  return mean;
}
