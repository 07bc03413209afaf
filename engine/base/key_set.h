/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Adds a key other than 0 to a set, [mask + 1] zeros at first, a power of two and more than there will be keys. TRUE
 * when it was not there. */
static inline gboolean
sppnet_key_set_add (guint64 *slots, gsize mask, guint64 key)
{
  gsize at = (gsize) ((key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 32) & mask;

  for (; slots[at]; at = (at + 1) & mask)
    if (slots[at] == key)
      return FALSE;
  slots[at] = key;
  return TRUE;
}
