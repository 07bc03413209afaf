/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/felzenszwalb.h"

#include <math.h>
#include <string.h>

#include "region/union_find.h"

#define NO_EDGE G_MAXUINT16

gfloat
sppnet_edge_weight (guint bin)
{
  guint32 bits = (bin << SPPNET_EDGE_BIN_SHIFT) + SPPNET_EDGE_SMALLEST_BITS;

  return sqrtf (sppnet_bits_float (bits) - SPPNET_EDGE_SMALLEST);
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
  for (gint x = 0; x < n; x++)
    bins[x] = (guint16) sppnet_edge_bin (squared[x] * scale);
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

    edge_bins_of_row (planes + (gsize) y * width, pixels, channels, scale, width, y == height - 1, (gfloat *) sorted,
                      row);
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

/* Lets every pixel point where its parent's parent points: nearly always the root. */
static void
flatten (guint32 *parent, gsize pixels)
{
  for (gsize i = 0; i < pixels; i++)
    parent[i] = parent[parent[parent[i]]];
}

/* Most edges lie within one segment by the time that they come up, and most of these show it at first sight. No branch:
 * it could not be predicted. */
static guint
different_parents (const guint32 *parent, const guint32 *edges, guint n, const guint32 step[4], guint32 *out)
{
  guint n_out = 0;

  for (guint i = 0; i < n; i++) {
    guint32 pixel = edges[i] >> 2;

    out[n_out] = edges[i];
    n_out += parent[pixel] != parent[pixel + step[edges[i] & 3]];
  }
  return n_out;
}

typedef struct
{
  guint32 step[4];
  gfloat k;
  guint32 *parent, *size, *left;
  gfloat *threshold;
  gsize n_left;
} Merging;

/* Joins segments whose edge is no heavier than what holds either together; collects the edges that stay between two. */
static void
merge_block (Merging *m, gfloat weight, const guint32 *edges, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint32 pixel = edges[i] >> 2;
    guint32 a = sppnet_union_find (m->parent, pixel), b = sppnet_union_find (m->parent, pixel + m->step[edges[i] & 3]);

    if (a == b)
      continue;
    if (weight <= m->threshold[a] && weight <= m->threshold[b]) {
      a = join (m->parent, m->size, a, b);
      m->threshold[a] = weight + m->k / (gfloat) m->size[a];
    } else {
      m->left[m->n_left++] = edges[i];
    }
  }
}

static void
merge_by_weight (Merging *m, const SppnetEdges *edges)
{
  const guint32 *sorted = edges->sorted.data;
  guint32 block[256], n_edges = edges->start[SPPNET_EDGE_BINS], next_flatten = n_edges / 16;

  for (guint bin = 0; bin < SPPNET_EDGE_BINS; bin++) {
    gfloat weight = sppnet_edge_weight (bin);
    guint32 end = edges->start[bin + 1];

    for (guint32 i = edges->start[bin]; i < end; i += G_N_ELEMENTS (block)) {
      if (i >= next_flatten) {
        flatten (m->parent, (gsize) edges->width * edges->height);
        next_flatten += n_edges / 8 + 1;
      }
      merge_block (m, weight, block,
                   different_parents (m->parent, sorted + i, MIN (end - i, G_N_ELEMENTS (block)), m->step, block));
    }
  }
}

static void
merge_small (Merging *m, guint min_size)
{
  for (gsize i = 0; i < m->n_left; i++) {
    guint32 pixel = m->left[i] >> 2;
    guint32 a = sppnet_union_find (m->parent, pixel),
            b = sppnet_union_find (m->parent, pixel + m->step[m->left[i] & 3]);

    if (a != b && (m->size[a] < min_size || m->size[b] < min_size))
      join (m->parent, m->size, a, b);
  }
}

/* Roots become 0, 1, .. in the order in which a scan meets them; name: scratch [pixels] */
static guint
number_regions (guint32 *parent, gsize pixels, guint32 *name, guint32 *labels)
{
  guint n = 0;

  memset (name, 0xff, pixels * sizeof *name);
  for (gsize i = 0; i < pixels; i++) {
    guint32 root = sppnet_union_find (parent, (guint32) i);

    if (name[root] == G_MAXUINT32)
      name[root] = n++;
    labels[i] = name[root];
  }
  return n;
}

static gboolean
reserve (SppnetSegmentation *segmentation, Merging *m, gsize pixels, GError **error)
{
  return (m->parent = sppnet_buffer_reserve (&segmentation->parent, pixels, sizeof *m->parent, error))
         && (m->size = sppnet_buffer_reserve (&segmentation->size, pixels, sizeof *m->size, error))
         && (m->threshold = sppnet_buffer_reserve (&segmentation->threshold, pixels, sizeof *m->threshold, error))
         && (m->left = sppnet_buffer_reserve (&segmentation->left, pixels * 4, sizeof *m->left, error))
         && sppnet_buffer_reserve (&segmentation->labels, pixels, sizeof (guint32), error);
}

gboolean
sppnet_segmentation_run (SppnetSegmentation *segmentation, const SppnetEdges *edges, gfloat k, guint min_size,
                         GError **error)
{
  guint32 width = (guint32) edges->width;
  gsize pixels = (gsize) edges->width * edges->height;
  Merging m = { .k = k, .step = { 1, width, width + 1, width - 1 } };

  if (!reserve (segmentation, &m, pixels, error))
    return FALSE;
  for (gsize i = 0; i < pixels; i++) {
    m.parent[i] = (guint32) i;
    m.size[i] = 1;
    m.threshold[i] = k;
  }
  merge_by_weight (&m, edges);
  merge_small (&m, min_size);
  segmentation->n_regions = number_regions (m.parent, pixels, m.left, segmentation->labels.data);
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
