/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <math.h>

/* The logistic function and its inverse, which stays finite for 0 and 1. */

static inline gfloat
sppnet_logistic (gfloat x)
{
  return 1.0f / (1.0f + expf (-x));
}

static inline gfloat
sppnet_log_odds (gfloat p)
{
  p = CLAMP (p, 1e-7f, 1.0f - 1e-7f);
  return logf (p / (1.0f - p));
}
