/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/region_list.h"

#include <string.h>

#include "base/key_set.h"
#include "box/box.h"
#include "box/regression.h"
#include "region/window.h"

/* At most half of the slots are taken. */
typedef struct
{
  guint64 *slots;
  gsize mask;
} WindowSet;

/* TRUE when the window was not in the set. */
static gboolean
window_set_add (WindowSet *set, const SppnetWindow *window)
{
  /* Maps have fewer than 16384 cells a side (14 bits); the top bit tells a window from none. */
  return sppnet_key_set_add (set->slots, set->mask,
                             G_GUINT64_CONSTANT (1) << 63 | (guint64) window->x0 << 42 | (guint64) window->y0 << 28
                                 | (guint64) window->x1 << 14 | (guint64) window->y1);
}

static void
append (SppnetRegionList *list, const SppnetBox *box, gint32 index)
{
  list->boxes[list->n] = *box;
  list->index[list->n] = index;
  list->n++;
}

static void
append_given (SppnetRegionList *list, const SppnetBox *given, gsize n, gfloat margin, gint width, gint height)
{
  for (gsize i = 0; i < n; i++) {
    SppnetBox box = given[i];

    if (!sppnet_box_is_finite (&box))
      continue;
    box = (SppnetBox) { box.x - margin * box.width, box.y - margin * box.height, box.width * (1.0f + 2.0f * margin),
                        box.height * (1.0f + 2.0f * margin) };
    box = sppnet_box_clip (&box, width, height);
    if (sppnet_box_is_finite (&box) && box.width > 0.0f && box.height > 0.0f)
      append (list, &box, (gint32) i);
  }
}

static void
append_proposals (SppnetRegionList *list, const SppnetBox *proposals, gsize n, const SppnetMap *map, WindowSet *set)
{
  for (gsize i = 0; map && i < list->n; i++) {
    SppnetWindow window = sppnet_window_from_box (&list->boxes[i], &map->geometry, map->width, map->height);

    window_set_add (set, &window);
  }
  for (gsize i = 0; i < n; i++) {
    if (map) {
      SppnetWindow window = sppnet_window_from_box (&proposals[i], &map->geometry, map->width, map->height);

      if (!window_set_add (set, &window)) {
        list->n_duplicates++;
        continue;
      }
    }
    append (list, &proposals[i], -1);
  }
}

gboolean
sppnet_region_list_set (SppnetRegionList *list, const SppnetBox *given, gsize n_given, gfloat margin,
                        const SppnetBox *proposals, gsize n_proposals, const SppnetMap *map, gint width, gint height,
                        GError **error)
{
  gsize total = n_given + n_proposals, n_slots = 64;
  WindowSet set;

  list->n = list->n_duplicates = 0;
  if (n_given > G_MAXINT32 || n_proposals > G_MAXINT32) {
    g_set_error (error, SPPNET_ERROR, SPPNET_ERROR_MEMORY, "%" G_GSIZE_FORMAT " regions are too many", total);
    return FALSE;
  }
  while (n_slots < 2 * total)
    n_slots *= 2;
  list->boxes = sppnet_buffer_reserve (&list->boxes_memory, n_slots / 2, sizeof (SppnetBox), error);
  list->index = list->boxes ? sppnet_buffer_reserve (&list->index_memory, n_slots / 2, sizeof (gint32), error) : NULL;
  set.slots = list->index ? sppnet_buffer_reserve (&list->seen_memory, n_slots, sizeof (guint64), error) : NULL;
  set.mask = n_slots - 1;
  if (!set.slots)
    return FALSE;
  memset (set.slots, 0, n_slots * sizeof (guint64));

  append_given (list, given, n_given, margin, width, height);
  append_proposals (list, proposals, n_proposals, map, &set);
  return TRUE;
}

gboolean
sppnet_region_list_set_found (SppnetRegionList *list, const SppnetDetection *found, gsize n, GError **error)
{
  list->n = 0;
  list->boxes = sppnet_buffer_reserve (&list->boxes_memory, n, sizeof (SppnetBox), error);
  list->index = list->boxes ? sppnet_buffer_reserve (&list->index_memory, n, sizeof (gint32), error) : NULL;
  if (!list->index)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    append (list, &found[i].box, found[i].region);
  return TRUE;
}

void
sppnet_region_list_clear (SppnetRegionList *list)
{
  sppnet_buffer_clear (&list->boxes_memory);
  sppnet_buffer_clear (&list->index_memory);
  sppnet_buffer_clear (&list->seen_memory);
  list->n = 0;
}
