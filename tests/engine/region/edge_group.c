/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/edge_group.h"

#include <math.h>

#define WIDTH 60
#define HEIGHT 50

/* A map drawn by hand. */
typedef struct
{
  SppnetEdgeMap map;
  guint8 *magnitude, *orientation;
} Drawing;

static void
drawing_init (Drawing *drawing)
{
  *drawing = (Drawing) { .map = { .width = WIDTH, .height = HEIGHT } };
  drawing->magnitude = sppnet_buffer_reserve (&drawing->map.magnitude, WIDTH * HEIGHT, 1, NULL);
  drawing->orientation = sppnet_buffer_reserve (&drawing->map.orientation, WIDTH * HEIGHT, 1, NULL);
  for (gint i = 0; i < WIDTH * HEIGHT; i++)
    drawing->magnitude[i] = drawing->orientation[i] = 0;
}

static void
draw (Drawing *drawing, gint x, gint y, guint8 magnitude, guint8 orientation)
{
  drawing->magnitude[y * WIDTH + x] = magnitude;
  drawing->orientation[y * WIDTH + x] = orientation;
}

static guint
label_at (const SppnetEdgeGroups *groups, gint x, gint y)
{
  return ((const guint16 *) groups->labels.data)[y * WIDTH + x];
}

static const SppnetEdgeGroup *
group (const SppnetEdgeGroups *groups, guint i)
{
  return (const SppnetEdgeGroup *) groups->groups.data + i;
}

/* The affinity that the list of a group's neighbours has for another one, or 0. */
static gfloat
affinity (const SppnetEdgeGroups *groups, guint a, guint b)
{
  const SppnetEdgeNeighbour *neighbours = groups->neighbours.data;
  gfloat found = 0.0f;

  for (guint32 i = group (groups, a)->first; i < group (groups, a)->first + group (groups, a)->n; i++)
    if (neighbours[i].group == b)
      found = neighbours[i].affinity;
  return found;
}

static void
test_line (void)
{
  SppnetEdgeGroups groups = { 0 };
  Drawing drawing;
  guint label;

  drawing_init (&drawing);
  for (gint x = 10; x <= 30; x++)
    draw (&drawing, x, 20, 200, 0);
  draw (&drawing, 40, 40, 49, 0); /* too weak */
  g_assert_true (sppnet_edge_groups_run (&groups, &drawing.map, NULL));
  label = label_at (&groups, 10, 20);
  g_assert_cmpuint (label, ==, 1);
  g_assert_cmpuint (groups.n_groups, ==, 2);
  for (gint x = 10; x <= 30; x++)
    g_assert_cmpuint (label_at (&groups, x, 20), ==, label);
  g_assert_cmpuint (label_at (&groups, 40, 40), ==, 0);
  g_assert_cmpint (group (&groups, label)->x, ==, 20);
  g_assert_cmpint (group (&groups, label)->y, ==, 20);
  g_assert_cmpfloat (fabsf (group (&groups, label)->orientation), <, 1e-3f);
  g_assert_cmpuint (group (&groups, label)->n, ==, 0);
  sppnet_edge_groups_clear (&groups);
  sppnet_edge_map_clear (&drawing.map);
}

/* A right angle is two groups that have little to do with each other; the halves of a broken line have much. */
static void
test_affinity (void)
{
  SppnetEdgeGroups groups = { 0 };
  Drawing drawing;
  guint level, upright, behind;

  drawing_init (&drawing);
  for (gint x = 5; x <= 20; x++)
    draw (&drawing, x, 10, 255, 0);
  for (gint x = 22; x <= 40; x++)
    draw (&drawing, x, 10, 255, 0); /* a pixel is missing */
  for (gint y = 11; y <= 40; y++)
    draw (&drawing, 5, y, 255, 128);
  g_assert_true (sppnet_edge_groups_run (&groups, &drawing.map, NULL));
  level = label_at (&groups, 12, 10);
  behind = label_at (&groups, 30, 10);
  upright = label_at (&groups, 5, 30);
  g_assert_true (level != upright && level != behind && upright != behind);
  g_assert_cmpfloat (affinity (&groups, level, behind), >, 0.999f);
  g_assert_cmpfloat (affinity (&groups, behind, level), >, 0.999f);
  g_assert_cmpfloat (affinity (&groups, level, upright), <, 0.2f);
  g_assert_cmpfloat (affinity (&groups, upright, behind), ==, 0.0f);
  sppnet_edge_groups_clear (&groups);
  sppnet_edge_map_clear (&drawing.map);
}

