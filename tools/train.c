/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arguments.h"
#include "evaluate.h"
#include "tools.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/model.h"
#include "train/dataset.h"
#include "train/train.h"

#define NOT_GIVEN (-G_MAXDOUBLE)
#define NO_NUMBER G_MININT

/* What the command line says, before it is checked. */
static struct
{
  gchar **labels, **teachers;
  gchar *add_class, *label_file, *validation_set, *init, *output, *work, *name, *levels, *around, *region_layers, *head,
      *context, *merge, *classifier, *box, *optimizer, *proposals;
  gint threads, seed, pictures, regions, candidates, warm_up, max_proposals;
  gint anchors, rpn_filters, rpn_stride, variants;
  gdouble rpn_epochs, rpn_learning_rate;
  gdouble epochs, learning_rate, backbone_learning_rate, weight_decay, dropout, min_scale, max_scale, around_scale,
      mosaic, blend, colour, aspect, erase, teachers_part, average;
  gboolean heads_only, rpn, rpn_only, quiet, iou_aware;
} arg;

static SppnetPictureArguments pictures;

static const GOptionEntry data_entries[] = {
  { "label", 0, 0, G_OPTION_ARG_STRING_ARRAY, &arg.labels,
    "Train this label; may be given more than once (default: all that occur)", "NAME" },
  { "label-file", 0, 0, G_OPTION_ARG_FILENAME, &arg.label_file,
    "Train the labels of this text file, one a line, in its order", "FILE" },
  { "validation-set", 0, 0, G_OPTION_ARG_STRING, &arg.validation_set,
    "Image set of the same folders that the finished model is evaluated on", "NAME" },
  { "init", 0, 0, G_OPTION_ARG_FILENAME, &arg.init, "Model to start from (default: the default model)", "FILE" },
  { "heads-only", 0, 0, G_OPTION_ARG_NONE, &arg.heads_only,
    "Keep the initial model's convolution layers as they are and train what follows them: much faster", NULL },
  { "add-class", 0, 0, G_OPTION_ARG_STRING, &arg.add_class,
    "Give the initial model this one label more; all else of it stays as it is", "NAME" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arg.output, "Model to write", "FILE" },
  { "work", 0, 0, G_OPTION_ARG_FILENAME, &arg.work, "Folder for caches and checkpoints (default: OUTPUT.work)", "DIR" },
  { "name", 0, 0, G_OPTION_ARG_STRING, &arg.name,
    "Name of the model (default: from the output's file name; the initial model's where its layers stay)", "NAME" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &arg.threads, "Threads to use (default: all processors)", "N" },
  { "seed", 0, 0, G_OPTION_ARG_INT, &arg.seed, "Seed of everything random (default: 1)", "N" },
  { "quiet", 'q', 0, G_OPTION_ARG_NONE, &arg.quiet, "No progress", NULL },
  { NULL },
};

static const GOptionEntry network_entries[] = {
  { "levels", 0, 0, G_OPTION_ARG_STRING, &arg.levels,
    "Pyramid levels, and with them a new head (default: the initial model's, or 1,2,3,6)", "N,N,..." },
  { "around", 0, 0, G_OPTION_ARG_STRING, &arg.around,
    "Further pyramid levels, of a larger window around each region; the head stays, with more inputs", "N,N,..." },
  { "around-scale", 0, 0, G_OPTION_ARG_DOUBLE, &arg.around_scale,
    "Width and height of that window, in those of the region (default: 3)", "X" },
  { "region-layers", 0, 0, G_OPTION_ARG_STRING, &arg.region_layers,
    "Add 3x3 convolutions with so many filters over the bins of each region; the head stays, with more inputs",
    "N,N,..." },
  { "head", 0, 0, G_OPTION_ARG_STRING, &arg.head,
    "Outputs of the fully connected layers of a new head (default: the initial model's, or 512,512)", "N,N,..." },
  { "context", 0, 0, G_OPTION_ARG_STRING, &arg.context,
    "Add a stage of twice the stride, of 1x1 and 3x3 convolutions with so many filters, and merge it into the last map",
    "N,N" },
  { "merge", 0, 0, G_OPTION_ARG_STRING, &arg.merge,
    "Add the finer feature map of this layer of the initial model to the last one", "LAYER" },
  { "classifier", 0, 0, G_OPTION_ARG_STRING, &arg.classifier, "softmax (default) or svm", "KIND" },
  { "box-regression", 0, 0, G_OPTION_ARG_STRING, &arg.box, "joint (default) or ridge", "KIND" },
  { "proposals", 0, 0, G_OPTION_ARG_STRING, &arg.proposals, "Source of regions (default: selective-search)", "METHOD" },
  { "max-proposals", 0, 0, G_OPTION_ARG_INT, &arg.max_proposals,
    "Regions per picture (default: 2000); with --rpn, of SVMs and ridge regression", "N" },
  { NULL },
};

