/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "train/network.h"
#include "train/pass.h"

/* Trained models whose probabilities, before calibration, a network learns beside the annotations (Hinton et al. 2015):
 * several together, and every other one on the picture mirrored and a quarter larger, know more than each of them.
 * Shared by the threads. */
typedef struct _SppnetTeachers SppnetTeachers;

/* Models with a softmax over the same labels as the network of this configuration, and the same input. */
SppnetTeachers *sppnet_teachers_new (const gchar *const *files, const SppnetConfig *config, GError **error);
void sppnet_teachers_free (SppnetTeachers *teachers);

/* Names the models by what is in them, for checkpoints. */
const gchar *sppnet_teachers_key (const SppnetTeachers *teachers);

/* Scratch memory for one picture at a time. */
typedef struct _SppnetLesson SppnetLesson;

/* teachers must outlive the lesson. */
SppnetLesson *sppnet_lesson_new (const SppnetTeachers *teachers);
void sppnet_lesson_free (SppnetLesson *lesson);

/* What the teachers make of regions boxes [n] of input [height][width][3]: the mean of their probabilities, [n][1 +
 * labels], background first, valid until the next run; NULL when a layer has no output for this size. */
const gfloat *sppnet_lesson_run (SppnetLesson *lesson, const gfloat *input, gint width, gint height,
                                 const SppnetBox *boxes, gsize n, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetTeachers, sppnet_teachers_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SppnetLesson, sppnet_lesson_free)
