/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "frame/frame.h"

/* A picture file in memory as packed RGB. Not part of libsppnet: the tool and the training use it. */
typedef struct
{
  gint width, height;
  guint8 *rgb; /* [height][width][3] */
} SppnetPicture;

/* JPEG or PNG (gdk-pixbuf); EXIF orientation is not applied, as in VOC, whose annotations are of the stored pixels;
 * alpha is composed onto black. NOT_FOUND, READ, CORRUPT or UNSUPPORTED with the file's name. */
gboolean sppnet_picture_load (SppnetPicture *picture, const gchar *path, GError **error);
/* The same, turned and mirrored as EXIF says: how people see it. */
gboolean sppnet_picture_load_upright (SppnetPicture *picture, const gchar *path, GError **error);
/* CORRUPT where the picture does not have the size that its annotation says. */
gboolean sppnet_picture_check_size (const SppnetPicture *picture, const gchar *path, gint width, gint height,
                                    GError **error);
/* The picture, which must be of its own size, at another one (bilinear), mirrored or not. rgb: (out):
 * [height][width][3] */
gboolean sppnet_picture_load_resized (const gchar *path, gint own_width, gint own_height, gint width, gint height,
                                      gboolean mirror, guint8 *rgb, GError **error);
void sppnet_picture_clear (SppnetPicture *picture);
SppnetFrame sppnet_picture_frame (const SppnetPicture *picture);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetPicture, sppnet_picture_clear)
