/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/features.h"

#include "backbone/backbone.h"
#include "base/memory.h"
#include "base/threads.h"
#include "frame/picture.h"
#include "pooling/pooling.h"
#include "region/rpn.h"
#include "train/region_pass.h"

struct _SppnetFeatures
{
  const SppnetNetwork *network;
  const SppnetDataset *dataset;
  SppnetMapCache *cache;
  SppnetBackbone *backbone;
  SppnetRpn *rpn; /* NULL: regions are the data set's proposals */
  guint max_regions, threads;
  gfloat *map;
  gsize map_floats;
  SppnetBuffer vectors[SPPNET_MAX_HEAD_LAYERS
                       + 1]; /* [n][pooled], [n][in of the other head layers]; the last: of the classifier */
  SppnetRegionPass *region;  /* [threads] */
  GArray *boxes;             /* (element-type SppnetBox) */
  GArray *labels;            /* (element-type gint) */
  GArray *difficult;         /* (element-type gboolean), as long as labels */
  SppnetFeatureKind kind;
};

SppnetFeatures *
sppnet_features_new (const SppnetNetwork *network, SppnetModel *model, const SppnetDataset *dataset, guint max_regions,
                     guint threads, const gchar *cache_file, GError **error)
{
  g_autoptr (SppnetFeatures) features = g_new0 (SppnetFeatures, 1);
  g_autofree gchar *pictures = sppnet_dataset_pictures_key (dataset);
  g_autofree gchar *params = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) network->params,
                                                          network->n_params * sizeof (gfloat));
  g_autofree gchar *key = g_strdup_printf ("%s %s", pictures, params);

  features->network = network;
  features->dataset = dataset;
  features->max_regions = max_regions;
  features->threads = threads;
  features->region = g_new0 (SppnetRegionPass, threads);
  features->boxes = g_array_new (FALSE, FALSE, sizeof (SppnetBox));
  features->labels = g_array_new (FALSE, FALSE, sizeof (gint));
  features->difficult = g_array_new (FALSE, FALSE, sizeof (gboolean));
  features->cache = sppnet_map_cache_open (cache_file, key, dataset->annotations->len, error);
  features->backbone = features->cache ? sppnet_backbone_new (model, SPPNET_PRECISION_FLOAT32, error) : NULL;
  if (features->backbone && network->config.rpn.n_anchors > 0)
    features->rpn = sppnet_rpn_new (model, SPPNET_PRECISION_FLOAT32, error);
  if (!features->backbone || (network->config.rpn.n_anchors > 0 && !features->rpn))
    return NULL;
  return g_steal_pointer (&features);
}

void
sppnet_features_free (SppnetFeatures *features)
{
  if (!features)
    return;
  for (guint i = 0; i <= SPPNET_MAX_HEAD_LAYERS; i++)
    sppnet_buffer_clear (&features->vectors[i]);
  for (guint i = 0; i < features->threads; i++)
    sppnet_region_pass_clear (&features->region[i]);
  g_free (features->region);
  g_clear_pointer (&features->cache, sppnet_map_cache_free);
  g_clear_pointer (&features->backbone, sppnet_backbone_free);
  sppnet_rpn_free (features->rpn);
  sppnet_aligned_free (features->map);
  g_array_unref (features->boxes);
  g_array_unref (features->labels);
  g_array_unref (features->difficult);
  g_free (features);
}

gboolean
sppnet_features_fill (SppnetFeatures *features, SppnetProgress progress, gpointer user_data, GError **error)
{
  guint n = features->dataset->annotations->len;

  for (guint i = 0; i < n; i++) {
    const SppnetAnnotation *annotation = g_ptr_array_index (features->dataset->annotations, i);
    g_auto (SppnetPicture) picture = { 0 };
    SppnetFrame frame;
    SppnetMap map;

    if (sppnet_map_cache_has (features->cache, i))
      continue;
    if (!sppnet_picture_load_sized (&picture, annotation->picture, annotation->width, annotation->height, error))
      return FALSE;
    frame = sppnet_picture_frame (&picture);
    if (!sppnet_backbone_run (features->backbone, &frame, features->threads, &map, NULL, error)) {
      g_prefix_error (error, "%s: ", annotation->picture);
      return FALSE;
    }
    if (!sppnet_map_cache_put (features->cache, i, &map, error))
      return FALSE;
    if (progress && !progress (user_data, "feature maps", (i + 1.0) / n, "")) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "stopped");
      return FALSE;
    }
  }
  return TRUE;
}

/* What a model with a region proposal network proposes, else what was computed before. */
static gboolean
add_proposals (SppnetFeatures *features, guint picture, const SppnetMap *map, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (features->dataset->annotations, picture);
  const GArray *proposals = features->dataset->proposals[picture];
  const SppnetBox *boxes;
  gsize n;

  if (!features->rpn) {
    g_array_append_vals (features->boxes, proposals->data, MIN (proposals->len, features->max_regions));
    return TRUE;
  }
  if (!sppnet_rpn_run (features->rpn, map, annotation->width, annotation->height, features->max_regions, 0.0f,
                       features->threads, &boxes, NULL, &n, error))
    return FALSE;
  g_array_append_vals (features->boxes, boxes, (guint) n);
  return TRUE;
}

