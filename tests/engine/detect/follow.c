/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/follow.h"

#include "scene.h"

static void
run (SppnetDetector *detector, const Scene *scene, const SppnetDetection **found, gsize *n)
{
  SppnetFrame frame = scene_frame (scene);

  g_assert_true (sppnet_detector_run (detector, &frame, NULL, 0, found, n, NULL));
}

/* The regions: those for the last boxes, within the frame, then the proposals in their order. */
static void
test_regions (void)
{
  const SppnetDetection last[] = { { .box = { 10, 10, 20, 30 } }, { .box = { 80, 60, 20, 20 } } };
  const SppnetBox proposed[] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 } }, *boxes = proposed;
  SppnetFollow follow = { 0 };
  gsize n = 2;

  g_assert_true (sppnet_follow_propose (&follow, 100, 80, 2, &boxes, &n, NULL));
  g_assert_cmpmem (boxes, n * sizeof *boxes, proposed, sizeof proposed);
  sppnet_follow_keep (&follow, 100, 80, last, 2);
  boxes = proposed;
  g_assert_true (sppnet_follow_propose (&follow, 100, 80, 2, &boxes, &n, NULL));
  g_assert_cmpuint (n, >, 2 + 2);
  g_assert_cmpmem (&boxes[0], sizeof *boxes, &last[0].box, sizeof *boxes);
  g_assert_cmpmem (&boxes[n - 2], sizeof proposed, proposed, sizeof proposed);
  for (gsize i = 0; i < n - 2; i++) {
    const SppnetBox *origin = &last[i < (n - 2) / 2 ? 0 : 1].box;

    g_assert_true (boxes[i].x >= 0 && boxes[i].y >= 0 && boxes[i].x + boxes[i].width <= 100
                   && boxes[i].y + boxes[i].height <= 80);
    g_assert_cmpfloat (sppnet_box_iou (&boxes[i], origin), >, 0.6f);
  }
  /* a frame of another size is another video */
  boxes = proposed;
  n = 2;
  g_assert_true (sppnet_follow_propose (&follow, 80, 100, 2, &boxes, &n, NULL));
  g_assert_cmpuint (n, ==, 2);
  sppnet_follow_clear (&follow);
}

/* Found once among the regions that the caller gives, an object is found without them, moved a little, and until the
 * detector is told to forget. */
static void
test_detector (void)
{
  SppnetSettings settings = { .proposals = SPPNET_PROPOSALS_REGIONS, .threads = 1, .follow = TRUE };
  const SppnetBox region = { 42, 32, 56, 56 };
  g_autoptr (SppnetModel) model = scene_model ();
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, &settings, NULL);
  const SppnetDetection *found;
  gsize n;

  for (gint i = 0; i < 6; i++) {
    g_auto (Scene) scene;

    scene_init (&scene, 160, 120);
    scene_draw (&scene, 40 + 3 * i, 30, 60, 60, 255, 0);
    if (i == 0) {
      SppnetFrame frame = scene_frame (&scene);

      g_assert_true (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, NULL));
      g_assert_cmpint (found[0].region, ==, 0);
    } else {
      run (detector, &scene, &found, &n);
    }
    if (i == 5) {
      g_assert_cmpuint (n, ==, 0);
      break;
    }
    g_assert_cmpuint (n, ==, 1);
    g_assert_cmpstr (found[0].label, ==, "red");
    if (i > 0)
      g_assert_cmpint (found[0].region, ==, -1);
    if (i == 4)
      sppnet_detector_forget (detector);
  }
  settings.follow = FALSE;
  g_assert_true (sppnet_detector_set_settings (detector, &settings, NULL));
  {
    g_auto (Scene) scene;
    SppnetFrame frame;

    scene_init (&scene, 160, 120);
    scene_draw (&scene, 40, 30, 60, 60, 255, 0);
    frame = scene_frame (&scene);
    g_assert_true (sppnet_detector_run (detector, &frame, &region, 1, &found, &n, NULL));
    run (detector, &scene, &found, &n);
    g_assert_cmpuint (n, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/follow/regions", test_regions);
  g_test_add_func ("/follow/detector", test_detector);
  return g_test_run ();
}
