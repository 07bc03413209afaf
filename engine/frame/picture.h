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
/* As it is stored, or upright where its annotation was made on that: where only that has the size that the annotation
 * says. CORRUPT where neither has it. */
gboolean sppnet_picture_load_sized (SppnetPicture *picture, const gchar *path, gint width, gint height, GError **error);
/* Whether the picture can have this size, by its first bytes alone; the errors as above. */
gboolean sppnet_picture_check_size (const gchar *path, gint width, gint height, GError **error);
/* The same picture at another size (bilinear), mirrored or not. rgb: (out):
 * [height][width][3] */
gboolean sppnet_picture_load_resized (const gchar *path, gint own_width, gint own_height, gint width, gint height,
                                      gboolean mirror, guint8 *rgb, GError **error);
void sppnet_picture_clear (SppnetPicture *picture);
SppnetFrame sppnet_picture_frame (const SppnetPicture *picture);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SppnetPicture, sppnet_picture_clear)
