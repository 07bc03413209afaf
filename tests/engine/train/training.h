/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A training on 24 drawn pictures, from a small backbone, into a folder that goes with it. */
#include "scenes.h"
#include "train/train.h"

typedef struct
{
  gchar *dir, *dirs[2], *sets[2];
  gchar *work, *init, *output;
  SppnetTrainOptions options; /* with what is not set here at its default */
} Fixture;

static inline void
begin_training (Fixture *fixture)
{
  fixture->dir = scenes_write (24, 1);
  fixture->dirs[0] = fixture->dir;
  fixture->sets[0] = (gchar *) "train";
  fixture->work = g_build_filename (fixture->dir, "work", NULL);
  fixture->init = g_build_filename (fixture->dir, "backbone.safetensors", NULL);
  fixture->output = g_build_filename (fixture->dir, "output.safetensors", NULL);
  backbone_write (fixture->init);
  sppnet_train_defaults (&fixture->options);
  fixture->options.pictures = (SppnetPictureSets) { .voc = fixture->dirs, .sets = fixture->sets };
  fixture->options.init = fixture->init;
  fixture->options.output = fixture->output;
  fixture->options.work = fixture->work;
  fixture->options.name = "scenes";
}

static inline void
end_training (Fixture *fixture, gconstpointer user_data)
{
  remove_tree (fixture->dir);
  g_free (fixture->dir);
  g_free (fixture->work);
  g_free (fixture->init);
  g_free (fixture->output);
}

static inline void
train (Fixture *fixture, SppnetProgress progress, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  sppnet_train (&fixture->options, progress, user_data, &error);
  g_assert_no_error (error);
}

/* (transfer full) */
static inline GBytes *
read_output (const Fixture *fixture)
{
  gchar *content;
  gsize length;

  g_assert_true (g_file_get_contents (fixture->output, &content, &length, NULL));
  return g_bytes_new_take (content, length);
}

/* Trains with the folder as it is, which gives what it gives in a new one. (transfer full) */
static inline GBytes *
train_anew (Fixture *fixture)
{
  g_autoptr (GBytes) clean = NULL;
  GBytes *after;

  train (fixture, NULL, NULL);
  after = read_output (fixture);
  remove_tree (fixture->work);
  train (fixture, NULL, NULL);
  clean = read_output (fixture);
  g_assert_true (g_bytes_equal (after, clean));
  return after;
}
