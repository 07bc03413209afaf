/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/provenance.h"

JsonObject *
sppnet_provenance_read (const gchar *provenance)
{
  g_autoptr (JsonNode) node = provenance ? json_from_string (provenance, NULL) : NULL;

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_dup_object (node) : json_object_new ();
}

gchar *
sppnet_provenance_add (const gchar *provenance, const gchar *name, JsonObject *part)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (root, sppnet_provenance_read (provenance));
  json_object_set_object_member (json_node_get_object (root), name, part);
  return json_to_string (root, FALSE);
}
