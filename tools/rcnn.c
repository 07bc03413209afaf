/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rcnn.h"

#include "backbone/backbone.h"
#include "base/memory.h"
#include "base/threads.h"
#include "head/head.h"
#include "pooling/pooler.h"

/* The input of R-CNN's network, pixels. */
#define SIDE 227
/* Regions whose vectors go through the head together, as in the detector. */
#define CHUNK 256

struct _SppnetRcnn
{
  const SppnetConfig *config;
  const SppnetPicture *picture;
  const SppnetBox *regions; /* [n] */
  gsize n;
  guint threads;
  SppnetBackbone *whole, *warped; /* each is planned for frames of one size */
  SppnetHead *head;
  SppnetPooler pooler;
  SppnetBuffer vectors;     /* [CHUNK][bins][channels] */
  SppnetPooledMemory steps; /* of the vectors */
  guint8 *rgb;              /* [SIDE][SIDE][3] */
};

SppnetRcnn *
sppnet_rcnn_new (SppnetModel *model, const SppnetPicture *picture, const SppnetBox *regions, gsize n, guint threads,
                 SppnetPrecision precision, GError **error)
{
  g_autoptr (SppnetRcnn) rcnn = g_new0 (SppnetRcnn, 1);
  gsize length;

  rcnn->config = sppnet_model_get_config (model);
  rcnn->picture = picture;
  rcnn->regions = regions;
  rcnn->n = n;
  rcnn->threads = threads;
  rcnn->rgb = g_malloc (SIDE * SIDE * 3);
  length = (gsize) sppnet_config_pooled (rcnn->config);
  if (!(rcnn->head = sppnet_head_new (model, precision, error))
      || !(rcnn->whole = sppnet_backbone_new (model, precision, error))
      || !(rcnn->warped = sppnet_backbone_new (model, precision, error))
      || !sppnet_buffer_reserve (&rcnn->vectors, CHUNK * length, sizeof (gfloat), error))
    return NULL;
  return g_steal_pointer (&rcnn);
}

void
sppnet_rcnn_free (SppnetRcnn *rcnn)
{
  sppnet_backbone_free (rcnn->whole);
  sppnet_backbone_free (rcnn->warped);
  sppnet_head_free (rcnn->head);
  sppnet_pooler_clear (&rcnn->pooler);
  sppnet_buffer_clear (&rcnn->vectors);
  sppnet_pooled_memory_clear (&rcnn->steps);
  g_free (rcnn->rgb);
  g_free (rcnn);
}

/* Adds the time since *from to a timing; *from becomes now. */
static void
lap (gint64 *from, gdouble *timing)
{
  gint64 now = g_get_monotonic_time ();

  *timing += (now - *from) / 1000.0;
  *from = now;
}

/* A picture through the convolution layers; the time into the timings. */
static gboolean
run_backbone (SppnetRcnn *rcnn, SppnetBackbone *backbone, const SppnetPicture *picture, SppnetMap *map,
              SppnetTimings *timings, GError **error)
{
  SppnetFrame frame = sppnet_picture_frame (picture);
  gint64 clock = g_get_monotonic_time ();
  gdouble frame_ms = 0.0;

  if (!sppnet_backbone_run (backbone, &frame, rcnn->threads, map, &frame_ms, error))
    return FALSE;
  lap (&clock, &timings->backbone_ms);
  timings->backbone_ms -= frame_ms;
  timings->frame_ms += frame_ms;
  return TRUE;
}

static gboolean
run_head (SppnetRcnn *rcnn, const SppnetPooled *pooled, SppnetTimings *timings, GError **error)
{
  gint64 clock = g_get_monotonic_time ();
  const gfloat *confidence;

  if (!sppnet_head_run (rcnn->head, pooled, rcnn->threads, &confidence, error))
    return FALSE;
  lap (&clock, &timings->head_ms);
  return TRUE;
}

/* The four pixels around a point between first and first + size - 1, and its place between them. */
static void
neighbours (gint i, gfloat first, gfloat size, gint limit, gint *at, gint *next, gfloat *fraction)
{
  gfloat place = CLAMP (first + ((gfloat) i + 0.5f) * size / SIDE - 0.5f, 0.0f, (gfloat) (limit - 1));

  *at = (gint) place;
  *next = MIN (*at + 1, limit - 1);
  *fraction = place - (gfloat) *at;
}

