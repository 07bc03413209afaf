/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "base/half.h"

/* Choosing the best of many scores: each becomes one number, smaller for a higher score and, of equal scores, for the
 * smaller index, so that the order is total. NaN comes last. */

static inline guint64
sppnet_select_key (gfloat score, guint32 index)
{
  guint32 bits = sppnet_float_bits (score == 0.0f ? 0.0f : score); /* one zero */
  guint32 rising = bits & 0x80000000u ? ~bits : bits | 0x80000000u;

  if (score != score)
    rising = 0;
  return (guint64) ~rising << 32 | index;
}

static inline guint32
sppnet_select_index (guint64 key)
{
  return (guint32) key;
}

/* The k smallest keys come first, in order; the others follow in any. In place, without memory. */
void sppnet_select_best (guint64 *keys, gsize n, gsize k);
