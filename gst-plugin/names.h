/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The parts of a list of labels: separated by commas, without the white space around them. A comma that belongs to a
 * label has a backslash before it, and so has a backslash. An empty
 * list has no parts. (transfer full): NULL-terminated */
gchar **sppnet_names_split (const gchar *list);
