/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import/darknet-cfg.h"

#include "import/cfg.h"

void
sppnet_darknet_net_clear (SppnetDarknetNet *net)
{
  g_clear_pointer (&net->convs, g_array_unref);
}

static gboolean
get_activation (const SppnetCfgContext *context, SppnetLayer *layer)
{
  const gchar *name = g_hash_table_lookup (context->section->options, "activation");

  if (!name)
    name = "logistic"; /* Darknet's default */
  layer->activation = SPPNET_ACTIVATION_LINEAR;
  if (g_str_equal (name, "relu"))
    layer->activation = SPPNET_ACTIVATION_RELU;
  else if (g_str_equal (name, "leaky")) {
    layer->activation = SPPNET_ACTIVATION_LEAKY;
    layer->slope = 0.1f;
  } else if (!g_str_equal (name, "linear"))
    return sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "activation '%s' is not supported", name);
  return TRUE;
}

/* What the weights file holds of a convolution; also for those that are not kept. */
static gboolean
read_stored_conv (const SppnetCfgContext *context, gint channels, SppnetDarknetConv *conv)
{
  conv->channels = channels;
  return sppnet_cfg_int (context, "filters", 1, 65536, 1, &conv->filters)
         && sppnet_cfg_int (context, "size", 1, 64, 1, &conv->size)
         && sppnet_cfg_int (context, "batch_normalize", 0, 1, 0, &conv->batch_normalize)
         && sppnet_cfg_expect_int (context, "groups", 1) && sppnet_cfg_expect_int (context, "binary", 0)
         && sppnet_cfg_expect_int (context, "xnor", 0);
}

/* Steps across and down may be given apart, but not differ. */
static gboolean
read_stride (const SppnetCfgContext *context, gint *stride)
{
  return sppnet_cfg_int (context, "stride", 1, 64, 1, stride) && sppnet_cfg_expect_int (context, "stride_x", *stride)
         && sppnet_cfg_expect_int (context, "stride_y", *stride) && sppnet_cfg_expect_int (context, "antialiasing", 0);
}

static gboolean
read_conv (const SppnetCfgContext *context, const SppnetDarknetConv *conv, SppnetLayer *layer)
{
  gint same, pad;

  if (conv->filters > 4096)
    return sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "'filters=%d': at most 4096 are supported",
                            conv->filters);
  layer->kind = SPPNET_LAYER_CONV;
  layer->filters = conv->filters;
  layer->kernel_width = layer->kernel_height = conv->size;
  if (!read_stride (context, &layer->stride) || !sppnet_cfg_expect_int (context, "dilation", 1)
      || !sppnet_cfg_expect_int (context, "deform", 0) || !sppnet_cfg_expect_int (context, "assisted_excitation", 0)
      || !sppnet_cfg_int (context, "pad", 0, 1, 0, &same)
      || !sppnet_cfg_int (context, "padding", 0, conv->size - 1, 0, &pad))
    return FALSE;
  layer->pad_x = layer->pad_y = same ? conv->size / 2 : pad;
  return get_activation (context, layer);
}

/* Darknet pads padding / 2 cells before and the rest after the map, and rounds (length + padding - size) / stride down.
 */
static gboolean
read_max_pool (const SppnetCfgContext *context, SppnetLayer *layer)
{
  gint size, padding;

  layer->kind = SPPNET_LAYER_MAX_POOL;
  if (!read_stride (context, &layer->stride) || !sppnet_cfg_expect_int (context, "maxpool_depth", 0)
      || !sppnet_cfg_int (context, "size", 1, 64, layer->stride, &size)
      || !sppnet_cfg_int (context, "padding", 0, 2 * size - 1, size - 1, &padding))
    return FALSE;
  layer->kernel_width = layer->kernel_height = size;
  layer->pad_x = layer->pad_y = padding / 2;
  /* With an odd padding the far side has one cell more; for stride 2 that is the same as rounding up. */
  layer->ceil_mode = padding % 2 == 1;
  return padding % 2 == 0 || layer->stride == 2
         || sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED,
                             "max pooling of size %d, stride %d, padding %d is not supported", size, layer->stride,
                             padding);
}

/* Sections that neither change the map in use nor have weights. */
static gboolean
is_transparent (const gchar *type)
{
  return g_str_equal (type, "dropout") || g_str_equal (type, "cost") || g_str_equal (type, "softmax");
}

static gboolean
is_conv (const SppnetCfgSection *section)
{
  return g_str_equal (section->type, "convolutional") || g_str_equal (section->type, "conv");
}

