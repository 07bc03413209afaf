/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect/follow.h"

#include <string.h>

#include "box/regression.h"

/* Where an object may be by the next frame: moved by parts of its size, and grown by parts of it. */
static const struct
{
  gfloat x, y, grown;
} moves[] = { { 0, 0, 0 },     { -0.12f, 0, 0 }, { 0.12f, 0, 0 }, { 0, -0.12f, 0 },
              { 0, 0.12f, 0 }, { 0, 0, -0.15f }, { 0, 0, 0.15f } };

static SppnetBox
move (const SppnetBox *box, guint i)
{
  gfloat width = box->width * (1.0f + moves[i].grown), height = box->height * (1.0f + moves[i].grown);

  return (SppnetBox) { box->x + moves[i].x * box->width + (box->width - width) / 2,
                       box->y + moves[i].y * box->height + (box->height - height) / 2, width, height };
}

gboolean
sppnet_follow_propose (SppnetFollow *follow, gint width, gint height, gsize room, const SppnetBox **proposals, gsize *n,
                       GError **error)
{
  SppnetBox *regions = sppnet_buffer_reserve (&follow->regions, room + SPPNET_MOST_FOLLOWED * G_N_ELEMENTS (moves),
                                              sizeof *regions, error);
  gsize n_regions = 0;

  if (!regions)
    return FALSE;
  if (width == follow->width && height == follow->height)
    for (guint i = 0; i < follow->n; i++)
      for (guint j = 0; j < G_N_ELEMENTS (moves); j++) {
        SppnetBox box = move (&follow->last[i], j);

        box = sppnet_box_clip (&box, width, height);
        if (box.width > 0.0f && box.height > 0.0f)
          regions[n_regions++] = box;
      }
  if (*n > 0)
    memcpy (regions + n_regions, *proposals, MIN (*n, room) * sizeof *regions);
  *n = n_regions + MIN (*n, room);
  *proposals = regions;
  return TRUE;
}

void
sppnet_follow_keep (SppnetFollow *follow, gint width, gint height, const SppnetDetection *detections, gsize n)
{
  follow->width = width;
  follow->height = height;
  follow->n = (guint) MIN (n, SPPNET_MOST_FOLLOWED);
  for (guint i = 0; i < follow->n; i++)
    follow->last[i] = detections[i].box;
}

void
sppnet_follow_clear (SppnetFollow *follow)
{
  sppnet_buffer_clear (&follow->regions);
  follow->n = 0;
}
