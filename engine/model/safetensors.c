/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/safetensors.h"

#include <string.h>

#include "model/document.h"
#include "model/header.h"

/* The format's own limit. */
#define MAX_HEADER 100000000
/* 128 layers and a head have fewer than 300. */
#define MAX_TENSORS 4096
#define MAX_DEPTH 8

#define corrupt(reader, ...) g_set_error ((reader)->error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, __VA_ARGS__)

static void
clear_tensor (gpointer data)
{
  g_free (((SppnetStoredTensor *) data)->name);
}

void
sppnet_safetensors_clear (SppnetSafetensors *safetensors)
{
  g_clear_pointer (&safetensors->config, g_free);
  g_clear_pointer (&safetensors->tensors, g_array_unref);
}

static gboolean
read_tensor (SppnetHeaderReader *reader, gchar *name)
{
  SppnetStoredTensor tensor = { .name = name };

  if (sppnet_header_read_tensor (reader, &tensor)) {
    g_array_append_val (reader->out->tensors, tensor);
    return TRUE;
  }
  g_free (name);
  return FALSE;
}

/* Texts under names; "sppnet" is ours. */
static gboolean
read_metadata (SppnetHeaderReader *reader)
{
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean first = TRUE;

  sppnet_json_take (cursor, '{');
  while (!cursor->reason && sppnet_json_more (cursor, '}', &first)) {
    g_autofree gchar *key = NULL;

    if (!sppnet_json_name (cursor, &key))
      break;
    if (!g_str_equal (key, "sppnet"))
      sppnet_json_skip (cursor, MAX_DEPTH);
    else if (reader->out->config)
      sppnet_json_fail (cursor, "'sppnet' given twice");
    else
      sppnet_json_string (cursor, &reader->out->config);
  }
  return !cursor->reason || sppnet_header_fail (reader, "__metadata__");
}

static gboolean
read_entries (SppnetHeaderReader *reader)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean first = TRUE;

  if (cursor->reason || !sppnet_json_take (cursor, '{'))
    return sppnet_header_fail (reader, NULL);
  while (sppnet_json_more (cursor, '}', &first)) {
    g_autofree gchar *name = NULL;

    if (!sppnet_json_name (cursor, &name))
      break;
    if (!sppnet_text_is_clean (name, 255))
      return sppnet_json_fail (cursor, "a tensor's name must have 1 to 255 bytes without control characters")
             || sppnet_header_fail (reader, NULL);
    if (!g_hash_table_add (names, g_strdup (name))) {
      corrupt (reader, "%s: tensor '%s' occurs twice", reader->file, name);
      return FALSE;
    }
    if (g_hash_table_size (names) > MAX_TENSORS)
      return sppnet_json_fail (cursor, "too many tensors") || sppnet_header_fail (reader, NULL);
    if (g_str_equal (name, "__metadata__") ? !read_metadata (reader) : !read_tensor (reader, g_steal_pointer (&name)))
      return FALSE;
  }
  if (!cursor->reason && sppnet_json_peek (cursor) != 0)
    sppnet_json_fail (cursor, "text after the end of the table");
  return !cursor->reason || sppnet_header_fail (reader, NULL);
}

static gint
compare_places (gconstpointer a, gconstpointer b)
{
  const SppnetStoredTensor *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* Each tensor must begin where the one before ends, and the last one end with the file. */
static gboolean
place_tensors (SppnetHeaderReader *reader, const guint8 *data, gsize length)
{
  GArray *tensors = reader->out->tensors;
  guint64 at = 0;

  g_array_sort (tensors, compare_places);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetStoredTensor *tensor = &g_array_index (tensors, SppnetStoredTensor, i);

    if (tensor->end > length) {
      corrupt (reader,
               "%s: tensor '%s': its data ends at byte %" G_GUINT64_FORMAT ", but the file holds %zu bytes of"
               " data",
               reader->file, tensor->name, tensor->end, length);
      return FALSE;
    }
    if (tensor->begin != at) {
      corrupt (reader,
               "%s: tensor '%s': its data begins at byte %" G_GUINT64_FORMAT ", %s the tensor before it, which"
               " ends at %" G_GUINT64_FORMAT,
               reader->file, tensor->name, tensor->begin, tensor->begin < at ? "overlapping" : "leaving a gap after",
               at);
      return FALSE;
    }
    tensor->data = data + tensor->begin;
    at = tensor->end;
  }
  if (at == length)
    return TRUE;
  corrupt (reader, "%s: the tensors have %" G_GUINT64_FORMAT " bytes, but the file holds %zu bytes of data",
           reader->file, at, length);
  return FALSE;
}

gboolean
sppnet_safetensors_parse (SppnetSafetensors *safetensors, const guint8 *bytes, gsize length, const gchar *file,
                          GError **error)
{
  SppnetHeaderReader reader = { .file = file, .out = safetensors, .error = error };
  guint64 header = 0;

  *safetensors = (SppnetSafetensors) { NULL, g_array_new (FALSE, FALSE, sizeof (SppnetStoredTensor)) };
  g_array_set_clear_func (safetensors->tensors, clear_tensor);
  for (guint i = 0; i < 8 && i < length; i++)
    header |= (guint64) bytes[i] << (8 * i);

  if (length < 8)
    corrupt (&reader, "%s: %zu bytes are too few for a safetensors file", file, length);
  else if (header > MAX_HEADER)
    corrupt (&reader,
             "%s: is not a safetensors file: its header would be of %" G_GUINT64_FORMAT " bytes, of at most %d", file,
             header, MAX_HEADER);
  else if (header > length - 8)
    corrupt (&reader, "%s: its header of %" G_GUINT64_FORMAT " bytes is longer than the file", file, header);
  else {
    sppnet_json_cursor_init (&reader.cursor, (const gchar *) bytes + 8, (gsize) header);
    if (read_entries (&reader) && place_tensors (&reader, bytes + 8 + header, length - 8 - (gsize) header))
      return TRUE;
  }
  sppnet_safetensors_clear (safetensors);
  return FALSE;
}
