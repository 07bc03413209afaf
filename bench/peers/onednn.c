/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The convolution layers of a model through oneDNN 2: formats of its own choice, weights reordered once, bias and
 * activation in the convolution. */
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "backbone/layers.h"
#include "base/memory.h"
#include "model/model.h"
#include "peer.h"

#define MAX_STEPS (4 * SPPNET_MAX_LAYERS)
/* Maps that are in use at the same time; the memory of others is used again. */
#define MAX_SLOTS 16

/* A primitive and what it works on. */
typedef struct
{
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[4];
  gint n_args;
} Step;

typedef struct
{
  const SppnetConfig *config;
  SppnetModel *model;
  SppnetShape shapes[SPPNET_MAX_LAYERS + 1];
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  Step steps[MAX_STEPS];
  guint n_steps;
  dnnl_memory_t maps[SPPNET_MAX_LAYERS + 1]; /* before each layer, and the last */
  guint slot[SPPNET_MAX_LAYERS + 1];         /* where each map lies */
  gsize slot_bytes[MAX_SLOTS];
} Network;

static void
check (dnnl_status_t status, const gchar *what)
{
  if (status == dnnl_success)
    return;
  fprintf (stderr, "oneDNN: %s: status %d\n", what, (gint) status);
  exit (1);
}

static dnnl_memory_desc_t
describe (gint channels, gint height, gint width, dnnl_format_tag_t tag)
{
  dnnl_dims_t dims = { 1, channels, height, width };
  dnnl_memory_desc_t desc;

  check (dnnl_memory_desc_init_by_tag (&desc, 4, dims, dnnl_f32, tag), "memory");
  return desc;
}

static dnnl_memory_t
memory_new (Network *network, const dnnl_memory_desc_t *desc, gpointer handle)
{
  dnnl_memory_t memory;

  check (dnnl_memory_create (&memory, desc, network->engine, handle), "memory");
  return memory;
}

/* Whether a layer from index on, or the next one, still reads a map. */
static gboolean
in_use (const Network *network, guint map, guint index)
{
  for (guint i = index; i < network->config->n_layers; i++)
    if (network->config->layers[i].kind == SPPNET_LAYER_MERGE && network->config->layers[i].from + 1 == map)
      return TRUE;
  return map == index;
}

/* The output of a layer in memory that no map in use has; there will be memory when all are known. */
static dnnl_memory_t
map_new (Network *network, guint index, const dnnl_memory_desc_t *desc)
{
  guint slot = 0;

  for (guint map = 1; map <= index; map++)
    if (network->slot[map] == slot && in_use (network, map, index)) {
      slot++;
      map = 0;
    }
  g_assert (slot < MAX_SLOTS);
  network->slot[index + 1] = slot;
  network->slot_bytes[slot] = MAX (network->slot_bytes[slot], dnnl_memory_desc_get_size (desc));
  return network->maps[index + 1] = memory_new (network, desc, DNNL_MEMORY_NONE);
}

static void
add_step (Network *network, dnnl_primitive_desc_t desc, const dnnl_exec_arg_t *args, gint n_args)
{
  Step *step = &network->steps[network->n_steps++];

  check (dnnl_primitive_create (&step->primitive, desc), "primitive");
  memcpy (step->args, args, sizeof *args * (gsize) n_args);
  step->n_args = n_args;
  dnnl_primitive_desc_destroy (desc);
}

static void
add_reorder (Network *network, dnnl_memory_t from, dnnl_memory_t to)
{
  const dnnl_memory_desc_t *from_desc, *to_desc;
  dnnl_primitive_desc_t desc;

  dnnl_memory_get_memory_desc (from, &from_desc);
  dnnl_memory_get_memory_desc (to, &to_desc);
  check (dnnl_reorder_primitive_desc_create (&desc, from_desc, network->engine, to_desc, network->engine, NULL),
         "reorder");
  add_step (network, desc, (dnnl_exec_arg_t[]) { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } }, 2);
}

/* The memory itself where the format is right, else a copy in the right one. */
static dnnl_memory_t
in_format (Network *network, dnnl_memory_t memory, const dnnl_memory_desc_t *wanted)
{
  const dnnl_memory_desc_t *desc;
  dnnl_memory_t copy;

  dnnl_memory_get_memory_desc (memory, &desc);
  if (dnnl_memory_desc_equal (desc, wanted))
    return memory;
  copy = memory_new (network, wanted, DNNL_MEMORY_ALLOCATE);
  add_reorder (network, memory, copy);
  return copy;
}

