/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/config.h"
#include "model/document.h"

/* The arrays "layers" and "head" and the object "rpn" of a configuration. */
void sppnet_config_read_layers (const SppnetNode *root, SppnetConfig *config);