static const GOptionEntry schedule_entries[] = {
  { "epochs", 0, 0, G_OPTION_ARG_DOUBLE, &arg.epochs,
    "Passes over the pictures (default: 8, and at least 400 steps of two pictures; --heads-only 1400)", "X" },
  { "pictures", 0, 0, G_OPTION_ARG_INT, &arg.pictures, "Pictures per step (default: 2)", "N" },
  { "regions", 0, 0, G_OPTION_ARG_INT, &arg.regions, "Regions per picture and step (default: 64; --heads-only 128)",
    "N" },
  { "candidates", 0, 0, G_OPTION_ARG_INT, &arg.candidates,
    "Score so many regions per picture and learn from the hardest of them (default: 0, any)", "N" },
  { "iou-aware", 0, 0, G_OPTION_ARG_NONE, &arg.iou_aware,
    "Learn a region's label the more surely the better it overlaps the object, instead of from half (IoU) on", NULL },
  { "optimizer", 0, 0, G_OPTION_ARG_STRING, &arg.optimizer, "adamw (default) or sgd", "KIND" },
  { "learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &arg.learning_rate,
    "Of fully connected layers (default: 3e-4; sgd and --heads-only 1e-3)", "X" },
  { "backbone-learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &arg.backbone_learning_rate,
    "Of convolution layers (default: 1e-4; sgd 1e-3)", "X" },
  { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &arg.weight_decay, "Default: 0.01; sgd 5e-4", "X" },
  { "average", 0, 0, G_OPTION_ARG_DOUBLE, &arg.average,
    "Keep the learning rate, and take the mean of the weights over this last part of the steps (default: 0)", "X" },
  { "dropout", 0, 0, G_OPTION_ARG_DOUBLE, &arg.dropout,
    "Of the fully connected layers (default: the initial model's; 0.3 of a new head)", "P" },
  { "warm-up", 0, 0, G_OPTION_ARG_INT, &arg.warm_up, "Steps in which the learning rate rises (default: 200)", "N" },
  { "min-scale", 0, 0, G_OPTION_ARG_DOUBLE, &arg.min_scale, "Smallest resizing of a picture (default: 0.5)", "X" },
  { "max-scale", 0, 0, G_OPTION_ARG_DOUBLE, &arg.max_scale, "Largest resizing of a picture (default: 1.25)", "X" },
  { "mosaic", 0, 0, G_OPTION_ARG_DOUBLE, &arg.mosaic,
    "Part of the steps, but for the last 15 %, that see four pictures in one (default: 0)", "X" },
  { "blend", 0, 0, G_OPTION_ARG_DOUBLE, &arg.blend,
    "Part of the other pictures, but for the last 15 % of the steps, that another one is laid over (default: 0)", "X" },
  { "colour", 0, 0, G_OPTION_ARG_DOUBLE, &arg.colour, "Variation of colours and brightness, 0 to 1 (default: 0.2)",
    "X" },
  { "aspect", 0, 0, G_OPTION_ARG_DOUBLE, &arg.aspect, "Largest change of width over height (default: 1)", "X" },
  { "teacher", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arg.teachers,
    "Learn this model's confidences, too; may be given more than once, the mean counts", "FILE" },
  { "teacher-part", 0, 0, G_OPTION_ARG_DOUBLE, &arg.teachers_part,
    "How much they count beside the annotations, 0 to 1 (default: 0.5)", "X" },
  { "erase", 0, 0, G_OPTION_ARG_DOUBLE, &arg.erase, "Part of the objects with a patch painted over (default: 0)", "P" },
  { NULL },
};

