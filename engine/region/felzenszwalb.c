/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/felzenszwalb.h"

#include <math.h>
#include <string.h>

#define NO_EDGE G_MAXUINT16
/* Squared distances below this are no difference; it anchors the bins' logarithmic scale. */
#define SMALLEST 0x1.0p-8f
#define SMALLEST_BITS 0x3b800000
#define BIN_SHIFT 16 /* leaves 7 of the 23 bits of the mantissa */

typedef union
{
  gfloat value;
  guint32 bits;
} FloatBits;

guint
sppnet_edge_bin (gfloat squared)
{
  FloatBits f = { .value = squared + SMALLEST };

  return (f.bits - SMALLEST_BITS) >> BIN_SHIFT;
}

gfloat
sppnet_edge_weight (guint bin)
{
  FloatBits f = { .bits = (bin << BIN_SHIFT) + SMALLEST_BITS };

  return sqrtf (f.value - SMALLEST);
}

/* bins[x] of the edges from row a's pixel x to row b's pixel x, for n pixels; squared: scratch [n] */
static void
edge_row (const gfloat *a, const gfloat *b, gsize plane, guint channels, gfloat scale, gint n, gfloat *restrict squared,
          guint16 *restrict bins)
{
  for (gint x = 0; x < n; x++) {
    gfloat d = a[x] - b[x];
    squared[x] = d * d;
  }
  for (guint c = 1; c < channels; c++) {
    const gfloat *ac = a + c * plane, *bc = b + c * plane;

    for (gint x = 0; x < n; x++) {
      gfloat d = ac[x] - bc[x];
      squared[x] += d * d;
    }
  }
  for (gint x = 0; x < n; x++) {
    FloatBits f = { .value = squared[x] * scale + SMALLEST };
    bins[x] = (guint16) ((f.bits - SMALLEST_BITS) >> BIN_SHIFT);
  }
}

/* bins: [4][width] of one row */
static void
edge_bins_of_row (const gfloat *row, gsize plane, guint channels, gfloat scale, gint width, gboolean last,
                  gfloat *squared, guint16 *bins)
{
  guint16 *right = bins, *down = bins + width, *down_right = bins + 2 * width, *down_left = bins + 3 * width;

  edge_row (row, row + 1, plane, channels, scale, width - 1, squared, right);
  right[width - 1] = down_right[width - 1] = down_left[0] = NO_EDGE;
  if (last) {
    for (gint x = 0; x < width; x++)
      down[x] = down_right[x] = down_left[x] = NO_EDGE;
    return;
  }
  edge_row (row, row + width, plane, channels, scale, width, squared, down);
  edge_row (row, row + width + 1, plane, channels, scale, width - 1, squared, down_right);
  edge_row (row + 1, row + width, plane, channels, scale, width - 1, squared, down_left + 1);
}

/* Counting sort; the number of edges in bin i comes in edges->start[i + 1]. */
static void
sort_edges (SppnetEdges *edges, const guint16 *bins, guint32 *sorted)
{
  guint32 next[SPPNET_EDGE_BINS];
  gint width = edges->width;

  for (guint i = 0; i < SPPNET_EDGE_BINS; i++)
    edges->start[i + 1] += edges->start[i];
  memcpy (next, edges->start, sizeof next);
  for (gint y = 0; y < edges->height; y++) {
    const guint16 *row = bins + (gsize) y * 4 * width;
    guint32 code = (guint32) y * (guint32) width * 4;

    for (gint x = 0; x < width; x++)
      for (guint d = 0; d < 4; d++, code++) {
        guint bin = row[d * width + x];

        if (bin != NO_EDGE)
          sorted[next[bin]++] = code;
      }
  }
}

gboolean
sppnet_edges_build (SppnetEdges *edges, const gfloat *planes, guint channels, gfloat scale, gint width, gint height,
                    GError **error)
{
  gsize pixels = (gsize) width * height;
  guint16 *bins = sppnet_buffer_reserve (&edges->bins, pixels * 4, sizeof *bins, error);
  /* before it is filled, the result serves as the row of squared distances */
  guint32 *sorted = bins ? sppnet_buffer_reserve (&edges->sorted, pixels * 4, sizeof *sorted, error) : NULL;

  if (!sorted)
    return FALSE;
  edges->width = width;
  edges->height = height;
  memset (edges->start, 0, sizeof edges->start);
  for (gint y = 0; y < height; y++) {
    guint16 *row = bins + (gsize) y * 4 * width;

    edge_bins_of_row (planes + (gsize) y * width, pixels, channels, scale, width, y == height - 1, (gfloat *) sorted, row);
    for (gint i = 0; i < 4 * width; i++)
      if (row[i] != NO_EDGE)
        edges->start[row[i] + 1]++;
  }
  sort_edges (edges, bins, sorted);
  return TRUE;
}

