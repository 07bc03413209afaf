/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head/region_layers.h"

#include "backbone/weights.h"
#include "backbone/winograd.h"
#include "base/threads.h"
#include "kernel/kernel.h"
#include "pooling/pooling.h"

/* The bins of some regions are one map, one region below the other with rows of zeros between them, so that the kernels
 * of the backbone have work enough at a time: at most so many, that the map is no larger than this, and two of them
 * stay in the second-level cache. */
#define MOST_REGIONS 32
#define MAP_BYTES (512u << 10)

/* The columns of the region's features, in the order in which the layers give them. */
static gboolean
dense_init (SppnetRegionLayers *layers, const SppnetConfig *config, gsize outputs, const gfloat *weight, gsize row,
            const gfloat *bias, SppnetPrecision precision)
{
  gsize inputs = (gsize) sppnet_config_region_features (config), pooled = (gsize) sppnet_config_pooled (config);
  g_autoptr (SppnetFloats) columns = sppnet_aligned_alloc (outputs * inputs * sizeof (gfloat));
  g_autofree guint32 *order = g_try_new (guint32, inputs);

  if (!columns || !order)
    return FALSE;
  sppnet_region_features_from_file_order (config, order);
  for (gsize o = 0; o < outputs; o++)
    for (gsize i = 0; i < inputs; i++)
      columns[o * inputs + order[i]] = weight[o * row + pooled + i];
  return sppnet_packed_dense_init (&layers->dense, (gint) inputs, (gint) outputs, 1.0f, precision, columns, bias);
}

static gboolean
no_memory (SppnetModel *model, GError **error)
{
  g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%s: no memory for the weights of the region layers",
               sppnet_model_get_path (model));
  return FALSE;
}

gboolean
sppnet_region_layers_init (SppnetRegionLayers *layers, SppnetModel *model, gsize outputs, const gfloat *weight,
                           gsize row, const gfloat *bias, SppnetPrecision precision, GError **error)
{
  const SppnetConfig *config = sppnet_model_get_config (model);
  gint first_bin = 0;

  if (config->n_region_layers == 0)
    return TRUE;
  layers->n = config->n_region_layers;
  layers->level = config->levels[sppnet_config_region_level (config, &first_bin)];
  layers->first_bin = (gsize) first_bin;
  layers->channels = sppnet_config_channels (config);
  layers->pitch = layers->level + 1;
  for (guint i = 0; i < layers->n; i++) {
    SppnetConv *conv = &layers->conv[i];

    if (!sppnet_conv_init (conv, &config->region_layers[i], sppnet_config_region_channels (config, i), precision))
      return no_memory (model, error);
    if (!sppnet_weights_load (conv, model, error))
      return FALSE;
    /* So that the tiles lie in each region alike, and its values do not depend on its place: they start with it, or it
     * starts with a tile of the map. */
    if (conv->winograd) {
      gint rows = sppnet_winograd_rows (conv->kernels);

      layers->apart = layers->level == rows;
      layers->pitch = layers->apart ? rows + 1 : (layers->level + rows) / rows * rows;
    }
  }
  return dense_init (layers, config, outputs, weight, row, bias, precision) || no_memory (model, error);
}

void
sppnet_region_layers_clear (SppnetRegionLayers *layers)
{
  for (guint i = 0; i < SPPNET_MAX_REGION_LAYERS; i++)
    sppnet_conv_clear (&layers->conv[i]);
  sppnet_packed_dense_clear (&layers->dense);
}

static gint
channels_of (const SppnetRegionLayers *layers, guint stage)
{
  return stage == 0 ? layers->channels : layers->conv[stage - 1].layer->filters;
}

/* Floats that a region takes in the widest of the maps. */
static gsize
region_floats (const SppnetRegionLayers *layers)
{
  gint widest = 0;

  for (guint i = 0; i <= layers->n; i++)
    widest = MAX (widest, channels_of (layers, i));
  return (gsize) layers->pitch * (gsize) layers->level * (gsize) widest;
}