static gboolean
is_max_pool (const SppnetCfgSection *section)
{
  return g_str_equal (section->type, "maxpool") || g_str_equal (section->type, "max");
}

/* How many convolutions to keep. */
static gboolean
choose_kept (GPtrArray *sections, guint conv_layers, const gchar *file, guint *kept, GError **error)
{
  guint n = 0;

  for (guint i = 0; i < sections->len; i++)
    n += is_conv (g_ptr_array_index (sections, i));
  *kept = conv_layers ? conv_layers : n - 1;
  if (n > 0 && *kept >= 1 && *kept <= n)
    return TRUE;
  if (conv_layers || n == 0)
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: has %u convolution layers, of which %u cannot be kept", file, n, MAX (conv_layers, 1));
  else
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_SETTINGS,
                 "%s: has one convolution layer, and the last one is left out unless a number to keep is given", file);
  return FALSE;
}

static gboolean
check_input (const SppnetCfgContext *context)
{
  const gchar *type = context->section->type;
  gint channels;

  if (!g_str_equal (type, "net") && !g_str_equal (type, "network"))
    return sppnet_cfg_fail (context, SPPNET_ERROR_CORRUPT, "the first section must be [net]");
  if (!sppnet_cfg_int (context, "channels", 0, 65536, 0, &channels))
    return FALSE;
  return channels == 3
         || sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "'channels=%d': only 3 are supported", channels);
}

static SppnetLayer *
append_layer (const SppnetCfgContext *context, SppnetConfig *config, const gchar *prefix, guint number)
{
  SppnetLayer *layer;

  if (config->n_layers == SPPNET_MAX_LAYERS) {
    sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "more than %d layers", SPPNET_MAX_LAYERS);
    return NULL;
  }
  layer = &config->layers[config->n_layers++];
  g_snprintf (layer->name, sizeof layer->name, "%s%u", prefix, number);
  return layer;
}

/* One section that is kept. */
static gboolean
read_kept (const SppnetCfgContext *context, SppnetConfig *config, SppnetDarknetNet *net, guint *pools)
{
  SppnetDarknetConv conv;
  SppnetLayer *layer;

  if (is_conv (context->section)) {
    if (!read_stored_conv (context, sppnet_config_channels (config), &conv))
      return FALSE;
    layer = append_layer (context, config, "conv", net->convs->len + 1);
    if (!layer || !read_conv (context, &conv, layer))
      return FALSE;
    g_array_append_val (net->convs, conv);
    return TRUE;
  }
  if (is_max_pool (context->section)) {
    layer = append_layer (context, config, "pool", ++*pools);
    return layer && read_max_pool (context, layer);
  }
  return is_transparent (context->section->type)
         || sppnet_cfg_fail (context, SPPNET_ERROR_UNSUPPORTED, "section [%s] is not supported",
                             context->section->type);
}

/* The sections behind: only their weights matter, to tell whether file and description belong together. */
static void
read_rest (SppnetCfgContext *context, GPtrArray *sections, guint from, SppnetDarknetNet *net)
{
  net->complete = TRUE;
  for (guint i = from; i < sections->len && net->complete; i++) {
    SppnetDarknetConv conv, before = g_array_index (net->convs, SppnetDarknetConv, net->convs->len - 1);

    context->section = g_ptr_array_index (sections, i);
    if (is_conv (context->section)) {
      net->complete = read_stored_conv (context, before.filters, &conv);
      if (net->complete)
        g_array_append_val (net->convs, conv);
    } else
      net->complete = is_transparent (context->section->type) || is_max_pool (context->section)
                      || g_str_equal (context->section->type, "avgpool");
  }
}

gboolean
sppnet_darknet_read_cfg (const gchar *file, guint conv_layers, SppnetConfig *config, SppnetDarknetNet *net,
                         GError **error)
{
  g_autoptr (GPtrArray) sections = sppnet_cfg_read (file, error);
  SppnetCfgContext context = { file, NULL, error };
  guint pools = 0, i;

  *net = (SppnetDarknetNet) { g_array_new (FALSE, FALSE, sizeof (SppnetDarknetConv)), FALSE, 0 };
  if (!sections || !choose_kept (sections, conv_layers, file, &net->kept, error))
    return FALSE;
  context.section = g_ptr_array_index (sections, 0);
  if (!check_input (&context))
    return FALSE;
  for (i = 1; net->convs->len < net->kept; i++) {
    context.section = g_ptr_array_index (sections, i);
    if (!read_kept (&context, config, net, &pools))
      return FALSE;
  }
  context.error = NULL;
  read_rest (&context, sections, i, net);
  return TRUE;
}
