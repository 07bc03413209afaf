/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/voc.h"

/* Fills in size and objects of an annotation from the XML text of a file, which errors name. */
gboolean sppnet_annotation_parse (SppnetAnnotation *annotation, const gchar *file, const gchar *xml, gsize length,
                                  GError **error);
