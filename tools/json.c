/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <math.h>
#include <stdio.h>

static void
add_number (JsonBuilder *builder, gdouble value)
{
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
sppnet_tool_json_number (JsonBuilder *builder, const gchar *name, gdouble value)
{
  json_builder_set_member_name (builder, name);
  add_number (builder, value);
}

void
sppnet_tool_json_integer (JsonBuilder *builder, const gchar *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
sppnet_tool_json_string (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  if (value)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
sppnet_tool_json_file (JsonBuilder *builder, const gchar *name, const gchar *path)
{
  g_autofree gchar *text = g_filename_display_name (path);

  sppnet_tool_json_string (builder, name, text);
}

void
sppnet_tool_json_box (JsonBuilder *builder, const SppnetBox *box)
{
  json_builder_begin_array (builder);
  add_number (builder, box->x);
  add_number (builder, box->y);
  add_number (builder, box->width);
  add_number (builder, box->height);
  json_builder_end_array (builder);
}

void
sppnet_tool_json_timings (JsonBuilder *builder, const SppnetTimings *timings)
{
  json_builder_begin_object (builder);
  sppnet_tool_json_number (builder, "frame_ms", timings->frame_ms);
  sppnet_tool_json_number (builder, "backbone_ms", timings->backbone_ms);
  sppnet_tool_json_number (builder, "proposals_ms", timings->proposals_ms);
  sppnet_tool_json_number (builder, "pooling_ms", timings->pooling_ms);
  sppnet_tool_json_number (builder, "head_ms", timings->head_ms);
  sppnet_tool_json_number (builder, "box_ms", timings->box_ms);
  sppnet_tool_json_number (builder, "total_ms", timings->total_ms);
  json_builder_end_object (builder);
}

void
sppnet_tool_json_print (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree gchar *text = NULL;

  json_generator_set_root (generator, root);
  text = json_generator_to_data (generator, NULL);
  puts (text); /* not g_print(), which would change what the locale's character set lacks */
  fflush (stdout);
}
