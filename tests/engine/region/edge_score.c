/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_score.h"

#include <math.h>

#include "picture.h"

#define WIDTH 150
#define HEIGHT 110

typedef struct
{
  SppnetEdgeMap map;
  SppnetEdgeGroups groups;
  SppnetEdgeScore score;
} Scene;

static void
scene_init (Scene *scene, const guint8 *rgb)
{
  *scene = (Scene) { 0 };
  g_assert_true (sppnet_edge_map_run (&scene->map, rgb, WIDTH, HEIGHT, 1, NULL));
  g_assert_true (sppnet_edge_groups_run (&scene->groups, &scene->map, NULL));
  g_assert_true (sppnet_edge_score_prepare (&scene->score, &scene->map, &scene->groups, 2, NULL));
}

static void
scene_clear (Scene *scene)
{
  sppnet_edge_map_clear (&scene->map);
  sppnet_edge_groups_clear (&scene->groups);
  sppnet_edge_score_clear (&scene->score);
}

static gboolean
within (gint x, gint y, SppnetExtent box)
{
  return x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1;
}

/* The weight of the best path from the border to each group: relaxation until nothing changes. weight: [n_groups] */
static void
naive_weights (const Scene *scene, SppnetExtent box, gfloat *weight)
{
  const SppnetEdgeGroup *groups = scene->groups.groups.data;
  const SppnetEdgeNeighbour *neighbours = scene->groups.neighbours.data;
  const guint16 *labels = scene->groups.labels.data;
  gboolean changed = TRUE;

  for (guint i = 0; i < scene->groups.n_groups; i++)
    weight[i] = 0.0f;
  for (gint y = box.y0; y <= box.y1; y++)
    for (gint x = box.x0; x <= box.x1; x++)
      if (x == box.x0 || x == box.x1 || y == box.y0 || y == box.y1)
        weight[labels[y * WIDTH + x]] = 1.0f;
  weight[0] = 0.0f;
  while (changed) {
    changed = FALSE;
    for (guint i = 1; i < scene->groups.n_groups; i++)
      for (guint32 j = groups[i].first; j < groups[i].first + groups[i].n; j++) {
        gfloat w = weight[i] * neighbours[j].affinity;

        if (w >= 0.05f && w > weight[neighbours[j].group]
            && within (groups[neighbours[j].group].x, groups[neighbours[j].group].y, box)) {
          weight[neighbours[j].group] = w;
          changed = TRUE;
        }
      }
  }
}

/* The definition, pixel by pixel. weight: as above, or NULL for the bound */
static gdouble
naive_score (const Scene *scene, SppnetExtent box, const gfloat *weight)
{
  const SppnetEdgeGroup *groups = scene->groups.groups.data;
  const guint16 *labels = scene->groups.labels.data;
  const guint8 *magnitude = scene->map.magnitude.data;
  gint w = box.x1 - box.x0 + 1, h = box.y1 - box.y0 + 1, x0 = box.x0 + w / 4, y0 = box.y0 + h / 4;
  gdouble sum = 0.0;

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      guint label = labels[y * WIDTH + x];

      if (label && within (groups[label].x, groups[label].y, box))
        sum += (weight ? 1.0 - (gdouble) weight[label] : 1.0) * magnitude[y * WIDTH + x];
      if (label && x >= x0 && x < x0 + w / 2 && y >= y0 && y < y0 + h / 2)
        sum -= magnitude[y * WIDTH + x];
    }
  return MAX (sum, 0.0) / 255.0 / pow (2.0 * (w + h), 1.5);
}

static void
test_brute_force (void)
{
  g_autofree guint8 *rgb = picture_clutter (WIDTH, HEIGHT, 80, 11);
  g_autofree gfloat *weight = NULL;
  SppnetRandom random = { 5 };
  guint positive = 0;
  Scene scene;

  scene_init (&scene, rgb);
  weight = g_new (gfloat, scene.groups.n_groups);
  g_assert_cmpuint (scene.groups.n_groups, >, 100);
  for (guint i = 0; i < 3000; i++) {
    gint w = 1 + (gint) sppnet_random_below (&random, WIDTH), h = 1 + (gint) sppnet_random_below (&random, HEIGHT);
    gint x = (gint) sppnet_random_below (&random, (guint32) (WIDTH - w + 1));
    gint y = (gint) sppnet_random_below (&random, (guint32) (HEIGHT - h + 1));
    SppnetExtent box = { (guint16) x, (guint16) y, (guint16) (x + w - 1), (guint16) (y + h - 1) };
    gfloat score = sppnet_edge_score_box (&scene.score, i % 2, box, 0.0f),
           bound = sppnet_edge_score_bound (&scene.score, box);

    naive_weights (&scene, box, weight);
    g_assert_cmpfloat_with_epsilon (bound, naive_score (&scene, box, NULL), 1e-5 * (1.0 + bound));
    g_assert_cmpfloat_with_epsilon (score, naive_score (&scene, box, weight), 1e-5 * (1.0 + bound));
    g_assert_cmpfloat (score, <=, bound);
    if (score > 0.0f) {
      positive++;
      g_assert_cmpfloat (sppnet_edge_score_box (&scene.score, 0, box, score * 0.99f), ==, score);
      g_assert_cmpfloat (sppnet_edge_score_box (&scene.score, 0, box, score * 1.01f), ==, 0.0f);
    }
  }
  g_test_message ("%u of 3000 windows have a score", positive);
  g_assert_cmpuint (positive, >, 300);
  scene_clear (&scene);
}

/* The box around a rectangle scores more than one that cuts it, one within it and one with a lot of space. */
static void
test_rectangle (void)
{
  g_autofree guint8 *rgb = picture_flat (WIDTH, HEIGHT, 90);
  gfloat around, cut, space, middle;
  Scene scene;

  picture_fill (rgb, WIDTH, 40, 30, 100, 80, 220, 40, 40);
  scene_init (&scene, rgb);
  around = sppnet_edge_score_box (&scene.score, 0, (SppnetExtent) { 38, 28, 101, 81 }, 0.0f);
  cut = sppnet_edge_score_box (&scene.score, 0, (SppnetExtent) { 60, 28, 101, 81 }, 0.0f);
  space = sppnet_edge_score_box (&scene.score, 0, (SppnetExtent) { 10, 10, 130, 100 }, 0.0f);
  middle = sppnet_edge_score_box (&scene.score, 0, (SppnetExtent) { 50, 40, 90, 70 }, 0.0f);
  g_assert_cmpfloat (around, >, 0.0f);
  g_assert_cmpfloat (around, >, 2.0f * cut);
  g_assert_cmpfloat (around, >, 2.0f * space);
  g_assert_cmpfloat (middle, ==, 0.0f);
  scene_clear (&scene);
}

static void
test_no_edges (void)
{
  g_autofree guint8 *rgb = picture_flat (WIDTH, HEIGHT, 200);
  Scene scene;

  scene_init (&scene, rgb);
  g_assert_cmpfloat (sppnet_edge_score_bound (&scene.score, (SppnetExtent) { 0, 0, WIDTH - 1, HEIGHT - 1 }), ==, 0.0f);
  g_assert_cmpfloat (sppnet_edge_score_box (&scene.score, 1, (SppnetExtent) { 0, 0, WIDTH - 1, HEIGHT - 1 }, 0.0f), ==,
                     0.0f);
  scene_clear (&scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/edge_score/brute-force", test_brute_force);
  g_test_add_func ("/region/edge_score/rectangle", test_rectangle);
  g_test_add_func ("/region/edge_score/no-edges", test_no_edges);
  return g_test_run ();
}