static const GOptionEntry rpn_entries[] = {
  { "rpn", 0, 0, G_OPTION_ARG_NONE, &arg.rpn,
    "Train a region proposal network together with the convolution layers and the head; a new one where the initial "
    "model has none. With --heads-only, a new one after the head",
    NULL },
  { "rpn-only", 0, 0, G_OPTION_ARG_NONE, &arg.rpn_only,
    "Add a region proposal network to the initial model, or replace the one it has; all else stays as it is", NULL },
  { "anchors", 0, 0, G_OPTION_ARG_INT, &arg.anchors, "Sizes and shapes of a new one's anchors (default: 16)", "N" },
  { "rpn-filters", 0, 0, G_OPTION_ARG_INT, &arg.rpn_filters, "Filters of a new one (default: 128)", "N" },
  { "rpn-stride", 0, 0, G_OPTION_ARG_INT, &arg.rpn_stride,
    "Cells of the map from one of its places to the next, 1 or 2 (default: at most 16 pixels)", "N" },
  { "rpn-variants", 0, 0, G_OPTION_ARG_INT, &arg.variants,
    "Feature maps of each picture, 1 to 4: itself, mirrored, smaller, larger and mirrored (default: 3)", "N" },
  { "rpn-epochs", 0, 0, G_OPTION_ARG_DOUBLE, &arg.rpn_epochs,
    "Its passes over the pictures (default: 12, and at least 600 steps)", "X" },
  { "rpn-learning-rate", 0, 0, G_OPTION_ARG_DOUBLE, &arg.rpn_learning_rate, "Its learning rate (default: 1e-3)", "X" },
  { NULL },
};

static volatile sig_atomic_t stop_asked;

/* A stage stops where it can go on later. A large network is made and written in one go, which may take a while: the
 * second signal ends the process at once, and a file that is being written is not there yet. */
static void
on_signal (int number)
{
  stop_asked = 1;
  signal (number, SIG_DFL);
}

typedef struct
{
  gint64 start, shown;
  gdouble first; /* fraction done when this stage was first heard of */
  gchar stage[32];
  gboolean quiet, terminal;
} ProgressLine;

