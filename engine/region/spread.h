/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where window i of n of one size begins, spread evenly from edge to edge of a length; a single one lies in the middle.
 */
static inline gint
sppnet_spread (gint i, gint n, gint length, gint side)
{
  return n == 1 ? (length - side) / 2 : (gint) ((gint64) i * (length - side) / (n - 1));
}