/* Ground truth of the trained labels first, then the proposals. */
static gboolean
collect_boxes (SppnetFeatures *features, guint picture, const SppnetMap *map, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (features->dataset->annotations, picture);

  g_array_set_size (features->boxes, 0);
  g_array_set_size (features->labels, 0);
  g_array_set_size (features->difficult, 0);
  for (guint k = 0; k < annotation->objects->len; k++) {
    const SppnetObject *object = &g_array_index (annotation->objects, SppnetObject, k);
    gint label = g_array_index (features->dataset->objects[picture], gint, k);

    if (label < 0)
      continue;
    g_array_append_val (features->boxes, object->box);
    g_array_append_val (features->labels, label);
    g_array_append_val (features->difficult, object->difficult);
  }
  return add_proposals (features, picture, map, error);
}

/* The same rows at a time for any number of threads, so that the sums are the same, too. */
#define ROWS 128

/* The first layer, which may have region layers before it. */
static gboolean
run_first (const SppnetFeatures *features, gsize n, GError **error)
{
  const SppnetNetwork *network = features->network;
  gsize pooled = (gsize) sppnet_config_pooled (&network->config), outputs = (gsize) network->head[0].out;
  const gfloat *in = features->vectors[0].data;
  gfloat *out = features->vectors[1].data;

  for (guint i = 0; i < features->threads; i++)
    if (!sppnet_region_pass_reserve (&features->region[i], network, ROWS, error))
      return FALSE;
  sppnet_blas_begin ();
#pragma omp parallel for num_threads(features->threads) schedule(dynamic)
  for (gsize first = 0; first < n; first += ROWS)
    sppnet_region_pass_run (&features->region[sppnet_thread_index ()], network, in + first * pooled,
                            MIN (ROWS, n - first), out + first * outputs);
  sppnet_blas_end ();
  return TRUE;
}

static void
run_layer (const SppnetFeatures *features, guint i, gsize n)
{
  const SppnetNetwork *network = features->network;
  const SppnetDense *dense = &network->head[i];
  const gfloat *in = features->vectors[i].data;
  gfloat *out = features->vectors[i + 1].data;

  sppnet_blas_begin ();
#pragma omp parallel for num_threads(features->threads) schedule(dynamic)
  for (gsize first = 0; first < n; first += ROWS)
    sppnet_dense_run (network, dense, in + first * (gsize) dense->in, MIN (ROWS, n - first),
                      sppnet_head_slope (&network->config.head[i]), out + first * (gsize) dense->out);
  sppnet_blas_end ();
}

static const gfloat *
run_head (SppnetFeatures *features, const SppnetMap *map, GError **error)
{
  const SppnetNetwork *network = features->network;
  guint n_head = features->kind == SPPNET_FEATURES_HEAD ? network->config.n_head : 0;
  gsize n = features->boxes->len, pooled = (gsize) sppnet_config_pooled (&network->config);

  if (!sppnet_buffer_reserve (&features->vectors[0], n * pooled, sizeof (gfloat), error))
    return NULL;
  sppnet_pool_regions (map, &network->config, (const SppnetBox *) features->boxes->data, n, features->threads,
                       features->vectors[0].data);
  for (guint i = 0; i < n_head; i++) {
    if (!sppnet_buffer_reserve (&features->vectors[i + 1], n * network->head[i].out, sizeof (gfloat), error))
      return NULL;
    if (i > 0)
      run_layer (features, i, n);
    else if (!run_first (features, n, error))
      return NULL;
  }
  return features->vectors[n_head].data;
}

static gboolean
load (gpointer user_data, guint picture, SppnetRegions *regions, GError **error)
{
  SppnetFeatures *features = user_data;
  SppnetMap map;

  if (!sppnet_map_cache_get (features->cache, picture, &map, &features->map, &features->map_floats, error)
      || !collect_boxes (features, picture, &map, error))
    return FALSE;
  regions->features = run_head (features, &map, error);
  regions->name = ((const SppnetAnnotation *) g_ptr_array_index (features->dataset->annotations, picture))->picture;
  regions->n = features->boxes->len;
  regions->n_objects = features->labels->len;
  regions->boxes = (const SppnetBox *) features->boxes->data;
  regions->object_label = (const gint *) features->labels->data;
  regions->object_difficult = (const gboolean *) features->difficult->data;
  return regions->features != NULL;
}

SppnetRegionSource
sppnet_features_source (SppnetFeatures *features, SppnetFeatureKind kind)
{
  const SppnetNetwork *network = features->network;
  gint pooled = sppnet_config_pooled (&network->config);

  features->kind = kind;
  return (SppnetRegionSource) {
    .n_pictures = features->dataset->annotations->len,
    .n_labels = network->config.n_labels,
    .labels = network->config.labels,
    .length = kind == SPPNET_FEATURES_HEAD ? network->classifier.in : pooled,
    .load = load,
    .user_data = features,
  };
}