/* A region of the picture as SIDE x SIDE pixels, bilinear. */
static void
warp (SppnetRcnn *rcnn, const SppnetBox *region, SppnetTimings *timings)
{
  const SppnetPicture *picture = rcnn->picture;
  gint64 clock = g_get_monotonic_time ();

#pragma omp parallel for num_threads(rcnn->threads) schedule(static)
  for (gint y = 0; y < SIDE; y++) {
    gint y0, y1, x0, x1;
    gfloat fy, fx;

    neighbours (y, region->y, region->height, picture->height, &y0, &y1, &fy);
    for (gint x = 0; x < SIDE; x++) {
      const guint8 *upper = picture->rgb + (gsize) y0 * (gsize) picture->width * 3;
      const guint8 *lower = picture->rgb + (gsize) y1 * (gsize) picture->width * 3;

      neighbours (x, region->x, region->width, picture->width, &x0, &x1, &fx);
      for (gint c = 0; c < 3; c++) {
        gfloat top = (gfloat) upper[x0 * 3 + c] * (1 - fx) + (gfloat) upper[x1 * 3 + c] * fx;
        gfloat bottom = (gfloat) lower[x0 * 3 + c] * (1 - fx) + (gfloat) lower[x1 * 3 + c] * fx;

        rcnn->rgb[(y * SIDE + x) * 3 + c] = (guint8) (top * (1 - fy) + bottom * fy + 0.5f);
      }
    }
  }
  lap (&clock, &timings->frame_ms);
}

gboolean
sppnet_rcnn_run_sppnet (SppnetRcnn *rcnn, SppnetTimings *timings, GError **error)
{
  gint64 start = g_get_monotonic_time (), clock;
  SppnetMap map;

  *timings = (SppnetTimings) { .regions = (guint) rcnn->n };
  if (!run_backbone (rcnn, rcnn->whole, rcnn->picture, &map, timings, error))
    return FALSE;
  clock = g_get_monotonic_time ();
  if (!sppnet_pooler_set_map (&rcnn->pooler, &map, rcnn->config, CHUNK, rcnn->threads, error))
    return FALSE;
  for (gsize first = 0; first < rcnn->n; first += CHUNK) {
    gsize n = MIN (CHUNK, rcnn->n - first);
    SppnetPooled pooled = sppnet_pooler_run (&rcnn->pooler, rcnn->regions + first, n, rcnn->threads);

    lap (&clock, &timings->pooling_ms);
    if (!run_head (rcnn, &pooled, timings, error))
      return FALSE;
    clock = g_get_monotonic_time ();
  }
  lap (&start, &timings->total_ms);
  return TRUE;
}

/* One region: its own map, and the whole of that pooled. */
static gboolean
run_region (SppnetRcnn *rcnn, const SppnetBox *region, gfloat *pooled, SppnetTimings *timings, GError **error)
{
  SppnetPicture picture = { SIDE, SIDE, rcnn->rgb };
  gfloat stride = (gfloat) sppnet_config_geometry (rcnn->config).stride;
  SppnetBox whole = { -stride, -stride, SIDE + 2 * stride, SIDE + 2 * stride };
  SppnetMap map;
  gint64 clock;

  warp (rcnn, region, timings);
  if (!run_backbone (rcnn, rcnn->warped, &picture, &map, timings, error))
    return FALSE;
  clock = g_get_monotonic_time ();
  sppnet_pool_regions (&map, rcnn->config, &whole, 1, rcnn->threads, pooled);
  lap (&clock, &timings->pooling_ms);
  return TRUE;
}

gboolean
sppnet_rcnn_run_rcnn (SppnetRcnn *rcnn, SppnetTimings *timings, GError **error)
{
  gsize length = (gsize) sppnet_config_pooled (rcnn->config);
  gint64 start = g_get_monotonic_time ();

  *timings = (SppnetTimings) { .regions = (guint) rcnn->n };
  for (gsize first = 0; first < rcnn->n; first += CHUNK) {
    gsize n = MIN (CHUNK, rcnn->n - first);
    SppnetPooled pooled;
    gint64 clock;

    for (gsize i = 0; i < n; i++)
      if (!run_region (rcnn, &rcnn->regions[first + i], (gfloat *) rcnn->vectors.data + i * length, timings, error))
        return FALSE;
    clock = g_get_monotonic_time ();
    if (!sppnet_pooled_from_floats (&rcnn->steps, rcnn->vectors.data, n, (gsize) sppnet_config_bins (rcnn->config),
                                    (gsize) sppnet_config_channels (rcnn->config), &pooled, error))
      return FALSE;
    lap (&clock, &timings->pooling_ms);
    if (!run_head (rcnn, &pooled, timings, error))
      return FALSE;
  }
  lap (&start, &timings->total_ms);
  return TRUE;
}
