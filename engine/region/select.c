/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/select.h"

/* Sorted by insertion from here on. */
#define FEW 16

static void
insertion_sort (guint64 *keys, gsize n)
{
  for (gsize i = 1; i < n; i++) {
    guint64 key = keys[i];
    gsize at = i;

    for (; at > 0 && keys[at - 1] > key; at--)
      keys[at] = keys[at - 1];
    keys[at] = key;
  }
}

static guint64
median (guint64 a, guint64 b, guint64 c)
{
  if (a > b)
    return b > c ? b : MIN (a, c);
  return a > c ? a : MIN (b, c);
}

/* Hoare's partition: keys before the returned place are at most the pivot, the others at least; neither side is empty.
 */
static gsize
partition (guint64 *keys, gsize n)
{
  guint64 pivot = median (keys[0], keys[(n - 1) / 2], keys[n - 2]);
  gsize i = 0, j = n - 1;

  for (;; i++, j--) {
    guint64 swap;

    while (keys[i] < pivot)
      i++;
    while (keys[j] > pivot)
      j--;
    if (i >= j)
      return j + 1;
    swap = keys[i];
    keys[i] = keys[j];
    keys[j] = swap;
  }
}

/* Quicksort that leaves alone what lies behind the first k. The shorter side is sorted by recursion, so that its depth
 * is at most the logarithm of n. */
void
sppnet_select_best (guint64 *keys, gsize n, gsize k)
{
  while (n > FEW && k > 0) {
    gsize left = partition (keys, n), right = n - left;

    if (k <= left) {
      n = left;
    } else if (left < right) {
      sppnet_select_best (keys, left, left);
      keys += left;
      n = right;
      k -= left;
    } else {
      sppnet_select_best (keys + left, right, k - left);
      n = k = left;
    }
  }
  if (k > 0)
    insertion_sort (keys, n);
}
