/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/optimizer.h"

#include <math.h>

#include "base/memory.h"
#include "kernel/kernel.h"

/* Sums are taken per block and then in order: the same result for any number of threads. */
#define BLOCK 65536

gboolean
sppnet_moments_init (SppnetMoments *moments, const SppnetNetwork *network, const SppnetOptimizerSettings *settings)
{
  moments->first = sppnet_aligned_zeros (sizeof (gfloat) * network->n_params);
  moments->second
      = settings->kind == SPPNET_OPTIMIZER_ADAMW ? sppnet_aligned_zeros (sizeof (gfloat) * network->n_params) : NULL;
  moments->mean = settings->average > 0.0 ? sppnet_aligned_zeros (sizeof (gfloat) * network->n_params) : NULL;
  return moments->first && (settings->kind != SPPNET_OPTIMIZER_ADAMW || moments->second)
         && (settings->average == 0.0 || moments->mean);
}

void
sppnet_moments_clear (SppnetMoments *moments)
{
  g_clear_pointer (&moments->first, sppnet_aligned_free);
  g_clear_pointer (&moments->second, sppnet_aligned_free);
  g_clear_pointer (&moments->mean, sppnet_aligned_free);
}

void
sppnet_moments_average (SppnetMoments *moments, const SppnetNetwork *network, guint n, guint threads)
{
  gfloat share = 1.0f / ((gfloat) n + 1.0f);

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gsize i = 0; i < network->n_params; i++)
    moments->mean[i] += share * (network->params[i] - moments->mean[i]);
}

gsize
sppnet_optimizer_first (const SppnetNetwork *network, const SppnetOptimizerSettings *settings)
{
  guint s = 0;

  while (settings->backbone_learning_rate == 0.0 && s + 1 < network->n_segments && network->segments[s].backbone)
    s++;
  return network->segments[s].offset;
}

static gdouble
norm (const gfloat *gradient, gsize n, guint threads)
{
  gssize n_blocks = (gssize) ((n + BLOCK - 1) / BLOCK);
  g_autofree gdouble *sums = g_new0 (gdouble, n_blocks);
  gdouble total = 0.0;

#pragma omp parallel for num_threads(threads) schedule(static)
  for (gssize b = 0; b < n_blocks; b++) {
    gdouble sum = 0.0;

    for (gsize i = (gsize) b * BLOCK; i < MIN (n, (gsize) (b + 1) * BLOCK); i++)
      sum += (gdouble) gradient[i] * gradient[i];
    sums[b] = sum;
  }
  for (gssize b = 0; b < n_blocks; b++)
    total += sums[b];
  return sqrt (total);
}

static void
sgd (gfloat *params, gfloat *velocity, const gfloat *gradient, gsize n, gfloat scale, gfloat momentum, gfloat decay,
     gfloat rate)
{
  for (gsize i = 0; i < n; i++) {
    velocity[i] = momentum * velocity[i] + scale * gradient[i] + decay * params[i];
    params[i] -= rate * velocity[i];
  }
}

static SppnetAdamW
adamw_step (const SppnetOptimizerSettings *settings, guint step, gdouble rate, gdouble decay, gdouble scale)
{
  return (SppnetAdamW) { .scale = (gfloat) scale,
                         .first = (gfloat) settings->momentum,
                         .second = (gfloat) settings->second_moment,
                         .correct_1 = (gfloat) (1.0 / (1.0 - pow (settings->momentum, step + 1.0))),
                         .correct_2 = (gfloat) (1.0 / (1.0 - pow (settings->second_moment, step + 1.0))),
                         .rate = (gfloat) rate,
                         .keep = (gfloat) (1.0 - rate * decay) };
}

gdouble
sppnet_optimizer_step (SppnetNetwork *network, SppnetMoments *moments, const gfloat *gradient,
                       const SppnetOptimizerSettings *settings, guint step, gdouble rate, guint threads)
{
  gsize first_param = sppnet_optimizer_first (network, settings);
  gdouble length = norm (gradient + first_param, network->n_params - first_param, threads);
  gfloat scale = settings->clip > 0.0 && length > settings->clip ? (gfloat) (settings->clip / length) : 1.0f;

  if (!isfinite (length))
    return length;
  for (guint s = 0; s < network->n_segments; s++) {
    const SppnetSegment *segment = &network->segments[s];
    gdouble segment_rate = rate * (segment->backbone ? settings->backbone_learning_rate : settings->learning_rate);
    gdouble decay = segment->decay ? settings->weight_decay : 0.0;
    SppnetAdamW adamw = adamw_step (settings, step, segment_rate, decay, scale);
    gssize n_blocks = (gssize) ((segment->count + BLOCK - 1) / BLOCK);

    if (segment_rate == 0.0)
      continue;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (gssize b = 0; b < n_blocks; b++) {
      gsize first = segment->offset + (gsize) b * BLOCK;
      gsize n = MIN ((gsize) BLOCK, segment->offset + segment->count - first);

      if (settings->kind == SPPNET_OPTIMIZER_SGD)
        sgd (network->params + first, moments->first + first, gradient + first, n, scale, (gfloat) settings->momentum,
             (gfloat) decay, (gfloat) segment_rate);
      else
        sppnet_kernels ()->adamw (network->params + first, moments->first + first, moments->second + first,
                                  gradient + first, n, &adamw);
    }
  }
  return length;
}
