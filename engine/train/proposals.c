/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/file.h"
#include "base/threads.h"
#include "frame/picture.h"
#include "region/proposer.h"
#include "train/dataset.h"

#include <string.h>

/* The file: one line of text (the key), then per picture a count and that many boxes as four 16-bit integers: proposals
 * are whole pixels of at most 8192. Pictures that are not done yet have the count MISSING. Native byte order: a cache.
 */
#define MISSING G_MAXUINT32

typedef struct
{
  gint16 x, y, width, height;
} PackedBox;

static void
read_cache (SppnetDataset *dataset, const gchar *file, const gchar *key)
{
  g_autofree gchar *content = NULL;
  gsize length, at = strlen (key);

  if (!g_file_get_contents (file, &content, &length, NULL) || length < at || memcmp (content, key, at) != 0)
    return;
  for (guint i = 0; i < dataset->annotations->len && at + sizeof (guint32) <= length; i++) {
    guint32 n;

    memcpy (&n, content + at, sizeof n);
    at += sizeof n;
    if (n == MISSING)
      continue;
    if (n > (length - at) / sizeof (PackedBox))
      return;
    dataset->proposals[i] = g_array_sized_new (FALSE, FALSE, sizeof (SppnetBox), n);
    for (guint32 k = 0; k < n; k++, at += sizeof (PackedBox)) {
      PackedBox packed;
      SppnetBox box;

      memcpy (&packed, content + at, sizeof packed);
      box = (SppnetBox) { packed.x, packed.y, packed.width, packed.height };
      g_array_append_val (dataset->proposals[i], box);
    }
  }
}

static gboolean
write_cache (const SppnetDataset *dataset, const gchar *file, const gchar *key, GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();

  g_byte_array_append (content, (const guint8 *) key, strlen (key));
  for (guint i = 0; i < dataset->annotations->len; i++) {
    const GArray *boxes = dataset->proposals[i];
    guint32 n = boxes ? boxes->len : MISSING;

    g_byte_array_append (content, (const guint8 *) &n, sizeof n);
    for (guint k = 0; boxes && k < boxes->len; k++) {
      const SppnetBox *box = &g_array_index (boxes, SppnetBox, k);
      PackedBox packed = { (gint16) box->x, (gint16) box->y, (gint16) box->width, (gint16) box->height };

      g_byte_array_append (content, (const guint8 *) &packed, sizeof packed);
    }
  }
  return sppnet_file_write (file, content->data, content->len, error);
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

/* Pictures first .. end - 1, one per thread. */
static gboolean
propose_some (SppnetDataset *dataset, guint first, guint end, SppnetProposer **proposers, SppnetProposals method,
              guint max_boxes, guint32 seed, guint threads, GError **error)
{
  GError *failure = NULL;

#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (guint i = first; i < end; i++) {
    GError *local = NULL;

    if (dataset->proposals[i]
        || propose (dataset, i, proposers[sppnet_thread_index ()], method, max_boxes, seed, &local))
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

gboolean
sppnet_dataset_propose (SppnetDataset *dataset, SppnetProposals method, guint max_boxes, guint32 seed, guint threads,
                        const gchar *file, SppnetProgress progress, gpointer user_data, GError **error)
{
  g_autofree gchar *pictures = sppnet_dataset_key (dataset);
  g_autofree gchar *key = g_strdup_printf ("sppnet proposals 2 %s %u %u %s\n", sppnet_proposals_to_nick (method),
                                           max_boxes, seed, pictures);
  g_autofree SppnetProposer **proposers = g_new0 (SppnetProposer *, threads);
  guint n = dataset->annotations->len, written = 0;
  gboolean ok = TRUE;

  read_cache (dataset, file, key);
  for (guint t = 0; t < threads; t++)
    proposers[t] = sppnet_proposer_new ();
  for (guint first = 0; ok && first < n; first += 16) {
    guint end = MIN (first + 16, n);
    gboolean missing = FALSE;

    for (guint i = first; i < end; i++)
      missing |= !dataset->proposals[i];
    if (!missing)
      continue;
    ok = propose_some (dataset, first, end, proposers, method, max_boxes, seed, threads, error);
    if (ok && ++written % 32 == 0)
      ok = write_cache (dataset, file, key, error);
    if (ok && progress && !progress (user_data, "proposals", (gdouble) end / n, "")) {
      g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_CANCELLED, "stopped");
      write_cache (dataset, file, key, NULL);
      ok = FALSE;
    }
  }
  for (guint t = 0; t < threads; t++)
    sppnet_proposer_free (proposers[t]);
  return ok && (written == 0 || write_cache (dataset, file, key, error));
}
