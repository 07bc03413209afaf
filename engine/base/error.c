/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sppnet/error.h>

G_DEFINE_QUARK (sppnet - error - quark, sppnet_error)
