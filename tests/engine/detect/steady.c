/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steady state allocates nothing; threads change nothing; detectors of one model do not disturb one another. */
#include <malloc.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/threads.h"
#include "scene.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNT_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNT_MALLOC 0
#endif
#endif
#if !defined(COUNT_MALLOC) && defined(__GLIBC__)
#define COUNT_MALLOC 1
#endif

static gsize n_mallocs; /* (atomic) */

#if COUNT_MALLOC
/* glibc lets a program bring its own; these count and pass on. */
extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t size);

void *
malloc (size_t size)
{
  __atomic_add_fetch (&n_mallocs, 1, __ATOMIC_RELAXED);
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  __atomic_add_fetch (&n_mallocs, 1, __ATOMIC_RELAXED);
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  __atomic_add_fetch (&n_mallocs, 1, __ATOMIC_RELAXED);
  return __libc_realloc (memory, size);
}
#endif

static void
run (SppnetDetector *detector, const Scene *scene, const SppnetBox *regions, gsize n_regions,
     const SppnetDetection **found, gsize *n)
{
  SppnetFrame frame = scene_frame (scene);

  g_assert_true (sppnet_detector_run (detector, &frame, regions, n_regions, found, n, NULL));
}

/* With box regression, so that every stage runs. */
static SppnetModel *
full_model (void)
{
  gfloat t[2][4] = { { 0.02f, 0, 0, 0.1f }, { 0, 0, 0.05f, 0 } };
  static const gfloat context[] = { 1.0f, 0.0f, 0.5f, -0.5f, 1.0f, 0.0f, -0.5f, 0.5f };
  g_auto (SppnetConfig) config;

  scene_config (&config);
  config.box_input = SPPNET_BOX_POOLED;
  config.context = g_memdup2 (context, sizeof context);
  scene_add_rpn (&config);
  return tiny_model_new (&config, scene_fill, t);
}

static void
check_allocations (SppnetProposals proposals, guint threads, gboolean count_mallocs)
{
  const SppnetSettings settings
      = { .proposals = proposals, .threshold = 0.01f, .threads = threads, .max_proposals = 600 };
  g_autoptr (SppnetModel) model = full_model ();
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (model, &settings, NULL);
  SppnetBox regions[500];
  g_auto (Scene) scene;
  const SppnetDetection *found;
  guint64 aligned;
  gsize mallocs, n;

  for (guint i = 0; i < G_N_ELEMENTS (regions); i++)
    regions[i] = (SppnetBox) { i % 25 * 4, i / 25 * 4, 20 + i % 7, 24 };
  scene_init (&scene, 160, 120);
  scene_draw_noise (&scene, 1);
  for (guint i = 0; i < 3; i++)
    run (detector, &scene, regions, G_N_ELEMENTS (regions), &found, &n);
  g_assert_cmpuint (n, >, 0);

  aligned = sppnet_aligned_alloc_count ();
  mallocs = __atomic_load_n (&n_mallocs, __ATOMIC_RELAXED);
  for (guint i = 0; i < 5; i++)
    run (detector, &scene, regions, G_N_ELEMENTS (regions), &found, &n);
  mallocs = __atomic_load_n (&n_mallocs, __ATOMIC_RELAXED) - mallocs;
  g_assert_cmpuint (sppnet_aligned_alloc_count (), ==, aligned);
  g_test_message ("%s, %u threads: %" G_GSIZE_FORMAT " mallocs in 5 runs", sppnet_proposals_to_nick (proposals),
                  threads, mallocs);
  if (count_mallocs)
    g_assert_cmpuint (mallocs, ==, 0);
}

/* LLVM's OpenMP allocates at each parallel loop; GCC's does not. */
static void
test_steady_state_allocates_nothing (void)
{
#ifdef __clang__
  const gboolean quiet_runtime = FALSE;
#else
  const gboolean quiet_runtime = TRUE;
#endif

  for (guint threads = 1; threads <= sppnet_threads_available () && threads <= 4; threads++)
    for (gint proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH; proposals <= SPPNET_PROPOSALS_AUTO; proposals++)
      check_allocations (proposals, threads, quiet_runtime);
}

/* The sums do not depend on how the work is shared out. */
static void
test_threads_give_the_same_detections (void)
{
  for (gint proposals = SPPNET_PROPOSALS_SELECTIVE_SEARCH; proposals <= SPPNET_PROPOSALS_RPN; proposals++) {
    const SppnetBox region = { 30, 10, 24, 24 };
    SppnetSettings settings
        = { .proposals = proposals, .threshold = 1e-20f, .threads = 1, .nms_threshold = 0.9f, .max_detections = 1000 };
    g_autoptr (SppnetModel) model = full_model ();
    g_autoptr (SppnetDetector) one = sppnet_detector_new (model, &settings, NULL);
    g_autoptr (SppnetDetector) many = NULL;
    g_auto (Scene) scene;
    const SppnetDetection *a, *b;
    gsize n_a, n_b;

    settings.threads = 0;
    many = sppnet_detector_new (model, &settings, NULL);
    scene_init (&scene, 200, 150);
    scene_draw_noise (&scene, 5);
    run (one, &scene, &region, 1, &a, &n_a);
    run (many, &scene, &region, 1, &b, &n_b);
    g_assert_cmpuint (n_a, >, 0);
    g_assert_cmpuint (sppnet_detector_get_timings (one)->regions, ==, sppnet_detector_get_timings (many)->regions);
    scene_assert_same (a, n_a, b, n_b);
  }
}

typedef struct
{
  SppnetModel *model;
  guint32 seed;
} Stream;

/* Runs one stream with a detector of its own; each result must be that of the first run. */
static gpointer
run_stream (gpointer user_data)
{
  const Stream *stream = user_data;
  const SppnetSettings settings = { .proposals = SPPNET_PROPOSALS_GRID, .threshold = 0.01f };
  g_autoptr (SppnetDetector) detector = sppnet_detector_new (stream->model, &settings, NULL);
  g_autoptr (SppnetDetector) other = sppnet_detector_new (stream->model, &settings, NULL);
  g_auto (Scene) scene;
  const SppnetDetection *first, *found;
  gsize n_first, n;

  scene_init (&scene, 100 + (gint) stream->seed, 90);
  scene_draw_noise (&scene, stream->seed);
  run (other, &scene, NULL, 0, &first, &n_first);
  for (guint i = 0; i < 20; i++) {
    run (detector, &scene, NULL, 0, &found, &n);
    scene_assert_same (first, n_first, found, n);
  }
  return GUINT_TO_POINTER ((guint) n);
}

static void
test_two_detectors_on_one_model (void)
{
  g_autoptr (SppnetModel) model = full_model ();
  Stream streams[] = { { model, 1 }, { model, 60 } };
  GThread *threads[G_N_ELEMENTS (streams)];
  guint together[G_N_ELEMENTS (streams)];

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    threads[i] = g_thread_new ("stream", run_stream, &streams[i]);
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    together[i] = GPOINTER_TO_UINT (g_thread_join (threads[i]));
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (run_stream (&streams[i])), ==, together[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/steady/allocations", test_steady_state_allocates_nothing);
  g_test_add_func ("/steady/threads", test_threads_give_the_same_detections);
  g_test_add_func ("/steady/two-detectors", test_two_detectors_on_one_model);
  return g_test_run ();
}