/* By hand: directions 0 and 45 degrees, the second centre to the right and below by as much. */
static void
test_affinity_formula (void)
{
  SppnetEdgeGroup a = { 0.0f, 10, 10, 0, 0 }, b = { (gfloat) G_PI_4, 20, 20, 0, 0 },
                  c = { (gfloat) G_PI_2, 30, 10, 0, 0 };

  g_assert_cmpfloat_with_epsilon (sppnet_edge_affinity (&a, &b), 0.5f, 1e-6f);
  g_assert_cmpfloat_with_epsilon (sppnet_edge_affinity (&b, &a), 0.5f, 1e-6f);
  g_assert_cmpfloat_with_epsilon (sppnet_edge_affinity (&a, &c), 0.0f, 1e-6f);
  g_assert_cmpfloat_with_epsilon (sppnet_edge_affinity (&b, &c), 0.0f, 1e-6f);
}

/* A curve ends where it has turned by a right angle; a single pixel joins what it touches. */
static void
test_turning (void)
{
  SppnetEdgeGroups groups = { 0 };
  Drawing drawing;

  drawing_init (&drawing);
  for (gint x = 4; x < 54; x++)
    draw (&drawing, x, 25, 255, (guint8) (8 * (x - 4)));
  draw (&drawing, 10, 26, 60, 200);
  g_assert_true (sppnet_edge_groups_run (&groups, &drawing.map, NULL));
  g_assert_cmpuint (label_at (&groups, 4, 25), ==, label_at (&groups, 20, 25));
  g_assert_cmpuint (label_at (&groups, 4, 25), !=, label_at (&groups, 21, 25));
  g_assert_cmpuint (label_at (&groups, 10, 26), ==, label_at (&groups, 10, 25));
  sppnet_edge_groups_clear (&groups);
  sppnet_edge_map_clear (&drawing.map);
}

/* Neighbours of every group are in the order of their affinities, within the list, and know each other. */
static void
test_lists (void)
{
  SppnetEdgeGroups groups = { 0 };
  const SppnetEdgeNeighbour *neighbours;
  guint n_neighbours = 0;
  Drawing drawing;

  drawing_init (&drawing);
  for (gint y = 2; y < HEIGHT - 3; y++)
    for (gint x = 2; x < WIDTH - 3; x++)
      if ((x * 7 + y * 13) % 5 < 2)
        draw (&drawing, x, y, (guint8) (60 + (x * 31 + y * 17) % 190), (guint8) (x * 11 + y * 29));
  g_assert_true (sppnet_edge_groups_run (&groups, &drawing.map, NULL));
  neighbours = groups.neighbours.data;
  for (guint i = 1; i < groups.n_groups; i++) {
    guint32 first = group (&groups, i)->first;

    g_assert_cmpuint (first, ==, n_neighbours);
    n_neighbours += group (&groups, i)->n;
    for (guint32 j = first; j < n_neighbours; j++) {
      g_assert_cmpuint (neighbours[j].group, !=, i);
      g_assert_cmpfloat_with_epsilon (affinity (&groups, neighbours[j].group, i), neighbours[j].affinity, 1e-6f);
      if (j > first)
        g_assert_cmpfloat (neighbours[j].affinity, <=, neighbours[j - 1].affinity);
    }
  }
  g_assert_cmpuint (n_neighbours, >, 100);
  sppnet_edge_groups_clear (&groups);
  sppnet_edge_map_clear (&drawing.map);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/edge_group/line", test_line);
  g_test_add_func ("/region/edge_group/affinity", test_affinity);
  g_test_add_func ("/region/edge_group/affinity-formula", test_affinity_formula);
  g_test_add_func ("/region/edge_group/turning", test_turning);
  g_test_add_func ("/region/edge_group/lists", test_lists);
  return g_test_run ();
}