static void
run_steps (Network *network)
{
  for (guint i = 0; i < network->n_steps; i++) {
    const Step *step = &network->steps[i];

    check (dnnl_primitive_execute (step->primitive, network->stream, step->n_args, step->args), "execute");
  }
  check (dnnl_stream_wait (network->stream), "wait");
}

/* A tensor of the model in the format that a primitive wants. */
static dnnl_memory_t
constant (Network *network, const gchar *layer, const gchar *suffix, dnnl_memory_desc_t plain,
          const dnnl_memory_desc_t *wanted)
{
  g_autofree gchar *name = g_strconcat (layer, suffix, NULL);
  dnnl_memory_t memory = memory_new (network, &plain, (gpointer) sppnet_model_get_tensor (network->model, name, NULL));
  Network once = { .engine = network->engine, .stream = network->stream };

  memory = in_format (&once, memory, wanted);
  run_steps (&once);
  return memory;
}

/* sum: whether the output map is there already and is added to */
static dnnl_primitive_attr_t
post_ops (const SppnetLayer *layer, gboolean sum)
{
  dnnl_primitive_attr_t attr;
  dnnl_post_ops_t ops;

  check (dnnl_post_ops_create (&ops), "post-ops");
  if (sum)
    check (dnnl_post_ops_append_sum (ops, 1.0f), "post-ops");
  if (layer->activation != SPPNET_ACTIVATION_LINEAR)
    check (dnnl_post_ops_append_eltwise (ops, 1.0f, dnnl_eltwise_relu, sppnet_layer_slope (layer), 0.0f), "post-ops");
  check (dnnl_primitive_attr_create (&attr), "attributes");
  check (dnnl_primitive_attr_set_post_ops (attr, ops), "attributes");
  dnnl_post_ops_destroy (ops);
  return attr;
}

static dnnl_primitive_desc_t
conv_describe (Network *network, const SppnetLayer *layer, const SppnetShape *in, const dnnl_memory_desc_t *dst,
               const dnnl_memory_desc_t *bias, gboolean sum)
{
  dnnl_dims_t strides = { layer->stride, layer->stride }, pads = { layer->pad_y, layer->pad_x };
  dnnl_dims_t kernel = { layer->filters, in->channels, layer->kernel_height, layer->kernel_width };
  dnnl_memory_desc_t src = describe (in->channels, in->height, in->width, dnnl_format_tag_any), weights;
  dnnl_primitive_attr_t attr = post_ops (layer, sum);
  dnnl_convolution_desc_t conv;
  dnnl_primitive_desc_t desc;

  check (dnnl_memory_desc_init_by_tag (&weights, 4, kernel, dnnl_f32, dnnl_format_tag_any), layer->name);
  check (dnnl_convolution_forward_desc_init (&conv, dnnl_forward_inference, dnnl_convolution_auto, &src, &weights, bias,
                                             dst, strides, pads, pads),
         layer->name);
  check (dnnl_primitive_desc_create (&desc, &conv, attr, network->engine, NULL), layer->name);
  dnnl_primitive_attr_destroy (attr);
  return desc;
}

/* A convolution of map number `from`; sum: (nullable) the output map, added to */
static void
add_conv (Network *network, guint index, guint from, dnnl_memory_t sum)
{
  const SppnetLayer *layer = &network->config->layers[index];
  const SppnetShape *in = &network->shapes[from], *out = &network->shapes[index + 1];
  dnnl_dims_t kernel = { layer->filters, in->channels, layer->kernel_height, layer->kernel_width };
  dnnl_dims_t filters = { layer->filters };
  dnnl_memory_desc_t dst = describe (out->channels, out->height, out->width, dnnl_format_tag_any), weights, bias;
  const dnnl_memory_desc_t *sum_desc;
  dnnl_primitive_desc_t desc;
  dnnl_exec_arg_t args[4];

  check (dnnl_memory_desc_init_by_tag (&weights, 4, kernel, dnnl_f32, dnnl_oihw), layer->name);
  check (dnnl_memory_desc_init_by_tag (&bias, 1, filters, dnnl_f32, dnnl_a), layer->name);
  if (sum) {
    dnnl_memory_get_memory_desc (sum, &sum_desc);
    dst = *sum_desc;
  }
  desc = conv_describe (network, layer, in, &dst, &bias, sum != NULL);
  args[0] = (dnnl_exec_arg_t) { DNNL_ARG_SRC, in_format (network, network->maps[from],
                                                         dnnl_primitive_desc_query_md (desc, dnnl_query_src_md, 0)) };
  args[1] = (dnnl_exec_arg_t) { DNNL_ARG_WEIGHTS,
                                constant (network, layer->name, ".weight", weights,
                                          dnnl_primitive_desc_query_md (desc, dnnl_query_weights_md, 0)) };
  args[2] = (dnnl_exec_arg_t) { DNNL_ARG_BIAS, constant (network, layer->name, ".bias", bias, &bias) };
  args[3] = (dnnl_exec_arg_t) {
    DNNL_ARG_DST, sum ? sum : map_new (network, index, dnnl_primitive_desc_query_md (desc, dnnl_query_dst_md, 0))
  };
  add_step (network, desc, args, 4);
}

