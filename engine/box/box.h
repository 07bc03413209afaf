/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/box.h>

/* Whether all four numbers are finite. */
gboolean sppnet_box_is_finite (const SppnetBox *box);
