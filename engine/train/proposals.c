/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"
#include "base/threads.h"
#include "frame/picture.h"
#include "region/proposer.h"
#include "train/dataset.h"

#include <string.h>

/* The file: one line of text (the key), then for each picture that is done its stamp, a count and that many boxes as
 * four 16-bit integers: proposals are whole pixels of at most 8192; at the end SHA-256 of all that, as text. Native
 * byte order: a cache. */
#define SUM_LENGTH 64

typedef struct
{
  guint64 stamp;
  guint64 n;
} Entry;

typedef struct
{
  gint16 x, y, width, height;
} PackedBox;

static GArray *
unpack (const gchar *packed, gsize n)
{
  GArray *boxes = g_array_sized_new (FALSE, FALSE, sizeof (SppnetBox), (guint) n);

  for (gsize k = 0; k < n; k++) {
    PackedBox from;
    SppnetBox box;

    memcpy (&from, packed + k * sizeof from, sizeof from);
    box = (SppnetBox) { from.x, from.y, from.width, from.height };
    g_array_append_val (boxes, box);
  }
  return boxes;
}

/* One that is damaged is as good as none. pictures: stamp to number of the first picture that has it */
static void
read_cache (SppnetDataset *dataset, GHashTable *pictures, const gchar *file, const gchar *key)
{
  g_autofree gchar *content = NULL, *sum = NULL;
  gsize length, at = strlen (key);
  Entry entry;

  if (!g_file_get_contents (file, &content, &length, NULL) || length < at + SUM_LENGTH
      || memcmp (content, key, at) != 0)
    return;
  length -= SUM_LENGTH;
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content, length);
  if (memcmp (content + length, sum, SUM_LENGTH) != 0)
    return;
  while (length - at >= sizeof entry) {
    gpointer picture;

    memcpy (&entry, content + at, sizeof entry);
    at += sizeof entry;
    if (entry.n > (length - at) / sizeof (PackedBox) || entry.n > G_MAXINT32)
      return;
    if (g_hash_table_lookup_extended (pictures, &entry.stamp, NULL, &picture)
        && !dataset->proposals[GPOINTER_TO_UINT (picture)])
      dataset->proposals[GPOINTER_TO_UINT (picture)] = unpack (content + at, entry.n);
    at += entry.n * sizeof (PackedBox);
  }
}

static gboolean
write_cache (const SppnetDataset *dataset, const gchar *file, const gchar *key, GError **error)
{
  g_autoptr (GString) content = g_string_new (key);
  g_autofree gchar *sum = NULL;

  for (guint i = 0; i < dataset->annotations->len; i++) {
    const GArray *boxes = dataset->proposals[i];
    Entry entry = { dataset->stamps[i], boxes ? boxes->len : 0 };

    if (!boxes)
      continue;
    g_string_append_len (content, (const gchar *) &entry, sizeof entry);
    for (guint k = 0; k < boxes->len; k++) {
      const SppnetBox *box = &g_array_index (boxes, SppnetBox, k);
      PackedBox packed = { (gint16) box->x, (gint16) box->y, (gint16) box->width, (gint16) box->height };

      g_string_append_len (content, (const gchar *) &packed, sizeof packed);
    }
  }
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content->str, content->len);
  g_string_append (content, sum);
  return sppnet_file_write (file, content->str, content->len, error);
}

static gboolean
propose (SppnetDataset *dataset, guint i, SppnetProposer *proposer, SppnetProposals method, guint max_boxes,
         guint32 seed, GError **error)
{
  const SppnetAnnotation *annotation = g_ptr_array_index (dataset->annotations, i);
  g_auto (SppnetPicture) picture = { 0 };
  const SppnetBox *boxes;
  gsize n;

  if (!sppnet_picture_load_sized (&picture, annotation->picture, annotation->width, annotation->height, error))
    return FALSE;
  if (!sppnet_proposer_run (proposer, method, picture.rgb, picture.width, picture.height, max_boxes, seed, 1, &boxes,
                            &n, error)) {
    g_prefix_error (error, "%s: ", annotation->picture);
    return FALSE;
  }
  dataset->proposals[i] = g_array_sized_new (FALSE, FALSE, sizeof (SppnetBox), (guint) n);
  g_array_append_vals (dataset->proposals[i], boxes, (guint) n);
  return TRUE;
}

/* Some pictures, one per thread. */
static gboolean
propose_some (SppnetDataset *dataset, const guint *numbers, guint n, SppnetProposer **proposers, SppnetProposals method,
              guint max_boxes, guint32 seed, guint threads, GError **error)
{
  GError *failure = NULL;

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint i = 0; i < n; i++) {
    GError *local = NULL;

    if (propose (dataset, numbers[i], proposers[sppnet_thread_index ()], method, max_boxes, seed, &local))
      continue;
#pragma omp critical
    {
      if (!failure)
        failure = g_steal_pointer (&local);
      g_clear_error (&local);
    }
  }
  if (failure)
    g_propagate_error (error, failure);
  return !failure;
}

/* The same picture twice in the list has the same proposals. */
static void
copy_repeated (SppnetDataset *dataset, GHashTable *pictures)
{
  for (guint i = 0; i < dataset->annotations->len; i++) {
    guint first = GPOINTER_TO_UINT (g_hash_table_lookup (pictures, &dataset->stamps[i]));

    if (!dataset->proposals[i])
      dataset->proposals[i] = g_array_copy (dataset->proposals[first]);
  }
}

gboolean
sppnet_dataset_propose (SppnetDataset *dataset, SppnetProposals method, guint max_boxes, guint32 seed, guint threads,
                        const gchar *file, SppnetProgress progress, gpointer user_data, GError **error)
{
  g_autofree gchar *key
      = g_strdup_printf ("sppnet proposals 3 %s %u %u\n", sppnet_proposals_to_nick (method), max_boxes, seed);
  g_autofree SppnetProposer **proposers = g_new0 (SppnetProposer *, threads);
  g_autoptr (GHashTable) pictures = g_hash_table_new (g_int64_hash, g_int64_equal);
  guint n = dataset->annotations->len, n_todo = 0, written = 0;
  guint64 *stamps = dataset->stamps;
  g_autofree guint *todo = g_new (guint, n + 1);
  gboolean ok = TRUE;

  for (guint i = n; i-- > 0;)
    g_hash_table_replace (pictures, &stamps[i], GUINT_TO_POINTER (i));
  read_cache (dataset, pictures, file, key);
  for (guint i = 0; i < n; i++)
    if (!dataset->proposals[i] && GPOINTER_TO_UINT (g_hash_table_lookup (pictures, &stamps[i])) == i)
      todo[n_todo++] = i;
  for (guint t = 0; t < threads; t++)
    proposers[t] = sppnet_proposer_new ();
  for (guint first = 0; ok && first < n_todo; first += 16) {
    guint end = MIN (first + 16, n_todo);

    ok = propose_some (dataset, todo + first, end - first, proposers, method, max_boxes, seed, threads, error);
    if (ok && ++written % 32 == 0)
      ok = write_cache (dataset, file, key, error);
    if (ok && progress && !progress (user_data, "proposals", (gdouble) end / n_todo, "")) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "stopped");
      ok = FALSE;
    }
  }
  for (guint t = 0; t < threads; t++)
    sppnet_proposer_free (proposers[t]);
  /* What is done before a picture that cannot be read need not be done again. */
  if (!ok)
    write_cache (dataset, file, key, NULL);
  else if (n_todo > 0)
    ok = write_cache (dataset, file, key, error);
  if (ok)
    copy_repeated (dataset, pictures);
  return ok;
}
