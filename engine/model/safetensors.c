/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/safetensors.h"

#include <string.h>

#include "model/document.h"
#include "model/json.h"

/* The format's own limit. */
#define MAX_HEADER 100000000
/* 128 layers and a head have fewer than 300. */
#define MAX_TENSORS 4096
#define MAX_DEPTH 8

static const struct
{
  const gchar *name;
  gsize size;
} dtypes[] = { { "F32", 4 }, { "F16", 2 }, { "BF16", 2 } };

typedef struct
{
  SppnetJsonCursor cursor;
  const gchar *file;
  SppnetSafetensors *out;
  GError **error;
} Reader;

const gchar *
sppnet_dtype_name (SppnetDtype dtype)
{
  return dtypes[dtype].name;
}

gsize
sppnet_dtype_size (SppnetDtype dtype)
{
  return dtypes[dtype].size;
}

gchar *
sppnet_shape_to_string (const guint64 *dims, guint n_dims)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i ? "," : "", dims[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

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

#define corrupt(reader, ...) g_set_error ((reader)->error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, __VA_ARGS__)

/* Reports the cursor's mistake, for a tensor if name is given. */
static gboolean
bad_json (Reader *reader, const gchar *name)
{
  const SppnetJsonCursor *cursor = &reader->cursor;
  gsize place = (gsize) (cursor->at - cursor->start);

  if (name)
    corrupt (reader, "%s: tensor '%s': %s at byte %zu of the header", reader->file, name, cursor->reason, place);
  else
    corrupt (reader, "%s: %s at byte %zu of the header", reader->file, cursor->reason, place);
  return FALSE;
}

static gboolean
read_dtype (Reader *reader, SppnetStoredTensor *tensor)
{
  g_autofree gchar *text = NULL;

  if (!sppnet_json_string (&reader->cursor, &text))
    return bad_json (reader, tensor->name);
  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++)
    if (g_str_equal (text, dtypes[i].name)) {
      tensor->dtype = (SppnetDtype) i;
      return TRUE;
    }
  g_set_error (reader->error, SPPNET_ERROR, SPPNET_ERROR_UNSUPPORTED,
               "%s: tensor '%s': its type '%s' is none of F32, F16, BF16", reader->file, tensor->name,
               sppnet_text_is_clean (text, 32) ? text : "?");
  return FALSE;
}

/* numbers: [max]; at least min of them. */
static gboolean
read_numbers (Reader *reader, const gchar *name, guint64 *numbers, guint min, guint max, guint *n)
{
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean first = TRUE;

  *n = 0;
  sppnet_json_take (cursor, '[');
  while (!cursor->reason && sppnet_json_more (cursor, ']', &first)) {
    if (*n == max)
      sppnet_json_fail (cursor, "too many numbers");
    else
      sppnet_json_uint (cursor, &numbers[(*n)++]);
  }
  if (!cursor->reason && *n < min)
    sppnet_json_fail (cursor, "too few numbers");
  return !cursor->reason || bad_json (reader, name);
}

/* The members of a tensor's entry, each exactly once. */
static gboolean
read_members (Reader *reader, SppnetStoredTensor *tensor)
{
  static const gchar *const keys[] = { "dtype", "shape", "data_offsets" };
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean seen[3] = { FALSE }, first = TRUE;
  guint64 offsets[2];
  guint n;

  if (!sppnet_json_take (cursor, '{'))
    return bad_json (reader, tensor->name);
  while (sppnet_json_more (cursor, '}', &first)) {
    g_autofree gchar *key = NULL;
    guint i = 0;

    if (!sppnet_json_name (cursor, &key))
      break;
    while (i < G_N_ELEMENTS (keys) && !g_str_equal (key, keys[i]))
      i++;
    if (i == G_N_ELEMENTS (keys) || seen[i])
      return sppnet_json_fail (cursor, i == G_N_ELEMENTS (keys) ? "unknown key" : "key given twice")
             || bad_json (reader, tensor->name);
    seen[i] = TRUE;
    if (i == 0 && !read_dtype (reader, tensor))
      return FALSE;
    if (i == 1 && !read_numbers (reader, tensor->name, tensor->dims, 0, G_N_ELEMENTS (tensor->dims), &tensor->n_dims))
      return FALSE;
    if (i == 2 && !read_numbers (reader, tensor->name, offsets, 2, 2, &n))
      return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (keys) && !cursor->reason; i++)
    if (!seen[i]) {
      corrupt (reader, "%s: tensor '%s': no '%s'", reader->file, tensor->name, keys[i]);
      return FALSE;
    }
  if (cursor->reason)
    return bad_json (reader, tensor->name);
  tensor->begin = offsets[0];
  tensor->end = offsets[1];
  return TRUE;
}

