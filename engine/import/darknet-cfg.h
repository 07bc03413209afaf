/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model.h"

/* One convolution as the weights file stores it. */
typedef struct
{
  gint filters, channels, size;
  gboolean batch_normalize;
} SppnetDarknetConv;

typedef struct
{
  GArray *convs;     /* (element-type SppnetDarknetConv): every convolution that the weights file begins with */
  gboolean complete; /* convs is all that the weights file has */
  guint kept;        /* convolutions in the configuration */
} SppnetDarknetNet;

/* Reads a .cfg; config gets the layers up to and including convolution number conv_layers (0: the one before the last).
 */
gboolean sppnet_darknet_read_cfg (const gchar *file, guint conv_layers, SppnetConfig *config, SppnetDarknetNet *net,
                                  GError **error);
void sppnet_darknet_net_clear (SppnetDarknetNet *net);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetDarknetNet, sppnet_darknet_net_clear)