static gboolean
show_progress (gpointer user_data, const gchar *stage, gdouble fraction, const gchar *message)
{
  ProgressLine *line = user_data;
  gint64 now = g_get_monotonic_time ();
  gint64 interval = line->terminal ? G_USEC_PER_SEC : 30 * G_USEC_PER_SEC;
  gboolean finished = fraction >= 1.0;
  g_autofree gchar *remaining = NULL;

  if (!g_str_equal (stage, line->stage)) {
    g_strlcpy (line->stage, stage, sizeof line->stage);
    line->start = now;
    line->first = fraction;
    line->shown = 0;
  }
  if (line->quiet || (now - line->shown < interval && !finished))
    return !stop_asked;
  line->shown = now;
  if (fraction > line->first) {
    gdouble elapsed = (gdouble) (now - line->start) / G_USEC_PER_SEC;
    gint seconds = (gint) (elapsed * (1.0 - fraction) / (fraction - line->first));

    remaining = g_strdup_printf (", %d:%02d:%02d left", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  g_printerr ("%s%s: %5.1f %%%s%s%s%s", line->terminal ? "\r\033[K" : "", stage, 100.0 * fraction,
              remaining ? remaining : "", *message ? ", " : "", message, line->terminal && !finished ? "" : "\n");
  return !stop_asked;
}

static gboolean
parse_numbers (const gchar *option, const gchar *text, gint lowest, gint highest, guint max, gint *numbers, guint *n,
               GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  *n = g_strv_length (words);
  if (*n == 0 || *n > max)
    return sppnet_usage_error (error, "--%s takes 1 to %u numbers, separated by commas", option, max);
  for (guint i = 0; i < *n; i++) {
    gint64 value;

    if (!g_ascii_string_to_signed (words[i], 10, lowest, highest, &value, NULL))
      return sppnet_usage_error (error, "--%s: \"%s\" is not a number from %d to %d", option, words[i], lowest,
                                 highest);
    numbers[i] = (gint) value;
  }
  return TRUE;
}

static gboolean
choose (const gchar *option, const gchar *text, const gchar *first, const gchar *second, gint *choice, GError **error)
{
  if (text && !g_str_equal (text, first) && !g_str_equal (text, second))
    return sppnet_usage_error (error, "--%s: \"%s\" is neither %s nor %s", option, text, first, second);
  *choice = text && g_str_equal (text, second);
  return TRUE;
}

static void
take_defaults (const SppnetTrainOptions *defaults)
{
  const SppnetEndToEndSettings *e = &defaults->end_to_end;

  arg.seed = (gint) e->seed;
  arg.pictures = (gint) e->pictures;
  arg.regions = NO_NUMBER; /* depends on --heads-only */
  arg.candidates = (gint) e->sampler.candidates;
  arg.warm_up = (gint) e->warm_up;
  arg.max_proposals = NO_NUMBER; /* --rpn has no use for it */
  arg.variants = (gint) defaults->rpn.variants;
  arg.rpn_epochs = NOT_GIVEN; /* depends on the number of pictures */
  arg.rpn_learning_rate = defaults->rpn.optimizer.learning_rate;
  arg.epochs = NOT_GIVEN;                                                        /* depends on the number of pictures */
  arg.learning_rate = arg.backbone_learning_rate = arg.weight_decay = NOT_GIVEN; /* depends on the optimiser */
  arg.dropout = NOT_GIVEN;                                                       /* that of the initial model */
  arg.min_scale = e->sampler.min_scale;
  arg.max_scale = e->sampler.max_scale;
  arg.mosaic = e->sampler.mosaic;
  arg.blend = e->sampler.blend;
  arg.around_scale = defaults->around_scale;
  arg.colour = e->sampler.colour;
  arg.aspect = e->sampler.variation.aspect;
  arg.average = e->optimizer.average;
  arg.teachers_part = e->teachers_part;
  arg.erase = e->sampler.erase;
}

static gboolean
take_optimizer (SppnetOptimizerSettings *optimizer, GError **error)
{
  gint sgd = 0;

  if (!choose ("optimizer", arg.optimizer, "adamw", "sgd", &sgd, error))
    return FALSE;
  if (sgd) {
    optimizer->kind = SPPNET_OPTIMIZER_SGD;
    optimizer->learning_rate = optimizer->backbone_learning_rate = 1e-3;
    optimizer->weight_decay = 5e-4;
  }
  if (arg.learning_rate != NOT_GIVEN)
    optimizer->learning_rate = arg.learning_rate;
  if (arg.backbone_learning_rate != NOT_GIVEN)
    optimizer->backbone_learning_rate = arg.backbone_learning_rate;
  if (arg.weight_decay != NOT_GIVEN)
    optimizer->weight_decay = arg.weight_decay;
  return sppnet_check_number ("learning-rate", optimizer->learning_rate, 0.0, 10.0, error)
         && sppnet_check_number ("backbone-learning-rate", optimizer->backbone_learning_rate, 0.0, 10.0, error)
         && sppnet_check_number ("weight-decay", optimizer->weight_decay, 0.0, 10.0, error);
}

static gboolean
take_numbers (SppnetTrainOptions *options, GError **error)
{
  SppnetEndToEndSettings *e = &options->end_to_end;

  if ((arg.epochs != NOT_GIVEN && !sppnet_check_number ("epochs", arg.epochs, 0.0, 10000.0, error))
      || !sppnet_check_number ("pictures", arg.pictures, 1, 64, error)
      || (arg.regions != NO_NUMBER && !sppnet_check_number ("regions", arg.regions, 1, 2000, error))
      || !sppnet_check_number ("candidates", arg.candidates, 0, 2000, error)
      || !sppnet_check_number ("warm-up", arg.warm_up, 0, 1000000, error)
      || (arg.max_proposals != NO_NUMBER && !sppnet_check_number ("max-proposals", arg.max_proposals, 1, 20000, error))
      || !sppnet_check_number ("threads", arg.threads, 0, 1024, error)
      || !sppnet_check_number ("seed", arg.seed, 0, G_MAXINT, error)
      || (arg.dropout != NOT_GIVEN && !sppnet_check_number ("dropout", arg.dropout, 0.0, 0.95, error))
      || !sppnet_check_number ("min-scale", arg.min_scale, 0.05, 8.0, error)
      || !sppnet_check_number ("max-scale", arg.max_scale, arg.min_scale, 8.0, error)
      || !sppnet_check_number ("around-scale", arg.around_scale, 1.0, 64.0, error)
      || !sppnet_check_number ("mosaic", arg.mosaic, 0.0, 1.0, error)
      || !sppnet_check_number ("blend", arg.blend, 0.0, 1.0, error)
      || !sppnet_check_number ("colour", arg.colour, 0.0, 1.0, error)
      || !sppnet_check_number ("aspect", arg.aspect, 1.0, 4.0, error)
      || !sppnet_check_number ("erase", arg.erase, 0.0, 1.0, error)
      || !sppnet_check_number ("average", arg.average, 0.0, 1.0, error)
      || !sppnet_check_number ("teacher-part", arg.teachers_part, 0.001, 1.0, error))
    return FALSE;
  e->seed = (guint32) arg.seed;
  e->threads = (guint) arg.threads;
  if (arg.epochs != NOT_GIVEN)
    e->epochs = arg.epochs;
  e->pictures = (guint) arg.pictures;
  e->warm_up = (guint) arg.warm_up;
  if (arg.regions != NO_NUMBER)
    e->sampler.regions = (guint) arg.regions;
  if (arg.candidates > 0 && (guint) arg.candidates <= e->sampler.regions)
    return sppnet_usage_error (error, "--candidates: %d regions are no choice for %u", arg.candidates,
                               e->sampler.regions);
  e->sampler.candidates = (guint) arg.candidates;
  e->sampler.min_scale = arg.min_scale;
  e->sampler.max_scale = arg.max_scale;
  e->sampler.mosaic = arg.mosaic;
  e->sampler.blend = arg.blend;
  e->sampler.colour = arg.colour;
  e->sampler.variation.aspect = arg.aspect;
  e->sampler.erase = arg.erase;
  e->sampler.iou_aware = arg.iou_aware;
  e->teachers_part = arg.teachers_part;
  e->optimizer.average = arg.average;
  if (arg.dropout != NOT_GIVEN)
    options->dropout = arg.dropout;
  options->around_scale = arg.around_scale;
  if (arg.max_proposals != NO_NUMBER)
    options->max_proposals = (guint) arg.max_proposals;
  return TRUE;
}

static gboolean
take_rpn (SppnetTrainOptions *options, GError **error)
{
  if (!sppnet_check_number ("anchors", arg.anchors, 0, SPPNET_MAX_ANCHORS, error)
      || !sppnet_check_number ("rpn-filters", arg.rpn_filters, 0, 4096, error)
      || !sppnet_check_number ("rpn-stride", arg.rpn_stride, 0, 2, error)
      || !sppnet_check_number ("rpn-variants", arg.variants, 1, SPPNET_VARIANTS, error)
      || (arg.rpn_epochs != NOT_GIVEN && !sppnet_check_number ("rpn-epochs", arg.rpn_epochs, 0.0, 10000.0, error))
      || !sppnet_check_number ("rpn-learning-rate", arg.rpn_learning_rate, 0.0, 10.0, error))
    return FALSE;
  options->rpn_joint = arg.rpn;
  options->rpn_only = arg.rpn_only;
  options->rpn_new = arg.anchors || arg.rpn_filters || arg.rpn_stride;
  if (arg.anchors)
    options->rpn.n_anchors = (guint) arg.anchors;
  if (arg.rpn_filters)
    options->rpn.filters = (guint) arg.rpn_filters;
  options->rpn.stride = (guint) arg.rpn_stride;
  options->rpn.variants = (guint) arg.variants;
  if (arg.rpn_epochs != NOT_GIVEN)
    options->rpn.epochs = arg.rpn_epochs;
  options->rpn.optimizer.learning_rate = arg.rpn_learning_rate;
  return TRUE;
}

/* Trainings of a part of the network. */
typedef enum
{
  RPN_ONLY = 1 << 0,
  ADD_CLASS = 1 << 1,
  HEADS_ONLY = 1 << 2,
} Part;

/* Refuses an option that was given, though what is trained does not take it. options: the defaults */
static gboolean
check_part (const SppnetTrainOptions *options, GError **error)
{
  const SppnetEndToEndSettings *e = &options->end_to_end;
  const SppnetSamplerSettings *sampler = &e->sampler;
  const Part all = RPN_ONLY | ADD_CLASS | HEADS_ONLY;
  const Part part = arg.rpn_only ? RPN_ONLY : arg.add_class ? ADD_CLASS : arg.heads_only ? HEADS_ONLY : 0;
  const struct
  {
    const gchar *name;
    gboolean given;
    Part without;
    const gchar *hint; /* (nullable) */
  } others[] = {
    { "--heads-only", arg.heads_only, RPN_ONLY | ADD_CLASS },
    { "--add-class", arg.add_class != NULL, RPN_ONLY },
    { "--rpn", arg.rpn, ADD_CLASS },
    { "--label", arg.labels != NULL, ADD_CLASS },
    { "--label-file", arg.label_file != NULL, ADD_CLASS },
    { "--levels", arg.levels != NULL, RPN_ONLY | ADD_CLASS },
    { "--around", arg.around != NULL, RPN_ONLY | ADD_CLASS },
    { "--region-layers", arg.region_layers != NULL, RPN_ONLY | ADD_CLASS },
    { "--head", arg.head != NULL, RPN_ONLY | ADD_CLASS },
    { "--context", arg.context != NULL, RPN_ONLY | ADD_CLASS },
    { "--merge", arg.merge != NULL, RPN_ONLY | ADD_CLASS },
    { "--classifier", arg.classifier != NULL, RPN_ONLY | ADD_CLASS },
    { "--box-regression", arg.box != NULL, RPN_ONLY | ADD_CLASS },
    { "--dropout", arg.dropout != NOT_GIVEN, RPN_ONLY | ADD_CLASS },
    { "--weight-decay", arg.weight_decay != NOT_GIVEN, RPN_ONLY | ADD_CLASS },
    { "--backbone-learning-rate", arg.backbone_learning_rate != NOT_GIVEN, all },
    { "--proposals", arg.proposals != NULL, RPN_ONLY },
    { "--max-proposals", arg.max_proposals != NO_NUMBER, RPN_ONLY },
    { "--epochs", arg.epochs != NOT_GIVEN, RPN_ONLY, ": its passes are --rpn-epochs" },
    { "--pictures", arg.pictures != (gint) e->pictures, RPN_ONLY },
    { "--regions", arg.regions != NO_NUMBER, RPN_ONLY },
    { "--optimizer", arg.optimizer != NULL, RPN_ONLY },
    { "--learning-rate", arg.learning_rate != NOT_GIVEN, RPN_ONLY, ": its rate is --rpn-learning-rate" },
    { "--average", arg.average != e->optimizer.average, RPN_ONLY },
    { "--warm-up", arg.warm_up != (gint) e->warm_up, RPN_ONLY },
    { "--candidates", arg.candidates > 0, all },
    { "--iou-aware", arg.iou_aware, RPN_ONLY | ADD_CLASS },
    { "--teacher", arg.teachers != NULL, all },
    /* Pictures are seen in fixed variants. */
    { "--min-scale", arg.min_scale != sampler->min_scale, all },
    { "--max-scale", arg.max_scale != sampler->max_scale, all },
    { "--mosaic", arg.mosaic != sampler->mosaic, all },
    { "--blend", arg.blend != sampler->blend, all },
    { "--colour", arg.colour != sampler->colour, all },
    { "--aspect", arg.aspect != sampler->variation.aspect, all },
    { "--erase", arg.erase != sampler->erase, all },
  };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (others[i].given && (others[i].without & part))
      return sppnet_usage_error (error, "%s has no meaning with %s%s", others[i].name,
                                 part == RPN_ONLY    ? "--rpn-only"
                                 : part == ADD_CLASS ? "--add-class"
                                                     : "--heads-only",
                                 others[i].hint ? others[i].hint : "");
  return TRUE;
}

/* Refuses what would have no effect. options: the defaults */
static gboolean
check_combinations (const SppnetTrainOptions *options, GError **error)
{
  gboolean joint = arg.rpn && !arg.heads_only;
  gboolean last_stages = g_strcmp0 (arg.classifier, "svm") == 0 || g_strcmp0 (arg.box, "ridge") == 0;

  if (arg.rpn && arg.rpn_only)
    return sppnet_usage_error (error, "--rpn and --rpn-only exclude each other");
  if (!check_part (options, error))
    return FALSE;
  if (joint && arg.proposals)
    return sppnet_usage_error (error,
                               "with --rpn, regions are the network's own proposals: --proposals has no meaning");
  if (joint && arg.max_proposals != NO_NUMBER && !last_stages)
    return sppnet_usage_error (error,
                               "with --rpn, --max-proposals is for SVMs and ridge regression, which are not asked"
                               " for");
  if (!arg.rpn && !arg.rpn_only && (arg.anchors || arg.rpn_filters || arg.rpn_stride))
    return sppnet_usage_error (error, "--anchors, --rpn-filters and --rpn-stride need --rpn or --rpn-only");
  if (!arg.rpn_only && !(arg.rpn && arg.heads_only)
      && (arg.variants != (gint) options->rpn.variants || arg.rpn_epochs != NOT_GIVEN
          || arg.rpn_learning_rate != options->rpn.optimizer.learning_rate))
    return sppnet_usage_error (error, "--rpn-variants, --rpn-epochs and --rpn-learning-rate need --rpn-only, or"
                                      " --rpn with --heads-only");
  if (arg.teachers_part != options->end_to_end.teachers_part && !arg.teachers)
    return sppnet_usage_error (error, "--teacher-part needs --teacher");
  if (arg.around_scale != options->around_scale && !arg.around)
    return sppnet_usage_error (error, "--around-scale needs --around");
  return TRUE;
}

static gboolean
take_arguments (SppnetTrainOptions *options, GError **error)
{
  gint choice = 0;

  if (!sppnet_arguments_check_pictures (&pictures, error) || !check_combinations (options, error))
    return FALSE;
  if (arg.heads_only)
    sppnet_heads_only_defaults (&options->end_to_end);
  if (!arg.output)
    return sppnet_usage_error (error, "--output FILE is needed");
  if ((arg.name && !*arg.name) || (arg.work && !*arg.work))
    return sppnet_usage_error (error, "%s is empty", arg.name && !*arg.name ? "--name" : "--work");
  if (arg.labels && arg.label_file)
    return sppnet_usage_error (error, "give --label NAME or --label-file FILE, not both");
  if (arg.validation_set && (pictures.validation > 0.0 || !pictures.sets.voc))
    return sppnet_usage_error (error,
                               "--validation-set NAME is a list of the --voc folders, and excludes --validation");
  if (arg.validation_set && !pictures.sets.sets)
    return sppnet_usage_error (
        error, "with --validation-set NAME, --set says which pictures are trained on: all would be those of NAME, too");
  if (arg.levels
      && !parse_numbers ("levels", arg.levels, 1, 32, SPPNET_MAX_LEVELS, options->levels, &options->n_levels, error))
    return FALSE;
  if (arg.around
      && !parse_numbers ("around", arg.around, 1, 32, SPPNET_MAX_LEVELS, options->around, &options->n_around, error))
    return FALSE;
  if (arg.region_layers
      && !parse_numbers ("region-layers", arg.region_layers, 1, 4096, SPPNET_MAX_REGION_LAYERS, options->region_layers,
                         &options->n_region_layers, error))
    return FALSE;
  if (arg.head
      && !parse_numbers ("head", arg.head, 1, 65536, SPPNET_MAX_HEAD_LAYERS, options->head, &options->n_head, error))
    return FALSE;
  if (arg.context) {
    guint n;

    if (!parse_numbers ("context", arg.context, 1, 4096, 2, options->context, &n, error))
      return FALSE;
    if (n != 2)
      return sppnet_usage_error (error, "--context takes two numbers, separated by a comma");
  }
  if (!choose ("classifier", arg.classifier, "softmax", "svm", &choice, error))
    return FALSE;
  options->classifier = choice ? SPPNET_TRAIN_SVM : SPPNET_TRAIN_SOFTMAX;
  if (!choose ("box-regression", arg.box, "joint", "ridge", &choice, error))
    return FALSE;
  options->box = choice ? SPPNET_TRAIN_BOX_RIDGE : SPPNET_TRAIN_BOX_JOINT;
  if (arg.proposals
      && (!sppnet_proposals_from_nick (arg.proposals, &options->proposals)
          || options->proposals == SPPNET_PROPOSALS_DEFAULT || options->proposals == SPPNET_PROPOSALS_REGIONS
          || options->proposals == SPPNET_PROPOSALS_RPN || options->proposals == SPPNET_PROPOSALS_AUTO))
    return sppnet_usage_error (error, "--proposals: \"%s\" is not a source of regions to train on", arg.proposals);
  return take_optimizer (&options->end_to_end.optimizer, error) && take_numbers (options, error)
         && take_rpn (options, error);
}

static void
name_things (SppnetTrainOptions *options)
{
  g_autofree gchar *base = g_filename_display_basename (arg.output);
  gchar *dot = strrchr (base, '.');

  if (dot && dot != base)
    *dot = '\0';
  if (!arg.name && !arg.add_class && !arg.rpn_only)
    arg.name = g_strdup (base);
  if (!arg.work)
    arg.work = g_strconcat (arg.output, ".work", NULL);
  options->pictures = pictures.sets;
  options->validation = pictures.validation;
  options->split_seed = (guint32) pictures.split_seed;
  options->labels = arg.labels;
  options->any_labels = arg.label_file != NULL;
  options->init = arg.init;
  options->heads_only = arg.heads_only;
  options->add_class = arg.add_class;
  options->output = arg.output;
  options->work = arg.work;
  options->name = arg.name;
  options->merge = arg.merge;
  options->teachers = (const gchar *const *) arg.teachers;
}

static GOptionContext *
make_context (void)
{
  GOptionContext *context = g_option_context_new ("- train a detector on annotated pictures");
  GOptionGroup *network = g_option_group_new ("network", "Network options:", "Show the network's options", NULL, NULL);
  GOptionGroup *schedule
      = g_option_group_new ("schedule", "Schedule options:", "Show the schedule's options", NULL, NULL);
  GOptionGroup *rpn = g_option_group_new (
      "rpn", "Region proposal network options:", "Show the region proposal network's options", NULL, NULL);

  sppnet_arguments_add_pictures (context, &pictures);
  g_option_context_add_main_entries (context, data_entries, NULL);
  g_option_group_add_entries (network, network_entries);
  g_option_group_add_entries (schedule, schedule_entries);
  g_option_context_add_group (context, network);
  g_option_group_add_entries (rpn, rpn_entries);
  g_option_context_add_group (context, schedule);
  g_option_context_add_group (context, rpn);
  g_option_context_set_summary (
      context, "Trains backbone and head end to end, then SVMs and ridge box regression when asked for.\n"
               "A stopped run (Ctrl-C; twice: at once) goes on where it was when the same command is\n"
               "given again.");
  g_option_context_set_description (context,
                                    "Example:\n  sppnet train --voc MYDATA --set train --output mine.safetensors");
  return context;
}

/* (transfer full): the pictures that were kept for it, or NULL without an error where there are none */
static GPtrArray *
load_validation (GError **error)
{
  SppnetPictureSets sets = pictures.sets;
  g_autofree gchar **names = NULL;
  GPtrArray *all;

  if (arg.validation_set) {
    guint n = g_strv_length (sets.voc);

    names = g_new0 (gchar *, n + 1);
    for (guint i = 0; i < n; i++)
      names[i] = arg.validation_set;
    sets = (SppnetPictureSets) { .voc = sets.voc, .sets = names };
    return sppnet_picture_sets_load (&sets, error);
  }
  if (pictures.validation <= 0.0)
    return NULL;
  all = sppnet_picture_sets_load (&sets, error);
  return all ? sppnet_picture_sets_split (all, pictures.validation, (guint32) pictures.split_seed, TRUE) : NULL;
}

/* The finished model's average precision on the validation pictures. */
static gboolean
summarise (GPtrArray *annotations, const ProgressLine *line, GError **error)
{
  g_autoptr (SppnetModel) model = sppnet_model_load (arg.output, error);
  SppnetSettings settings = { .threads = (guint) arg.threads,
                              .threshold = SPPNET_EVALUATION_THRESHOLD,
                              .max_detections = SPPNET_EVALUATION_DETECTIONS };
  SppnetEvaluation evaluation = { annotations, FALSE, line->terminal && !line->quiet, g_get_monotonic_time () };

  return model && sppnet_evaluate_detections (&evaluation, model, &settings, NULL, error);
}

/* What was fitted to a model's confidences goes with it when a training takes its place. */
static void
mention_calibrated (const gchar *output)
{
  g_autoptr (SppnetModel) model = g_file_test (output, G_FILE_TEST_EXISTS) ? sppnet_model_load (output, NULL) : NULL;

  if (model && sppnet_model_get_config (model)->calibration)
    g_printerr ("sppnet train: %s is a calibrated model, which will be replaced when the training is done\n", output);
}

int
sppnet_tool_train (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = make_context ();
  g_autoptr (GPtrArray) validation = NULL;
  g_autoptr (GError) error = NULL;
  SppnetTrainOptions options;
  ProgressLine line = { 0 };

  sppnet_train_defaults (&options);
  take_defaults (&options);
  if (!sppnet_arguments_parse (context, argc, argv, &error) || !take_arguments (&options, &error))
    return sppnet_tool_report (error);
  if (arg.label_file && !(arg.labels = sppnet_labels_load (arg.label_file, &error)))
    return sppnet_tool_report (error);
  if (!arg.init && !(arg.init = sppnet_model_get_default_path (&error)))
    return sppnet_tool_report (error);
  name_things (&options);
  /* Before the training, to which a mistake in it would come late. */
  validation = load_validation (&error);
  if (error || (validation && !sppnet_dataset_check_pictures (validation, &error)))
    return sppnet_tool_report (error);
  mention_calibrated (arg.output);
  line.quiet = arg.quiet;
  line.terminal = isatty (STDERR_FILENO);
  signal (SIGINT, on_signal);
  signal (SIGTERM, on_signal);
  if (!sppnet_train (&options, show_progress, &line, &error)) {
    if (line.terminal)
      g_printerr ("\n");
    return sppnet_tool_report (error);
  }
  if (validation)
    summarise (validation, &line, &error);
  printf ("%s\n", arg.output);
  return error ? sppnet_tool_report (error) : SPPNET_TOOL_DONE;
}