/* Without kernels a matrix product computes them, whose sums depend on how many there are. */
static gsize
regions_at_a_time (const SppnetRegionLayers *layers)
{
  for (guint i = 0; i < layers->n; i++)
    if (!layers->conv[i].kernels)
      return 1;
  return CLAMP (MAP_BYTES / (region_floats (layers) * sizeof (gfloat)), 1, MOST_REGIONS);
}

/* Whole cache lines. */
static gsize
map_floats (const SppnetRegionLayers *layers)
{
  return (regions_at_a_time (layers) * region_floats (layers) + 15) / 16 * 16;
}

gsize
sppnet_region_layers_scratch (const SppnetRegionLayers *layers)
{
  gsize most = 0;

  if (layers->n == 0)
    return 0;
  for (guint i = 0; i < layers->n; i++)
    most = MAX (most, sppnet_conv_scratch (&layers->conv[i]));
  return 2 * map_floats (layers) + (most + 15) / 16 * 16;
}

static gsize
row_floats (const SppnetRows *map)
{
  return (gsize) map->width * (gsize) map->channels;
}

static void
clear_gaps (const SppnetRegionLayers *layers, const SppnetRows *map, gsize n)
{
  gsize row = row_floats (map);

  sppnet_region_gaps_clear (map->data, n, (gsize) layers->level * row, (gsize) layers->pitch * row);
}

static void
read_bins (const SppnetRegionLayers *layers, const SppnetPooled *x, gsize from, gsize n, const SppnetRows *map)
{
  gsize bins = (gsize) (layers->level * layers->level), channels = x->channels;
  gfloat values[SPPNET_STEPS];

  for (gsize r = 0; r < n; r++) {
    gfloat *bins_of_region = map->data + r * (gsize) layers->pitch * row_floats (map);

    for (gsize g = 0; g < sppnet_step_groups (channels); g++) {
      const guint8 *steps = sppnet_pooled_group (x, g, from + r) + layers->first_bin * SPPNET_STEPS;
      gsize first = g * SPPNET_STEPS, some = MIN (channels - first, SPPNET_STEPS);

      for (gsize bin = 0; bin < bins; bin++) {
        sppnet_kernels ()->from_steps (values, steps + bin * SPPNET_STEPS, 1, x->sizes->step + first);
        memcpy (bins_of_region + bin * channels + first, values, some * sizeof *values);
      }
    }
  }
}

static void
run_regions (const SppnetRegionLayers *layers, const SppnetPooled *x, gsize from, gsize n, gfloat *scratch, gfloat *y)
{
  gint height = (gint) n * layers->pitch;
  gfloat *data[2] = { scratch, scratch + map_floats (layers) };
  SppnetRows map = { data[0], 0, height, layers->level, height, layers->channels };

  read_bins (layers, x, from, n, &map);
  clear_gaps (layers, &map, n);
  for (guint i = 0; i < layers->n; i++) {
    SppnetRows out = map;

    out.data = data[(i + 1) % 2];
    out.channels = channels_of (layers, i + 1);
    if (layers->apart && layers->conv[i].winograd)
      sppnet_winograd_run_apart (&layers->conv[i], &map, &out, layers->pitch, 1, scratch + 2 * map_floats (layers));
    else
      sppnet_conv_run (&layers->conv[i], &map, &out, 1, scratch + 2 * map_floats (layers));
    clear_gaps (layers, &out, n);
    map = out;
  }
  sppnet_packed_dense_run (&layers->dense, map.data, (gsize) layers->pitch * row_floats (&map), n, 1, y);
}

void
sppnet_region_layers_run (const SppnetRegionLayers *layers, const SppnetPooled *x, guint threads, gfloat *scratch,
                          gfloat *y)
{
  gsize floats = sppnet_region_layers_scratch (layers), most = regions_at_a_time (layers);
  gsize parts = ((x->n + most - 1) / most + threads - 1) / threads * threads; /* as many for each thread */

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (gsize part = 0; part < parts; part++) {
    gsize first = part * x->n / parts, end = (part + 1) * x->n / parts;

    if (end > first)
      run_regions (layers, x, first, end - first, scratch + (gsize) sppnet_thread_index () * floats,
                   y + first * (gsize) layers->dense.outputs);
  }
}
