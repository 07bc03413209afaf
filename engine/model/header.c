/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/header.h"

#include "model/document.h"

static const struct
{
  const gchar *name;
  gsize size;
} dtypes[] = { { "F32", 4 }, { "F16", 2 }, { "BF16", 2 } };

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

#define corrupt(reader, ...) g_set_error ((reader)->error, SPPNET_ERROR, SPPNET_ERROR_CORRUPT, __VA_ARGS__)

/* Reports the cursor's mistake, for a tensor if name is given. */
gboolean
sppnet_header_fail (SppnetHeaderReader *reader, const gchar *name)
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
read_dtype (SppnetHeaderReader *reader, SppnetStoredTensor *tensor)
{
  g_autofree gchar *text = NULL;

  if (!sppnet_json_string (&reader->cursor, &text))
    return sppnet_header_fail (reader, tensor->name);
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
read_numbers (SppnetHeaderReader *reader, const gchar *name, guint64 *numbers, guint min, guint max, guint *n)
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
  return !cursor->reason || sppnet_header_fail (reader, name);
}

/* The members of a tensor's entry, each exactly once. */
static gboolean
read_members (SppnetHeaderReader *reader, SppnetStoredTensor *tensor)
{
  static const gchar *const keys[] = { "dtype", "shape", "data_offsets" };
  SppnetJsonCursor *cursor = &reader->cursor;
  gboolean seen[3] = { FALSE }, first = TRUE;
  guint64 offsets[2];
  guint n;

  if (!sppnet_json_take (cursor, '{'))
    return sppnet_header_fail (reader, tensor->name);
  while (sppnet_json_more (cursor, '}', &first)) {
    g_autofree gchar *key = NULL;
    guint i = 0;

    if (!sppnet_json_name (cursor, &key))
      break;
    while (i < G_N_ELEMENTS (keys) && !g_str_equal (key, keys[i]))
      i++;
    if (i == G_N_ELEMENTS (keys) || seen[i])
      return sppnet_json_fail (cursor, i == G_N_ELEMENTS (keys) ? "unknown key" : "key given twice")
             || sppnet_header_fail (reader, tensor->name);
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
    return sppnet_header_fail (reader, tensor->name);
  tensor->begin = offsets[0];
  tensor->end = offsets[1];
  return TRUE;
}

/* The byte range must be exactly what type and shape need. */
static gboolean
check_size (SppnetHeaderReader *reader, SppnetStoredTensor *tensor)
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
    corrupt (reader,
             "%s: tensor '%s': %s of shape %s needs %zu bytes, but its data_offsets are [%" G_GUINT64_FORMAT
             ",%" G_GUINT64_FORMAT "]",
             reader->file, tensor->name, sppnet_dtype_name (tensor->dtype), shape, bytes, tensor->begin, tensor->end);
    return FALSE;
  }
  return TRUE;
}

gboolean
sppnet_header_read_tensor (SppnetHeaderReader *reader, SppnetStoredTensor *tensor)
{
  return read_members (reader, tensor) && check_size (reader, tensor);
}