void
sppnet_edges_clear (SppnetEdges *edges)
{
  sppnet_buffer_clear (&edges->bins);
  sppnet_buffer_clear (&edges->sorted);
}

/* The root of a pixel's segment; every second step shortens the path. */
static inline guint32
find (guint32 *parent, guint32 i)
{
  while (parent[i] != i)
    i = parent[i] = parent[parent[i]];
  return i;
}

static inline guint32
join (guint32 *parent, guint32 *size, guint32 a, guint32 b)
{
  if (size[a] < size[b]) {
    guint32 c = a;
    a = b;
    b = c;
  }
  parent[b] = a;
  size[a] += size[b];
  return a;
}

/* Joins segments whose edge is no heavier than what holds either together; collects the edges that stayed between two. */
static gsize
merge_by_weight (const SppnetEdges *edges, gfloat k, guint32 *parent, guint32 *size, gfloat *threshold, guint32 *left)
{
  const guint32 *sorted = edges->sorted.data;
  const guint32 step[4] = { 1, (guint32) edges->width, (guint32) edges->width + 1, (guint32) edges->width - 1 };
  gsize n_left = 0;

  for (guint bin = 0; bin < SPPNET_EDGE_BINS; bin++) {
    gfloat weight = sppnet_edge_weight (bin);

    for (guint32 i = edges->start[bin]; i < edges->start[bin + 1]; i++) {
      guint32 pixel = sorted[i] >> 2;
      guint32 a = find (parent, pixel), b = find (parent, pixel + step[sorted[i] & 3]);

      if (a == b)
        continue;
      if (weight <= threshold[a] && weight <= threshold[b]) {
        a = join (parent, size, a, b);
        threshold[a] = weight + k / (gfloat) size[a];
      } else {
        left[n_left++] = sorted[i];
      }
    }
  }
  return n_left;
}

static void
merge_small (const SppnetEdges *edges, guint min_size, guint32 *parent, guint32 *size, const guint32 *left, gsize n_left)
{
  const guint32 step[4] = { 1, (guint32) edges->width, (guint32) edges->width + 1, (guint32) edges->width - 1 };

  for (gsize i = 0; i < n_left; i++) {
    guint32 pixel = left[i] >> 2;
    guint32 a = find (parent, pixel), b = find (parent, pixel + step[left[i] & 3]);

    if (a != b && (size[a] < min_size || size[b] < min_size))
      join (parent, size, a, b);
  }
}

/* Roots become 0, 1, .. in the order in which a scan meets them; name: scratch [pixels] */
static guint
number_regions (guint32 *parent, gsize pixels, guint32 *name, guint32 *labels)
{
  guint n = 0;

  memset (name, 0xff, pixels * sizeof *name);
  for (gsize i = 0; i < pixels; i++) {
    guint32 root = find (parent, (guint32) i);

    if (name[root] == G_MAXUINT32)
      name[root] = n++;
    labels[i] = name[root];
  }
  return n;
}

gboolean
sppnet_segmentation_run (SppnetSegmentation *segmentation, const SppnetEdges *edges, gfloat k, guint min_size, GError **error)
{
  gsize pixels = (gsize) edges->width * edges->height, n_left;
  guint32 *parent = sppnet_buffer_reserve (&segmentation->parent, pixels, sizeof *parent, error);
  guint32 *size = parent ? sppnet_buffer_reserve (&segmentation->size, pixels, sizeof *size, error) : NULL;
  gfloat *threshold = size ? sppnet_buffer_reserve (&segmentation->threshold, pixels, sizeof *threshold, error) : NULL;
  guint32 *left = threshold ? sppnet_buffer_reserve (&segmentation->left, pixels * 4, sizeof *left, error) : NULL;
  guint32 *labels = left ? sppnet_buffer_reserve (&segmentation->labels, pixels, sizeof *labels, error) : NULL;

  if (!labels)
    return FALSE;
  for (gsize i = 0; i < pixels; i++) {
    parent[i] = (guint32) i;
    size[i] = 1;
    threshold[i] = k;
  }
  n_left = merge_by_weight (edges, k, parent, size, threshold, left);
  merge_small (edges, min_size, parent, size, left, n_left);
  segmentation->n_regions = number_regions (parent, pixels, left, labels);
  return TRUE;
}

void
sppnet_segmentation_clear (SppnetSegmentation *segmentation)
{
  sppnet_buffer_clear (&segmentation->parent);
  sppnet_buffer_clear (&segmentation->size);
  sppnet_buffer_clear (&segmentation->threshold);
  sppnet_buffer_clear (&segmentation->left);
  sppnet_buffer_clear (&segmentation->labels);
}
