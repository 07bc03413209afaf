/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluate/recall.h"
#include "frame/picture.h"
#include "region/proposer.h"

#define DOG "/usr/share/darknet/data/dog.jpg"

/* The dog sits at about this place (package darknet). */
static void
test_dog (void)
{
  SppnetBox dog = { 130, 220, 180, 320 };
  g_autoptr (SppnetProposer) proposer = NULL;
  g_auto (SppnetPicture) picture = { 0 };
  g_autoptr (GError) error = NULL;
  const SppnetBox *boxes;
  gfloat best = 0.0f;
  gsize n;

  if (!g_file_test (DOG, G_FILE_TEST_EXISTS)) {
    g_test_skip ("no " DOG);
    return;
  }
  g_assert_true (sppnet_picture_load (&picture, DOG, &error));
  proposer = sppnet_proposer_new ();
  g_assert_true (sppnet_proposer_run (proposer, SPPNET_PROPOSALS_SELECTIVE_SEARCH, picture.rgb, picture.width,
                                      picture.height, 2000, 1, 1, &boxes, &n, &error));
  for (gsize i = 0; i < n; i++)
    best = MAX (best, sppnet_box_iou (&boxes[i], &dog));
  g_assert_cmpfloat (best, >=, 0.75f);
}

static gboolean
add_picture (SppnetRecall *recall, SppnetProposer *proposer, SppnetProposals method, const SppnetAnnotation *annotation)
{
  g_auto (SppnetPicture) picture = { 0 };
  const SppnetBox *boxes;
  gsize n;

  if (!sppnet_picture_load (&picture, annotation->picture, NULL)
      || !sppnet_proposer_run (proposer, method, picture.rgb, picture.width, picture.height, 2000, 1, 1, &boxes, &n,
                               NULL))
    return FALSE;
  sppnet_recall_add (recall, annotation, NULL, boxes, n);
  return TRUE;
}

/* Floors well below what was measured over all pictures (recall .92, overlap .79; grid .84, .64). */
static void
check_voc (SppnetProposals method, gdouble least_recall, gdouble least_overlap)
{
  const gchar *shared = g_getenv ("SPPNET_SHARED");
  g_autofree gchar *dir = shared ? g_build_filename (shared, "data", "voc", NULL) : NULL;
  g_autoptr (SppnetProposer) proposer = sppnet_proposer_new ();
  g_autoptr (GPtrArray) annotations = NULL;
  g_autoptr (GError) error = NULL;
  SppnetRecall recall = { 0 };

  if (!dir || !g_file_test (dir, G_FILE_TEST_IS_DIR)) {
    g_test_skip ("no VOC pictures: SPPNET_SHARED is not set to their place");
    return;
  }
  annotations = sppnet_voc_load (dir, "val", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < annotations->len; i += 10)
    g_assert_true (add_picture (&recall, proposer, method, g_ptr_array_index (annotations, i)));
  g_test_message ("%u pictures, %u objects: recall %.3f, overlap %.3f, %.0f boxes", recall.pictures, recall.objects,
                  recall.found50 / (gdouble) recall.objects, recall.overlap / recall.objects,
                  (gdouble) recall.boxes / recall.pictures);
  g_assert_cmpfloat (recall.found50, >=, least_recall * recall.objects);
  g_assert_cmpfloat (recall.overlap, >=, least_overlap * recall.objects);
}

static void
test_voc_selective_search (void)
{
  check_voc (SPPNET_PROPOSALS_SELECTIVE_SEARCH, 0.85, 0.72);
}

static void
test_voc_edge_boxes (void)
{
  check_voc (SPPNET_PROPOSALS_EDGE_BOXES, 0.85, 0.68);
}

static void
test_voc_grid (void)
{
  check_voc (SPPNET_PROPOSALS_GRID, 0.7, 0.55);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/region/recall/dog", test_dog);
  g_test_add_func ("/region/recall/voc-selective-search", test_voc_selective_search);
  g_test_add_func ("/region/recall/voc-edge-boxes", test_voc_edge_boxes);
  g_test_add_func ("/region/recall/voc-grid", test_voc_grid);
  return g_test_run ();
}