/* The byte range must be exactly what type and shape need. */
static gboolean
check_size (Reader *reader, SppnetStoredTensor *tensor)
{
  gsize size = sppnet_dtype_size (tensor->dtype);
  g_autofree gchar *shape = sppnet_shape_to_string (tensor->dims, tensor->n_dims);
  gboolean good = TRUE;
  gsize bytes;

  tensor->count = 1;
  for (guint i = 0; i < tensor->n_dims && good; i++)
    good = tensor->dims[i] <= G_MAXSIZE && g_size_checked_mul (&tensor->count, tensor->count, (gsize) tensor->dims[i]);
  if (!good || !g_size_checked_mul (&bytes, tensor->count, size)) {
    corrupt (reader, "%s: tensor '%s': its shape %s overflows", reader->file, tensor->name, shape);
    return FALSE;
  }
  if (tensor->begin > tensor->end || tensor->end - tensor->begin != bytes) {
    corrupt (reader, "%s: tensor '%s': %s of shape %s needs %zu bytes, but its data_offsets are [%" G_GUINT64_FORMAT
             ",%" G_GUINT64_FORMAT "]", reader->file, tensor->name, sppnet_dtype_name (tensor->dtype), shape, bytes,
             tensor->begin, tensor->end);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_tensor (Reader *reader, gchar *name)
{
  SppnetStoredTensor tensor = { .name = name };

  if (read_members (reader, &tensor) && check_size (reader, &tensor)) {
    g_array_append_val (reader->out->tensors, tensor);
    return TRUE;
  }
  g_free (name);
  return FALSE;
}

/* Texts under names; "sppnet" is ours. */
static gboolean
read_metadata (Reader *reader)
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
  return !cursor->reason || bad_json (reader, "__metadata__");
}

static gboolean
read_entries (Reader *reader)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean first = TRUE;

  if (cursor->reason || !sppnet_json_take (cursor, '{'))
    return bad_json (reader, NULL);
  while (sppnet_json_more (cursor, '}', &first)) {
    g_autofree gchar *name = NULL;

    if (!sppnet_json_name (cursor, &name))
      break;
    if (!sppnet_text_is_clean (name, 255))
      return sppnet_json_fail (cursor, "a tensor's name must have 1 to 255 bytes without control characters")
             || bad_json (reader, NULL);
    if (!g_hash_table_add (names, g_strdup (name))) {
      corrupt (reader, "%s: tensor '%s' occurs twice", reader->file, name);
      return FALSE;
    }
    if (g_hash_table_size (names) > MAX_TENSORS)
      return sppnet_json_fail (cursor, "too many tensors") || bad_json (reader, NULL);
    if (g_str_equal (name, "__metadata__") ? !read_metadata (reader) : !read_tensor (reader, g_steal_pointer (&name)))
      return FALSE;
  }
  if (!cursor->reason && sppnet_json_peek (cursor) != 0)
    sppnet_json_fail (cursor, "text after the end of the table");
  return !cursor->reason || bad_json (reader, NULL);
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
place_tensors (Reader *reader, const guint8 *data, gsize length)
{
  GArray *tensors = reader->out->tensors;
  guint64 at = 0;

  g_array_sort (tensors, compare_places);
  for (guint i = 0; i < tensors->len; i++) {
    SppnetStoredTensor *tensor = &g_array_index (tensors, SppnetStoredTensor, i);

    if (tensor->end > length) {
      corrupt (reader, "%s: tensor '%s': its data ends at byte %" G_GUINT64_FORMAT ", but the file holds %zu bytes of"
               " data", reader->file, tensor->name, tensor->end, length);
      return FALSE;
    }
    if (tensor->begin != at) {
      corrupt (reader, "%s: tensor '%s': its data begins at byte %" G_GUINT64_FORMAT ", %s the tensor before it, which"
               " ends at %" G_GUINT64_FORMAT, reader->file, tensor->name, tensor->begin,
               tensor->begin < at ? "overlapping" : "leaving a gap after", at);
      return FALSE;
    }
    tensor->data = data + tensor->begin;
    at = tensor->end;
  }
  if (at == length)
    return TRUE;
  corrupt (reader, "%s: the tensors have %" G_GUINT64_FORMAT " bytes, but the file holds %zu bytes of data", reader->file,
           at, length);
  return FALSE;
}

gboolean
sppnet_safetensors_parse (SppnetSafetensors *safetensors, const guint8 *bytes, gsize length, const gchar *file,
                          GError **error)
{
  Reader reader = { .file = file, .out = safetensors, .error = error };
  guint64 header = 0;

  *safetensors = (SppnetSafetensors) { NULL, g_array_new (FALSE, FALSE, sizeof (SppnetStoredTensor)) };
  g_array_set_clear_func (safetensors->tensors, clear_tensor);
  for (guint i = 0; i < 8 && i < length; i++)
    header |= (guint64) bytes[i] << (8 * i);

  if (length < 8)
    corrupt (&reader, "%s: %zu bytes are too few for a safetensors file", file, length);
  else if (header > MAX_HEADER)
    corrupt (&reader, "%s: its header of %" G_GUINT64_FORMAT " bytes is larger than the format's limit of %d", file,
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
