/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/rpn_layers.h"

gboolean
sppnet_rpn_layers_init (SppnetRpnLayers *layers, const SppnetConfig *config, SppnetPrecision precision)
{
  *layers = (SppnetRpnLayers) { .hidden_layer = sppnet_config_rpn_layer (config),
                                .output_layer = { .kind = SPPNET_LAYER_CONV,
                                                  .filters = 5 * (gint) config->rpn.n_anchors,
                                                  .kernel_width = 1,
                                                  .kernel_height = 1,
                                                  .stride = 1 } };
  return sppnet_conv_init (&layers->hidden, &layers->hidden_layer, sppnet_config_channels (config), precision)
         && sppnet_conv_init (&layers->output, &layers->output_layer, config->rpn.filters, SPPNET_PRECISION_FLOAT32);
}

void
sppnet_rpn_layers_clear (SppnetRpnLayers *layers)
{
  sppnet_conv_clear (&layers->hidden);
  sppnet_conv_clear (&layers->output);
}

void
sppnet_rpn_scratch_clear (SppnetRpnScratch *scratch)
{
  sppnet_buffer_clear (&scratch->scratch);
  sppnet_buffer_clear (&scratch->hidden);
  sppnet_buffer_clear (&scratch->outputs);
}

const gfloat *
sppnet_rpn_layers_run (const SppnetRpnLayers *layers, const SppnetMap *map, const SppnetAnchorGrid *grid, guint threads,
                       SppnetRpnScratch *scratch, GError **error)
{
  gsize cells = (gsize) grid->width * (gsize) grid->height;
  gsize floats = MAX (sppnet_conv_scratch (&layers->hidden), sppnet_conv_scratch (&layers->output));
  SppnetRows in = { (gfloat *) map->data, 0, map->height, map->width, map->height, map->channels };
  SppnetRows hidden = { NULL, 0, grid->height, grid->width, grid->height, layers->hidden_layer.filters };
  SppnetRows out = { NULL, 0, grid->height, grid->width, grid->height, layers->output_layer.filters };

  if (!sppnet_buffer_reserve (&scratch->scratch, threads * floats + 1, sizeof (gfloat), error))
    return NULL;
  hidden.data
      = sppnet_buffer_reserve (&scratch->hidden, cells, sizeof (gfloat) * (gsize) layers->hidden_layer.filters, error);
  if (!hidden.data)
    return NULL;
  out.data
      = sppnet_buffer_reserve (&scratch->outputs, cells, sizeof (gfloat) * (gsize) layers->output_layer.filters, error);
  if (!out.data)
    return NULL;
  sppnet_conv_run (&layers->hidden, &in, &hidden, threads, scratch->scratch.data);
  sppnet_conv_run (&layers->output, &hidden, &out, threads, scratch->scratch.data);
  return out.data;
}
