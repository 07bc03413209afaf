/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sppnet/detector.h>

/* What the JSON document of a model file says. All fields are checked by sppnet_config_parse(): kernel sizes and
 * strides 1..64, pads below the kernel size, 1..4096 channels, 1..128 layers, 1..8 pyramid levels of 1..32, finite
 * numbers. */

typedef enum
{
  SPPNET_LAYER_CONV,
  SPPNET_LAYER_MAX_POOL,
  SPPNET_LAYER_AVERAGE_POOL, /* mean over the cells inside the map, padding not counted */
  SPPNET_LAYER_LRN,
  SPPNET_LAYER_MERGE, /* adds a finer map below: features of two strides in one map (Lin et al. 2017, section 3) */
} SppnetLayerKind;

typedef enum
{
  SPPNET_ACTIVATION_LINEAR,
  SPPNET_ACTIVATION_RELU,
  SPPNET_ACTIVATION_LEAKY, /* x < 0 ? slope * x : x */
} SppnetActivation;

typedef struct
{
  SppnetLayerKind kind;
  gchar name[32]; /* tensors are NAME.weight [filters][in][height][width] and NAME.bias [filters] */
  gint filters;   /* convolution, and merge: the input's channels */
  gint kernel_width, kernel_height, stride, pad_x, pad_y; /* convolution and pooling; the pad is on both sides */
  gboolean ceil_mode;          /* pooling: round the output size up (Caffe, Darknet), else down */
  SppnetActivation activation; /* convolution and merge */
  gfloat slope;
  /* y = x / (k + alpha / n * sum x^2)^beta; n = size across channels, size^2 within a channel */
  gint lrn_size;
  gboolean lrn_within_channel;
  gfloat lrn_alpha, lrn_beta, lrn_k;
  /* merge: y = the input, each cell repeated factor x factor times, + 1x1 convolution of the output of layer from,
   * whose size the result has. The kernel is 1x1, the stride 1, the pad 0. */
  guint from;
  gint factor;
} SppnetLayer;

typedef enum
{
  SPPNET_POOLING_SPP, /* spatial pyramid over window cells (He et al.) */
  SPPNET_POOLING_ROI, /* Fast R-CNN's RoI pooling; exactly one level */
} SppnetPooling;

typedef struct
{
  gchar name[32]; /* tensors NAME.weight [outputs][inputs], NAME.bias [outputs] */
  gint outputs;
  SppnetActivation activation;
  gfloat slope;
  gfloat dropout; /* training only, probability of dropping */
} SppnetHeadLayer;

typedef enum
{
  SPPNET_CLASSIFIER_SOFTMAX, /* classifier.weight [1 + labels][inputs], row 0 is background */
  SPPNET_CLASSIFIER_SVM,     /* classifier.weight [labels][inputs], one-vs-rest */
} SppnetClassifier;

typedef enum
{
  SPPNET_BOX_NONE,
  SPPNET_BOX_POOLED, /* box.weight [labels][4][pooled], on the pooled vector (paper) */
  SPPNET_BOX_HEAD,   /* box.weight [labels][4][outputs of the last head layer] (Fast R-CNN) */
} SppnetBoxInput;

typedef enum
{
  SPPNET_BOX_FROM_REGION, /* parameters are relative to the region (paper) */
  SPPNET_BOX_FROM_WINDOW, /* to the cells that were pooled for it: the pooled vector says nothing about the rest */
} SppnetBoxFrom;

#define SPPNET_MAX_ANCHORS 32

/* Region proposal network (Ren et al. 2015): a 3x3 convolution over the last map, padded by 1, then for each of its
 * cells and each anchor a score, whose logistic function is the objectness, and the parameters of a box. */
typedef struct
{
  gchar name[32]; /* tensors NAME.weight [filters][in][3][3], NAME_score.weight [anchors][filters] and NAME_box.weight
                     [anchors][4][filters], each with its .bias */
  gint filters, stride;
  SppnetActivation activation;
  gfloat slope;
  guint n_anchors;                       /* 0: there is no such network */
  gfloat anchors[SPPNET_MAX_ANCHORS][2]; /* width, height in pixels */
  guint candidates;                      /* the best boxes of a frame, among which non-maximum suppression chooses */
  guint boxes;                           /* at most so many are left */
  gfloat nms_threshold;
  gfloat min_size;  /* pixels of the shorter side of a box, after clipping */
  gfloat min_score; /* objectness of a box that a detector scores, by default */
} SppnetRpnConfig;

/* Numbers per label of a model's context: factor of a detection's own log-odds, offset, and for each label the weight
 * of the highest confidence that it has elsewhere. */
#define SPPNET_CONTEXT_COLUMNS(n_labels) ((gsize) (n_labels) + 2)
/* Their context still fits into the JSON document. */
#define SPPNET_MAX_CONTEXT_LABELS 500
#define SPPNET_MAX_LAYERS 128
#define SPPNET_MAX_HEAD_LAYERS 8
#define SPPNET_MAX_LEVELS 8
#define SPPNET_MAX_REGION_LAYERS 4
#define SPPNET_MAX_LABELS 4096
#define SPPNET_DEFAULT_THRESHOLD 0.5f /* of a label for which the model has none */

