/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* What made a model, SppnetConfig.provenance: an object of JSON, as text. */

/* (nullable): none yet. (transfer full) */
JsonObject *sppnet_provenance_read (const gchar *provenance);
/* The same with one part more, in the place of what is there by that name. part: (transfer full). (transfer full) */
gchar *sppnet_provenance_add (const gchar *provenance, const gchar *name, JsonObject *part);