static void
add_pool (Network *network, guint index)
{
  const SppnetLayer *layer = &network->config->layers[index];
  const SppnetShape *in = &network->shapes[index], *out = &network->shapes[index + 1];
  dnnl_alg_kind_t kind = layer->kind == SPPNET_LAYER_MAX_POOL ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
  dnnl_dims_t strides = { layer->stride, layer->stride }, kernel = { layer->kernel_height, layer->kernel_width };
  dnnl_dims_t before = { layer->pad_y, layer->pad_x };
  dnnl_dims_t after = { (out->height - 1) * layer->stride + layer->kernel_height - in->height - layer->pad_y,
                        (out->width - 1) * layer->stride + layer->kernel_width - in->width - layer->pad_x };
  dnnl_memory_desc_t dst = describe (out->channels, out->height, out->width, dnnl_format_tag_any);
  const dnnl_memory_desc_t *src;
  dnnl_pooling_desc_t pool;
  dnnl_primitive_desc_t desc;
  dnnl_memory_t to;

  dnnl_memory_get_memory_desc (network->maps[index], &src);
  check (
      dnnl_pooling_forward_desc_init (&pool, dnnl_forward_inference, kind, src, &dst, strides, kernel, before, after),
      layer->name);
  check (dnnl_primitive_desc_create (&desc, &pool, NULL, network->engine, NULL), layer->name);
  to = map_new (network, index, dnnl_primitive_desc_query_md (desc, dnnl_query_dst_md, 0));
  add_step (network, desc, (dnnl_exec_arg_t[]) { { DNNL_ARG_SRC, network->maps[index] }, { DNNL_ARG_DST, to } }, 2);
}

/* Each cell factor x factor times, cut to the size of the map that it is added to. */
static void
add_merge (Network *network, guint index)
{
  const SppnetLayer *layer = &network->config->layers[index];
  const SppnetShape *in = &network->shapes[index], *out = &network->shapes[index + 1];
  gint height = in->height * layer->factor, width = in->width * layer->factor;
  dnnl_memory_desc_t dst = describe (out->channels, height, width, dnnl_format_tag_any), part;
  const gfloat factors[] = { (gfloat) layer->factor, (gfloat) layer->factor };
  dnnl_dims_t size = { 1, out->channels, out->height, out->width }, start = { 0 };
  const dnnl_memory_desc_t *src, *repeated;
  dnnl_resampling_desc_t repeat;
  dnnl_primitive_desc_t desc;
  dnnl_memory_t full, to;

  dnnl_memory_get_memory_desc (network->maps[index], &src);
  check (
      dnnl_resampling_forward_desc_init (&repeat, dnnl_forward_inference, dnnl_resampling_nearest, factors, src, &dst),
      layer->name);
  check (dnnl_primitive_desc_create (&desc, &repeat, NULL, network->engine, NULL), layer->name);
  repeated = dnnl_primitive_desc_query_md (desc, dnnl_query_dst_md, 0);
  if (height == out->height && width == out->width) {
    full = to = map_new (network, index, repeated);
  } else {
    check (dnnl_memory_desc_init_submemory (&part, repeated, size, start), layer->name);
    full = memory_new (network, repeated, DNNL_MEMORY_ALLOCATE);
    dst = describe (out->channels, out->height, out->width, dnnl_nChw16c);
    to = map_new (network, index, &dst);
  }
  add_step (network, desc, (dnnl_exec_arg_t[]) { { DNNL_ARG_SRC, network->maps[index] }, { DNNL_ARG_DST, full } }, 2);
  if (full != to) {
    gpointer memory;

    check (dnnl_memory_get_data_handle (full, &memory), layer->name);
    add_reorder (network, memory_new (network, &part, memory), to);
  }
  add_conv (network, index, layer->from + 1, to);
}

