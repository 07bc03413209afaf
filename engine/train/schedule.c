/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/schedule.h"

#include <math.h>

gdouble
sppnet_schedule_rate (guint step, guint n_steps, guint warm_up, gboolean settles)
{
  gdouble done;

  if (step < warm_up)
    return (step + 1.0) / (warm_up + 1.0);
  if (!settles)
    return 1.0;
  done = (gdouble) (step - warm_up) / (n_steps > warm_up ? n_steps - warm_up : 1);
  return 0.01 + 0.99 * 0.5 * (1.0 + cos (G_PI * MIN (done, 1.0)));
}

gdouble
sppnet_schedule_epochs (gdouble given, gdouble standard, guint least_steps, guint per_step, guint pictures)
{
  return given >= 0.0 ? given : MAX (standard, (gdouble) least_steps * per_step / pictures);
}

guint
sppnet_schedule_steps (gdouble epochs, guint per_step, guint pictures)
{
  return (guint) MIN (ceil (epochs * pictures / per_step), G_MAXINT);
}

SppnetRandom
sppnet_schedule_random (guint32 seed, guint64 number)
{
  SppnetRandom random = { (~(guint64) seed << 32) ^ (number * G_GUINT64_CONSTANT (0xd1342543de82ef95)) };

  sppnet_random_next (&random);
  return random;
}

guint
sppnet_shuffle_at (SppnetShuffle *shuffle, guint64 place)
{
  guint n = shuffle->n, epoch = (guint) (place / n) + 1;

  if (shuffle->epoch != epoch) {
    SppnetRandom random = { ((guint64) shuffle->seed << 32) + epoch };

    if (!shuffle->order)
      shuffle->order = g_new (guint, n);
    for (guint i = 0; i < n; i++)
      shuffle->order[i] = i;
    for (guint i = n; i > 1; i--) {
      guint pick = sppnet_random_below (&random, i), last = shuffle->order[i - 1];

      shuffle->order[i - 1] = shuffle->order[pick];
      shuffle->order[pick] = last;
    }
    shuffle->epoch = epoch;
  }
  return shuffle->order[place % n];
}

void
sppnet_shuffle_clear (SppnetShuffle *shuffle)
{
  g_clear_pointer (&shuffle->order, g_free);
  shuffle->epoch = 0;
}
