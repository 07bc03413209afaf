/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/region_pass.h"

#include <cblas.h>
#include <string.h>

#include "head/region_layers.h"
#include "kernel/kernel.h"
#include "train/gradient.h"

gboolean
sppnet_region_pass_reserve (SppnetRegionPass *pass, const SppnetNetwork *network, gsize n, GError **error)
{
  const SppnetConfig *config = &network->config;
  gint first_bin = 0, level, height;
  gsize largest = 0, scratch = 0;

  if (config->n_region_layers == 0)
    return TRUE;
  level = config->levels[sppnet_config_region_level (config, &first_bin)];
  height = (gint) n * (level + 1);
  pass->first_bin = (gsize) first_bin;
  for (guint i = 0; i <= config->n_region_layers; i++) {
    gint channels = sppnet_config_region_channels (config, i);
    gsize count = (gsize) height * (gsize) level * (gsize) channels;
    gfloat *data = sppnet_buffer_reserve (&pass->memory[i], count, sizeof (gfloat), error);

    if (!data)
      return FALSE;
    pass->maps[i] = (SppnetRows) { data, 0, height, level, height, channels };
    largest = MAX (largest, count);
    if (i < config->n_region_layers)
      scratch = MAX (scratch, sppnet_layer_gradient_scratch (&config->region_layers[i], NULL, channels));
  }
  return sppnet_buffer_reserve (&pass->gradient[0], largest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->gradient[1], largest, sizeof (gfloat), error)
         && sppnet_buffer_reserve (&pass->scratch, scratch, sizeof (gfloat), error);
}

/* Floats from one region to the next, and those of them that are bins. */
static gsize
pitch_of (const SppnetRows *map)
{
  return (gsize) (map->width + 1) * (gsize) map->width * (gsize) map->channels;
}

static gsize
bins_of (const SppnetRows *map)
{
  return (gsize) map->width * (gsize) map->width * (gsize) map->channels;
}

/* The first n regions of the map before layer `stage`. */
static SppnetRows
map_of (const SppnetRegionPass *pass, guint stage, gsize n)
{
  SppnetRows map = pass->maps[stage];

  map.end = map.height = (gint) n * (map.width + 1);
  return map;
}

/* data: like that of map */
static void
clear_gaps (const SppnetRows *map, gfloat *data, gsize n)
{
  sppnet_region_gaps_clear (data, n, bins_of (map), pitch_of (map));
}

static const SppnetRows *
last_map (const SppnetRegionPass *pass, const SppnetNetwork *network)
{
  return &pass->maps[network->config.n_region_layers];
}

/* What the first fully connected layer multiplies the features with. */
static gsize
features_weight (const SppnetNetwork *network)
{
  return network->head[0].weight + (gsize) sppnet_config_pooled (&network->config) * (gsize) network->head[0].out;
}

static void
run_layers (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *vectors, gsize n)
{
  const SppnetConfig *config = &network->config;
  const SppnetRows *in = &pass->maps[0];
  gsize pooled = (gsize) sppnet_config_pooled (config);

  for (gsize r = 0; r < n; r++)
    memcpy (in->data + r * pitch_of (in), vectors + r * pooled + pass->first_bin * (gsize) in->channels,
            bins_of (in) * sizeof (gfloat));
  clear_gaps (in, in->data, n);
  for (guint i = 0; i < config->n_region_layers; i++) {
    SppnetRows before = map_of (pass, i, n), after = map_of (pass, i + 1, n);

    sppnet_layer_run (&config->region_layers[i], network->params + network->region[i].weight,
                      network->params + network->region[i].bias, &before, &after, 0, after.height, 1,
                      pass->scratch.data);
    clear_gaps (&after, after.data, n);
  }
}

void
sppnet_region_pass_run (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *vectors, gsize n, gfloat *y)
{
  const SppnetConfig *config = &network->config;
  const SppnetRows *last = last_map (pass, network);
  gint pooled = sppnet_config_pooled (config), out = network->head[0].out;

  if (config->n_region_layers == 0) {
    sppnet_dense_run (network, &network->head[0], vectors, n, sppnet_head_slope (&config->head[0]), y);
    return;
  }
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (gint) n, out, pooled, 1.0f, vectors, pooled,
               network->params + network->head[0].weight, out, 0.0f, y, out);
  run_layers (pass, network, vectors, n);
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (gint) n, out, (gint) bins_of (last), 1.0f, last->data,
               (gint) pitch_of (last), network->params + features_weight (network), out, 1.0f, y, out);
  sppnet_kernels ()->bias_activate (y, network->params + network->head[0].bias, sppnet_head_slope (&config->head[0]), n,
                                    out);
}

/* Adds to the gradients of the layers' parameters and, where it is wanted, of the vectors. */
static void
layers_gradient (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *dy, gsize n,
                 gfloat *vectors_gradient, gfloat *gradient)
{
  const SppnetConfig *config = &network->config;
  const SppnetRows *in = &pass->maps[0], *last = last_map (pass, network);
  gfloat *of_output = pass->gradient[0].data, *of_input = pass->gradient[1].data;
  gint out = network->head[0].out;
  gsize weight = features_weight (network), pooled = (gsize) sppnet_config_pooled (config);

  cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, (gint) bins_of (last), out, (gint) n, 1.0f, last->data,
               (gint) pitch_of (last), dy, out, 1.0f, gradient + weight, out);
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (gint) n, (gint) bins_of (last), out, 1.0f, dy, out,
               network->params + weight, out, 0.0f, of_output, (gint) pitch_of (last));
  for (guint i = config->n_region_layers; i-- > 0;) {
    SppnetRows before = map_of (pass, i, n), after = map_of (pass, i + 1, n), below = before;
    gfloat *swap = of_output;

    below.data = of_input;
    clear_gaps (&after, of_output, n);
    sppnet_layer_gradient (&config->region_layers[i], NULL, network->params + network->region[i].weight, &before,
                           &after, of_output, i > 0 || vectors_gradient ? &below : NULL,
                           gradient + network->region[i].weight, gradient + network->region[i].bias,
                           pass->scratch.data);
    of_output = of_input;
    of_input = swap;
  }
  for (gsize r = 0; vectors_gradient && r < n; r++)
    sppnet_kernels ()->add_into (vectors_gradient + r * pooled + pass->first_bin * (gsize) in->channels,
                                 of_output + r * pitch_of (in), bins_of (in));
}

void
sppnet_region_pass_gradient (SppnetRegionPass *pass, const SppnetNetwork *network, const gfloat *vectors,
                             const gfloat *dy, gsize n, gfloat *vectors_gradient, gfloat *gradient)
{
  SppnetDense pooled = network->head[0];

  pooled.in = sppnet_config_pooled (&network->config);
  sppnet_dense_gradient (network, &pooled, vectors, dy, n, 0.0f, vectors_gradient, gradient);
  if (network->config.n_region_layers > 0)
    layers_gradient (pass, network, dy, n, vectors_gradient, gradient);
}

void
sppnet_region_pass_clear (SppnetRegionPass *pass)
{
  for (guint i = 0; i <= SPPNET_MAX_REGION_LAYERS; i++)
    sppnet_buffer_clear (&pass->memory[i]);
  for (guint i = 0; i < 2; i++)
    sppnet_buffer_clear (&pass->gradient[i]);
  sppnet_buffer_clear (&pass->scratch);
}