static void
build (Network *network)
{
  for (guint i = 0; i < network->config->n_layers; i++)
    switch (network->config->layers[i].kind) {
    case SPPNET_LAYER_CONV:
      add_conv (network, i, i, NULL);
      break;
    case SPPNET_LAYER_MAX_POOL:
    case SPPNET_LAYER_AVERAGE_POOL:
      add_pool (network, i);
      break;
    case SPPNET_LAYER_MERGE:
      add_merge (network, i);
      break;
    case SPPNET_LAYER_LRN:
    default:
      fprintf (stderr, "layer %s is of a kind that is not compared\n", network->config->layers[i].name);
      exit (1);
    }
  for (guint slot = 0; slot < MAX_SLOTS; slot++) {
    gpointer memory = network->slot_bytes[slot] ? sppnet_aligned_alloc (network->slot_bytes[slot]) : NULL;

    for (guint map = 1; memory && map <= network->config->n_layers; map++)
      if (network->slot[map] == slot)
        check (dnnl_memory_set_data_handle_v2 (network->maps[map], memory, network->stream), "memory");
  }
}

static gfloat *
read_input (const PeerArguments *arg)
{
  gsize length, wanted = (gsize) arg->width * (gsize) arg->height * 3 * sizeof (gfloat);
  gchar *bytes = NULL;

  if (!arg->input || !g_file_get_contents (arg->input, &bytes, &length, NULL) || length != wanted) {
    fprintf (stderr, "--input FILE must hold %" G_GSIZE_FORMAT " bytes\n", wanted);
    exit (1);
  }
  return (gfloat *) (gpointer) bytes;
}

static void
write_map (Network *network, const gchar *path)
{
  const SppnetShape *shape = &network->shapes[network->config->n_layers];
  gsize n = (gsize) shape->width * (gsize) shape->height * (gsize) shape->channels;
  g_autofree gfloat *planes = g_new (gfloat, n);
  dnnl_memory_desc_t desc = describe (shape->channels, shape->height, shape->width, dnnl_nchw);
  Network once = { .engine = network->engine, .stream = network->stream };

  add_reorder (&once, network->maps[network->config->n_layers], memory_new (network, &desc, planes));
  run_steps (&once);
  peer_write (path, planes, n);
}

int
main (int argc, char **argv)
{
  PeerArguments arg = peer_parse (argc, argv);
  g_autofree gchar *version = NULL;
  g_autofree gdouble *ms = g_new (gdouble, arg.repeat);
  g_autofree gfloat *input = read_input (&arg);
  dnnl_memory_desc_t desc = describe (3, arg.height, arg.width, dnnl_nchw);
  Network *network = g_new0 (Network, 1);
  g_autoptr (GError) error = NULL;

  network->model = sppnet_model_load (arg.model, &error);
  if (!network->model) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  omp_set_num_threads ((gint) arg.threads);
  network->config = sppnet_model_get_config (network->model);
  if (sppnet_config_shapes (network->config, arg.width, arg.height, network->shapes) < network->config->n_layers) {
    fprintf (stderr, "a frame of %dx%d is too small\n", arg.width, arg.height);
    return 1;
  }
  check (dnnl_engine_create (&network->engine, dnnl_cpu, 0), "engine");
  check (dnnl_stream_create (&network->stream, network->engine, dnnl_stream_default_flags), "stream");
  network->maps[0] = memory_new (network, &desc, input);
  build (network);
  run_steps (network);
  for (guint i = 0; i < arg.repeat; i++) {
    gint64 start = g_get_monotonic_time ();

    run_steps (network);
    ms[i] = (g_get_monotonic_time () - start) / 1000.0;
  }
  version = g_strdup_printf ("%d.%d.%d", dnnl_version ()->major, dnnl_version ()->minor, dnnl_version ()->patch);
  peer_print (&arg, "oneDNN", version, ms);
  if (arg.map)
    write_map (network, arg.map);
  return 0;
}
