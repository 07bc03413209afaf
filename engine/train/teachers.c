/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/teachers.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/kernel.h"

/* Every other teacher sees the picture so much larger. */
#define OTHER_SCALE 1.25

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
  SppnetPass **passes;       /* [teachers] */
  SppnetBuffer other, boxes; /* what every other teacher sees */
  gint width, height;        /* of that */
  SppnetBuffer scores, mean;
};

static gboolean
fits (const SppnetConfig *teacher, const SppnetConfig *config)
{
  return sppnet_network_same_outputs (teacher, config->labels) && teacher->box_input != SPPNET_BOX_POOLED
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

  if (!model)
    return FALSE;
  config = sppnet_model_get_config (model);
  if (!fits (config, learner)) {
    g_set_error (
        error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
        "%s: a teacher needs a softmax over just the labels that are trained, in their order, no ridge regression of "
        "boxes, and the same input",
        file);
    return FALSE;
  }
  fingerprint = sppnet_model_fingerprint (model);
  g_string_append_printf (key, "%s ", fingerprint);
  teacher->network = sppnet_network_new (config, &random, error);
  if (!teacher->network)
    return FALSE;
  sppnet_network_adopt (teacher->network, model, TRUE);
  teacher->packs = sppnet_packs_new_forward (teacher->network, error);
  return teacher->packs != NULL;
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
  sppnet_buffer_clear (&lesson->other);
  sppnet_buffer_clear (&lesson->boxes);
  sppnet_buffer_clear (&lesson->scores);
  sppnet_buffer_clear (&lesson->mean);
  g_free (lesson);
}

/* Where the middle of pixel i of n lies among the pixels that are resized to them: two neighbours, and the part of the
 * second. */
static gint
neighbours (gint i, gint n, gint from, gint *second, gfloat *part)
{
  gfloat place = CLAMP (((gfloat) i + 0.5f) * (gfloat) from / (gfloat) n - 0.5f, 0.0f, (gfloat) (from - 1));
  gint first = (gint) place;

  *second = MIN (first + 1, from - 1);
  *part = place - (gfloat) first;
  return first;
}

/* The input larger, by linear interpolation, and mirrored. */
static void
resize_mirrored (const gfloat *input, gint width, gint height, gfloat *to, gint to_width, gint to_height)
{
  for (gint y = 0; y < to_height; y++) {
    gint below, above;
    gfloat down;

    above = neighbours (y, to_height, height, &below, &down);
    for (gint x = 0; x < to_width; x++, to += 3) {
      const gfloat *rows[2] = { input + (gsize) above * (gsize) width * 3, input + (gsize) below * (gsize) width * 3 };
      gint right, left;
      gfloat aside;

      left = neighbours (to_width - 1 - x, to_width, width, &right, &aside);
      for (gint c = 0; c < 3; c++) {
        gfloat upper = rows[0][3 * left + c] + aside * (rows[0][3 * right + c] - rows[0][3 * left + c]);
        gfloat lower = rows[1][3 * left + c] + aside * (rows[1][3 * right + c] - rows[1][3 * left + c]);

        to[c] = upper + down * (lower - upper);
      }
    }
  }
}

static gboolean
make_other_view (SppnetLesson *lesson, const gfloat *input, gint width, gint height, const SppnetBox *boxes, gsize n,
                 GError **error)
{
  gfloat scale_x, scale_y;
  SppnetBox *placed;
  gfloat *to;

  lesson->width = (gint) lround (OTHER_SCALE * width);
  lesson->height = (gint) lround (OTHER_SCALE * height);
  to = sppnet_buffer_reserve (&lesson->other, (gsize) lesson->width * (gsize) lesson->height, 3 * sizeof (gfloat),
                              error);
  placed = to ? sppnet_buffer_reserve (&lesson->boxes, n, sizeof (SppnetBox), error) : NULL;
  if (!placed)
    return FALSE;
  resize_mirrored (input, width, height, to, lesson->width, lesson->height);
  scale_x = (gfloat) lesson->width / (gfloat) width;
  scale_y = (gfloat) lesson->height / (gfloat) height;
  for (gsize i = 0; i < n; i++)
    placed[i] = (SppnetBox) { scale_x * ((gfloat) width - boxes[i].x - boxes[i].width), scale_y * boxes[i].y,
                              scale_x * boxes[i].width, scale_y * boxes[i].height };
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

  if (!scores || (teachers->n > 1 && !make_other_view (lesson, input, width, height, boxes, n, error)))
    return NULL;
  memset (mean, 0, sizeof (gfloat) * count);
  for (guint i = 0; i < teachers->n; i++) {
    const SppnetNetwork *network = teachers->teachers[i].network;
    gboolean other = i % 2 == 1;

    if (!sppnet_pass_forward (lesson->passes[i], network, other ? lesson->other.data : input,
                              other ? lesson->width : width, other ? lesson->height : height, error)
        || !sppnet_pass_score (lesson->passes[i], network, other ? lesson->boxes.data : boxes, n, scores, error))
      return NULL;
    sppnet_kernels ()->add_into (mean, scores, count);
  }
  for (gsize k = 0; k < count; k++)
    mean[k] /= (gfloat) teachers->n;
  return mean;
}
