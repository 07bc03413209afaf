/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/grid.h"

#include <math.h>

#include "region/spread.h"

/* Sizes fall by this ratio from the whole frame down to SMALLEST pixels. */
#define SIZE_RATIO 1.41421356
#define SMALLEST 32.0
/* Of a window's side, the finest step; doubled until the number of windows fits. */
#define FINEST_STEP (1.0 / 6.0)
/* More windows than this say nothing new: a limit to the memory, whatever is asked for. */
#define MOST_WINDOWS 200000

static const gdouble aspects[] = { 1.0, 0.5, 2.0, 1.0 / 3.0, 3.0 }; /* width / height */

/* Windows along one axis that lie evenly spread from edge to edge. */
static gint
positions (gint frame, gint side, gdouble step)
{
  return 1 + (gint) ceil ((frame - side) / MAX (1.0, side * step));
}

/* Calls for every size and shape, largest first; ranking NULL: only counts. Returns the number of windows. */
static gdouble
place (SppnetRanking *ranking, gint width, gint height, gdouble step)
{
  gdouble side = MAX (width, height), smallest = MIN (SMALLEST, MIN (width, height)), count = 1.0;

  if (ranking)
    sppnet_ranking_add (ranking, 0.0f, (SppnetExtent) { 0, 0, (guint16) (width - 1), (guint16) (height - 1) });
  for (; side >= smallest; side /= SIZE_RATIO)
    for (guint a = 0; a < G_N_ELEMENTS (aspects); a++) {
      gint w = (gint) MAX (1.0, round (side * sqrt (aspects[a]))),
           h = (gint) MAX (1.0, round (side / sqrt (aspects[a])));
      gint nx = positions (width, w, step), ny = positions (height, h, step);

      if (w > width || h > height)
        continue;
      count += (gdouble) nx * ny;
      for (gint i = 0; ranking && i < nx * ny; i++) {
        gint x = sppnet_spread (i % nx, nx, width, w), y = sppnet_spread (i / nx, ny, height, h);

        /* larger windows cover more: they come first, those of one shape in the order of rows */
        sppnet_ranking_add (ranking, (gfloat) (1.0 / ((gdouble) w * h)),
                            (SppnetExtent) { (guint16) x, (guint16) y, (guint16) (x + w - 1), (guint16) (y + h - 1) });
      }
    }
  return count;
}

gboolean
sppnet_grid_run (SppnetRanking *ranking, gint width, gint height, guint max_boxes, GError **error)
{
  gdouble step = FINEST_STEP, most = MIN (max_boxes, MOST_WINDOWS);

  /* Coarser steps rather than no small windows; a step as large as the window still leaves none of the frame out. */
  while (step < 1.0 && place (NULL, width, height, step) > most)
    step *= 1.05;
  if (!sppnet_ranking_start (ranking, (gsize) place (NULL, width, height, step), error))
    return FALSE;
  place (ranking, width, height, step);
  return sppnet_ranking_finish (ranking, max_boxes, error);
}
