/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region/similarity.h"

#include <math.h>
#include <string.h>

#include "kernel/kernel.h"

/* Gradients are rounded to whole grey levels per pixel within +-31 before they are looked up. */
#define GRADIENT_RANGE 32
#define GRADIENT_STEPS (2 * GRADIENT_RANGE)

SppnetHistogramLayout
sppnet_histogram_layout (guint channels)
{
  SppnetHistogramLayout layout = { .channels = channels };

  layout.texture = (channels * SPPNET_COLOUR_BINS + 15) / 16 * 16;
  layout.length = layout.texture + channels * SPPNET_TEXTURE_BINS;
  return layout;
}

void
sppnet_colour_codes (const guint8 *in, gsize pixels, guint8 *out)
{
  for (gsize i = 0; i < pixels; i++)
    out[i] = (guint8) ((in[i] * SPPNET_COLOUR_BINS) >> 8);
}

/* Magnitudes grow by a constant ratio from bin to bin, as gradients of pictures are spread. Bin 0, below one grey level
 * per pixel, has no orientation. */
static guint8
gradient_code (gdouble gx, gdouble gy)
{
  gdouble magnitude = hypot (gx, gy);
  gint bin = magnitude < 1.0 ? 0 : 1 + (gint) (log2 (magnitude) * 1.8);
  gint orientation = (gint) lround (atan2 (gy, gx) / (G_PI / 4.0) + 8.0) % SPPNET_TEXTURE_ORIENTATIONS;

  if (bin == 0)
    return 0;
  return (guint8) (orientation * SPPNET_TEXTURE_MAGNITUDES + MIN (bin, SPPNET_TEXTURE_MAGNITUDES - 1));
}

static const guint8 *
gradient_codes (void)
{
  static guint8 codes[GRADIENT_STEPS * GRADIENT_STEPS]; /* [gy + range][gx + range] */
  static gsize ready;

  if (g_once_init_enter (&ready)) {
    for (gint y = 0; y < GRADIENT_STEPS; y++)
      for (gint x = 0; x < GRADIENT_STEPS; x++)
        codes[y * GRADIENT_STEPS + x] = gradient_code (x - GRADIENT_RANGE, y - GRADIENT_RANGE);
    g_once_init_leave (&ready, 1);
  }
  return codes;
}

static inline gint
gradient_step (gfloat ahead, gfloat behind)
{
  gfloat step = (ahead - behind) * 0.5f + (GRADIENT_RANGE + 0.5f);

  return (gint) CLAMP (step, 0.0f, GRADIENT_STEPS - 1.0f);
}

void
sppnet_texture_codes (const gfloat *in, gint width, gint height, guint8 *out)
{
  const guint8 *codes = gradient_codes ();

  for (gint y = 0; y < height; y++) {
    const gfloat *row = in + (gsize) y * width;
    const gfloat *above = y > 0 ? row - width : row, *below = y < height - 1 ? row + width : row;

    for (gint x = 0; x < width; x++) {
      gint gx = gradient_step (row[MIN (x + 1, width - 1)], row[MAX (x - 1, 0)]);
      gint gy = gradient_step (below[x], above[x]);

      *out++ = codes[gy * GRADIENT_STEPS + gx];
    }
  }
}

static void
count_extents (const guint32 *labels, gint width, gint height, guint n_regions, SppnetRegion *regions)
{
  for (guint i = 0; i < n_regions; i++)
    regions[i] = (SppnetRegion) { { G_MAXUINT16, G_MAXUINT16, 0, 0 }, 0 };
  for (gint y = 0; y < height; y++, labels += width)
    for (gint x = 0, end; x < width; x = end) {
      SppnetRegion *region = &regions[labels[x]];

      for (end = x + 1; end < width && labels[end] == labels[x]; end++)
        ;
      region->size += (guint32) (end - x);
      region->extent = sppnet_extent_union (
          region->extent, (SppnetExtent) { (guint16) x, (guint16) y, (guint16) (end - 1), (guint16) y });
    }
}

void
sppnet_histograms_count (const SppnetHistogramLayout *layout, const guint8 *codes, const guint32 *labels, gint width,
                         gint height, guint n_regions, guint32 *counts, SppnetRegion *regions, gfloat *histograms)
{
  gsize pixels = (gsize) width * height;
  const guint8 *textures = codes + layout->channels * pixels;

  count_extents (labels, width, height, n_regions, regions);
  memset (counts, 0, (gsize) n_regions * layout->length * sizeof *counts);
  for (gsize i = 0; i < pixels; i++) {
    guint32 *colour = counts + (gsize) labels[i] * layout->length;
    guint32 *texture = colour + layout->texture;

    for (guint c = 0; c < layout->channels; c++) {
      colour[c * SPPNET_COLOUR_BINS + codes[c * pixels + i]]++;
      texture[c * SPPNET_TEXTURE_BINS + textures[c * pixels + i]]++;
    }
  }
  for (guint r = 0; r < n_regions; r++) {
    gfloat scale = 1.0f / ((gfloat) layout->channels * (gfloat) regions[r].size);

    for (gsize i = 0, at = (gsize) r * layout->length; i < layout->length; i++, at++)
      histograms[at] = (gfloat) counts[at] * scale;
  }
}

void
sppnet_histogram_merge (const gfloat *a, guint32 size_a, const gfloat *b, guint32 size_b, guint length, gfloat *out)
{
  gfloat weight_a = (gfloat) ((gdouble) size_a / ((gdouble) size_a + size_b)), weight_b = 1.0f - weight_a;

  for (guint i = 0; i < length; i++)
    out[i] = weight_a * a[i] + weight_b * b[i];
}

SppnetExtent
sppnet_extent_union (SppnetExtent a, SppnetExtent b)
{
  return (SppnetExtent) { MIN (a.x0, b.x0), MIN (a.y0, b.y0), MAX (a.x1, b.x1), MAX (a.y1, b.y1) };
}

gfloat
sppnet_similarity (guint measures, const SppnetHistogramLayout *layout, const SppnetRegion *a,
                   const gfloat *a_histogram, const SppnetRegion *b, const gfloat *b_histogram, guint32 pixels)
{
  const SppnetKernels *kernels = sppnet_kernels ();
  guint histograms = measures & (SPPNET_SIMILARITY_COLOUR | SPPNET_SIMILARITY_TEXTURE);
  gfloat both = (gfloat) a->size + (gfloat) b->size, similarity = 0.0f;

  if (histograms == (SPPNET_SIMILARITY_COLOUR | SPPNET_SIMILARITY_TEXTURE))
    similarity += kernels->min_sum (a_histogram, b_histogram, layout->length);
  else if (histograms == SPPNET_SIMILARITY_COLOUR)
    similarity += kernels->min_sum (a_histogram, b_histogram, layout->texture);
  else if (histograms == SPPNET_SIMILARITY_TEXTURE)
    similarity += kernels->min_sum (a_histogram + layout->texture, b_histogram + layout->texture,
                                    layout->length - layout->texture);
  if (measures & SPPNET_SIMILARITY_SIZE)
    similarity += 1.0f - both / (gfloat) pixels;
  if (measures & SPPNET_SIMILARITY_FILL) {
    SppnetExtent box = sppnet_extent_union (a->extent, b->extent);
    gfloat area = (gfloat) (box.x1 - box.x0 + 1) * (gfloat) (box.y1 - box.y0 + 1);

    similarity += 1.0f - (area - both) / (gfloat) pixels;
  }
  return similarity;
}
