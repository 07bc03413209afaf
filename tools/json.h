/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <sppnet/detector.h>

/* Members of the object that is open in a builder. Numbers that JSON cannot hold (NaN, infinities) become null. */
void sppnet_tool_json_number (JsonBuilder *builder, const gchar *name, gdouble value);
void sppnet_tool_json_integer (JsonBuilder *builder, const gchar *name, gint64 value);
void sppnet_tool_json_string (JsonBuilder *builder, const gchar *name, const gchar *value);
/* "image": a file name, as UTF-8. */
void sppnet_tool_json_file (JsonBuilder *builder, const gchar *name, const gchar *path);
/* [x,y,w,h], a value. */
void sppnet_tool_json_box (JsonBuilder *builder, const SppnetBox *box);
/* The stages of one run in milliseconds, an object. */
void sppnet_tool_json_timings (JsonBuilder *builder, const SppnetTimings *timings);

/* Prints what was built as one line to stdout, at once, so that a reader can follow. */
void sppnet_tool_json_print (JsonBuilder *builder);
