/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "evaluate/mistakes.h"

/* A PNG file with a tile for each mistake: the part of the picture around it, the wrong box in red, the annotated
 * objects in green, a missed object in yellow, and what it is. */
gboolean sppnet_contact_sheet_write (const gchar *path, const GPtrArray *annotations, const GArray *mistakes,
                                     GError **error);