typedef struct
{
  gchar *name;

  /* network input of channel c = (pixel 0..255 - mean[c]) * scale[c]; order RGB, or BGR */
  gboolean input_bgr;
  gfloat input_mean[3], input_scale[3];

  guint n_layers;
  SppnetLayer layers[SPPNET_MAX_LAYERS];

  SppnetPooling pooling;
  guint n_levels;
  gint levels[SPPNET_MAX_LEVELS];
  gfloat scales[SPPNET_MAX_LEVELS]; /* of each level: it pools a window so many times as large, around the region's */

  /* 3x3 convolutions, padded by 1, over the bins of the finest level that pools the region itself (Ren et al. 2017,
   * "Object Detection Networks on Convolutional Feature Maps"). The first fully connected layer sees their result, too.
   */
  guint n_region_layers;
  SppnetLayer region_layers[SPPNET_MAX_REGION_LAYERS];

  guint n_head; /* may be 0: the classifier sees the pooled vector */
  SppnetHeadLayer head[SPPNET_MAX_HEAD_LAYERS];

  SppnetClassifier classifier;
  guint n_labels; /* 0: a backbone without a classifier (an import); no detector can be made of it */
  gchar **labels;
  gfloat *thresholds;  /* [n_labels] or NULL; on the confidence */
  gfloat *context;     /* [n_labels][SPPNET_CONTEXT_COLUMNS] or NULL: see detect/context.h */
  gfloat *calibration; /* [n_labels][2] or NULL: confidence = 1 / (1 + exp (a * score + b)) (Platt). Without it the
                          softmax's probability, or the logistic function of the SVM score */
  SppnetBoxInput box_input;
  SppnetBoxFrom box_from;
  gfloat box_mean[4], box_scale[4]; /* regression output t = raw * scale + mean */

  SppnetRpnConfig rpn;
  SppnetProposals proposals;
  guint max_proposals; /* of that method; 0: as many as the method has by default */
  gfloat nms_threshold;

  gchar *provenance; /* JSON text of the key "provenance" (any object), or NULL */
} SppnetConfig;

void sppnet_config_init (SppnetConfig *config); /* defaults: no layers, RGB / 255, softmax, selective search, NMS .3 */
void sppnet_config_clear (SppnetConfig *config);
void sppnet_config_copy (SppnetConfig *to, const SppnetConfig *from);
void sppnet_config_clear_rpn (SppnetConfig *config); /* as if there had never been one */
/* There is nothing any more that was fitted to confidences and objectness. */
void sppnet_config_clear_fits (SppnetConfig *config);
/* Other labels, and nothing of what there was per label. labels: NULL-terminated */
void sppnet_config_set_labels (SppnetConfig *config, gchar *const *labels);

/* json: text of length bytes; file is named in errors. On failure config is left as initialised. */
gboolean sppnet_config_parse (SppnetConfig *config, const gchar *json, gssize length, const gchar *file,
                              GError **error);
/* The document that sppnet_config_parse() reads back unchanged. (transfer full) */
gchar *sppnet_config_to_json (const SppnetConfig *config);

/* Whether a model with this configuration could be read back; file: that it will be, named in errors. SETTINGS. */
gboolean sppnet_config_check (const SppnetConfig *config, const gchar *file, GError **error);

/* What an activation multiplies values below 0 with; slope: of a leaky one. */
gfloat sppnet_activation_slope (SppnetActivation activation, gfloat slope);
/* Bins of the pyramid or RoI grid: the sum of the squared levels. */
gint sppnet_config_bins (const SppnetConfig *config);
/* Length of a pooled vector: bins times channels. */
gint sppnet_config_pooled (const SppnetConfig *config);
/* A layer over the bins of a region. */
SppnetLayer sppnet_config_region_layer (const gchar *name, gint filters, SppnetActivation activation, gfloat slope);
/* The level whose bins those layers see; first_bin: (nullable). */
guint sppnet_config_region_level (const SppnetConfig *config, gint *first_bin);
/* Channels of those bins before region layer `stage`, or after the last. */
gint sppnet_config_region_channels (const SppnetConfig *config, guint stage);
/* Numbers that the last of them gives for each region; 0 without such layers. */
gint sppnet_config_region_features (const SppnetConfig *config);
/* Channels of the map before layer `stage`: of the network's input at 0, of the last map at n_layers. */
gint sppnet_config_stage_channels (const SppnetConfig *config, guint stage);
gint sppnet_config_channels (const SppnetConfig *config); /* of the last map */
gboolean sppnet_layer_has_weights (const SppnetLayer *layer);
/* The map whose cells the weights of a layer multiply, as above: the layer's input, or what a merge adds to it. */
guint sppnet_config_weighted_stage (const SppnetConfig *config, guint layer);
/* The convolution of the region proposal network as a layer. */
SppnetLayer sppnet_config_rpn_layer (const SppnetConfig *config);
/* Length of the vector that classifier and box regression see. */
gint sppnet_config_features (const SppnetConfig *config);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetConfig, sppnet_config_clear)
