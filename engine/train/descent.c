/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/descent.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/kernel.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

/* Parameters one step apart are nearly the same: a mean is of those after every tenth step, unless these are few. */
#define AVERAGE_EVERY 10
#define AVERAGED 10

gboolean
sppnet_descent_init (SppnetDescent *descent, GError **error)
{
  gboolean ok = sppnet_moments_init (&descent->moments, descent->network, descent->optimizer);

  descent->gradients = g_new0 (gfloat *, descent->pictures);
  for (guint k = 0; ok && k < descent->pictures; k++) {
    descent->gradients[k] = sppnet_aligned_alloc (sizeof (gfloat) * descent->network->n_params);
    ok = descent->gradients[k] != NULL;
  }
  if (!ok) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "no memory to train %" G_GSIZE_FORMAT " parameters",
                 descent->network->n_params);
    return FALSE;
  }
  return !descent->checkpoint
         || sppnet_checkpoint_load (descent->checkpoint, descent->key, &descent->done, descent->network,
                                    &descent->moments, error);
}

void
sppnet_descent_clear (SppnetDescent *descent)
{
  for (guint k = 0; descent->gradients && k < descent->pictures; k++)
    sppnet_aligned_free (descent->gradients[k]);
  g_clear_pointer (&descent->gradients, g_free);
  sppnet_moments_clear (&descent->moments);
}

/* Adds the pictures' gradients, in their order, to the first. */
static void
reduce (SppnetDescent *descent)
{
  const gsize block = 8192; /* that of the first picture stays in the cache while the others are added */
  gsize n = descent->network->n_params;

#pragma omp parallel for num_threads(descent->threads) schedule(static)
  for (gsize first = descent->first_param; first < n; first += block)
    for (guint k = 1; k < descent->pictures; k++)
      sppnet_kernels ()->add_into (descent->gradients[0] + first, descent->gradients[k] + first,
                                   MIN (block, n - first));
}

static void
average (SppnetDescent *descent, guint step)
{
  guint last = descent->n_steps - 1, back = last - step, part = (guint) (descent->optimizer->average * last);
  guint every = CLAMP (part / AVERAGED, 1, AVERAGE_EVERY), n = part / every; /* before the last one */

  if (back % every == 0 && back / every <= n)
    sppnet_moments_average (&descent->moments, descent->network, n - back / every, descent->threads);
}

static gboolean
run_step (SppnetDescent *descent, guint step, GError **error)
{
  /* A mean of parameters wants them to move, not to settle. */
  gdouble rate = sppnet_schedule_rate (step, descent->n_steps, descent->warm_up, descent->moments.mean == NULL), norm;

  if (!descent->compute (descent->user_data, step, error))
    return FALSE;
  reduce (descent);
  norm = sppnet_optimizer_step (descent->network, &descent->moments, descent->gradients[0], descent->optimizer, step,
                                rate, descent->threads);
  if (isfinite (norm)) {
    if (descent->moments.mean)
      average (descent, step);
    return TRUE;
  }
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
               "step %u: the gradient is not finite; a lower learning rate may help", step);
  return FALSE;
}

gboolean
sppnet_descent_run (SppnetDescent *descent, GError **error)
{
  const gchar *checkpoint = descent->checkpoint;
  gint64 saved = g_get_monotonic_time ();

  for (guint step = descent->done; step < descent->n_steps; step++) {
    gboolean last = step + 1 == descent->n_steps, go_on;
    gint64 now;

    if (!run_step (descent, step, error))
      return FALSE;
    now = g_get_monotonic_time ();
    go_on = descent->report (descent->user_data, step + 1);
    if (checkpoint && (!go_on || last || now - saved > (gint64) descent->checkpoint_seconds * G_USEC_PER_SEC)) {
      saved = now;
      if (!sppnet_checkpoint_save (checkpoint, descent->key, step + 1, descent->network, &descent->moments, error))
        return FALSE;
    }
    if (!go_on && !last) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "stopped after step %u of %u%s%s", step + 1,
                   descent->n_steps, checkpoint ? "; the same command goes on from " : "",
                   checkpoint ? checkpoint : "");
      return FALSE;
    }
  }
  if (descent->moments.mean && descent->n_steps > 0)
    memcpy (descent->network->params, descent->moments.mean, sizeof (gfloat) * descent->network->n_params);
  return TRUE;
}
