/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/voc.h"

/**
 * sppnet_coco_load:
 * @file: JSON with the arrays images, annotations and categories, as COCO's instances_*.json
 * @dir: folder that the file names of the pictures start from
 *
 * Reads all pictures of a file, those without objects, too. An object with "iscrowd" counts as difficult. Errors name
 * the file, the element and the reason: JSON that is none, a member that is missing or of another kind, an id that is
 * there twice or refers to nothing, a size or box as sppnet_voc_load() refuses it, a picture that does not exist.
 *
 * Returns: (element-type SppnetAnnotation) (transfer full): in the order of "images"
 */
GPtrArray *sppnet_coco_load (const gchar *file, const gchar *dir, GError **error);
